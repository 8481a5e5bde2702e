#include "query/logql/pattern.h"

#include <algorithm>

#include "query/logql/text.h"

namespace contextcore::logql {
namespace {

Result<std::vector<PatternPart>> split(std::string_view text) {
  std::vector<PatternPart> parts;
  std::string literal;
  size_t at = 0;
  while (at < text.size()) {
    const size_t close = text[at] == '<' ? text.find('>', at) : std::string_view::npos;
    if (close == std::string_view::npos || !is_label_name(text.substr(at + 1, close - at - 1))) {
      literal.push_back(text[at++]);
      continue;
    }
    if (!literal.empty()) parts.push_back({false, std::move(literal)});
    literal.clear();
    const std::string name(text.substr(at + 1, close - at - 1));
    if (!parts.empty() && parts.back().capture) {
      return Error{Code::invalid_argument,
                   "found consecutive capture '<" + parts.back().text + "><" + name +
                       ">': invalid expression",
                   "put some text between the two captures",
                   {},
                   {}};
    }
    parts.push_back({true, name});
    at = close + 1;
  }
  if (!literal.empty()) parts.push_back({false, std::move(literal)});
  return parts;
}

bool named(const PatternPart& part) { return part.capture && part.text != "_"; }

}  // namespace

Result<std::vector<PatternPart>> parse_capture_pattern(std::string_view text) {
  CC_ASSIGN(auto parts, split(text));
  std::vector<std::string_view> names;
  for (const PatternPart& part : parts) {
    if (!named(part)) continue;
    if (std::find(names.begin(), names.end(), part.text) != names.end()) {
      return Error{Code::invalid_argument,
                   "duplicate capture name (" + part.text + "): invalid expression",
                   {},
                   {},
                   {}};
    }
    names.push_back(part.text);
  }
  if (names.empty()) {
    return Error{Code::invalid_argument,
                 "at least one capture is required",
                 "name one, as in <method>",
                 {},
                 {}};
  }
  return parts;
}

Result<std::vector<PatternPart>> parse_line_pattern(std::string_view text) {
  CC_ASSIGN(auto parts, split(text));
  if (std::any_of(parts.begin(), parts.end(), named)) {
    return Error{Code::invalid_argument, "named captures are not allowed", "write <_>", {}, {}};
  }
  return parts;
}

bool matches_pattern(std::string_view line, const std::vector<PatternPart>& parts) {
  size_t at = 0;
  for (size_t i = 0; i < parts.size(); ++i) {
    const PatternPart& part = parts[i];
    if (!part.capture) {
      // Only a first literal is met here: the others are found by the capture before them.
      if (!line.substr(at).starts_with(part.text)) return false;
      at += part.text.size();
      continue;
    }
    if (at >= line.size()) return false;
    if (i + 1 == parts.size()) return true;
    const std::string& literal = parts[i + 1].text;
    if (i + 2 == parts.size()) {
      return line.size() >= at + 1 + literal.size() && line.ends_with(literal);
    }
    const size_t found = line.find(literal, at + 1);
    if (found == std::string_view::npos) return false;
    at = found + literal.size();
    ++i;
  }
  return at == line.size();
}

std::vector<std::pair<std::string_view, std::string_view>> captures_of(
    std::string_view line, const std::vector<PatternPart>& parts) {
  std::vector<std::pair<std::string_view, std::string_view>> out;
  size_t at = 0;
  size_t i = 0;
  if (!parts.empty() && !parts[0].capture) {
    if (!line.starts_with(parts[0].text)) return out;
    at = parts[0].text.size();
    i = 1;
  }
  for (; i < parts.size(); i += 2) {
    if (at >= line.size()) return out;
    const bool last = i + 1 >= parts.size();
    const size_t found = last ? std::string_view::npos : line.find(parts[i + 1].text, at);
    if (named(parts[i]))
      out.emplace_back(parts[i].text,
                       line.substr(at, found == std::string_view::npos ? found : found - at));
    if (found == std::string_view::npos) return out;
    at = found + parts[i + 1].text.size();
  }
  return out;
}

}  // namespace contextcore::logql
