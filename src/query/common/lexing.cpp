#include "query/common/lexing.h"

#include <array>

#include "base/utf8.h"

namespace contextcore::query {

namespace {

void append_utf8(uint32_t code, std::string& out) {
  const auto put = [&out](uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | (code >> 6));
    put(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    put(0xE0 | (code >> 12));
    put(0x80 | ((code >> 6) & 0x3F));
    put(0x80 | (code & 0x3F));
  } else {
    put(0xF0 | (code >> 18));
    put(0x80 | ((code >> 12) & 0x3F));
    put(0x80 | ((code >> 6) & 0x3F));
    put(0x80 | (code & 0x3F));
  }
}

int digit_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return 99;
}

Error literal_error(std::string message, size_t at) {
  Error error{Code::invalid_argument, std::move(message), {}, {}, {}};
  error.position = static_cast<int64_t>(at);
  return error;
}

// Exactly count digits of base at text[at]; false when there are fewer.
bool read_digits(std::string_view text, size_t at, size_t count, uint32_t base, uint32_t& value) {
  if (at + count > text.size()) return false;
  value = 0;
  for (size_t i = 0; i < count; ++i) {
    const int digit = digit_value(text[at + i]);
    if (digit >= static_cast<int>(base)) return false;
    value = value * base + static_cast<uint32_t>(digit);
  }
  return true;
}

// The escapes that stand for one byte or character; 0 when c is none of them.
char simple_escape(char c) {
  switch (c) {
    case 'a':
      return '\a';
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'v':
      return '\v';
    case '\\':
      return '\\';
    case '"':
      return '"';
    default:
      return 0;
  }
}

// text[at] is the character after a backslash; advances at past the escape.
Status read_escape(std::string_view text, size_t& at, std::string& out) {
  const char c = text[at];
  if (const char simple = simple_escape(c); simple != 0) {
    out.push_back(simple);
    ++at;
    return {};
  }
  uint32_t value = 0;
  if (c == 'x' && read_digits(text, at + 1, 2, 16, value)) {
    out.push_back(static_cast<char>(value));
    at += 3;
    return {};
  }
  if (c >= '0' && c <= '7' && read_digits(text, at, 3, 8, value) && value <= 255) {
    out.push_back(static_cast<char>(value));
    at += 3;
    return {};
  }
  const size_t digits = c == 'u' ? 4 : c == 'U' ? 8 : 0;
  if (digits > 0 && read_digits(text, at + 1, digits, 16, value) && value <= 0x10FFFF &&
      (value < 0xD800 || value > 0xDFFF)) {
    append_utf8(value, out);
    at += 1 + digits;
    return {};
  }
  return literal_error("invalid escape sequence in string", at - 1);
}

bool is_printable_ascii(char c) { return c >= 0x20 && c < 0x7F; }

}  // namespace

LineColumn line_column(std::string_view text, size_t offset) {
  LineColumn result;
  for (size_t i = 0; i < offset && i < text.size(); ++i) {
    if (text[i] == '\n') {
      ++result.line;
      result.column = 1;
    } else if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80) {
      ++result.column;
    }
  }
  return result;
}

std::string describe_position(std::string_view text, size_t offset) {
  const LineColumn at = line_column(text, offset);
  return "line " + std::to_string(at.line) + ", col " + std::to_string(at.column);
}

Result<StringLiteral> scan_string_literal(std::string_view text) {
  assert(!text.empty() && (text[0] == '"' || text[0] == '`'));
  StringLiteral literal;
  const bool raw = text[0] == '`';
  size_t at = 1;
  while (at < text.size()) {
    const char c = text[at];
    if (c == text[0]) {
      literal.length = at + 1;
      return literal;
    }
    if (raw) {
      if (c != '\r') literal.value.push_back(c);
      ++at;
    } else if (c == '\n') {
      break;
    } else if (c == '\\') {
      ++at;
      if (at == text.size()) break;
      CC_TRY(read_escape(text, at, literal.value));
    } else {
      literal.value.push_back(c);
      ++at;
    }
  }
  return literal_error("literal not terminated", 0);
}

std::string quote_string(std::string_view value) {
  const bool valid = is_valid_utf8(value);
  bool raw = value.find('\\') != std::string_view::npos && valid;
  for (const char c : value) {
    if (c == '`' || (static_cast<unsigned char>(c) < 0x20) || c == 0x7F) raw = false;
  }
  if (raw) return "`" + std::string(value) + "`";
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c == '\r') {
      out += "\\r";
    } else if (is_printable_ascii(c) || (valid && static_cast<unsigned char>(c) >= 0x80)) {
      out.push_back(c);
    } else {
      out += "\\x";
      out.push_back(kHex[static_cast<unsigned char>(c) >> 4]);
      out.push_back(kHex[static_cast<unsigned char>(c) & 15]);
    }
  }
  out.push_back('"');
  return out;
}

size_t scan_number(std::string_view text, bool& is_float) {
  is_float = false;
  size_t at = 0;
  const auto digits = [&] {
    const size_t from = at;
    while (at < text.size() && is_ascii_digit(text[at])) ++at;
    return at > from;
  };
  const bool integer = digits();
  if (at < text.size() && text[at] == '.') {
    ++at;
    if (!digits() && !integer) return 0;
    is_float = true;
  }
  if (at == 0) return 0;
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    const size_t before = at;
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    if (digits()) {
      is_float = true;
    } else {
      at = before;
    }
  }
  return at;
}

size_t utf8_length(std::string_view text) {
  if (text.empty()) return 0;
  const auto lead = static_cast<unsigned char>(text[0]);
  const size_t length = lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  return length <= text.size() ? length : 1;
}

bool starts_with_space(std::string_view text, size_t& length) {
  if (text.empty()) return false;
  const char c = text[0];
  length = 1;
  if (c == ' ' || (c >= '\t' && c <= '\r')) return true;
  constexpr std::array<std::string_view, 19> kWide = {
      "\u0085", "\u00a0", "\u1680", "\u2000", "\u2001", "\u2002", "\u2003",
      "\u2004", "\u2005", "\u2006", "\u2007", "\u2008", "\u2009", "\u200a",
      "\u2028", "\u2029", "\u202f", "\u205f", "\u3000"};
  for (const std::string_view space : kWide) {
    if (text.starts_with(space)) {
      length = space.size();
      return true;
    }
  }
  return false;
}

}  // namespace contextcore::query
