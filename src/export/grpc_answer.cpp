#include "export/grpc_answer.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/hash.h"
#include "base/time.h"
#include "otlp/export_response.h"

namespace contextcore::exporter {
namespace {

constexpr size_t kMessageBytesMax = 500;
constexpr int64_t kRetryAfterMaxNs = kHourNs;
constexpr size_t kFrameBytes = 5;

// Codes of gRPC, in their order.
constexpr std::array<std::string_view, 17> kNames = {
    "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
    "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
    "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
    "DATA_LOSS", "UNAUTHENTICATED"};
enum GrpcCode : int {
  kOk = 0,
  kCancelled = 1,
  kUnknown = 2,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kAborted = 10,
  kOutOfRange = 11,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
  kDataLoss = 15,
  kUnauthenticated = 16,
};

std::optional<std::string_view> field(const Headers& headers, std::string_view name) {
  for (const auto& [key, value] : headers) {
    if (key == name) return value;
  }
  return std::nullopt;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// A status message travels percent-encoded. Its first line, for people.
std::string words_of(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size() && out.size() < kMessageBytesMax; ++i) {
    char c = text[i];
    if (c == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 &&
        hex_value(text[i + 2]) >= 0) {
      c = static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
      i += 2;
    }
    if (c == '\n') break;
    out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
  }
  return out;
}

std::string shown(int code, const std::string& words) {
  const std::string_view name = grpc_code_name(code);
  std::string out = "gRPC ";
  out += name.empty() ? std::to_string(code) : std::string(name);
  return words.empty() ? out : out + ": " + words;
}

// A receiver that takes no message of this size says so in words only.
bool is_size_limit(std::string_view words) {
  return words.find("larger than max") != std::string_view::npos ||
         words.find("exceeds maximum size") != std::string_view::npos;
}

Fate fate_of(int code) {
  switch (code) {
    case kOk:
      return Fate::accepted;
    case kCancelled:  // the specification's retryable ones
    case kDeadlineExceeded:
    case kAborted:
    case kOutOfRange:
    case kUnavailable:
    case kDataLoss:
    case kResourceExhausted:
      return Fate::retry;
    case kNotFound:  // a wrong address or a missing right: the data waits
    case kPermissionDenied:
    case kUnimplemented:
    case kUnauthenticated:
      return Fate::retry;
    default:
      return Fate::refused;
  }
}

// gRPC's "HTTP to gRPC Status Code Mapping", and that of HTTP/2's errors.
int code_of_http(int status) {
  switch (status) {
    case 400:
      return kInternal;
    case 401:
      return kUnauthenticated;
    case 403:
      return kPermissionDenied;
    case 404:
      return kUnimplemented;
    case 429:
    case 502:
    case 503:
    case 504:
      return kUnavailable;
    default:
      return kUnknown;
  }
}
int code_of_reset(uint32_t error) {
  switch (error) {
    case 7:  // REFUSED_STREAM
      return kUnavailable;
    case 8:  // CANCEL
      return kCancelled;
    case 11:  // ENHANCE_YOUR_CALM
      return kResourceExhausted;
    case 12:  // INADEQUATE_SECURITY
      return kPermissionDenied;
    default:
      return kInternal;
  }
}

// No word of the receiver itself.
Outcome without_status(const GrpcAnswer& answer) {
  Outcome out;
  if (answer.http_status != 0 && answer.http_status != 200) {
    out.status = code_of_http(answer.http_status);
    if (answer.http_status == 413) out.fate = Fate::too_large;
    out.message = shown(out.status, "HTTP " + std::to_string(answer.http_status));
  } else if (answer.reset && *answer.reset != 0) {
    out.status = code_of_reset(*answer.reset);
    out.message = shown(
        out.status, "the stream was reset (HTTP/2 error " + std::to_string(*answer.reset) + ")");
  } else {
    out.status = kUnknown;
    const auto type = field(answer.headers, "content-type");
    const bool grpc = type && type->starts_with("application/grpc");
    out.message = shown(out.status, grpc || answer.http_status == 0 ? "an answer without a status"
                                                                    : "not an answer of gRPC");
  }
  return out;
}

Outcome accepted(const GrpcAnswer& answer) {
  Outcome out;
  out.fate = Fate::accepted;
  // It was acknowledged, whatever else the message may be.
  const std::string_view body = answer.body;
  if (body.size() < kFrameBytes || body[0] != 0) return out;
  size_t size = 0;
  for (size_t i = 1; i < kFrameBytes; ++i) size = size << 8 | static_cast<unsigned char>(body[i]);
  if (size > body.size() - kFrameBytes) return out;
  const auto response = otlp::decode_export_response_protobuf(body.substr(kFrameBytes, size));
  if (!response.ok()) return out;
  out.rejected = std::max<int64_t>(response->rejected, 0);
  out.message = response->message;
  return out;
}

std::optional<int64_t> retry_delay(const Headers& trailers) {
  const auto encoded = field(trailers, "grpc-status-details-bin");
  std::string bytes;
  if (!encoded || !from_base64(*encoded, bytes)) return std::nullopt;
  const auto delay_ns = otlp::decode_rpc_status(bytes).retry_delay_ns;
  if (!delay_ns) return std::nullopt;
  return std::clamp<int64_t>(*delay_ns, 0, kRetryAfterMaxNs);
}

}  // namespace

std::string_view grpc_code_name(int code) {
  const bool known = code >= 0 && static_cast<size_t>(code) < kNames.size();
  return known ? kNames[static_cast<size_t>(code)] : std::string_view();
}

Outcome judge_grpc(const GrpcAnswer& answer) {
  const auto text = field(answer.trailers, "grpc-status");
  if (!text) return without_status(answer);
  int code = kUnknown;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), code);
  if (error != std::errc() || end != text->data() + text->size() || code < 0) code = kUnknown;
  if (code == kOk) return accepted(answer);
  const std::string words = words_of(field(answer.trailers, "grpc-message").value_or(""));
  Outcome out;
  out.fate = fate_of(code);
  out.status = code;
  out.message = shown(code, words);
  if (out.fate == Fate::retry) out.retry_after_ns = retry_delay(answer.trailers);
  if (code == kResourceExhausted && !out.retry_after_ns && is_size_limit(words))
    out.fate = Fate::too_large;
  return out;
}

std::string grpc_frame(std::string_view message, bool compressed) {
  std::string out;
  out.reserve(kFrameBytes + message.size());
  out += compressed ? '\1' : '\0';
  const auto size = static_cast<uint32_t>(message.size());
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(size >> shift & 0xff);
  return out.append(message);
}

std::string grpc_timeout(int64_t ns) {
  constexpr int64_t kMax = 99'999'999;
  const int64_t ms = std::max<int64_t>(ns, 1) / kMillisecondNs + (ns % kMillisecondNs > 0 ? 1 : 0);
  if (ms <= kMax) return std::to_string(ms) + "m";
  const int64_t seconds = ms / 1000;
  if (seconds <= kMax) return std::to_string(seconds) + "S";
  return std::to_string(seconds / 3600) + "H";
}

}  // namespace contextcore::exporter
