#include "export/sender.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "base/gzip.h"
#include "base/time.h"
#include "otlp/export_response.h"

namespace contextcore::exporter {
namespace {

constexpr size_t kMessageBytesMax = 500;
constexpr int64_t kRetryAfterMaxNs = kHourNs;
constexpr int64_t kConnectTimeoutNs = 5 * kSecondNs;
constexpr int64_t kSliceNs = 100 * kMillisecondNs;

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return lower(x) == lower(y); });
}

// The first line of an answer's words, for people.
std::string words_of(const client::HttpResponse& response) {
  const std::string_view type = response.header("content-type");
  std::string text;
  if (type.starts_with("application/x-protobuf") || type.starts_with("application/protobuf")) {
    text = otlp::decode_rpc_status(response.body).message;
  } else {
    text = response.body.substr(0, kMessageBytesMax);
  }
  text = text.substr(0, std::min(text.find('\n'), kMessageBytesMax));
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  return text.empty() ? "HTTP " + std::to_string(response.status)
                      : "HTTP " + std::to_string(response.status) + ": " + text;
}

Fate fate_of(int status) {
  if (status / 100 == 2) return Fate::accepted;
  switch (status) {
    case 400:  // the data
    case 409:
    case 422:
      return Fate::refused;
    case 413:
      return Fate::too_large;
    default:
      // Overload and outages; and what a wrong address or a missing right answers: the data waits
      // until somebody has put that right.
      return Fate::retry;
  }
}

class HttpSender : public Sender {
 public:
  HttpSender(std::unique_ptr<Network> network, SenderOptions options)
      : options_(std::move(options)),
        network_(std::move(network)),
        client_(*network_, endpoint_of(options_.destination.url), options_.destination.timeout_ns) {
    const bool loki = options_.destination.kind == Kind::loki;
    headers_ = options_.destination.headers;
    headers_.emplace_back("Content-Type", loki ? "application/json" : "application/x-protobuf");
    headers_.emplace_back("User-Agent", options_.user_agent);
    headers_.emplace_back(kStoreHeader, options_.store_id);
    if (options_.destination.kind == Kind::metrics) {
      headers_.emplace_back("Content-Encoding", "snappy");
      headers_.emplace_back("X-Prometheus-Remote-Write-Version", "0.1.0");
    } else if (options_.destination.compress) {
      headers_.emplace_back("Content-Encoding", "gzip");
    }
  }

  Outcome send(std::span<const Item> items) override {
    std::string body = encode(items);
    if (options_.destination.compress) body = gzip(body);
    const std::string& tenant = items.front().tenant;
    const std::string& target = options_.destination.url.target;
    auto response = tenant.empty() ? client_.request("POST", target, headers_, body)
                                   : client_.request("POST", target, headers_of_tenant(headers_, tenant), body);
    if (!response.ok()) return {Fate::retry, 0, 0, {}, response.error().message};
    const bool otlp = options_.destination.kind <= Kind::logs;
    return judge(*response, otlp, options_.clock->wall_ns());
  }

 private:
  static Endpoint endpoint_of(const Url& url) { return {url.host, url.port, {}}; }

  std::string encode(std::span<const Item> items) const {
    switch (options_.destination.kind) {
      case Kind::traces:
        return encode_otlp_traces(items);
      case Kind::logs:
        return encode_otlp_logs(items);
      case Kind::loki:
        return encode_loki_push(items);
      case Kind::metrics:
        return encode_metrics(items);
    }
    return {};
  }

  SenderOptions options_;
  std::unique_ptr<Network> network_;
  client::HttpClient client_;
  Headers headers_;
};

class CancellableConnection : public Connection {
 public:
  CancellableConnection(std::unique_ptr<Connection> below, const std::atomic<bool>& cancelled)
      : below_(std::move(below)), cancelled_(cancelled) {}

