// OTLP names → Prometheus names (metric_batch.h).

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/hash.h"
#include "base/json.h"
#include "otlp/metric_batch.h"

namespace contextcore::otlp {
namespace {

using Pair = std::pair<std::string_view, std::string_view>;

// UCUM to words. tidy: table
constexpr std::array<Pair, 26> kUnits = {{
    {"d", "days"},
    {"h", "hours"},
    {"min", "minutes"},
    {"s", "seconds"},
    {"ms", "milliseconds"},
    {"us", "microseconds"},
    {"ns", "nanoseconds"},
    {"By", "bytes"},
    {"KiBy", "kibibytes"},
    {"MiBy", "mebibytes"},
    {"GiBy", "gibibytes"},
    {"TiBy", "tibibytes"},
    {"KBy", "kilobytes"},
    {"MBy", "megabytes"},
    {"GBy", "gigabytes"},
    {"TBy", "terabytes"},
    {"m", "meters"},
    {"V", "volts"},
    {"A", "amperes"},
    {"J", "joules"},
    {"W", "watts"},
    {"g", "grams"},
    {"Cel", "celsius"},
    {"Hz", "hertz"},
    {"1", ""},
    {"%", "percent"},
}};
constexpr std::array<Pair, 7> kPerUnits = {{{"s", "second"},
                                            {"m", "minute"},
                                            {"h", "hour"},
                                            {"d", "day"},
                                            {"w", "week"},
                                            {"mo", "month"},
                                            {"y", "year"}}};

template <size_t N>
std::string_view in_words(const std::array<Pair, N>& table, std::string_view unit) {
  for (const auto& [code, word] : table) {
    if (code == unit) return word;
  }
  return unit;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
// Of metric names; underscores separate.
bool is_word(char c) { return is_letter(c) || is_digit(c) || c == ':'; }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// One underscore for each character that is none of a word's, runs of them as one, none at the
// start.
std::string clean_unit(std::string_view unit) {
  std::string out;
  for (const char c : unit) {
    // The bytes of one character make one underscore: continuations add none.
    const char clean = is_word(c) ? c : '_';
    if (clean == '_' && (out.empty() || out.back() == '_')) continue;
    out.push_back(clean);
  }
  return out;
}

bool annotated(std::string_view unit) { return unit.find_first_of("{}") != std::string_view::npos; }

std::pair<std::string, std::string> unit_suffixes(std::string_view unit) {
  const size_t slash = unit.find('/');
  const std::string_view main = trimmed(unit.substr(0, slash));
  std::string main_suffix, per_suffix;
  if (!main.empty() && !annotated(main)) main_suffix = in_words(kUnits, main);
  if (slash != std::string_view::npos) {
    const std::string_view per = trimmed(unit.substr(slash + 1));
    if (!per.empty() && !annotated(per))
      per_suffix = "per_" + std::string(in_words(kPerUnits, per));
  }
  return {clean_unit(main_suffix), clean_unit(per_suffix)};
}

void trim_underscore(std::string& text) {
  if (!text.empty() && text.back() == '_') text.pop_back();
}

void add_unit_words(std::vector<std::string>& words, std::string_view unit) {
  auto [main, per] = unit_suffixes(unit);
  const auto known = [&words](const std::string& word) {
    return std::find(words.begin(), words.end(), word) != words.end();
  };
  if (known(main)) main.clear();
  trim_underscore(per);
  if (per == "per" || known(per)) per.clear();
  if (!per.empty()) trim_underscore(main);
  if (!main.empty()) words.push_back(std::move(main));
  if (!per.empty()) words.push_back(std::move(per));
}

void put_last(std::vector<std::string>& words, const std::string& word) {
  std::erase(words, word);
  words.push_back(word);
}

// As Go's strconv does for JSON: plain from 1e-6 to 1e21, else with an exponent without leading
// zero.
std::string real_text(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  const double size = std::abs(value);
  const bool plain = size == 0 || (size >= 1e-6 && size < 1e21);
  std::array<char, 400> digits{};
  const auto form = plain ? std::chars_format::fixed : std::chars_format::scientific;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value, form).ptr;
  std::string text(digits.data(), end);
  const size_t zero = text.find("e-0");
  if (zero != std::string::npos) text.erase(zero + 2, 1);
  return text;
}

void write_json(const Value& value, JsonWriter& writer) {
  if (const auto* text = value.as_string()) {
    writer.string(*text);
  } else if (const auto* flag = value.as_bool()) {
    writer.boolean(*flag);
  } else if (const auto* integer = value.as_int()) {
    writer.number(*integer);
  } else if (const auto* real = value.as_double()) {
    if (std::isfinite(*real)) {
      writer.number(*real);
    } else {
      writer.string(real_text(*real));
    }
  } else if (const auto* bytes = value.as_bytes()) {
    writer.string(to_base64(bytes->data));
  } else if (const auto* array = value.as_array()) {
    writer.begin_array();
    for (const Value& item : *array) write_json(item, writer);
    writer.end_array();
  } else if (const auto* list = value.as_kvlist()) {
    writer.begin_object();
    for (const KeyValue& item : *list) {
      writer.key(item.key);
      write_json(item.value, writer);
    }
    writer.end_object();
  } else {
    writer.null();
  }
}

}  // namespace

std::string prometheus_metric_name(std::string_view name, std::string_view unit, NameType type) {
  std::vector<std::string> words;
  bool inside = false;
  for (const char c : name) {
    if (!is_word(c)) {
      inside = false;
      continue;
    }
    if (!inside) words.emplace_back();
    inside = true;
    words.back().push_back(c);
  }
  add_unit_words(words, unit);
  if (type == NameType::counter) put_last(words, "total");
  if (type == NameType::gauge && unit == "1") put_last(words, "ratio");
  std::string out;
  for (const std::string& word : words) {
    if (!out.empty()) out.push_back('_');
    out += word;
  }
  if (!out.empty() && is_digit(out.front())) out.insert(out.begin(), '_');
  return out;
}

std::string prometheus_label_name(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if ((static_cast<uint8_t>(c) & 0xc0) == 0x80)
      continue;  // of a character that is one underscore already
    out.push_back(is_letter(c) || is_digit(c) || c == '_' ? c : '_');
  }
  if (out.empty()) return out;
  if (is_digit(out.front())) return "key_" + out;
  if (out.starts_with("_") && !out.starts_with("__")) return "key" + out;
  return out;
}

std::string label_text(const Value& value) {
  if (const auto* text = value.as_string()) return *text;
  if (const auto* flag = value.as_bool()) return *flag ? "true" : "false";
  if (const auto* integer = value.as_int()) return std::to_string(*integer);
  if (const auto* real = value.as_double()) return real_text(*real);
  if (const auto* bytes = value.as_bytes()) return to_base64(bytes->data);
  if (!value.is_set()) return {};
  std::string out;
  JsonWriter writer(out);
  write_json(value, writer);
  return out;
}

}  // namespace contextcore::otlp
