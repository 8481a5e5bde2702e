// Any bytes are safe as a push request. What is accepted has a service for every stream, a hint
// that names all of its labels, and times that fit. A first byte of '{' is the JSON form, else the
// message without its compression stands behind a byte, so that the search reaches it.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "otlp/loki_push.h"
#include "otlp/snappy.h"

namespace otlp = contextcore::otlp;

namespace {

void check(const contextcore::Result<otlp::LogsData>& logs) {
  if (!logs.ok()) {
    if (logs.error().message.empty()) std::abort();
    return;
  }
  for (const otlp::ResourceLogs& stream : logs->resource_logs) {
    const otlp::Attributes& labels = stream.resource.attributes;
    const otlp::Value* hint = otlp::find(labels, otlp::kLokiLabelsHint);
    if (hint == nullptr || hint->as_array() == nullptr ||
        hint->as_array()->size() + 1 != labels.size() ||
        otlp::find_string(labels, "service_name").empty()) {
      std::abort();
    }
    for (const otlp::LogRecord& record : stream.scope_logs.front().records) {
      if (record.time_ns > INT64_MAX || record.body.as_string() == nullptr) std::abort();
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  otlp::LokiPushLimits limits;
  limits.raw_bytes_max = 1 << 20;
  check(otlp::decode_loki_push(bytes, limits));
  if (bytes.starts_with('{')) {
    check(otlp::decode_loki_push_json(bytes, limits));
    const auto labels = otlp::parse_loki_labels(bytes);
    if (!labels.ok() && labels.error().message.empty()) std::abort();
  } else if (!bytes.empty()) {
    check(otlp::decode_loki_push(otlp::snappy_compress(bytes.substr(1)), limits));
  }
  return 0;
}
