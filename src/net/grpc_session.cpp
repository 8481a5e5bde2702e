#include "net/grpc_session.h"

#include <algorithm>
#include <utility>

#include "base/hash.h"
#include "export/grpc_answer.h"

namespace contextcore::net {
namespace {

using api::GrpcAnswer;
using api::GrpcStatus;

constexpr size_t kPrefixBytes = 5;  // whether the message is compressed, and its length

// A status message travels percent-encoded: gRPC over HTTP/2, "Percent-Encoded".
std::string percent_encoded(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte <= 0x7e && c != '%') {
      out += c;
    } else {
      out += '%';
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
    }
  }
  return out;
}

std::string base64_without_padding(std::string_view bytes) {
  std::string out = to_base64(bytes);
  while (out.ends_with('=')) out.pop_back();
  return out;
}

Http2Fields trailers_of(const GrpcAnswer& answer) {
  Http2Fields out{{"grpc-status", std::to_string(answer.status)}};
  if (!answer.words.empty()) out.emplace_back("grpc-message", percent_encoded(answer.words));
  if (!answer.details.empty())
    out.emplace_back("grpc-status-details-bin", base64_without_padding(answer.details));
  return out;
}

GrpcAnswer busy(std::string words) {
  return api::grpc_error(GrpcStatus::unavailable, std::move(words), true);
}

}  // namespace

GrpcSession::GrpcSession(Options options, Host& host)
    : options_(std::move(options)),
      host_(host),
      http2_(Http2Server::make(options_.http2, *this)) {}

GrpcSession::~GrpcSession() {
  for (auto& [stream, call] : calls_) release(call);
}

Status GrpcSession::receive(std::string_view bytes, int64_t now_ns) {
  now_ns_ = now_ns;
  return http2_->receive(bytes);
}

void GrpcSession::answer(int32_t stream, const GrpcAnswer& answer) {
  const auto found = calls_.find(stream);
  if (found == calls_.end()) return;  // given up by the client
  host_.answered(found->second.path, answer);
  calls_.erase(found);
  if (answer.http_status != 200) {
    http2_->respond(stream,
                    {{":status", std::to_string(answer.http_status)}, {"content-type", "text/plain"}},
                    answer.words, {});
    return;
  }
  Http2Fields header{{":status", "200"},
                     {"content-type", "application/grpc"},
                     {"grpc-accept-encoding", std::string(api::kGrpcEncodings)}};
  Http2Fields trailers = trailers_of(answer);
  if (answer.status == 0) {
    http2_->respond(stream, header, exporter::grpc_frame(answer.message, false),
                    std::move(trailers));
    return;
  }
  header.insert(header.end(), trailers.begin(), trailers.end());
  http2_->respond(stream, header, {}, {});
}

void GrpcSession::refuse(int32_t stream, Call& call, const GrpcAnswer& refusal) {
  release(call);
  call.call.message = {};
  answer(stream, refusal);
}

void GrpcSession::release(Call& call) {
  if (call.reserved_bytes > 0) host_.release(std::exchange(call.reserved_bytes, 0));
}

void GrpcSession::expire(int64_t now_ns) {
  for (auto next = calls_.begin(); next != calls_.end();) {
    auto& [stream, call] = *next++;  // the present one may go
    if (call.running || call.deadline_ns > now_ns) continue;
    refuse(stream, call,
           api::grpc_error(GrpcStatus::deadline_exceeded, "the message did not arrive in time"));
  }
}

std::optional<int64_t> GrpcSession::next_deadline_ns() const {
  std::optional<int64_t> out;
  for (const auto& [stream, call] : calls_) {
    if (!call.running) out = std::min(out.value_or(call.deadline_ns), call.deadline_ns);
  }
  return out;
}

void GrpcSession::header(int32_t stream, Http2Fields fields) {
  Call& call = calls_[stream];
  call.deadline_ns = now_ns_ + options_.body_timeout_ns;
  call.call.peer = options_.peer;
  for (auto& [name, value] : fields) {
    if (name == ":method") call.call.method = std::move(value);
    if (name == ":path") call.call.path = std::move(value);
    if (!name.starts_with(':')) call.call.metadata.emplace_back(std::move(name), std::move(value));
  }
  call.path = call.call.path;
  if (auto refusal = api::refuse_grpc_header(call.call)) return refuse(stream, call, *refusal);
  if (options_.overloaded) refuse(stream, call, busy("too many connections at once; try again"));
}

// Of a prefix that is whole.
std::optional<GrpcAnswer> GrpcSession::begin_message(Call& call) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(call.prefix[i]); };
  if (byte(0) > 1) {
    return api::grpc_error(GrpcStatus::internal,
                           "a message begins with 0 or 1, not " + std::to_string(byte(0)));
  }
  call.call.compressed = byte(0) == 1;
  for (size_t i = 1; i < kPrefixBytes; ++i) call.length = call.length << 8 | byte(i);
  if (call.length > options_.message_bytes_max) {
    return api::grpc_error(GrpcStatus::resource_exhausted,
                           "received message larger than max (" + std::to_string(call.length) +
                               " vs. " + std::to_string(options_.message_bytes_max) +
                               "); send smaller batches");
  }
  if (!host_.reserve(call.length)) return busy("too many large messages at once; try again");
  call.reserved_bytes = call.length;
  call.call.message.reserve(call.length);
  return std::nullopt;
}

void GrpcSession::data(int32_t stream, std::string_view bytes) {
  const auto found = calls_.find(stream);
  if (found == calls_.end()) return;
  Call& call = found->second;
  if (call.prefix.size() < kPrefixBytes) {
    const size_t count = std::min(bytes.size(), kPrefixBytes - call.prefix.size());
    call.prefix += bytes.substr(0, count);
    bytes.remove_prefix(count);
    if (call.prefix.size() < kPrefixBytes) return;
    if (auto refusal = begin_message(call)) return refuse(stream, call, *refusal);
  }
  if (bytes.size() > call.length - call.call.message.size()) {
    return refuse(stream, call,
                  api::grpc_error(GrpcStatus::internal, "more than the one message of the call"));
  }
  call.call.message += bytes;
}

void GrpcSession::end(int32_t stream) {
  const auto found = calls_.find(stream);
  if (found == calls_.end()) return;
  Call& call = found->second;
  if (call.prefix.empty())
    return refuse(stream, call, api::grpc_error(GrpcStatus::internal, "a call without a message"));
  if (call.prefix.size() < kPrefixBytes || call.call.message.size() < call.length) {
    return refuse(stream, call,
                  api::grpc_error(GrpcStatus::internal,
                                  "the message ends early: " +
                                      std::to_string(call.call.message.size()) + " bytes of " +
                                      std::to_string(call.length)));
  }
  call.running = true;
  if (!host_.run(stream, call.call, call.reserved_bytes)) {
    call.running = false;
    return refuse(stream, call, busy("too many requests at once; try again"));
  }
  call.reserved_bytes = 0;
}

void GrpcSession::closed(int32_t stream) {
  const auto found = calls_.find(stream);
  if (found == calls_.end()) return;
  release(found->second);
  calls_.erase(found);
}

}  // namespace contextcore::net
