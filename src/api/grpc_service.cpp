#include "api/grpc_service.h"

#include <algorithm>
#include <array>
#include <protozero/pbf_reader.hpp>
#include <protozero/pbf_writer.hpp>
#include <utility>

#include "api/export_api.h"
#include "api/responses.h"
#include "base/gzip.h"
#include "otlp/protobuf.h"

namespace contextcore::api {
namespace {

constexpr int64_t kRetryDelaySeconds = 1;  // HTTP's Retry-After
constexpr std::string_view kHealthCheck = "/grpc.health.v1.Health/Check";
constexpr std::string_view kHealthWatch = "/grpc.health.v1.Health/Watch";

struct ExportMethod {
  std::string_view service;
  Signal signal;
};
constexpr std::array<ExportMethod, 3> kExports = {{
    {"opentelemetry.proto.collector.trace.v1.TraceService", Signal::traces},
    {"opentelemetry.proto.collector.logs.v1.LogsService", Signal::logs},
    {"opentelemetry.proto.collector.metrics.v1.MetricsService", Signal::metrics},
}};

const ExportMethod* find_service(std::string_view name) {
  const auto found = std::find_if(kExports.begin(), kExports.end(),
                                  [&](const ExportMethod& one) { return one.service == name; });
  return found == kExports.end() ? nullptr : &*found;
}

// "/service/Export"
const ExportMethod* find_export(std::string_view path) {
  constexpr std::string_view kMethod = "/Export";
  if (!path.starts_with('/') || !path.ends_with(kMethod)) return nullptr;
  path.remove_prefix(1);
  path.remove_suffix(std::min(path.size(), kMethod.size()));
  return find_service(path);
}

GrpcAnswer not_grpc(int http_status, std::string words) {
  GrpcAnswer answer;
  answer.http_status = http_status;
  answer.words = std::move(words);
  return answer;
}

// Of what the store or a decoder says. Only what passes by itself asks for another try; OTLP's
// senders drop what was RESOURCE_EXHAUSTED when no RetryInfo comes with it.
GrpcAnswer answer_error(const Error& error) {
  GrpcAnswer answer = grpc_error(GrpcStatus::internal, error.to_string());
  if (error.code == Code::unavailable)
    return grpc_error(GrpcStatus::unavailable, error.to_string(), true);
  if (error.code == Code::resource_exhausted)
    return grpc_error(GrpcStatus::resource_exhausted, error.to_string(), true);
  answer.status = rpc_code(error.code);
  return answer;
}

}  // namespace

std::string_view GrpcCall::header(std::string_view name) const {
  for (const auto& [key, value] : metadata) {
    if (key == name) return value;
  }
  return {};
}

GrpcAnswer grpc_error(GrpcStatus status, std::string words, bool retry) {
  GrpcAnswer answer;
  answer.status = static_cast<int>(status);
  if (retry) {
    std::string delay, info;
    protozero::pbf_writer(delay).add_int64(1, kRetryDelaySeconds);
    protozero::pbf_writer(info).add_message(1, delay);
    protozero::pbf_writer writer(answer.details);
    writer.add_int32(1, answer.status);
    writer.add_string(2, words);
    protozero::pbf_writer any(writer, 3);
    any.add_string(1, "type.googleapis.com/google.rpc.RetryInfo");
    any.add_bytes(2, info);
  }
  answer.words = std::move(words);
  return answer;
}

std::optional<GrpcAnswer> refuse_grpc_header(const GrpcCall& call) {
  const std::string type = media_type(call.header("content-type"));
  if (type != "application/grpc" && !type.starts_with("application/grpc+")) {
    return not_grpc(415, "415 this port takes OTLP over gRPC (content-type application/grpc), not \"" +
                             std::string(call.header("content-type")) +
                             "\"; OTLP/HTTP has a port of its own\n");
  }
  if (call.method != "POST") return not_grpc(405, "405 gRPC calls are POST requests\n");
  if (call.path != kHealthCheck && find_export(call.path) == nullptr) {
    std::string words = "unknown method " + call.path;
    if (call.path == kHealthWatch) words += "; there is Check";
    return grpc_error(GrpcStatus::unimplemented, std::move(words));
  }
  if (type != "application/grpc" && type != "application/grpc+proto") {
    return grpc_error(GrpcStatus::unimplemented,
                      "messages of \"" + type + "\" are not taken, protobuf is");
  }
  const std::string_view encoding = call.header("grpc-encoding");
  if (!encoding.empty() && encoding != "identity" && encoding != "gzip") {
    return grpc_error(GrpcStatus::unimplemented, "compression \"" + std::string(encoding) +
                                                     "\" is not taken; use gzip or none");
  }
  return std::nullopt;
}

Grpc::Grpc(const OtlpIngest& ingest, size_t message_bytes_max, std::function<bool()> serving,
           std::function<bool(std::string_view)> is_own)
    : ingest_(ingest),
      message_bytes_max_(message_bytes_max),
      serving_(std::move(serving)),
      is_own_(std::move(is_own)) {}

GrpcAnswer Grpc::answer(const GrpcCall& call) const {
  std::string_view message = call.message;
  std::string plain;
  if (call.compressed) {
    if (call.header("grpc-encoding") != "gzip") {
      return grpc_error(GrpcStatus::internal,
                        "the message is marked as compressed, but grpc-encoding names nothing");
    }
    auto unpacked = gunzip(call.message, message_bytes_max_);
    if (!unpacked.ok()) {
      if (unpacked.error().code != Code::resource_exhausted) return answer_error(unpacked.error());
      // Words that senders know a message by that has to be cut.
      return grpc_error(GrpcStatus::resource_exhausted,
                        "received message after decompression larger than max " +
                            std::to_string(message_bytes_max_) + "; send smaller batches");
    }
    plain = std::move(*unpacked);
    message = plain;
  }
  if (const ExportMethod* method = find_export(call.path))
    return export_call(call, method->signal, message);
  if (call.path == kHealthCheck) return check_health(message);
  return grpc_error(GrpcStatus::unimplemented, "unknown method " + call.path);
}

GrpcAnswer Grpc::export_call(const GrpcCall& call, Signal signal, std::string_view message) const {
  if (is_own_(call.header(kStoreHeader))) {
    return grpc_error(GrpcStatus::permission_denied, own_export_error().to_string());
  }
  const auto result = ingest_.take(signal, message, call.header(kTenantHeader));
  if (!result.ok()) return answer_error(result.error());
  GrpcAnswer answer;
  answer.message = otlp::encode_export_response_protobuf(result->rejected, result->message);
  return answer;
}

// HealthCheckRequest { service: 1 } → HealthCheckResponse { status: 1 }
GrpcAnswer Grpc::check_health(std::string_view message) const {
  enum : int32_t { kServing = 1, kNotServing = 2 };
  std::string service;
  try {
    protozero::pbf_reader reader(message.data(), message.size());
    while (reader.next()) {
      if (reader.tag_and_type() ==
          protozero::tag_and_type(1, protozero::pbf_wire_type::length_delimited)) {
        service = reader.get_string();
      } else {
        reader.skip();
      }
    }
  } catch (const protozero::exception&) {
    return grpc_error(GrpcStatus::invalid_argument, "not a HealthCheckRequest");
  }
  if (!service.empty() && find_service(service) == nullptr)
    return grpc_error(GrpcStatus::not_found, "unknown service " + service);
  GrpcAnswer answer;
  protozero::pbf_writer(answer.message).add_enum(1, serving_() ? kServing : kNotServing);
  return answer;
}

}  // namespace contextcore::api
