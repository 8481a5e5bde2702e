#include "base/json.h"

#include <fmt/format.h>
#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "base/utf8.h"

namespace contextcore {

Json::Json(JsonArray v) : data(std::move(v)) {}
Json::Json(JsonObject v) : data(std::move(v)) {}

bool Json::is_number() const {
  return std::holds_alternative<int64_t>(data) || std::holds_alternative<uint64_t>(data) ||
         std::holds_alternative<double>(data);
}

double Json::number() const {
  if (const auto* i = std::get_if<int64_t>(&data)) return static_cast<double>(*i);
  if (const auto* u = std::get_if<uint64_t>(&data)) return static_cast<double>(*u);
  if (const auto* d = std::get_if<double>(&data)) return *d;
  return 0;
}

const Json* Json::find(std::string_view key) const {
  const JsonObject* object = as_object();
  if (object == nullptr) return nullptr;
  for (const auto& [name, value] : *object) {
    if (name == key) return &value;
  }
  return nullptr;
}

std::string_view Json::string_or(std::string_view key, std::string_view fallback) const {
  const Json* member = find(key);
  const std::string* text = member == nullptr ? nullptr : member->as_string();
  return text == nullptr ? fallback : std::string_view(*text);
}

namespace {

// Values are compared, copied and destroyed recursively; this many levels fit any thread's stack.
constexpr int kDepthLimit = 1'000;

// True if a decimal number that from_chars finds out of range is too small rather than too large.
bool is_underflow(std::string_view text) {
  int64_t exponent = 0;
  const size_t e = text.find_first_of("eE");
  if (e != std::string_view::npos) {
    std::string_view digits = text.substr(e + 1);
    if (digits.starts_with('+')) digits.remove_prefix(1);
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), exponent);
    if (parsed.ec != std::errc()) return digits.starts_with('-');
    text = text.substr(0, e);
  }
  // Decimal places between the point and the first digit that counts.
  const auto point = static_cast<int64_t>(std::min(text.find('.'), text.size()));
  const auto first = static_cast<int64_t>(text.find_first_of("123456789"));
  return exponent < first - point;
}

// The grammar was checked by the reader; only the value is at stake. False: beyond the double
// range.
bool parse_number(std::string_view text, Json& out) {
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  if (text.find_first_of(".eE") == std::string_view::npos && text != "-0") {
    int64_t i = 0;
    if (std::from_chars(begin, end, i).ec == std::errc()) {
      out = Json(i);
      return true;
    }
    uint64_t u = 0;
    if (text[0] != '-' && std::from_chars(begin, end, u).ec == std::errc()) {
      out = Json(u);
      return true;
    }
  }
  double d = 0;
  if (std::from_chars(begin, end, d).ec != std::errc()) {
    if (!is_underflow(text)) return false;
    d = text[0] == '-' ? -0.0 : 0.0;
  }
  out = Json(d);
  return true;
}

// Builds the tree from RapidJSON's events; the open containers lie on a stack of our own.
class TreeBuilder {
 public:
  explicit TreeBuilder(int depth_max) : depth_max_(static_cast<size_t>(std::max(depth_max, 0))) {}

  bool Null() { return add(Json()); }
  bool Bool(bool v) { return add(Json(v)); }
  bool String(const char* s, rapidjson::SizeType n, bool) {
    return add(Json(std::string_view(s, n)));
  }
  bool RawNumber(const char* s, rapidjson::SizeType n, bool) {
    Json value;
    if (!parse_number({s, n}, value)) {
      problem_ = "a number beyond the range of a double";
      return false;
    }
    return add(std::move(value));
  }
  bool Key(const char* s, rapidjson::SizeType n, bool) {
    open_.back().key.assign(s, n);
    return true;
  }
  bool StartObject() { return open(Json(JsonObject())); }
  bool StartArray() { return open(Json(JsonArray())); }
  bool EndObject(rapidjson::SizeType) { return close(); }
  bool EndArray(rapidjson::SizeType) { return close(); }
  // Never called: numbers arrive as text. The reader's template wants them to exist.
  bool Int(int v) { return add(Json(v)); }
  bool Uint(unsigned v) { return add(Json(uint64_t{v})); }
  bool Int64(int64_t v) { return add(Json(v)); }
  bool Uint64(uint64_t v) { return add(Json(v)); }
  bool Double(double v) { return add(Json(v)); }

  Json take() { return std::move(root_); }
  const std::string& problem() const { return problem_; }

 private:
  struct Open {
    Json container;
    std::string key;  // of the member whose value comes next
  };

  bool open(Json container) {
    if (open_.size() >= depth_max_) {
      problem_ = fmt::format("nested deeper than {} levels", depth_max_);
      return false;
    }
    open_.push_back({std::move(container), {}});
    return true;
  }

