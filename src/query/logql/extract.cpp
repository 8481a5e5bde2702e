#include "query/logql/extract.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "query/common/lexing.h"
#include "query/logql/json_reader.h"
#include "query/logql/text.h"

namespace contextcore::logql {
namespace {

using Kind = JsonReader::Kind;
constexpr int kFlattenDepthMax = 64;

void append_sanitized(std::string_view name, bool starts, std::string& out) {
  if (starts && !name.empty() && query::is_ascii_digit(name[0])) out.push_back('_');
  size_t at = 0;
  while (at < name.size()) {
    const char c = name[at];
    const bool keep = query::is_word_part(c) && static_cast<unsigned char>(c) < 0x80;
    out.push_back(keep ? c : '_');
    at += keep ? 1 : query::utf8_length(name.substr(at));
  }
}

// A string's content, the spelling of anything else. False on error.
bool scalar(JsonReader& reader, Kind kind, std::string& text) {
  if (kind == Kind::string) return reader.string(text);
  std::string_view raw;
  if (!reader.raw(raw)) return false;
  text = raw;
  return true;
}

bool flatten(JsonReader& reader, std::string& prefix, int depth, EntryLabels& labels) {
  std::string name;
  std::string value;
  for (bool more = reader.enter_object(); more; more = reader.next_in_object()) {
    if (!reader.member(name)) return false;
    const size_t length = prefix.size();
    if (length > 0 && !name.empty()) prefix.push_back('_');
    append_sanitized(name, length == 0, prefix);
    const Kind kind = reader.peek();
    if (kind == Kind::object && depth < kFlattenDepthMax) {
      if (!flatten(reader, prefix, depth + 1, labels)) return false;
    } else if (kind == Kind::array || kind == Kind::null || kind == Kind::object) {
      std::string_view skipped;
      if (!reader.raw(skipped)) return false;
    } else if (kind == Kind::string && !labels.takes(prefix)) {
      if (!reader.pass_string()) return false;
    } else {
      if (!scalar(reader, kind, value)) return false;
      if (!name.empty()) labels.extract(prefix, value);
    }
    prefix.resize(length);
  }
  return !reader.failed();
}

// The details are those of Loki, without a position: each would make a result stream of its own.
void refuse_json(std::string_view line, const JsonReader& reader, EntryLabels& labels) {
  const size_t first = line.find_first_not_of(" \t\r\n");
  std::string_view details = "Malformed JSON error";
  if (first == std::string_view::npos || line[first] != '{') {
    details = "Value looks like object, but can't find closing '}' symbol";
  } else if (reader.ended_early()) {
    details = "Value is array, but can't find closing ']' symbol";
  }
  labels.set_error("JSONParserErr", details);
}

// Walks from the value under the reader to the path's end.
bool seek(JsonReader& reader, const JsonPath& path) {
  for (const auto& step : path) {
    bool found = false;
    if (const auto* name = std::get_if<std::string>(&step)) {
      if (reader.peek() != Kind::object) return false;
      std::string member;
      for (bool more = reader.enter_object(); more && !found;
           more = !found && reader.next_in_object()) {
        std::string_view skipped;
        if (!reader.member(member)) return false;
        found = member == *name;
        if (!found && !reader.raw(skipped)) return false;
      }
    } else {
      if (reader.peek() != Kind::array) return false;
      int64_t index = 0;
      for (bool more = reader.enter_array(); more && !found;
           more = !found && reader.next_in_array()) {
        std::string_view skipped;
        found = index++ == std::get<int64_t>(step);
        if (!found && !reader.raw(skipped)) return false;
      }
    }
    if (!found) return false;
  }
  return true;
}

struct LogfmtPair {
  std::string_view key;
  std::string value;
  bool has_value = false;
};

// The next pair of the line. nullopt at its end; error is set when the text is no pair (it is
// skipped).
std::optional<LogfmtPair> next_pair(std::string_view line, size_t& at, std::string& error) {
  while (at < line.size() && (line[at] == ' ' || static_cast<unsigned char>(line[at]) < 0x20)) ++at;
  if (at >= line.size()) return std::nullopt;
  LogfmtPair pair;
  const size_t start = at;
  while (at < line.size() && line[at] != '=' && line[at] != '"' &&
         static_cast<unsigned char>(line[at]) > 0x20) {
    ++at;
  }
  pair.key = line.substr(start, at - start);
  auto bad = [&](std::string what) {
    error = "logfmt syntax error at pos " + std::to_string(at + 1) + " : " + what;
    while (at < line.size() && line[at] != ' ') ++at;
    return pair;
  };
  if (pair.key.empty() || (at < line.size() && line[at] == '"'))
    return bad("unexpected '" + std::string(1, line[at]) + "'");
  if (at >= line.size() || line[at] != '=') return pair;
  ++at;
  pair.has_value = true;
  if (at < line.size() && line[at] == '"') {
    size_t end = at + 1;
    while (end < line.size() && line[end] != '"') end += line[end] == '\\' ? 2 : 1;
    if (end >= line.size()) return bad("unterminated quoted value");
    auto literal = query::scan_string_literal(line.substr(at, end + 1 - at));
    pair.value =
        literal.ok() ? std::move(literal->value) : std::string(line.substr(at + 1, end - at - 1));
    at = end + 1;
    return pair;
  }
  const size_t value = at;
  while (at < line.size() && line[at] != '"' && line[at] != '=' &&
         static_cast<unsigned char>(line[at]) > 0x20)
    ++at;
  if (at < line.size() && (line[at] == '"' || line[at] == '=')) {
    return bad("unexpected '" + std::string(1, line[at]) + "'");
  }
  pair.value = line.substr(value, at - value);
  return pair;
}

}  // namespace

std::string sanitize_label(std::string_view name) {
  std::string out;
  append_sanitized(name, true, out);
  return out;
}

void extract_json(std::string_view line, EntryLabels& labels) {
  JsonReader reader(line);
  std::string prefix;
  // What stands behind the object does not matter.
  if (reader.peek() != Kind::object || !flatten(reader, prefix, 0, labels))
    refuse_json(line, reader, labels);
}

void extract_json_paths(std::string_view line, const std::vector<JsonTarget>& targets,
                        EntryLabels& labels) {
  if (line.empty()) return;
  // Only the beginning has to look like JSON: each path is followed as far as the text goes.
  if (line[0] != '{' && line[0] != '[' && line[0] != '"')
    return labels.set_error("JSONParserErr", {});
  for (const JsonTarget& target : targets) {
    JsonReader reader(line);
    std::string value;
    Kind kind = Kind::error;
    if (seek(reader, target.path)) kind = reader.peek();
    if (kind != Kind::error && scalar(reader, kind, value)) {
      labels.extract(target.label, kind == Kind::null ? std::string_view() : value);
      continue;
    }
    EntryLabels::Found found;
    if (!labels.find(target.label, found)) labels.extract(target.label, {});
  }
}

void extract_logfmt(std::string_view line, const LogfmtStage& stage, EntryLabels& labels) {
  std::string error;
  std::vector<bool> found(stage.extractions.size(), false);
  size_t at = 0;
  while (auto pair = next_pair(line, at, error)) {
    if (!error.empty()) {
      if (stage.strict) return labels.set_error("LogfmtParserErr", error);
      error.clear();
      continue;
    }
    if (stage.extractions.empty()) {
      if (pair->value.empty() && !stage.keep_empty) continue;
      labels.extract(sanitize_label(pair->key), pair->value);
      continue;
    }
    for (size_t i = 0; i < stage.extractions.size(); ++i) {
      if (found[i] || stage.extractions[i].path != pair->key) continue;
      found[i] = true;
      labels.extract(stage.extractions[i].label, pair->value);
    }
  }
  for (size_t i = 0; i < found.size(); ++i) {
    if (!found[i]) labels.extract(stage.extractions[i].label, {});
  }
}

bool unpack(std::string_view line, EntryLabels& labels, std::string& entry) {
  JsonReader reader(line);
  std::vector<std::pair<std::string, std::string>> packed;
  bool has_entry = false;
  std::string name;
  std::string value;
  if (reader.peek() != Kind::object) {
    refuse_json(line, reader, labels);
    return false;
  }
  for (bool more = reader.enter_object(); more; more = reader.next_in_object()) {
    if (!reader.member(name)) break;
    std::string_view skipped;
    if (reader.peek() != Kind::string) {
      reader.raw(skipped);
      continue;
    }
    if (!reader.string(value)) break;
    if (name == "_entry") {
      has_entry = true;
      entry = value;
    } else {
      packed.emplace_back(sanitize_label(name), value);
    }
  }
  if (reader.failed()) {
    refuse_json(line, reader, labels);
    return false;
  }
  if (!has_entry) return false;
  for (const auto& [label, text] : packed) labels.extract(label, text);
  return true;
}

std::string decolorize(std::string_view line) {
  std::string out;
  size_t at = 0;
  while (at < line.size()) {
    if (line[at] != '\x1b' || at + 1 >= line.size() || line[at + 1] != '[') {
      out.push_back(line[at++]);
      continue;
    }
    size_t end = at + 2;
    while (end < line.size() && (query::is_ascii_digit(line[end]) || line[end] == ';')) ++end;
    const bool sequence = end < line.size() && ((line[end] | 32) >= 'a' && (line[end] | 32) <= 'z');
    if (!sequence) {
      out.push_back(line[at++]);
    } else {
      at = end + 1;
    }
  }
  return out;
}

}  // namespace contextcore::logql
