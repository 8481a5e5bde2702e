// JSON tree → model. Errors name the path ("resourceSpans[0].scopeSpans[0].spans[2].traceId"); the
// path is a chain of stack frames, put into words only when something is wrong.

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

#include "base/hash.h"
#include "base/json.h"
#include "base/utf8.h"
#include "otlp/enum_names.h"
#include "otlp/json.h"

namespace contextcore::otlp {
namespace {

struct Path {
  const Path* parent = nullptr;
  std::string_view name = {};
  size_t index = std::string_view::npos;  // npos: a member, else an element of the parent
};

std::string to_text(const Path& path) {
  if (path.parent == nullptr) return {};
  std::string text = to_text(*path.parent);
  if (path.index != std::string_view::npos) return fmt::format("{}[{}]", text, path.index);
  if (!text.empty()) text += '.';
  return text.append(path.name);
}

// The name in the specification's spelling (camelCase), or as the .proto spells it (snake_case).
bool is_field(std::string_view name, std::string_view camel) {
  if (name == camel) return true;
  size_t at = 0;
  for (const char c : camel) {
    const bool upper = c >= 'A' && c <= 'Z';
    if (upper && (at >= name.size() || name[at++] != '_')) return false;
    const char expected = upper ? static_cast<char>(c - 'A' + 'a') : c;
    if (at >= name.size() || name[at++] != expected) return false;
  }
  return at == name.size();
}

std::string_view kind_of(const Json& json) {
  if (json.is_null()) return "null";
  if (json.as_bool() != nullptr) return "a boolean";
  if (json.is_number()) return "a number";
  if (json.as_string() != nullptr) return "a string";
  return json.as_array() != nullptr ? "an array" : "an object";
}

template <typename T>
std::optional<T> integer_from_double(double value) {
  // Both bounds are exact as doubles; the upper one is the first value that does not fit.
  constexpr double kLow = static_cast<double>(std::numeric_limits<T>::min());
  const double high = std::ldexp(1.0, std::numeric_limits<T>::digits);
  if (!(value >= kLow && value < high) || value != std::trunc(value)) return std::nullopt;
  return static_cast<T>(value);
}

std::optional<double> parse_double(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool ok = error == std::errc() && end == text.data() + text.size();
  return ok ? std::optional(value) : std::nullopt;
}

// "17", and also "1.7e1".
template <typename T>
std::optional<T> integer_from_text(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size()) return value;
  if (text.find_first_of(".eE") == std::string_view::npos) return std::nullopt;
  const std::optional<double> real = parse_double(text);
  return real ? integer_from_double<T>(*real) : std::nullopt;
}

template <typename T>
std::optional<T> integer_from(const Json& json) {
  if (const auto* text = json.as_string()) return integer_from_text<T>(*text);
  if (const auto* number = json.as_int()) {
    return std::in_range<T>(*number) ? std::optional(static_cast<T>(*number)) : std::nullopt;
  }
  if (const auto* number = std::get_if<uint64_t>(&json.data)) {
    return std::in_range<T>(*number) ? std::optional(static_cast<T>(*number)) : std::nullopt;
  }
  if (const auto* number = std::get_if<double>(&json.data)) return integer_from_double<T>(*number);
  return std::nullopt;
}

class Decoder {
 public:
  explicit Decoder(const DecodeLimits& limits) : limits_(limits) {}

  Error take_error() { return std::move(error_); }
  bool traces(const Json& json, TracesData& out);
  bool logs(const Json& json, LogsData& out);

 private:
  bool resource_spans(const Json& json, const Path& path, ResourceSpans& out);
  bool scope_spans(const Json& json, const Path& path, ScopeSpans& out);
  bool span(const Json& json, const Path& path, Span& out);
  bool event(const Json& json, const Path& path, SpanEvent& out);
  bool link(const Json& json, const Path& path, SpanLink& out);
  bool status(const Json& json, const Path& path, Span& out);
  bool resource_logs(const Json& json, const Path& path, ResourceLogs& out);
  bool scope_logs(const Json& json, const Path& path, ScopeLogs& out);
  bool log_record(const Json& json, const Path& path, LogRecord& out);
  bool resource(const Json& json, const Path& path, Resource& out);
  bool entity_ref(const Json& json, const Path& path, EntityRef& out);
  bool scope(const Json& json, const Path& path, Scope& out);
  bool value(const Json& json, const Path& path, int depth, Value& out);
  bool key_value(const Json& json, const Path& path, int depth, KeyValue& out);
  bool array_value(const Json& json, const Path& path, int depth, Array& out);
  bool kvlist_value(const Json& json, const Path& path, int depth, KeyValueList& out);
  bool attributes(const Json& json, const Path& path, Attributes& out);