  bool close() {
    Json done = std::move(open_.back().container);
    open_.pop_back();
    return add(std::move(done));
  }

  bool add(Json value) {
    if (open_.empty()) {
      root_ = std::move(value);
    } else if (auto* array = std::get_if<JsonArray>(&open_.back().container.data)) {
      array->push_back(std::move(value));
    } else {
      auto& object = std::get<JsonObject>(open_.back().container.data);
      object.emplace_back(std::move(open_.back().key), std::move(value));
      open_.back().key.clear();
    }
    return true;
  }

  size_t depth_max_;
  std::vector<Open> open_;
  Json root_;
  std::string problem_;
};

Error json_error(std::string_view problem, size_t position) {
  Error error;
  error.code = Code::invalid_argument;
  error.message = fmt::format("invalid JSON at byte {}: {}", position, problem);
  error.position = static_cast<int64_t>(position);
  return error;
}

}  // namespace

Result<Json> parse_json(std::string_view text, int depth_max) {
  // Checked first for the sake of the position: the reader reports the end of the string.
  const size_t bad = first_invalid_utf8(text);
  if (bad != std::string_view::npos) return json_error("not UTF-8", bad);

  TreeBuilder builder(std::min(depth_max, kDepthLimit));
  rapidjson::MemoryStream stream(text.data(), text.size());
  rapidjson::Reader reader;
  constexpr unsigned kFlags =
      rapidjson::kParseIterativeFlag | rapidjson::kParseNumbersAsStringsFlag;
  const rapidjson::ParseResult result = reader.Parse<kFlags>(stream, builder);
  if (result.IsError()) {
    if (!builder.problem().empty()) return json_error(builder.problem(), result.Offset());
    return json_error(rapidjson::GetParseError_En(result.Code()), result.Offset());
  }
  // The reader takes a NUL byte for the end of its input.
  if (stream.Tell() != text.size()) return json_error("text after the value", stream.Tell());
  return builder.take();
}

namespace {

void append_pretty(const Json& value, int indent, size_t depth, std::string& out) {
  const JsonArray* array = value.as_array();
  const JsonObject* object = value.as_object();
  const size_t count = array != nullptr ? array->size() : object != nullptr ? object->size() : 0;
  if (count == 0) {
    JsonWriter(out).value(value);
    return;
  }
  const auto new_line = [&](size_t levels) {
    out += '\n';
    out.append(levels * static_cast<size_t>(indent), ' ');
  };
  out += array != nullptr ? '[' : '{';
  for (size_t i = 0; i < count; ++i) {
    if (i > 0) out += ',';
    new_line(depth + 1);
    if (array != nullptr) {
      append_pretty((*array)[i], indent, depth + 1, out);
    } else {
      append_json_string((*object)[i].first, out);
      out += ": ";
      append_pretty((*object)[i].second, indent, depth + 1, out);
    }
  }
  new_line(depth);
  out += array != nullptr ? ']' : '}';
}

// ECMAScript's Number::toString, except that -0 keeps its sign. REQUIRES: finite
void append_double(double value, std::string& out) {
  if (value == 0) {
    out += std::signbit(value) ? "-0" : "0";
    return;
  }
  char text[32];  // d.ddddddddddddddddde-ddd: the shortest digits that read back the same
  const auto end =
      std::to_chars(text, text + sizeof text, value, std::chars_format::scientific).ptr;
  const char* p = text;
  if (*p == '-') {
    out += '-';
    ++p;
  }
  const char* const e = std::find(p, static_cast<const char*>(end), 'e');
  std::string digits(1, *p);
  if (e > p + 2) digits.append(p + 2, e);
  int exponent = 0;
  std::from_chars(e[1] == '+' ? e + 2 : e + 1, end, exponent);

  const int count = static_cast<int>(digits.size());
  const int point = exponent + 1;  // the decimal point stands before digits[point]
  if (point > 21 || point < -5) {
    out += digits[0];
    if (count > 1) out.append(".").append(digits, 1);
    out += exponent < 0 ? "e-" : "e+";
    out += std::to_string(std::abs(exponent));
  } else if (point <= 0) {
    out.append("0.").append(static_cast<size_t>(-point), '0').append(digits);
  } else if (point >= count) {
    out.append(digits).append(static_cast<size_t>(point - count), '0');
  } else {
    const auto split = static_cast<size_t>(point);
    out.append(digits, 0, split).append(".").append(digits, split);
  }
}

template <typename Integer>
void append_integer(Integer value, std::string& out) {
  char text[24];
  out.append(text, std::to_chars(text, text + sizeof text, value).ptr);
}

// For each byte: 0 (verbatim), a letter (backslash + letter), or 'u' (\u00XX).
constexpr auto kEscapes = [] {
  std::array<char, 256> table{};
  for (size_t i = 0; i < 0x20; ++i) table[i] = 'u';
  table['\b'] = 'b';
  table['\f'] = 'f';
  table['\n'] = 'n';
  table['\r'] = 'r';
  table['\t'] = 't';
  table['"'] = '"';
  table['\\'] = '\\';
  table[0x7f] = 'u';  // legal as it is, but a control character to terminals and editors
  return table;
}();

void append_escaped(std::string_view value, std::string& out) {
  static constexpr char kHex[] = "0123456789abcdef";
  size_t start = 0;
  for (size_t i = 0; i < value.size(); ++i) {
    const auto byte = static_cast<unsigned char>(value[i]);
    const char escape = kEscapes[byte];
    if (escape == 0) continue;
    out.append(value, start, i - start);
    start = i + 1;
    out += '\\';
    out += escape;
    if (escape == 'u') {
      out += "00";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    }
  }
  out.append(value, start);
}

}  // namespace

