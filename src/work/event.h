#pragma once
// A log event of ours, between its wire form (a log record with one flat JSON line) and the fold.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "store/fetch.h"
#include "store/journal.h"

namespace contextcore::work {

struct Event {
  std::string name;
  std::string project;
  std::string service_name;
  otlp::TraceId trace_id;
  otlp::SpanId span_id;
  int64_t time_ns = 0;
  int64_t observed_ns = 0;
  int64_t revision = 0;
  int64_t seq = 0;  // ordinal within the revision, from 1
  std::string command_id;
  JsonObject line;  // every field of the line, common ones first

  // Fields of the line; "" / 0 / {} when absent.
  std::string text(std::string_view field) const;
  int64_t integer(std::string_view field) const;
  std::optional<int64_t> integer_if(std::string_view field) const;
  std::optional<double> number_if(std::string_view field) const;
  // A field that holds a JSON list of strings, or a JSON object, as text.
  std::vector<std::string> list(std::string_view field) const;
  JsonObject object(std::string_view field) const;
  const Json* find(std::string_view field) const;
};

// The wire form. event_id is made of the time and a hash of what identifies the event, so that
// planning the same command twice gives the same bytes.
store::JournalEvent to_journal_event(const Event& event);
// Errors (corruption): a line that is not one JSON object. Without a resource, project and
// service_name stay empty.
Result<Event> event_from_record(const otlp::LogRecord& record, const otlp::Resource* resource);
Result<Event> event_from_entry(const store::LogEntry& entry);

// Builds the fields of a line; absent (empty) values are left out.
class Line {
 public:
  Line& text(std::string_view field, std::string_view value);
  Line& list(std::string_view field, const std::vector<std::string>& values);
  Line& object(std::string_view field,
               const JsonObject& value);  // as JSON text; doubles stay doubles
  Line& integer(std::string_view field, int64_t value);
  Line& integer(std::string_view field, std::optional<int64_t> value);
  Line& number(std::string_view field, std::optional<double> value);
  Line& seconds(std::string_view field, std::optional<int64_t> ns);
  JsonObject take() { return std::move(fields_); }

 private:
  JsonObject fields_;
};

// Attribute values of JSON values: scalars and lists of scalars as they are, deeper ones as JSON
// text. nullopt for null.
std::optional<otlp::Value> attribute_value(const Json& json);
Json json_of(const otlp::Value& value);
// Compact JSON in which a double keeps its point (1.0), so that reading it gives a double again.
std::string to_typed_json(const Json& json);

}  // namespace contextcore::work
