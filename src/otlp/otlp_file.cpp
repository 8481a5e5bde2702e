#include "otlp/otlp_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/gzip.h"
#include "base/zstd.h"
#include "otlp/json.h"
#include "otlp/protobuf.h"

namespace contextcore::otlp {
namespace {

constexpr std::string_view kGzipMagic = "\x1f\x8b";
constexpr std::string_view kZstdMagic = "\x28\xb5\x2f\xfd";
constexpr size_t kLengthBytes = 4;
constexpr char kFirstField = 0x0a;  // what a request that is not empty begins with

Error bad(std::string message) {
  return Error{Code::invalid_argument, std::move(message), {}, {}, {}};
}

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

// Where the JSON object at the start of text ends, and the names of its own members; length 0: it
// does not end.
struct ObjectShape {
  size_t length = 0;
  std::set<std::string_view> members;
};

ObjectShape shape_of(std::string_view text) {
  ObjectShape out;
  size_t depth = 0;
  size_t string_start = 0;
  bool in_string = false;
  std::string_view last_string;
  for (size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (in_string) {
      if (c == '\\') ++at;
      if (c != '"') continue;
      in_string = false;
      last_string = text.substr(string_start, at - string_start);
    } else if (c == '"') {
      in_string = true;
      string_start = at + 1;
    } else if (c == ':' && depth == 1) {
      out.members.insert(last_string);
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if ((c == '}' || c == ']') && --depth == 0) {
      out.length = at + 1;
      return out;
    }
  }
  return out;
}

// Protobuf does not say which request it is: the records do. A span has both ids and a start.
bool are_spans(const TracesData& data) {
  for (const ResourceSpans& resource : data.resource_spans) {
    for (const ScopeSpans& scope : resource.scope_spans) {
      for (const Span& span : scope.spans) {
        if (span.trace_id.empty() || span.span_id.empty() || span.start_ns == 0) return false;
      }
    }
  }
  return true;
}

Result<OtlpFileRequest> decode_message(std::string_view bytes) {
  OtlpFileRequest out;
  Result<TracesData> traces = decode_traces_protobuf(bytes);
  if (traces.ok() && are_spans(*traces)) {
    out.traces = std::move(*traces);
    return out;
  }
  Result<LogsData> logs = decode_logs_protobuf(bytes);
  if (logs.ok()) {
    out.logs = std::move(*logs);
    return out;
  }
  Result<MetricsData> metrics = decode_metrics_protobuf(bytes);
  if (metrics.ok()) {
    out.metrics = std::move(*metrics);
    return out;
  }
  // The decoder that came furthest knows best what is wrong.
  const auto reach = [](const Error& error) { return error.position.value_or(0); };
  const Error* error = &logs.error();
  if (!traces.ok() && reach(traces.error()) > reach(*error)) error = &traces.error();
  if (reach(metrics.error()) > reach(*error)) error = &metrics.error();
  return *error;
}

Result<std::string> decompress(std::string_view bytes, size_t bytes_max) {
  if (bytes.starts_with(kGzipMagic)) return gunzip(bytes, bytes_max);
  return unzstd(bytes, bytes_max);
}

bool is_compressed(std::string_view bytes) {
  return bytes.starts_with(kGzipMagic) || bytes.starts_with(kZstdMagic);
}

size_t length_at(std::string_view bytes) {
  size_t length = 0;
  for (size_t i = 0; i < kLengthBytes; ++i)
    length = length << 8 | static_cast<unsigned char>(bytes[i]);
  return length;
}

Error at_byte(size_t offset, Error error) {
  error.message = fmt::format("byte {}: {}", offset, error.message);
  return error;
}

}  // namespace

Result<std::string> unpack_otlp_file(std::string bytes, const OtlpFileLimits& limits) {
  if (!is_compressed(bytes)) return bytes;
  return decompress(bytes, limits.raw_bytes_max);
}

OtlpFileReader::OtlpFileReader(std::string_view bytes, const OtlpFileLimits& limits)
    : bytes_(bytes), limits_(limits) {}

Result<std::optional<OtlpFileRequest>> OtlpFileReader::next() {
  size_t start = at_;
  while (start < bytes_.size() && is_blank(bytes_[start])) ++start;
  if (start < bytes_.size() && bytes_[start] == '{') {
    at_ = start;
    return next_json();
  }
  if (start == bytes_.size()) {
    at_ = start;
    return std::optional<OtlpFileRequest>();
  }
  // A request that stands alone begins with a field, never with blanks or a length.
  if (at_ == 0 && bytes_[0] == kFirstField) {
    at_ = bytes_.size();
    Result<OtlpFileRequest> request = decode_message(bytes_);
    if (!request.ok()) return request.error();
    return std::optional<OtlpFileRequest>(std::move(*request));
  }
  return next_message();
}

Error OtlpFileReader::at_line(size_t offset, Error error) const {
  const auto line =
      std::count(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(offset), '\n') + 1;
  error.message = fmt::format("line {}: {}", line, error.message);
  return error;
}

Result<std::optional<OtlpFileRequest>> OtlpFileReader::next_json() {
  const size_t start = at_;
  const ObjectShape shape = shape_of(bytes_.substr(start));
  if (shape.length == 0) return at_line(start, bad("the JSON object does not end"));
  at_ += shape.length;
  Result<OtlpFileRequest> request = decode(bytes_.substr(start, shape.length), start);
  if (request.ok()) return std::optional<OtlpFileRequest>(std::move(*request));
  // The decoder's own position, where it has one, is within the object.
  const auto within =
      static_cast<size_t>(std::max<int64_t>(request.error().position.value_or(0), 0));
  return at_line(start + std::min(within, shape.length), request.error());
}

Result<std::optional<OtlpFileRequest>> OtlpFileReader::next_message() {
  const size_t start = at_;
  const std::string_view rest = bytes_.substr(start);
  // No message is so long that its length begins with a printable character.
  const bool is_text = start == 0 && rest[0] >= ' ';
  if (rest.size() < kLengthBytes || is_text)
    return at_byte(start, bad("is neither OTLP JSON nor OTLP protobuf"));
  const size_t length = length_at(rest);
  if (length > rest.size() - kLengthBytes) {
    return at_byte(start, bad(fmt::format("a message of {} bytes is announced, {} are left", length,
                                          rest.size() - kLengthBytes)));
  }
  at_ += kLengthBytes + length;
  Result<OtlpFileRequest> request = decode(rest.substr(kLengthBytes, length), start + kLengthBytes);
  if (!request.ok()) return at_byte(start + kLengthBytes, request.error());
  return std::optional<OtlpFileRequest>(std::move(*request));
}

Result<OtlpFileRequest> OtlpFileReader::decode(std::string_view payload, size_t offset) {
  if (is_compressed(payload)) {
    CC_ASSIGN(const std::string raw, decompress(payload, limits_.raw_bytes_max));
    if (is_compressed(raw)) return bad("is compressed twice");
    return decode(raw, offset);
  }
  if (payload.empty() || payload[0] != '{') return decode_message(payload);
  const std::set<std::string_view> members = shape_of(payload).members;
  const auto has = [&](std::string_view camel, std::string_view snake) {
    return members.count(camel) + members.count(snake) > 0;
  };
  OtlpFileRequest out;
  const bool traces = has("resourceSpans", "resource_spans");
  const bool logs = has("resourceLogs", "resource_logs");
  const bool metrics = has("resourceMetrics", "resource_metrics");
  if (!traces && !logs && !metrics && !members.empty())
    return bad("the object has neither resourceSpans, resourceLogs nor resourceMetrics");
  if (traces) {
    CC_ASSIGN(out.traces, decode_traces_json(payload));
  }
  if (logs) {
    CC_ASSIGN(out.logs, decode_logs_json(payload));
  }
  if (metrics) {
    CC_ASSIGN(out.metrics, decode_metrics_json(payload));
  }
  return out;
}

}  // namespace contextcore::otlp
