#include "store/codec_integers.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "store/segment_page.h"

namespace contextcore::store {
namespace {

std::vector<std::vector<uint64_t>> number_lists() {
  SeededRandom random(3);
  std::vector<std::vector<uint64_t>> lists = {
      {}, {0}, {UINT64_MAX}, {1, 1}, {0, UINT64_MAX, 1, INT64_MAX}};
  for (const unsigned width : {1u, 7u, 8u, 31u, 33u, 57u, 58u, 61u, 63u, 64u}) {
    std::vector<uint64_t> list;
    for (int i = 0; i < 1000; ++i) list.push_back(random.next_u64() >> (64 - width));
    lists.push_back(list);
  }
  std::vector<uint64_t> rising, runs, few, negative;
  for (uint64_t i = 0; i < 1000; ++i) {
    rising.push_back((rising.empty() ? uint64_t{1} << 60 : rising.back()) + random.below(50));
    runs.push_back(i / 100 * 7919);
    few.push_back(random.below(5) * 0x123456789ABCDEFull);
    negative.push_back(random.below(100) - 50);
  }
  for (auto& list : {rising, runs, few, negative}) lists.push_back(list);
  return lists;
}

std::string padded(std::string bytes) { return bytes.append(8, '\0'); }

TEST(IntegerCodecs, EachGivesBackWhatItTakes) {
  for (size_t codec = 0; codec < kIntegerCodecs; ++codec) {
    const IntegerCodecFunctions& functions = integer_codec(static_cast<IntegerCodec>(codec));
    size_t used = 0;
    for (const auto& list : number_lists()) {
      if (functions.cost(list.data(), list.size()) == SIZE_MAX) continue;
      std::string bytes;
      functions.encode(list.data(), list.size(), bytes);
      const std::string page = padded(bytes);
      ByteReader reader(std::string_view(page).substr(0, bytes.size()));
      std::vector<uint64_t> out;
      ASSERT_TRUE(functions.decode(reader, list.size(), out)) << "codec " << codec;
      EXPECT_EQ(out, list) << "codec " << codec;
      EXPECT_TRUE(reader.at_end());
      ++used;
    }
    EXPECT_GT(used, 0u) << "codec " << codec;
  }
}

TEST(IntegerCodecs, TheSmallestIsTaken) {
  const auto codec_for = [](const std::vector<uint64_t>& list) {
    std::string bytes;
    encode_integers(list.data(), list.size(), bytes);
    return static_cast<IntegerCodec>(bytes[0]);
  };
  const auto lists = number_lists();
  const size_t n = lists.size();
  EXPECT_EQ(codec_for(lists[n - 4]), IntegerCodec::delta);
  EXPECT_EQ(codec_for(lists[n - 3]), IntegerCodec::runs);
  EXPECT_EQ(codec_for(lists[n - 2]), IntegerCodec::dictionary);
  EXPECT_EQ(codec_for(lists[n - 1]), IntegerCodec::frame);
  EXPECT_EQ(codec_for(lists[n - 5]), IntegerCodec::plain);
}

TEST(IntegerCodecs, RefuseEveryBeginningOfABlock) {
  for (const auto& list : number_lists()) {
    if (list.size() < 2) continue;
    std::string bytes;
    encode_integers(list.data(), list.size(), bytes);
    const std::string page = padded(bytes);
    for (size_t length = 0; length < bytes.size(); length += 1 + bytes.size() / 50) {
      ByteReader reader(std::string_view(page).substr(0, length));
      std::vector<uint64_t> out;
      EXPECT_FALSE(decode_integers(reader, list.size(), out));
    }
  }
}

TEST(Pages, RefuseRowsAndStringsOutOfBounds) {
  ColumnBuilder column(ColumnType::string);
  for (const size_t row : {1u, 5u, 9u}) column.append(row, std::string_view("same"));
  std::string bytes;
  encode_page(column.view(), bytes);
  const std::string page = padded(bytes);
  const std::string_view view = std::string_view(page).substr(0, bytes.size());
  Page out;
  ASSERT_TRUE(Page::decode(view, ColumnType::string, 10, out));
  EXPECT_EQ(out.view().string_of(5), "same");
  EXPECT_EQ(out.view().string_of(4), "");
  EXPECT_FALSE(Page::decode(view, ColumnType::string, 9, out)) << "row 9 of 9 rows";
  EXPECT_FALSE(Page::decode(view.substr(0, view.size() - 1), ColumnType::string, 10, out));
  EXPECT_FALSE(Page::decode(view, ColumnType::integer, 10, out));
}

}  // namespace
}  // namespace contextcore::store