  bool fail(const Path& path, std::string_view problem) {
    std::string where = to_text(path);
    if (where.empty()) where = "the document";
    error_ = {Code::invalid_argument, fmt::format("OTLP JSON: {} {}", where, problem), {}, {}, {}};
    return false;
  }
  bool expected(const Path& path, std::string_view what, const Json& json) {
    return fail(path, fmt::format("must be {}, but is {}", what, kind_of(json)));
  }

  // Calls member(name, value, path) for every member that is not null; a null is the default.
  template <typename Member>
  bool each_member(const Json& json, const Path& path, Member&& member) {
    const JsonObject* object = json.as_object();
    if (object == nullptr) return expected(path, "an object", json);
    for (const auto& [name, content] : *object) {
      if (content.is_null()) continue;
      if (!member(std::string_view(name), content, Path{&path, name})) return false;
    }
    return true;
  }

  // Appends to out what decode(json, path, item) makes of every element.
  template <typename T, typename Decode>
  bool list(const Json& json, const Path& path, std::vector<T>& out, Decode&& decode) {
    const JsonArray* array = json.as_array();
    if (array == nullptr) return expected(path, "an array", json);
    out.clear();
    out.reserve(array->size());
    for (size_t i = 0; i < array->size(); ++i) {
      if (!decode((*array)[i], Path{&path, {}, i}, out.emplace_back())) return false;
    }
    return true;
  }

  bool string(const Json& json, const Path& path, std::string& out);
  bool strings(const Json& json, const Path& path, std::vector<std::string>& out);
  template <typename T>
  bool integer(const Json& json, const Path& path, T& out);
  bool real(const Json& json, const Path& path, double& out);
  bool bytes(const Json& json, const Path& path, std::string& out);
  template <typename Id>
  bool id(const Json& json, const Path& path, Id& out);
  template <typename Enum, typename Lookup>
  bool enumeration(const Json& json, const Path& path, Lookup&& lookup, Enum& out);

