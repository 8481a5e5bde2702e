#include "store/id_table.h"

#include <gtest/gtest.h>

#include <map>

#include "base/random.h"

namespace contextcore::store {
namespace {

TEST(IdTable, AgreesWithAMap) {
  SeededRandom random(1);
  IdTable table;
  std::vector<otlp::SpanId> ids;  // by number
  std::map<otlp::SpanId, uint32_t> expected;
  const HashSecret secret{0x123456789ABCDEF1, 0xFEDCBA9876543211};
  for (int round = 0; round < 50'000; ++round) {
    otlp::SpanId id;
    id.bytes[1] = static_cast<uint8_t>(random.below(20));
    id.bytes[6] = static_cast<uint8_t>(random.below(256));
    const uint64_t hash = hash_id(id, secret);
    const auto is = [&](uint32_t number) { return ids[number] == id; };
    const auto known = expected.find(id);
    ASSERT_EQ(table.find(hash, is), known == expected.end() ? IdTable::kNone : known->second);
    const auto number = static_cast<uint32_t>(ids.size());
    ids.push_back(id);
    if (random.below(2) == 0) {
      ASSERT_EQ(table.exchange(hash, number, is), known == expected.end() ? IdTable::kNone : known->second);
      expected[id] = number;
    } else {
      ASSERT_EQ(table.find_or_add(hash, number, is), expected.try_emplace(id, number).first->second);
    }
  }
  EXPECT_EQ(table.size(), expected.size());
}

// Ids that meet in all bits of the hash that the table keeps are told apart by their owner.
TEST(IdTable, TellsIdsOfOneHashApart) {
  IdTable table;
  for (uint32_t number = 0; number < 100; ++number) {
    EXPECT_EQ(table.find_or_add(7, number, [&](uint32_t known) { return known == number; }), number);
  }
  for (uint32_t number = 0; number < 100; ++number) {
    EXPECT_EQ(table.find(7, [&](uint32_t known) { return known == number; }), number);
  }
}

}  // namespace
}  // namespace contextcore::store
