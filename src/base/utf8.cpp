#include "base/utf8.h"

#include <cstdint>
#include <cstring>

namespace contextcore {
namespace {

bool is_continuation(unsigned char byte) { return (byte & 0xc0) == 0x80; }

// What stands at the front of a text: `length` bytes that form a character, or (ok == false) the
// longest start of one, at least 1 byte, which a decoder replaces by one U+FFFD (Unicode 3.9).
struct Front {
  size_t length;
  bool ok;
};

// REQUIRES: n > 0
Front classify(const unsigned char* p, size_t n) {
  const unsigned char lead = p[0];
  if (lead < 0x80) return {1, true};
  size_t need = 0;
  // The second byte's range is what excludes overlong forms, surrogates and too large values.
  unsigned char low = 0x80;
  unsigned char high = 0xbf;
  if (lead >= 0xc2 && lead <= 0xdf) {
    need = 2;
  } else if (lead >= 0xe0 && lead <= 0xef) {
    need = 3;
    if (lead == 0xe0) low = 0xa0;
    if (lead == 0xed) high = 0x9f;
  } else if (lead >= 0xf0 && lead <= 0xf4) {
    need = 4;
    if (lead == 0xf0) low = 0x90;
    if (lead == 0xf4) high = 0x8f;
  } else {
    return {1, false};
  }
  if (n < 2 || p[1] < low || p[1] > high) return {1, false};
  for (size_t i = 2; i < need; ++i) {
    if (i >= n || !is_continuation(p[i])) return {i, false};
  }
  return {need, true};
}

// Length of the ASCII run at p, in steps of 8 bytes.
size_t ascii_run(const unsigned char* p, size_t n) {
  size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    uint64_t word = 0;
    std::memcpy(&word, p + i, sizeof word);
    if ((word & 0x8080808080808080) != 0) break;
  }
  return i;
}

}  // namespace

size_t first_invalid_utf8(std::string_view text) {
  const auto* p = reinterpret_cast<const unsigned char*>(text.data());
  size_t i = 0;
  while (i < text.size()) {
    i += ascii_run(p + i, text.size() - i);
    if (i == text.size()) break;
    const Front front = classify(p + i, text.size() - i);
    if (!front.ok) return i;
    i += front.length;
  }
  return std::string_view::npos;
}

bool is_valid_utf8(std::string_view text) {
  return first_invalid_utf8(text) == std::string_view::npos;
}

std::string_view utf8_prefix(std::string_view text, size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  // The byte at `end` is the first to go; when it continues a character, its start goes too.
  size_t end = bytes_max;
  for (int step = 0; step < 4; ++step) {
    if (!is_continuation(static_cast<unsigned char>(text[end]))) return text.substr(0, end);
    if (end == 0) break;
    --end;
  }
  return text.substr(0, bytes_max);  // not UTF-8 around here: any cut is as good
}

std::string to_valid_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const size_t bad = first_invalid_utf8(text);
    out += text.substr(0, bad);
    if (bad == std::string_view::npos) break;
    text.remove_prefix(bad);
    out += "\xef\xbf\xbd";
    const auto* p = reinterpret_cast<const unsigned char*>(text.data());
    text.remove_prefix(classify(p, text.size()).length);
  }
  return out;
}

}  // namespace contextcore
