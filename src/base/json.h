#pragma once
// JSON for everybody: a writer that appends, and a reader that gives a value tree (RapidJSON stays
// behind it, in json.cpp). Objects keep the order of their members, and duplicates.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"

namespace contextcore {

struct Json;
using JsonArray = std::vector<Json>;
using JsonObject = std::vector<std::pair<std::string, Json>>;

// int64_t for integers that fit, uint64_t above that, double otherwise (and for "-0").
struct Json {
  std::variant<std::nullptr_t, bool, int64_t, uint64_t, double, std::string, JsonArray, JsonObject>
      data;

  Json() : data(nullptr) {}
  Json(std::nullptr_t) : data(nullptr) {}             // NOLINT: implicit
  Json(bool v) : data(v) {}                           // NOLINT: implicit
  Json(int64_t v) : data(v) {}                        // NOLINT: implicit
  Json(int v) : data(static_cast<int64_t>(v)) {}      // NOLINT: implicit
  Json(uint64_t v) : data(v) {}                       // NOLINT: implicit
  Json(double v) : data(v) {}                         // NOLINT: implicit
  Json(std::string v) : data(std::move(v)) {}         // NOLINT: implicit
  Json(std::string_view v) : data(std::string(v)) {}  // NOLINT: implicit
  Json(const char* v) : data(std::string(v)) {}       // NOLINT: implicit
  Json(JsonArray v);                                  // NOLINT: implicit
  Json(JsonObject v);                                 // NOLINT: implicit

  bool is_null() const { return std::holds_alternative<std::nullptr_t>(data); }
  const bool* as_bool() const { return std::get_if<bool>(&data); }
  const std::string* as_string() const { return std::get_if<std::string>(&data); }
  const JsonArray* as_array() const { return std::get_if<JsonArray>(&data); }
  const JsonObject* as_object() const { return std::get_if<JsonObject>(&data); }
  const int64_t* as_int() const { return std::get_if<int64_t>(&data); }
  bool is_number() const;
  double number() const;  // any number as double, 0 otherwise
  // First member of that name of an object, else nullptr.
  const Json* find(std::string_view key) const;
  // The member if it is a string, else fallback.
  std::string_view string_or(std::string_view key, std::string_view fallback = {}) const;
  bool operator==(const Json&) const = default;
};

// Strict RFC 8259 (UTF-8 checked); position = byte offset of the error. Deeper than depth_max
// (itself at most 1,000: values are destroyed recursively) fails, and so do numbers beyond the
// double range.
Result<Json> parse_json(std::string_view text, int depth_max = 64);
// Compact; indent > 0 pretty-prints with that many blanks.
std::string to_string(const Json& value, int indent = 0);

// Appends JSON text to a string; commas are put by itself. Invalid UTF-8 in strings becomes U+FFFD;
// NaN and infinities become null. Doubles in
// the shortest form that reads back the same number, laid out as JSON.stringify does (1, not 1.0).
class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}
  void begin_object();
  void end_object();
  void begin_array();
  void end_array();
  void key(std::string_view name);
  void string(std::string_view value);
  void number(int64_t value);
  void number(uint64_t value);
  void number(double value);
  void boolean(bool value);
  void null();
  // Verbatim JSON text.
  void raw(std::string_view json);
  void value(const Json& json);
  // key + value
  void field(std::string_view name, std::string_view value) { key(name), string(value); }
  void field(std::string_view name, const char* value) { key(name), string(value); }
  void field(std::string_view name, int64_t value) { key(name), number(value); }
  void field(std::string_view name, uint64_t value) { key(name), number(value); }
  void field(std::string_view name, int value) { key(name), number(static_cast<int64_t>(value)); }
  void field(std::string_view name, double value) { key(name), number(value); }
  void field(std::string_view name, bool value) { key(name), boolean(value); }

 private:
  void separate();
  std::string& out_;
  bool comma_ = false;  // the next value or key at this depth needs a comma before it
};

void append_json_string(std::string_view value, std::string& out);
// The members of an object as text, without its braces.
void append_members(const Json& object, std::string& out);
// Printable ASCII and no quote or backslash: as a string of JSON it is what it is.
bool is_plain_text(std::string_view text);

}  // namespace contextcore
