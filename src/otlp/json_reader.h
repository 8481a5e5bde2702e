#pragma once
// Reading a JSON tree, and the messages that all signals share; for the OTLP JSON decoders of this
// room only. Errors name the path ("resourceSpans[0].scopeSpans[0].spans[2].traceId"); the path is
// a chain of stack frames, put into words only when something is wrong.

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

#include "base/hash.h"
#include "base/json.h"
#include "base/utf8.h"
#include "otlp/json.h"

namespace contextcore::otlp {

struct Path {
  const Path* parent = nullptr;
  std::string_view name = {};
  size_t index = std::string_view::npos;  // npos: a member, else an element of the parent
};

inline std::string to_text(const Path& path) {
  if (path.parent == nullptr) return {};
  std::string text = to_text(*path.parent);
  if (path.index != std::string_view::npos) return fmt::format("{}[{}]", text, path.index);
  if (!text.empty()) text += '.';
  return text.append(path.name);
}

// The name in the specification's spelling (camelCase), or as the .proto spells it (snake_case).
inline bool is_field(std::string_view name, std::string_view camel) {
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

inline std::string_view kind_of(const Json& json) {
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

inline std::optional<double> parse_double(std::string_view text) {
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

class JsonReader {
 public:
  explicit JsonReader(const DecodeLimits& limits) : limits_(limits) {}

  Error take_error() { return std::move(error_); }

 protected:
  bool resource(const Json& json, const Path& path, Resource& out);
  bool scope(const Json& json, const Path& path, Scope& out);
  bool value(const Json& json, const Path& path, int depth, Value& out);
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

 private:
  bool entity_ref(const Json& json, const Path& path, EntityRef& out);
  bool key_value(const Json& json, const Path& path, int depth, KeyValue& out);
  bool array_value(const Json& json, const Path& path, int depth, Array& out);
  bool kvlist_value(const Json& json, const Path& path, int depth, KeyValueList& out);

  const DecodeLimits limits_;
  Error error_;
};

template <typename T>
bool JsonReader::integer(const Json& json, const Path& path, T& out) {
  const std::optional<T> value = integer_from<T>(json);
  if (!value) {
    return fail(path, fmt::format("must be an integer from {} to {}, as number or string",
                                  std::numeric_limits<T>::min(), std::numeric_limits<T>::max()));
  }
  out = *value;
  return true;
}

template <typename Id>
bool JsonReader::id(const Json& json, const Path& path, Id& out) {
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
bool JsonReader::enumeration(const Json& json, const Path& path, Lookup&& lookup, Enum& out) {
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

// A kvlist takes four levels of JSON, the way down to an attribute's value fewer than 16. One level
// of values more than allowed gets through to the decoder, whose message is the better one.
inline int json_depth_max(const DecodeLimits& limits) {
  return 16 + 4 * (limits.value_depth_max + 1);
}

// Parses text and gives the tree to decode(decoder, json, out).
template <typename Reader, typename T, typename Decode>
Result<T> read_json(std::string_view text, const DecodeLimits& limits, Decode&& decode) {
  CC_ASSIGN(const Json json, parse_json(text, json_depth_max(limits)));
  Reader reader(limits);
  T out;
  if (!decode(reader, json, out)) return reader.take_error();
  return out;
}

}  // namespace contextcore::otlp
