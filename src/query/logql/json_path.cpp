#include "query/logql/json_path.h"

#include <charconv>

#include "query/common/lexing.h"

namespace contextcore::logql {
namespace {

Error bad_path(std::string_view text, std::string_view what, size_t at) {
  return Error{Code::invalid_argument,
               "cannot parse expression [" + std::string(text) + "]: " + std::string(what),
               "write members as a.b, array elements as a[0], other names as [\"a-b\"]",
               {},
               static_cast<int64_t>(at)};
}

bool ends_name(char c) {
  return c == '.' || c == '[' || c == ']' || c == '"' || c == ' ' || c == '\t';
}

// [0] or ["name"], at the bracket.
Status parse_bracket(std::string_view text, size_t& at, JsonPath& path) {
  const size_t start = at++;
  if (at < text.size() && text[at] == '"') {
    auto name = query::scan_string_literal(text.substr(at));
    if (!name.ok() || !text.substr(at + name->length).starts_with(']')) {
      return bad_path(text, "unterminated member name", start);
    }
    at += name->length + 1;
    path.emplace_back(std::move(name->value));
    return {};
  }
  const size_t close = text.find(']', at);
  int64_t index = 0;
  if (close == std::string_view::npos) return bad_path(text, "missing ]", start);
  const auto result = std::from_chars(text.data() + at, text.data() + close, index);
  if (close == at || result.ec != std::errc() || result.ptr != text.data() + close || index < 0) {
    return bad_path(text, "an array index is a number of 0 or more", start);
  }
  path.emplace_back(index);
  at = close + 1;
  return {};
}

}  // namespace

Result<JsonPath> parse_json_path(std::string_view text) {
  JsonPath path;
  size_t at = 0;
  if (text.empty()) return bad_path(text, "empty path", 0);
  while (at < text.size()) {
    if (text[at] == '[') {
      CC_TRY(parse_bracket(text, at, path));
      continue;
    }
    if (!path.empty()) {
      if (text[at] != '.') return bad_path(text, "expected . or [", at);
      ++at;
    }
    const size_t start = at;
    while (at < text.size() && !ends_name(text[at])) ++at;
    if (at == start) return bad_path(text, "expected a member name", at);
    path.emplace_back(std::string(text.substr(start, at - start)));
  }
  return path;
}

}  // namespace contextcore::logql
