// Logs and single messages: wire bytes → model in one pass (wire_reader.h). Traces: protobuf_spans.cpp.
//
// Merging follows proto3: a scalar sent twice: the last wins; a sub-message sent twice is merged;
// of a oneof the last member wins, and two lists of the same member are joined.

#include "otlp/protobuf_common.h"

namespace contextcore::otlp {
namespace {

class Decoder : public CommonDecoder {
 public:
  using CommonDecoder::CommonDecoder;

  bool logs(std::string_view bytes, LogsData& out);
  bool log_record(std::string_view bytes, LogRecord& out);

 private:
  bool resource_logs(std::string_view bytes, ResourceLogs& out);
  bool scope_logs(std::string_view bytes, ScopeLogs& out);
};

bool Decoder::logs(std::string_view all, LogsData& out) {
  return each_field(all, "LogsData", [&](pbf_reader& reader) {
    if (reader.tag() != 1) return skip(reader);
    return message(reader, "LogsData.resource_logs", [&](std::string_view view) {
      return resource_logs(view, out.resource_logs.emplace_back());
    });
  });
}

bool Decoder::resource_logs(std::string_view all, ResourceLogs& out) {
  return each_field(all, "ResourceLogs", [&](pbf_reader& reader) {
    switch (reader.tag()) {
      case 1:
        return message(reader, "ResourceLogs.resource",
                       [&](std::string_view view) { return resource(view, out.resource); });
      case 2:
        return message(reader, "ResourceLogs.scope_logs", [&](std::string_view view) {
          return scope_logs(view, out.scope_logs.emplace_back());
        });
      case 3:
        return string(reader, "ResourceLogs.schema_url", out.resource.schema_url);
      default:
        return skip(reader);
    }
  });
}

bool Decoder::scope_logs(std::string_view all, ScopeLogs& out) {
  out.records.reserve(count_fields(all, 2));
  return each_field(all, "ScopeLogs", [&](pbf_reader& reader) {
    switch (reader.tag()) {
      case 1:
        return message(reader, "ScopeLogs.scope",
                       [&](std::string_view view) { return scope(view, out.scope); });
      case 2:
        return message(reader, "ScopeLogs.log_records", [&](std::string_view view) {
          return log_record(view, out.records.emplace_back());
        });
      case 3:
        return string(reader, "ScopeLogs.schema_url", out.scope.schema_url);
      default:
        return skip(reader);
    }
  });
}

bool Decoder::log_record(std::string_view all, LogRecord& out) {
  return each_field(all, "LogRecord", [&](pbf_reader& reader) {
    switch (reader.tag()) {
      case 1:
        return fixed64(reader, "LogRecord.time_unix_nano", out.time_ns);
      case 2:
        return varint(reader, "LogRecord.severity_number", out.severity_number);
      case 3:
        return string(reader, "LogRecord.severity_text", out.severity_text);
      case 5:
        return message(reader, "LogRecord.body",
                       [&](std::string_view view) { return value(view, 0, out.body); });
      case 6:
        return attribute(reader, "LogRecord.attributes", out.attributes);
      case 7:
        return varint(reader, "LogRecord.dropped_attributes_count", out.dropped_attributes_count);
      case 8:
        return fixed32(reader, "LogRecord.flags", out.flags);
      case 9:
        return id(reader, "LogRecord.trace_id", out.trace_id);
      case 10:
        return id(reader, "LogRecord.span_id", out.span_id);
      case 11:
        return fixed64(reader, "LogRecord.observed_time_unix_nano", out.observed_time_ns);
      case 12:
        return string(reader, "LogRecord.event_name", out.event_name);
      default:
        return skip(reader);
    }
  });
}

template <typename T, typename Decode>
Result<T> run(std::string_view bytes, const DecodeLimits& limits, Decode&& decode) {
  Decoder decoder(bytes, limits);
  T out;
  if (!decode(decoder, out)) return decoder.take_error();
  return out;
}

}  // namespace

Result<LogsData> decode_logs_protobuf(std::string_view bytes, const DecodeLimits& limits) {
  return run<LogsData>(bytes, limits,
                       [&](Decoder& decoder, auto& out) { return decoder.logs(bytes, out); });
}
Result<LogRecord> decode_log_record_protobuf(std::string_view bytes, const DecodeLimits& limits) {
  return run<LogRecord>(
      bytes, limits, [&](Decoder& decoder, auto& out) { return decoder.log_record(bytes, out); });
}
Result<Resource> decode_resource_protobuf(std::string_view bytes, const DecodeLimits& limits) {
  return run<Resource>(bytes, limits,
                       [&](Decoder& decoder, auto& out) { return decoder.resource(bytes, out); });
}
Result<Scope> decode_scope_protobuf(std::string_view bytes, const DecodeLimits& limits) {
  return run<Scope>(bytes, limits,
                    [&](Decoder& decoder, auto& out) { return decoder.scope(bytes, out); });
}
Result<Value> decode_value_protobuf(std::string_view bytes, const DecodeLimits& limits) {
  return run<Value>(bytes, limits,
                    [&](Decoder& decoder, auto& out) { return decoder.value(bytes, 0, out); });
}

}  // namespace contextcore::otlp
