#include "base/flat_json.h"

#include <charconv>
#include <cstring>

namespace contextcore {
namespace {

// The closing quote of a string whose content begins at `at`; nullptr: there is none. escaped: it holds a backslash.
const char* end_of_string(const char* at, const char* end, bool& escaped) {
  escaped = false;
  for (; at != end; ++at) {
    if (*at == '"') return at;
    if (*at != '\\') continue;
    escaped = true;
    if (++at == end) return nullptr;
  }
  return nullptr;
}

// Behind the array or object that begins at `at`; nullptr: it does not end. Brackets of either kind count as one.
const char* end_of_nested(const char* at, const char* end) {
  size_t depth = 0;
  for (; at != end; ++at) {
    if (*at == '"') {
      bool escaped = false;
      at = end_of_string(at + 1, end, escaped);
      if (at == nullptr) return nullptr;
    } else if (*at == '{' || *at == '[') {
      ++depth;
    } else if ((*at == '}' || *at == ']') && --depth == 0) {
      return at + 1;
    }
  }
  return nullptr;
}

// Behind a number or a word; whether it is one is seen when it is asked for.
const char* end_of_word(const char* at, const char* end) {
  while (at != end && *at != ',' && *at != '}' && *at != ']' && *at != '{' && *at != '[' && *at != '"' && *at != ' ') ++at;
  return at;
}

}  // namespace

bool FlatJson::parse(std::string_view text) {
  members_.clear();
  spaced_ = false;
  const char* at = text.data();
  const char* const end = at + text.size();
  const auto fail = [this] {
    members_.clear();
    return false;
  };
  if (text.size() < 2 || *at++ != '{' || *(end - 1) != '}') return fail();
  if (at == end - 1) return true;
  while (true) {
    Member member;
    bool escaped = false;
    if (at == end || *at++ != '"') return fail();
    const char* close = end_of_string(at, end, escaped);
    if (close == nullptr || escaped) return fail();
    member.name = {at, static_cast<size_t>(close - at)};
    at = close + 1;
    if (end - at < 3 || *at++ != ':') return fail();
    if (members_.empty()) spaced_ = *at == ' ';
    if (spaced_ && *at++ != ' ') return fail();
    const char* const begin = at;
    if (*at == '"') {
      close = end_of_string(at + 1, end, escaped);
      if (close == nullptr) return fail();
      member.plain = !escaped;
      at = close + 1;
    } else {
      at = *at == '{' || *at == '[' ? end_of_nested(at, end) : end_of_word(at, end);
      if (at == nullptr || at == begin) return fail();
    }
    member.text = {begin, static_cast<size_t>(at - begin)};
    members_.push_back(member);
    if (at == end) return fail();
    if (*at == '}') return at + 1 == end || fail();
    if (*at++ != ',') return fail();
    if (spaced_ && (at == end || *at++ != ' ')) return fail();
  }
}

std::optional<int64_t> canonical_integer(std::string_view text) {
  int64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool canonical = !text.empty() && (text[0] == '-' ? text.size() > 1 && text[1] != '0' : text[0] != '0' || text.size() == 1);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size() || !canonical) return std::nullopt;
  return number;
}

std::optional<Json> FlatJson::value_of(const Member& member) {
  if (member.plain) return Json(member.text.substr(1, member.text.size() - 2));
  if (const auto number = canonical_integer(member.text)) return Json(*number);
  // The object around it is one level.
  Result<Json> value = parse_json(member.text, 63);
  if (!value.ok()) return std::nullopt;
  return *std::move(value);
}

std::optional<Json> FlatJson::find(std::string_view name) const {
  for (const Member& member : members_) {
    if (member.name == name) return value_of(member);
  }
  return std::nullopt;
}

std::optional<JsonObject> FlatJson::all() const {
  JsonObject out;
  out.reserve(members_.size());
  for (const Member& member : members_) {
    std::optional<Json> value = value_of(member);
    if (!value) return std::nullopt;
    out.emplace_back(member.name, *std::move(value));
  }
  return out;
}

}  // namespace contextcore
