#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace contextcore {

// Strict UTF-8 (no surrogates, no overlong forms, at most U+10FFFF).
bool is_valid_utf8(std::string_view text);
// Offset of the first invalid byte, or npos.
size_t first_invalid_utf8(std::string_view text);
// Cuts to at most bytes_max bytes without splitting a character.
std::string_view utf8_prefix(std::string_view text, size_t bytes_max);
// Invalid sequences replaced by U+FFFD.
std::string to_valid_utf8(std::string_view text);

}  // namespace contextcore
