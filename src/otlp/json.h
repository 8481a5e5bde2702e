#pragma once
// OTLP JSON (the protobuf JSON mapping with OTLP's own rules: ids are hexadecimal, 64-bit integers
// are strings or numbers, enums are integers (names accepted), bytes are base64, unknown fields
// ignored, snake_case accepted on input). Same guarantees as protobuf.h.

#include <string>
#include <string_view>

#include "base/result.h"
#include "otlp/model.h"
#include "otlp/protobuf.h"

namespace contextcore::otlp {

Result<TracesData> decode_traces_json(std::string_view text, const DecodeLimits& limits = {});
Result<LogsData> decode_logs_json(std::string_view text, const DecodeLimits& limits = {});
Result<MetricsData> decode_metrics_json(std::string_view text, const DecodeLimits& limits = {});
std::string encode_json(const TracesData& data);
std::string encode_json(const LogsData& data);
std::string encode_json(const MetricsData& data);
std::string encode_export_response_json(std::string_view signal_field, int64_t rejected,
                                        std::string_view message);

}  // namespace contextcore::otlp
