#include "query/logql/json_reader.h"

#include <cstdint>

namespace contextcore::logql {
namespace {

bool is_number_part(char c) {
  return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
}

void append_rune(uint32_t rune, std::string& out) {
  auto put = [&](uint32_t byte) {
    out.push_back(static_cast<char>(static_cast<unsigned char>(byte)));
  };
  if (rune < 0x80) {
    put(rune);
    return;
  }
  if (rune < 0x800) {
    put(0xc0 | (rune >> 6));
  } else {
    if (rune < 0x10000) {
      put(0xe0 | (rune >> 12));
    } else {
      put(0xf0 | (rune >> 18));
      put(0x80 | ((rune >> 12) & 0x3f));
    }
    put(0x80 | ((rune >> 6) & 0x3f));
  }
  put(0x80 | (rune & 0x3f));
}

}  // namespace

void JsonReader::skip_blanks() {
  while (at_ < text_.size() &&
         (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r')) {
    ++at_;
  }
}

bool JsonReader::fail() {
  failed_ = true;
  return false;
}

bool JsonReader::consume(char c) {
  skip_blanks();
  if (failed_ || at_ >= text_.size() || text_[at_] != c) return false;
  ++at_;
  return true;
}

JsonReader::Kind JsonReader::peek() {
  skip_blanks();
  if (failed_ || at_ >= text_.size()) {
    fail();
    return Kind::error;
  }
  switch (text_[at_]) {
    case '{':
      return Kind::object;
    case '[':
      return Kind::array;
    case '"':
      return Kind::string;
    case 't':
    case 'f':
      return Kind::boolean;
    case 'n':
      return Kind::null;
    default:
      break;
  }
  if (text_[at_] == '-' || (text_[at_] >= '0' && text_[at_] <= '9')) return Kind::number;
  fail();
  return Kind::error;
}

bool JsonReader::enter(char open, char close) {
  if (!consume(open)) return fail();
  return !consume(close);
}
bool JsonReader::enter_object() { return enter('{', '}'); }
bool JsonReader::enter_array() { return enter('[', ']'); }

bool JsonReader::next(char close) {
  if (consume(',')) return true;
  if (!consume(close)) fail();
  return false;
}
bool JsonReader::next_in_object() { return next('}'); }
bool JsonReader::next_in_array() { return next(']'); }

bool JsonReader::member(std::string& name) {
  skip_blanks();
  if (!string(name)) return false;
  return consume(':') || fail();
}

bool JsonReader::hex4(uint32_t& value) {
  value = 0;
  if (text_.size() - at_ < 4) return fail();
  for (int i = 0; i < 4; ++i) {
    const char c = text_[at_++];
    uint32_t digit = 0;
    if (c >= '0' && c <= '9') {
      digit = static_cast<uint32_t>(c - '0');
    } else if ((c | 32) >= 'a' && (c | 32) <= 'f') {
      digit = static_cast<uint32_t>((c | 32) - 'a') + 10;
    } else {
      return fail();
    }
    value = value * 16 + digit;
  }
  return true;
}

// After the backslash.
bool JsonReader::escape(std::string& value) {
  if (at_ >= text_.size()) return fail();
  const char c = text_[at_++];
  constexpr std::string_view kNames = "\"\\/bfnrt";
  constexpr std::string_view kValues = "\"\\/\b\f\n\r\t";
  if (const size_t i = kNames.find(c); i != std::string_view::npos) {
    value.push_back(kValues[i]);
    return true;
  }
  uint32_t rune = 0;
  if (c != 'u' || !hex4(rune)) return fail();
  if (rune >= 0xd800 && rune < 0xdc00 && text_.substr(at_).starts_with("\\u")) {
    const size_t back = at_;
    uint32_t low = 0;
    at_ += 2;
    if (!hex4(low)) return false;
    if (low >= 0xdc00 && low < 0xe000) {
      rune = 0x10000 + ((rune - 0xd800) << 10) + (low - 0xdc00);
    } else {
      at_ = back;
    }
  }
  append_rune(rune >= 0xd800 && rune < 0xe000 ? 0xfffd : rune, value);
  return true;
}

bool JsonReader::string(std::string& value) {
  value.clear();
  if (!consume('"')) return fail();
  while (at_ < text_.size()) {
    size_t end = at_;
    while (end < text_.size() && text_[end] != '"' && text_[end] != '\\') ++end;
    value.append(text_.substr(at_, end - at_));
    at_ = end;
    if (at_ >= text_.size()) break;
    if (text_[at_++] == '"') return true;
    if (!escape(value)) return false;
  }
  return fail();
}

bool JsonReader::pass_string() {
  const size_t start = at_;
  if (!consume('"')) return fail();
  while (at_ < text_.size() && text_[at_] != '"' && text_[at_] != '\\') ++at_;
  if (at_ < text_.size() && text_[at_] == '"') {
    ++at_;
    return true;
  }
  at_ = start;
  std::string value;
  return string(value);
}

bool JsonReader::skip_string() {
  ++at_;
  while (at_ < text_.size() && text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
  if (at_ >= text_.size()) return fail();
  ++at_;
  return true;
}

bool JsonReader::skip_scalar() {
  for (std::string_view word : {"true", "false", "null"}) {
    if (text_.substr(at_).starts_with(word)) {
      at_ += word.size();
      return true;
    }
  }
  const size_t start = at_;
  while (at_ < text_.size() && is_number_part(text_[at_])) ++at_;
  return at_ > start || fail();
}

bool JsonReader::skip_members(int depth, bool named) {
  if (depth > kDepthMax) return fail();
  bool more = named ? enter_object() : enter_array();
  while (more && !failed_) {
    skip_blanks();
    if (named) {
      if (at_ >= text_.size() || text_[at_] != '"' || !skip_string() || !consume(':'))
        return fail();
    }
    if (!skip_value(depth + 1)) return false;
    more = named ? next_in_object() : next_in_array();
  }
  return !failed_;
}

bool JsonReader::skip_value(int depth) {
  switch (peek()) {
    case Kind::object:
      return skip_members(depth, true);
    case Kind::array:
      return skip_members(depth, false);
    case Kind::string:
      return skip_string();
    case Kind::error:
      return false;
    default:
      return skip_scalar();
  }
}

bool JsonReader::raw(std::string_view& text) {
  skip_blanks();
  const size_t start = at_;
  if (!skip_value(0)) return false;
  text = text_.substr(start, at_ - start);
  return true;
}

bool JsonReader::at_end() {
  skip_blanks();
  return at_ >= text_.size();
}

}  // namespace contextcore::logql
