#pragma once
// Loki's push requests (logproto.PushRequest as protobuf in a snappy block, or its JSON form) as
// OTLP logs. A stream becomes a resource that has the stream's labels as attributes and the hint
// "loki.resource.labels" with their names: the store makes stream labels of exactly these again. A
// stream without service_name gets one from the labels that Loki takes it from. Structured metadata
// becomes attributes of the record; trace_id, span_id and severity_number, where they can be, its
// fields. Reentrant.

#include <string>
#include <string_view>

#include "base/result.h"
#include "otlp/model.h"

namespace contextcore::otlp {

// Names those attributes of a resource that are stream labels, besides the usual ones (an array of
// strings, or one string with commas between: the OpenTelemetry Collector's convention).
constexpr std::string_view kLokiLabelsHint = "loki.resource.labels";

struct LokiPushLimits {
  size_t raw_bytes_max = size_t{64} << 20;  // after decompression
  size_t labels_max = 1000;                 // of a stream
};

Result<LogsData> decode_loki_push(std::string_view body, const LokiPushLimits& limits = {});
Result<LogsData> decode_loki_push_json(std::string_view body, const LokiPushLimits& limits = {});

// {name="value", ...} as Prometheus writes labels.
Result<Attributes> parse_loki_labels(std::string_view text);

}  // namespace contextcore::otlp