  const DecodeLimits limits_;
  Error error_;
};

// --- scalars ---

bool Decoder::string(const Json& json, const Path& path, std::string& out) {
  const std::string* text = json.as_string();
  if (text == nullptr) return expected(path, "a string", json);
  // Escapes can spell what the document's own bytes may not.
  if (!is_valid_utf8(*text)) return fail(path, "is not valid Unicode");
  out = *text;
  return true;
}

bool Decoder::strings(const Json& json, const Path& path, std::vector<std::string>& out) {
  return list(json, path, out, [this](const Json& item, const Path& at, std::string& text) {
    return string(item, at, text);
  });
}

template <typename T>
bool Decoder::integer(const Json& json, const Path& path, T& out) {
  const std::optional<T> value = integer_from<T>(json);
  if (!value) {
    return fail(path, fmt::format("must be an integer from {} to {}, as number or string",
                                  std::numeric_limits<T>::min(), std::numeric_limits<T>::max()));
  }
  out = *value;
  return true;
}

bool Decoder::real(const Json& json, const Path& path, double& out) {
  if (json.is_number()) {
    out = json.number();
    return true;
  }
  const std::string* text = json.as_string();
  if (text == nullptr) return expected(path, "a number", json);
  if (*text == "NaN") {
    out = std::numeric_limits<double>::quiet_NaN();
  } else if (*text == "Infinity") {
    out = std::numeric_limits<double>::infinity();
  } else if (*text == "-Infinity") {
    out = -std::numeric_limits<double>::infinity();
  } else {
    const std::optional<double> value = parse_double(*text);
    if (!value || !std::isfinite(*value)) {
      return fail(path, "must be a number, \"NaN\", \"Infinity\" or \"-Infinity\"");
    }
    out = *value;
  }
  return true;
}

bool Decoder::bytes(const Json& json, const Path& path, std::string& out) {
  const std::string* text = json.as_string();
  if (text == nullptr) return expected(path, "a base64 string", json);
  if (!from_base64(*text, out)) return fail(path, "is not base64");
  return true;
}

template <typename Id>
bool Decoder::id(const Json& json, const Path& path, Id& out) {
  constexpr size_t kDigits = 2 * sizeof(out.bytes);
  const std::string* text = json.as_string();
  if (text == nullptr) return expected(path, "a string of hexadecimal digits", json);
  if (text->empty()) {
    out = Id{};
    return true;
  }
  if (text->size() == kDigits && parse_hex(*text, out)) return true;
  std::string raw;
  if (from_base64(*text, raw) && raw.size() == sizeof(out.bytes)) {
    return fail(path, fmt::format("is base64; OTLP/JSON ids are {} hexadecimal digits", kDigits));
  }
  return fail(path, fmt::format("must be {} hexadecimal digits", kDigits));
}

template <typename Enum, typename Lookup>
bool Decoder::enumeration(const Json& json, const Path& path, Lookup&& lookup, Enum& out) {
  if (const std::string* name = json.as_string()) {
    const std::optional<int32_t> number = lookup(*name);
    if (!number) return fail(path, fmt::format("is not a known name: {}", utf8_prefix(*name, 64)));
    out = static_cast<Enum>(*number);
    return true;
  }
  const std::optional<int32_t> number = integer_from<int32_t>(json);
  if (!number) return fail(path, "must be a 32-bit integer or a name");
  out = static_cast<Enum>(*number);
  return true;
}

// --- common and resource ---

bool Decoder::value(const Json& json, const Path& path, int depth, Value& out) {
  return each_member(json, path, [&](std::string_view name, const Json& member, const Path& at) {
    if (is_field(name, "stringValue")) return string(member, at, out.data.emplace<std::string>());
    if (is_field(name, "boolValue")) {
      const bool* flag = member.as_bool();
      if (flag == nullptr) return expected(at, "true or false", member);
      out.data.emplace<bool>(*flag);
      return true;
    }
    if (is_field(name, "intValue")) return integer(member, at, out.data.emplace<int64_t>());
    if (is_field(name, "doubleValue")) return real(member, at, out.data.emplace<double>());
    if (is_field(name, "arrayValue")) {
      return array_value(member, at, depth + 1, out.data.emplace<Array>());
    }
    if (is_field(name, "kvlistValue")) {
      return kvlist_value(member, at, depth + 1, out.data.emplace<KeyValueList>());
    }
    if (is_field(name, "bytesValue")) return bytes(member, at, out.data.emplace<Bytes>().data);
    return true;
  });
}

bool Decoder::array_value(const Json& json, const Path& path, int depth, Array& out) {
  if (depth > limits_.value_depth_max) {
    return fail(path, fmt::format("is nested deeper than {} levels", limits_.value_depth_max));
  }
  return each_member(json, path, [&](std::string_view name, const Json& member, const Path& at) {
    if (!is_field(name, "values")) return true;
    return list(member, at, out, [&](const Json& item, const Path& item_path, Value& element) {
      return value(item, item_path, depth, element);
    });
  });
}

bool Decoder::kvlist_value(const Json& json, const Path& path, int depth, KeyValueList& out) {
  if (depth > limits_.value_depth_max) {
    return fail(path, fmt::format("is nested deeper than {} levels", limits_.value_depth_max));
  }
  return each_member(json, path, [&](std::string_view name, const Json& member, const Path& at) {
    if (!is_field(name, "values")) return true;
    return list(member, at, out, [&](const Json& item, const Path& item_path, KeyValue& element) {
      return key_value(item, item_path, depth, element);
    });
  });
}

bool Decoder::key_value(const Json& json, const Path& path, int depth, KeyValue& out) {
  return each_member(json, path, [&](std::string_view name, const Json& member, const Path& at) {
    if (is_field(name, "key")) return string(member, at, out.key);
    if (is_field(name, "value")) {
      out.value = Value();
      return value(member, at, depth, out.value);
    }
    return true;
  });
}

bool Decoder::attributes(const Json& json, const Path& path, Attributes& out) {
  return list(json, path, out, [this](const Json& item, const Path& at, KeyValue& element) {
    return key_value(item, at, 0, element);
  });
}

bool Decoder::entity_ref(const Json& json, const Path& path, EntityRef& out) {
  return each_member(json, path, [&](std::string_view name, const Json& member, const Path& at) {
    if (is_field(name, "schemaUrl")) return string(member, at, out.schema_url);
    if (is_field(name, "type")) return string(member, at, out.type);
    if (is_field(name, "idKeys")) return strings(member, at, out.id_keys);
    if (is_field(name, "descriptionKeys")) return strings(member, at, out.description_keys);
    return true;
  });
}

bool Decoder::resource(const Json& json, const Path& path, Resource& out) {
  return each_member(json, path, [&](std::string_view name, const Json& member, const Path& at) {
    if (is_field(name, "attributes")) return attributes(member, at, out.attributes);
    if (is_field(name, "droppedAttributesCount")) {
      return integer(member, at, out.dropped_attributes_count);
    }
    if (is_field(name, "entityRefs")) {
      return list(member, at, out.entity_refs,
                  [this](const Json& item, const Path& item_path, EntityRef& element) {
                    return entity_ref(item, item_path, element);
                  });
    }
    return true;
  });
}

bool Decoder::scope(const Json& json, const Path& path, Scope& out) {
  return each_member(json, path, [&](std::string_view name, const Json& member, const Path& at) {
    if (is_field(name, "name")) return string(member, at, out.name);
    if (is_field(name, "version")) return string(member, at, out.version);
    if (is_field(name, "attributes")) return attributes(member, at, out.attributes);
    if (is_field(name, "droppedAttributesCount")) {
      return integer(member, at, out.dropped_attributes_count);
    }
    return true;
  });
}

// --- traces ---

bool Decoder::traces(const Json& json, TracesData& out) {
  return each_member(json, {}, [&](std::string_view name, const Json& member, const Path& at) {
    if (!is_field(name, "resourceSpans")) return true;
    return list(member, at, out.resource_spans,
                [this](const Json& item, const Path& path, ResourceSpans& element) {
                  return resource_spans(item, path, element);
                });
  });
}

bool Decoder::resource_spans(const Json& json, const Path& path, ResourceSpans& out) {
  return each_member(json, path, [&](std::string_view name, const Json& member, const Path& at) {
    if (is_field(name, "resource")) return resource(member, at, out.resource);
    if (is_field(name, "schemaUrl")) return string(member, at, out.resource.schema_url);
    if (!is_field(name, "scopeSpans")) return true;
    return list(member, at, out.scope_spans,
                [this](const Json& item, const Path& item_path, ScopeSpans& element) {
                  return scope_spans(item, item_path, element);
                });
  });
}

bool Decoder::scope_spans(const Json& json, const Path& path, ScopeSpans& out) {
  return each_member(json, path, [&](std::string_view name, const Json& member, const Path& at) {
    if (is_field(name, "scope")) return scope(member, at, out.scope);
    if (is_field(name, "schemaUrl")) return string(member, at, out.scope.schema_url);
    if (!is_field(name, "spans")) return true;
    return list(member, at, out.spans,
                [this](const Json& item, const Path& item_path, Span& element) {
                  return span(item, item_path, element);
                });
  });
}

bool Decoder::span(const Json& json, const Path& path, Span& out) {
  return each_member(json, path, [&](std::string_view name, const Json& member, const Path& at) {
    if (is_field(name, "traceId")) return id(member, at, out.trace_id);
    if (is_field(name, "spanId")) return id(member, at, out.span_id);
    if (is_field(name, "parentSpanId")) return id(member, at, out.parent_span_id);
    if (is_field(name, "name")) return string(member, at, out.name);
    if (is_field(name, "kind")) return enumeration(member, at, span_kind_number, out.kind);
    if (is_field(name, "startTimeUnixNano")) return integer(member, at, out.start_ns);
    if (is_field(name, "endTimeUnixNano")) return integer(member, at, out.end_ns);
    if (is_field(name, "attributes")) return attributes(member, at, out.attributes);
    if (is_field(name, "status")) return status(member, at, out);
    if (is_field(name, "traceState")) return string(member, at, out.trace_state);
    if (is_field(name, "flags")) return integer(member, at, out.flags);
    if (is_field(name, "droppedAttributesCount")) {
      return integer(member, at, out.dropped_attributes_count);
    }
    if (is_field(name, "droppedEventsCount")) return integer(member, at, out.dropped_events_count);
    if (is_field(name, "droppedLinksCount")) return integer(member, at, out.dropped_links_count);
    if (is_field(name, "events")) {
      return list(member, at, out.events,
                  [this](const Json& item, const Path& item_path, SpanEvent& element) {
                    return event(item, item_path, element);
                  });
    }
    if (is_field(name, "links")) {
      return list(member, at, out.links,
                  [this](const Json& item, const Path& item_path, SpanLink& element) {
                    return link(item, item_path, element);
                  });
    }
    return true;
  });
}

bool Decoder::event(const Json& json, const Path& path, SpanEvent& out) {
  return each_member(json, path, [&](std::string_view name, const Json& member, const Path& at) {
    if (is_field(name, "timeUnixNano")) return integer(member, at, out.time_ns);
    if (is_field(name, "name")) return string(member, at, out.name);
    if (is_field(name, "attributes")) return attributes(member, at, out.attributes);
    if (is_field(name, "droppedAttributesCount")) {
      return integer(member, at, out.dropped_attributes_count);
    }
    return true;
  });
}

bool Decoder::link(const Json& json, const Path& path, SpanLink& out) {
  return each_member(json, path, [&](std::string_view name, const Json& member, const Path& at) {
    if (is_field(name, "traceId")) return id(member, at, out.trace_id);
    if (is_field(name, "spanId")) return id(member, at, out.span_id);
    if (is_field(name, "traceState")) return string(member, at, out.trace_state);
    if (is_field(name, "attributes")) return attributes(member, at, out.attributes);
    if (is_field(name, "droppedAttributesCount")) {
      return integer(member, at, out.dropped_attributes_count);
    }
    if (is_field(name, "flags")) return integer(member, at, out.flags);
    return true;
  });
}

bool Decoder::status(const Json& json, const Path& path, Span& out) {
  return each_member(json, path, [&](std::string_view name, const Json& member, const Path& at) {
    if (is_field(name, "message")) return string(member, at, out.status_message);
    if (is_field(name, "code")) return enumeration(member, at, status_code_number, out.status_code);
    return true;
  });
}

// --- logs ---

bool Decoder::logs(const Json& json, LogsData& out) {
  return each_member(json, {}, [&](std::string_view name, const Json& member, const Path& at) {
    if (!is_field(name, "resourceLogs")) return true;
    return list(member, at, out.resource_logs,
                [this](const Json& item, const Path& path, ResourceLogs& element) {
                  return resource_logs(item, path, element);
                });
  });
}

bool Decoder::resource_logs(const Json& json, const Path& path, ResourceLogs& out) {
  return each_member(json, path, [&](std::string_view name, const Json& member, const Path& at) {
    if (is_field(name, "resource")) return resource(member, at, out.resource);
    if (is_field(name, "schemaUrl")) return string(member, at, out.resource.schema_url);
    if (!is_field(name, "scopeLogs")) return true;
    return list(member, at, out.scope_logs,
                [this](const Json& item, const Path& item_path, ScopeLogs& element) {
                  return scope_logs(item, item_path, element);
                });
  });
}

bool Decoder::scope_logs(const Json& json, const Path& path, ScopeLogs& out) {
  return each_member(json, path, [&](std::string_view name, const Json& member, const Path& at) {
    if (is_field(name, "scope")) return scope(member, at, out.scope);
    if (is_field(name, "schemaUrl")) return string(member, at, out.scope.schema_url);
    if (!is_field(name, "logRecords")) return true;
    return list(member, at, out.records,
                [this](const Json& item, const Path& item_path, LogRecord& element) {
                  return log_record(item, item_path, element);
                });
  });
}

bool Decoder::log_record(const Json& json, const Path& path, LogRecord& out) {
  return each_member(json, path, [&](std::string_view name, const Json& member, const Path& at) {
    if (is_field(name, "timeUnixNano")) return integer(member, at, out.time_ns);
    if (is_field(name, "observedTimeUnixNano")) return integer(member, at, out.observed_time_ns);
    if (is_field(name, "severityNumber")) {
      return enumeration(member, at, severity_number, out.severity_number);
    }
    if (is_field(name, "severityText")) return string(member, at, out.severity_text);
    if (is_field(name, "body")) {
      out.body = Value();
      return value(member, at, 0, out.body);
    }
    if (is_field(name, "attributes")) return attributes(member, at, out.attributes);
    if (is_field(name, "droppedAttributesCount")) {
      return integer(member, at, out.dropped_attributes_count);
    }
    if (is_field(name, "flags")) return integer(member, at, out.flags);
    if (is_field(name, "traceId")) return id(member, at, out.trace_id);
    if (is_field(name, "spanId")) return id(member, at, out.span_id);
    if (is_field(name, "eventName")) return string(member, at, out.event_name);
    return true;
  });
}

// A kvlist takes four levels of JSON, the way down to an attribute's value fewer than 16. One level
// of values more than allowed gets through to the decoder, whose message is the better one.
int json_depth_max(const DecodeLimits& limits) { return 16 + 4 * (limits.value_depth_max + 1); }

template <typename T, typename Decode>
Result<T> run(std::string_view text, const DecodeLimits& limits, Decode&& decode) {
  CC_ASSIGN(const Json json, parse_json(text, json_depth_max(limits)));
  Decoder decoder(limits);
  T out;
  if (!decode(decoder, json, out)) return decoder.take_error();
  return out;
}

}  // namespace

Result<TracesData> decode_traces_json(std::string_view text, const DecodeLimits& limits) {
  return run<TracesData>(text, limits, [](Decoder& decoder, const Json& json, TracesData& out) {
    return decoder.traces(json, out);
  });
}

Result<LogsData> decode_logs_json(std::string_view text, const DecodeLimits& limits) {
  return run<LogsData>(text, limits, [](Decoder& decoder, const Json& json, LogsData& out) {
    return decoder.logs(json, out);
  });
}

}  // namespace contextcore::otlp