std::string to_string(const Json& value, int indent) {
  std::string out;
  if (indent > 0) {
    append_pretty(value, indent, 0, out);
  } else {
    JsonWriter(out).value(value);
  }
  return out;
}

bool is_plain_text(std::string_view text) {
  const auto is_special = [](unsigned char byte) { return byte >= 0x80 || kEscapes[byte] != 0; };
  constexpr uint64_t kOnes = 0x0101010101010101, kHigh = 0x8080808080808080;
  const auto has_zero = [](uint64_t word) { return (word - kOnes) & ~word & kHigh; };
  const char* at = text.data();
  size_t left = text.size();
  for (; left >= 8; at += 8, left -= 8) {
    uint64_t word = 0;
    std::memcpy(&word, at, 8);
    // Below 0x20, and what must be a word without high bits for that to be seen so.
    const uint64_t found = (word & kHigh) | ((word - 0x20 * kOnes) & kHigh) | has_zero(word ^ ('"' * kOnes)) |
                           has_zero(word ^ ('\\' * kOnes)) | has_zero(word ^ (0x7f * kOnes));
    if (found != 0) return false;
  }
  return std::none_of(at, at + left, is_special);
}

void append_json_string(std::string_view value, std::string& out) {
  out += '"';
  if (is_plain_text(value)) {
    out += value;
  } else if (is_valid_utf8(value)) {
    append_escaped(value, out);
  } else {
    append_escaped(to_valid_utf8(value), out);
  }
  out += '"';
}

void append_members(const Json& object, std::string& out) {
  const JsonObject* members = object.as_object();
  if (members == nullptr) return;
  JsonWriter writer(out);
  for (const auto& [name, value] : *members) {
    writer.key(name);
    writer.value(value);
  }
}

void JsonWriter::separate() {
  if (comma_) out_ += ',';
  comma_ = true;
}

void JsonWriter::begin_object() {
  separate();
  out_ += '{';
  comma_ = false;
}

void JsonWriter::end_object() {
  out_ += '}';
  comma_ = true;
}

void JsonWriter::begin_array() {
  separate();
  out_ += '[';
  comma_ = false;
}

void JsonWriter::end_array() {
  out_ += ']';
  comma_ = true;
}

void JsonWriter::key(std::string_view name) {
  separate();
  append_json_string(name, out_);
  out_ += ':';
  comma_ = false;
}

void JsonWriter::string(std::string_view value) {
  separate();
  append_json_string(value, out_);
}

void JsonWriter::number(int64_t value) {
  separate();
  append_integer(value, out_);
}

void JsonWriter::number(uint64_t value) {
  separate();
  append_integer(value, out_);
}

void JsonWriter::number(double value) {
  if (!std::isfinite(value)) return null();
  separate();
  append_double(value, out_);
}

void JsonWriter::boolean(bool value) {
  separate();
  out_ += value ? "true" : "false";
}

void JsonWriter::null() {
  separate();
  out_ += "null";
}

void JsonWriter::raw(std::string_view json) {
  separate();
  out_ += json;
}

void JsonWriter::value(const Json& json) {
  struct Visitor {
    JsonWriter& writer;
    void operator()(std::nullptr_t) const { writer.null(); }
    void operator()(bool v) const { writer.boolean(v); }
    void operator()(int64_t v) const { writer.number(v); }
    void operator()(uint64_t v) const { writer.number(v); }
    void operator()(double v) const { writer.number(v); }
    void operator()(const std::string& v) const { writer.string(v); }
    void operator()(const JsonArray& v) const {
      writer.begin_array();
      for (const Json& item : v) writer.value(item);
      writer.end_array();
    }
    void operator()(const JsonObject& v) const {
      writer.begin_object();
      for (const auto& [name, member] : v) {
        writer.key(name);
        writer.value(member);
      }
      writer.end_object();
    }
  };
  std::visit(Visitor{*this}, json.data);
}

}  // namespace contextcore
