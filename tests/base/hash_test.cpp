#include "base/hash.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace contextcore {
namespace {

std::string hex(const std::array<uint8_t, 32>& digest) {
  return to_hex({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

// FIPS 180-4 examples and the NIST "long message" of a million letters.
TEST(Sha256, PublishedVectors) {
  const std::pair<std::string, const char*> cases[] = {
      {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
      {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
      {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
       "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
      {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqr"
       "lmnopqrsmnopqrstnopqrstu",
       "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
      {std::string(1'000'000, 'a'),
       "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
  };
  for (const auto& [text, digest] : cases) EXPECT_EQ(hex(sha256(text)), digest);
}

TEST(Sha256, ChunksDoNotMatter) {
  SeededRandom random(3);
  for (size_t length = 0; length < 300; ++length) {
    std::string text(length, '\0');
    random.fill(text.data(), text.size());
    Sha256 hash;
    for (size_t at = 0; at < length;) {
      const size_t n = std::min<size_t>(random.below(80), length - at);
      hash.update(std::string_view(text).substr(at, n));
      at += n;
    }
    ASSERT_EQ(hash.finish(), sha256(text)) << length;
  }
}

// xxHash 0.8's own sanity checks: bytes from its generator, with and without its seeds.
TEST(Xxh3, PublishedVectors) {
  constexpr uint32_t kPrime32 = 2654435761U;
  constexpr uint64_t kPrime64 = 11400714785074694797ULL;
  std::string data(2240, '\0');
  uint64_t generator = kPrime32;
  for (char& c : data) {
    c = static_cast<char>(generator >> 56);
    generator *= kPrime64;
  }
  struct Case {
    size_t length;
    uint64_t seed;
    uint64_t hash;
  };
  const Case cases[] = {
      {0, 0, 0x2D06800538D394C2},    {0, kPrime64, 0xA8A6B918B2F0364A},
      {1, 0, 0xC44BDFF4074EECDB},    {1, kPrime64, 0x032BE332DD766EF8},
      {6, 0, 0x27B56A84CD2D7325},    {6, kPrime64, 0x84589C116AB59AB9},
      {12, 0, 0xA713DAF0DFBB77E7},   {12, kPrime64, 0xE7303E1B2336DE0E},
      {24, 0, 0xA3FE70BF9D3510EB},   {24, kPrime64, 0x850E80FC35BDD690},
      {48, 0, 0x397DA259ECBA1F11},   {48, kPrime64, 0xADC2CBAA44ACC616},
      {80, 0, 0xBCDEFBBB2C47C90A},   {80, kPrime64, 0xC6DD0CB699532E73},
      {195, 0, 0xCD94217EE362EC3A},  {195, kPrime64, 0xBA68003D370CB3D9},
      {403, 0, 0xCDEB804D65C6DEA4},  {403, kPrime64, 0x6259F6ECFD6443FD},
      {512, 0, 0x617E49599013CB6B},  {512, kPrime64, 0x3CE457DE14C27708},
      {2048, 0, 0xDD59E2C3A5F038E0}, {2048, kPrime64, 0x66F81670669ABABC},
      {2240, 0, 0x6E73A90539CF2948}, {2240, kPrime64, 0x757BA8487D1B5247},
  };
  for (const Case& test : cases) {
    EXPECT_EQ(xxh3_64(std::string_view(data).substr(0, test.length), test.seed), test.hash)
        << test.length << " " << test.seed;
  }
}

TEST(Xxh3, Wide) {
  // XXH3_128bits of the empty string, from the same sanity checks.
  EXPECT_EQ(xxh3_128(""), (Hash128{0x99AA06D3014798D8, 0x6001C324468D497F}));
  EXPECT_NE(xxh3_128("a"), xxh3_128("b"));
  EXPECT_NE(xxh3_128("a", 1), xxh3_128("a", 2));
}

TEST(Hex, BothWays) {
  EXPECT_EQ(to_hex(std::string("\x00\x7f\xff\xa5", 4)), "007fffa5");
  std::string out = "kept";
  EXPECT_TRUE(from_hex("007FffA5", out));
  EXPECT_EQ(out, std::string("\x00\x7f\xff\xa5", 4));
  EXPECT_TRUE(from_hex("", out));
  EXPECT_EQ(out, "");
  out = "kept";
  for (const char* bad : {"0", "0g", "g0", "0x", " 00", "00 "}) {
    EXPECT_FALSE(from_hex(bad, out)) << bad;
    EXPECT_EQ(out, "kept");
  }
}

// RFC 4648, 10.
TEST(Base64, PublishedVectors) {
  const std::pair<const char*, const char*> cases[] = {
      {"", ""},
      {"f", "Zg=="},
      {"fo", "Zm8="},
      {"foo", "Zm9v"},
      {"foob", "Zm9vYg=="},
      {"fooba", "Zm9vYmE="},
      {"foobar", "Zm9vYmFy"},
      {"\xfb\xef\xff", "++//"},
  };
  for (const auto& [bytes, text] : cases) {
    EXPECT_EQ(to_base64(bytes), text);
    std::string out;
    EXPECT_TRUE(from_base64(text, out)) << text;
    EXPECT_EQ(out, bytes);
  }
}

TEST(Base64, ReadsUnpaddedAndUrlSafe) {
  std::string out;
  EXPECT_TRUE(from_base64("Zg", out));
  EXPECT_EQ(out, "f");
  EXPECT_TRUE(from_base64("Zm8", out));
  EXPECT_EQ(out, "fo");
  EXPECT_TRUE(from_base64("--__", out));
  EXPECT_EQ(out, "\xfb\xef\xff");
  out = "kept";
  for (const char* bad : {"Z", "Zg=", "Zg===", "=", "====", "Zm9v=", "Zm=v", "Z g=", "Zm9v\n",
                          "Zm9vY", "Zg==Zg==", "Zm\xc3\xa9"}) {
    EXPECT_FALSE(from_base64(bad, out)) << bad;
    EXPECT_EQ(out, "kept");
  }
}

TEST(Base64, RandomBytesSurvive) {
  SeededRandom random(4);
  for (size_t n = 0; n < 200; ++n) {
    std::string bytes(n, '\0');
    random.fill(bytes.data(), n);
    std::string out;
    ASSERT_TRUE(from_base64(to_base64(bytes), out));
    ASSERT_EQ(out, bytes);
    ASSERT_TRUE(from_hex(to_hex(bytes), out));
    ASSERT_EQ(out, bytes);
  }
}

}  // namespace
}  // namespace contextcore
