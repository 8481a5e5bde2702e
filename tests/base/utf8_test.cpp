#include "base/utf8.h"

#include <gtest/gtest.h>

namespace contextcore {
namespace {

// Straight from the definition, to hold the table-driven one against.
std::string encode(uint32_t c) {
  std::string s;
  const auto byte = [&](uint32_t v) { s += static_cast<char>(v); };
  if (c < 0x80) {
    byte(c);
  } else if (c < 0x800) {
    byte(0xc0 | c >> 6), byte(0x80 | (c & 63));
  } else if (c < 0x10000) {
    byte(0xe0 | c >> 12), byte(0x80 | (c >> 6 & 63)), byte(0x80 | (c & 63));
  } else {
    byte(0xf0 | c >> 18), byte(0x80 | (c >> 12 & 63)), byte(0x80 | (c >> 6 & 63)),
        byte(0x80 | (c & 63));
  }
  return s;
}

TEST(Utf8, AcceptsEveryCharacterAndNoSurrogate) {
  for (uint32_t c = 0; c <= 0x10ffff; ++c) {
    const bool surrogate = c >= 0xd800 && c <= 0xdfff;
    ASSERT_EQ(is_valid_utf8(encode(c)), !surrogate) << c;
  }
  EXPECT_FALSE(is_valid_utf8(encode(0x110000)));
}

TEST(Utf8, EveryPairOfBytes) {
  for (int a = 0; a < 256; ++a) {
    for (int b = 0; b < 256; ++b) {
      const std::string text{static_cast<char>(a), static_cast<char>(b)};
      const bool ascii = a < 0x80 && b < 0x80;
      const bool two = a >= 0xc2 && a <= 0xdf && b >= 0x80 && b <= 0xbf;
      ASSERT_EQ(is_valid_utf8(text), ascii || two) << a << " " << b;
    }
  }
}

TEST(Utf8, FindsTheFirstInvalidByte) {
  const std::pair<std::string, size_t> cases[] = {
      {"", std::string::npos},
      {"plain ascii that is longer than a word", std::string::npos},
      {"12345678\xff", 8},
      {"1234567\xff"
       "9",
       7},
      {"\xc0\x80", 0},          // overlong NUL
      {"ab\xe0\x80\xaf", 2},    // overlong slash
      {"\xf0\x80\x80\xaf", 0},  // overlong slash
      {"\xf4\x90\x80\x80", 0},  // U+110000
      {"\xf5\x80\x80\x80", 0},
      {"\xe2\x82", 0},       // cut off
      {"x\xf0\x9f\x98", 1},  // cut off
      {"\xe2\x28\xa1", 0},
      {"\x80", 0},
      {"\xf0\x9f\x98\x80\xf0\x9f\x98\x80", std::string::npos},
  };
  for (const auto& [text, offset] : cases) EXPECT_EQ(first_invalid_utf8(text), offset) << text;
}

TEST(Utf8, PrefixNeverSplitsACharacter) {
  const std::string text = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z";  // 1 + 2 + 3 + 4 + 1
  const size_t expected[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11};
  for (size_t n = 0; n < std::size(expected); ++n) {
    EXPECT_EQ(utf8_prefix(text, n).size(), expected[n]) << n;
  }
  EXPECT_EQ(utf8_prefix(std::string(20, '\x80'), 10).size(), 10U);
  EXPECT_EQ(utf8_prefix("\x80\x80", 1).size(), 1U);
  EXPECT_EQ(utf8_prefix("", 0), "");
}

TEST(Utf8, ReplacesInvalidSequences) {
  EXPECT_EQ(to_valid_utf8("ok \xc3\xa9"), "ok \xc3\xa9");
  EXPECT_EQ(to_valid_utf8("a\xff\xfe"
                          "b"),
            "a\xef\xbf\xbd\xef\xbf\xbd"
            "b");
  // One mark for the start of a character that breaks off (Unicode 3.9, table 3-8).
  EXPECT_EQ(to_valid_utf8("\xf0\x80\x80\x41"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\x41");
  EXPECT_EQ(to_valid_utf8("\xe1\x80\xe2\xf0\x91\x92\xf1\xbf\x41"),
            "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\x41");
  EXPECT_EQ(to_valid_utf8(""), "");
}

}  // namespace
}  // namespace contextcore
