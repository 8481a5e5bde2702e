#pragma once
// OTLP protobuf, both ways, loss-free for every field of the specification that the models keep
// (unknown fields are skipped). Decoders never throw; they check UTF-8 of every string field, depth of AnyValue and id
// lengths, and name what is wrong and where (byte offset). Reentrant.

#include <string>
#include <string_view>

#include "base/result.h"
#include "otlp/metrics_model.h"
#include "otlp/model.h"

namespace contextcore::otlp {

struct DecodeLimits {
  int value_depth_max = 32;  // nesting of AnyValue arrays and kvlists
};

Result<TracesData> decode_traces_protobuf(std::string_view bytes, const DecodeLimits& limits = {});
Result<LogsData> decode_logs_protobuf(std::string_view bytes, const DecodeLimits& limits = {});
Result<MetricsData> decode_metrics_protobuf(std::string_view bytes, const DecodeLimits& limits = {});
std::string encode_protobuf(const TracesData& data);
std::string encode_protobuf(const LogsData& data);
std::string encode_protobuf(const MetricsData& data);

// Single messages, for the store and for tempopb answers. Appends to out.
void append_span_protobuf(const Span& span, std::string& out);
void append_log_record_protobuf(const LogRecord& record, std::string& out);
void append_resource_protobuf(const Resource& resource, std::string& out);  // without schema_url
void append_scope_protobuf(const Scope& scope, std::string& out);           // without schema_url
void append_value_protobuf(const Value& value, std::string& out);
Result<Span> decode_span_protobuf(std::string_view bytes, const DecodeLimits& limits = {});
Result<LogRecord> decode_log_record_protobuf(std::string_view bytes,
                                             const DecodeLimits& limits = {});
Result<Resource> decode_resource_protobuf(std::string_view bytes, const DecodeLimits& limits = {});
Result<Scope> decode_scope_protobuf(std::string_view bytes, const DecodeLimits& limits = {});
Result<Value> decode_value_protobuf(std::string_view bytes, const DecodeLimits& limits = {});

// ExportTraceServiceResponse / ExportLogsServiceResponse / ExportMetricsServiceResponse: empty when rejected == 0 and message
// empty.
std::string encode_export_response_protobuf(int64_t rejected, std::string_view message);

}  // namespace contextcore::otlp
