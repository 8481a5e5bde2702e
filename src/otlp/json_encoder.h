#pragma once
// Writes the model as JSON, in OTLP's dialect or Tempo's; for json_encode.cpp,
// json_metrics.cpp and tempo_json.cpp only.

#include <cstdint>
#include <string_view>

#include "base/json.h"
#include "otlp/model.h"

namespace contextcore::otlp {

enum class JsonDialect : uint8_t {
  otlp,   // ids hexadecimal, enums as integers, an unset status left out
  tempo,  // ids base64, enums by name, status always there
};

class JsonEncoder {
 public:
  JsonEncoder(JsonDialect dialect, JsonWriter& writer) : dialect_(dialect), writer_(writer) {}

  // Each appends one value.
  void resource_spans(const ResourceSpans& resource_spans);
  void resource_logs(const ResourceLogs& resource_logs);

 protected:
  void resource(const Resource& resource);
  void scope(const Scope& scope);
  void span(const Span& span);
  void event(const SpanEvent& event);
  void link(const SpanLink& link);
  void status(const Span& span);
  void log_record(const LogRecord& record);
  void value(const Value& value);
  void key_values(std::string_view name, const KeyValueList& list);
  void real(double value);

  // Fields; nothing is written for defaults.
  void text(std::string_view name, std::string_view value);
  void number64(std::string_view name, uint64_t value);
  void number32(std::string_view name, uint32_t value);
  void strings(std::string_view name, const std::vector<std::string>& values);
  template <typename Id>
  void id(std::string_view name, const Id& id);

 private:
  const JsonDialect dialect_;

 protected:
  JsonWriter& writer_;
};

}  // namespace contextcore::otlp
