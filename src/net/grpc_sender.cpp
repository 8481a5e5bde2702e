#include "net/grpc_sender.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "base/gzip.h"
#include "base/text.h"
#include "export/grpc_answer.h"
#include "net/http2_client.h"

namespace contextcore::net {
namespace {

using exporter::Kind;

// Of HTTP/2 and gRPC themselves.
bool is_reserved(std::string_view name) {
  static constexpr std::array<std::string_view, 10> kNames = {
      "connection", "content-length",   "content-type", "host",
      "keep-alive", "proxy-connection", "te",           "transfer-encoding",
      "upgrade",    "user-agent"};
  return name.starts_with("grpc-") || std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

class GrpcSender : public exporter::Sender {
 public:
  GrpcSender(std::unique_ptr<Network> network, exporter::SenderOptions options)
      : options_(std::move(options)),
        network_(std::move(network)),
        client_(*network_, {options_.destination.url.host, options_.destination.url.port, {}},
                *options_.clock) {}

  Status prepare() {
    const exporter::DestinationSettings& to = options_.destination;
    request_.scheme = to.url.tls ? "https" : "http";
    request_.path = to.kind == Kind::traces
                        ? "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
                        : "/opentelemetry.proto.collector.logs.v1.LogsService/Export";
    headers_ = {{"te", "trailers"},
                {"content-type", "application/grpc"},
                {"grpc-timeout", exporter::grpc_timeout(to.timeout_ns)},
                {"user-agent", options_.user_agent}};
    if (to.compress) headers_.emplace_back("grpc-encoding", "gzip");
    headers_.emplace_back(lower_ascii(exporter::kStoreHeader), options_.store_id);
    for (const auto& [name, value] : to.headers) {
      const std::string key = lower_ascii(name);
      if (is_reserved(key)) {
        return Status(Error{Code::invalid_argument,
                            "the header " + name + " is one that gRPC sets itself",
                            "leave it out of export.headers",
                            {},
                            {}});
      }
      headers_.emplace_back(key, value);
    }
    return {};
  }

  exporter::Outcome send(std::span<const exporter::Item> items) override {
    const bool traces = options_.destination.kind == Kind::traces;
    std::string message =
        traces ? exporter::encode_otlp_traces(items) : exporter::encode_otlp_logs(items);
    if (options_.destination.compress) message = gzip(message);
    request_.body = exporter::grpc_frame(message, options_.destination.compress);
    const std::string& tenant = items.front().tenant;
    request_.headers = tenant.empty() ? headers_ : headers_of_tenant(tenant);
    const auto answer = client_.post(request_, options_.destination.timeout_ns);
    std::string().swap(request_.body);
    if (!answer.ok()) return {exporter::Fate::retry, 0, 0, {}, answer.error().message};
    return exporter::judge_grpc(*answer);
  }

 private:
  exporter::Headers headers_of_tenant(const std::string& tenant) const {
    exporter::Headers headers = exporter::headers_of_tenant(headers_, tenant);
    headers.back().first = lower_ascii(headers.back().first);
    return headers;
  }

  exporter::SenderOptions options_;
  std::unique_ptr<Network> network_;
  Http2Client client_;
  exporter::Headers headers_;  // names in lower case
  Http2Request request_;
};

}  // namespace

Result<std::unique_ptr<exporter::Sender>> make_grpc_sender(std::unique_ptr<Network> network,
                                                           exporter::SenderOptions options) {
  auto sender = std::make_unique<GrpcSender>(std::move(network), std::move(options));
  CC_TRY(sender->prepare());
  return std::unique_ptr<exporter::Sender>(std::move(sender));
}

}  // namespace contextcore::net
