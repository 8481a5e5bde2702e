#include "query/logql/field_types.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/time.h"
#include "query/logql/extract.h"
#include "query/logql/json_reader.h"
#include "query/logql/text.h"

namespace contextcore::logql {
namespace {

using Kind = JsonReader::Kind;
using Paths = std::map<std::string, std::vector<std::string>>;

constexpr int kPathDepthMax = 64;  // as deep as the json stage goes
constexpr std::string_view kRenamed = "_extracted";

// The path of every scalar, by the name that the json stage gives it.
void collect_paths(JsonReader& reader, const std::string& prefix, std::vector<std::string>& path,
                   Paths& out) {
  std::string name;
  std::string_view skipped;
  for (bool more = reader.enter_object(); more; more = reader.next_in_object()) {
    if (!reader.member(name)) return;
    const std::string joined = prefix.empty() || name.empty() ? prefix + name : prefix + "_" + name;
    path.push_back(name);
    if (reader.peek() == Kind::object && path.size() <= kPathDepthMax) {
      collect_paths(reader, joined, path, out);
    } else if (reader.raw(skipped)) {
      out.try_emplace(sanitize_label(joined), path);
    }
    path.pop_back();
    if (reader.failed()) return;
  }
}

Paths json_paths(std::string_view line) {
  Paths out;
  std::vector<std::string> path;
  JsonReader reader(line);
  if (reader.peek() == Kind::object) collect_paths(reader, {}, path, out);
  return out;
}

bool is_go_integer(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return !text.empty() && error == std::errc() && end == text.data() + text.size();
}

bool is_go_bool(std::string_view text) {
  constexpr std::array<std::string_view, 10> kWords = {"t", "T", "true",  "TRUE",  "True",
                                                       "f", "F", "false", "FALSE", "False"};
  return std::find(kWords.begin(), kWords.end(), text) != kWords.end();
}

// Plain, in braces, with "urn:uuid:", or 32 digits alone.
bool is_uuid(std::string_view text) {
  if (text.starts_with("urn:uuid:")) text.remove_prefix(9);
  if (text.size() == 38 && text.front() == '{' && text.back() == '}') text = text.substr(1, 36);
  if (text.size() != 36 && text.size() != 32) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool dash = text.size() == 36 && (i == 8 || i == 13 || i == 18 || i == 23);
    const bool digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    if (dash ? c != '-' : !digit) return false;
  }
  return true;
}

}  // namespace

ParsedLine parse_fields(const LabelPairs& stream, const ResultEntry& entry) {
  ParsedLine out;
  for (const auto& [name, value] : entry.parsed) {
    if (name != kErrorLabel && name != kErrorDetailsLabel) out.values[name].insert(value);
  }
  EntryLabels labels;
  labels.reset(stream, nullptr);
  extract_json(entry.line, labels);
  out.parser = "json";
  if (labels.has_error()) {
    labels.reset(stream, nullptr);
    extract_logfmt(entry.line, LogfmtStage{}, labels);
    if (labels.has_error()) {
      out.parser = {};
      return out;
    }
    out.parser = "logfmt";
  }
  for (auto& [name, value] : labels.of(Category::parsed)) out.values[name].insert(value);
  if (out.parser != "json") return out;
  for (auto& [name, path] : json_paths(entry.line)) {
    const std::string renamed = name + std::string(kRenamed);
    if (out.values.count(name) != 0) {
      out.json_paths.emplace(name, path);
    } else if (out.values.count(renamed) != 0) {
      out.json_paths.emplace(renamed, path);
    }
  }
  return out;
}

std::string_view field_type(const std::string& value) {
  if (is_go_integer(value)) return "int";
  double number = 0;
  if (parse_number(value, number)) return "float";
  if (is_go_bool(value)) return "boolean";
  if (parse_go_duration(value).ok()) return "duration";
  uint64_t bytes = 0;
  if (parse_bytes(value, bytes)) return "bytes";
  return "string";
}

std::string filter_text(const std::string& value) {
  uint64_t bytes = 0;
  if (value.empty() || !parse_bytes(value, bytes)) return value;
  if ((value.back() | 32) < 'a' || (value.back() | 32) > 'z') return value;  // no unit
  constexpr std::array<std::string_view, 7> kUnits = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
  if (bytes < 10) return std::to_string(bytes) + "B";
  double scaled = static_cast<double>(bytes);
  size_t unit = 0;
  for (; scaled >= 1000 && unit + 1 < kUnits.size(); ++unit) scaled /= 1000;
  scaled = std::floor(scaled * 10 + 0.5) / 10;
  return fmt::format("{:.{}f}{}", scaled, scaled < 10 ? 1 : 0, kUnits[unit]);
}

bool is_choice_label(const std::string& name, const std::set<std::string>& values) {
  constexpr std::array<std::string_view, 4> kAlways = {"cluster", "namespace", "instance", "pod"};
  if (std::find(kAlways.begin(), kAlways.end(), name) != kAlways.end()) return true;
  const auto is_flag = [](const std::string& value) { return value == "0" || value == "1"; };
  if (std::all_of(values.begin(), values.end(), is_flag)) return true;
  return !std::all_of(values.begin(), values.end(), [](const std::string& value) {
    double number = 0;
    return parse_number(value, number) || is_uuid(value);
  });
}

}  // namespace contextcore::logql