  Result<size_t> read(char* out, size_t n, int64_t timeout_ns) override {
    while (true) {
      const int64_t slice_ns = std::min(timeout_ns, kSliceNs);
      auto got = below_->read(out, n, slice_ns);
      if (got.ok() || got.error().code != Code::deadline_exceeded) return got;
      timeout_ns -= slice_ns;
      if (timeout_ns <= 0) return got;
      if (cancelled_) return Error{Code::cancelled, "the server stops", {}, {}, {}};
    }
  }
  Status write(std::string_view data, int64_t timeout_ns) override {
    // In pieces: a peer that takes nothing holds us up for one of them only.
    while (!data.empty()) {
      if (cancelled_) return Status(Code::cancelled, "the server stops");
      const std::string_view piece = data.substr(0, 64 << 10);
      CC_TRY(below_->write(piece, std::min(timeout_ns, kConnectTimeoutNs)));
      data.remove_prefix(piece.size());
    }
    return {};
  }

 private:
  std::unique_ptr<Connection> below_;
  const std::atomic<bool>& cancelled_;
};

class CancellableNetwork : public Network {
 public:
  CancellableNetwork(Network& below, const std::atomic<bool>& cancelled)
      : below_(below), cancelled_(cancelled) {}
  Result<std::unique_ptr<Connection>> connect(const Endpoint& endpoint,
                                              int64_t timeout_ns) override {
    if (cancelled_) return Error{Code::cancelled, "the server stops", {}, {}, {}};
    CC_ASSIGN(auto connection, below_.connect(endpoint, std::min(timeout_ns, kConnectTimeoutNs)));
    return std::unique_ptr<Connection>(
        std::make_unique<CancellableConnection>(std::move(connection), cancelled_));
  }

 private:
  Network& below_;
  const std::atomic<bool>& cancelled_;
};

}  // namespace

Headers headers_of_tenant(Headers headers, const std::string& tenant) {
  std::erase_if(headers, [](const auto& header) { return equal_ignoring_case(header.first, kTenantHeader); });
  headers.emplace_back(kTenantHeader, tenant);
  return headers;
}

Outcome judge(const client::HttpResponse& response, bool otlp, int64_t now_ns) {
  Outcome out;
  out.status = response.status;
  out.fate = fate_of(response.status);
  if (out.fate != Fate::accepted) {
    out.message = words_of(response);
    if (out.fate == Fate::retry)
      out.retry_after_ns = parse_retry_after(response.header("retry-after"), now_ns);
    return out;
  }
  const std::string_view type = response.header("content-type");
  if (!otlp || response.body.empty() || type.starts_with("application/json")) return out;
  // It was acknowledged, whatever else the body may be.
  const auto answer = otlp::decode_export_response_protobuf(response.body);
  if (!answer.ok()) return out;
  out.rejected = std::max<int64_t>(answer->rejected, 0);
  out.message = answer->message;
  return out;
}

std::optional<int64_t> parse_retry_after(std::string_view text, int64_t now_ns) {
  int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error == std::errc() && end == text.data() + text.size()) {
    if (seconds < 0) return std::nullopt;
    return std::min(seconds, kRetryAfterMaxNs / kSecondNs) * kSecondNs;
  }
  // "Sun, 06 Nov 1994 08:49:37 GMT"
  static constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  if (text.size() != 29 || !text.ends_with(" GMT")) return std::nullopt;
  const size_t month = kMonths.find(text.substr(8, 3));
  if (month == std::string_view::npos || month % 3 != 0) return std::nullopt;
  const std::string number = std::to_string(month / 3 + 1);
  const std::string date =
      std::string(text.substr(12, 4)) + "-" + (number.size() == 1 ? "0" + number : number) + "-" +
      std::string(text.substr(5, 2)) + "T" + std::string(text.substr(17, 8)) + "Z";
  const auto time_ns = parse_rfc3339(date);
  if (!time_ns.ok()) return std::nullopt;
  if (*time_ns <= now_ns) return int64_t{0};
  return std::min(*time_ns - now_ns, kRetryAfterMaxNs);
}

std::unique_ptr<Sender> make_http_sender(std::unique_ptr<Network> network, SenderOptions options) {
  return std::make_unique<HttpSender>(std::move(network), std::move(options));
}

std::unique_ptr<Network> make_cancellable_network(Network& below,
                                                  const std::atomic<bool>& cancelled) {
  return std::make_unique<CancellableNetwork>(below, cancelled);
}

}  // namespace contextcore::exporter
