// Reading the log in the order of arrival, from a sequence on.

#include <gtest/gtest.h>

#include "store_test_kit.h"

namespace contextcore::store::test {
namespace {

// "sequence body" of what came after a sequence.
std::vector<std::string> after(Store& store, uint64_t sequence, bool journal_only = true) {
  LogFetchRequest request;
  request.after_sequence = sequence;
  request.journal_only = journal_only;
  const auto from = source(store);
  auto entries = from->fetch_logs(request);
  EXPECT_TRUE(entries.ok());
  std::vector<std::string> out;
  LogEntry entry;
  for (;;) {
    const auto more = (*entries)->next(entry);
    EXPECT_TRUE(more.ok());
    if (!more.ok() || !*more) break;
    out.push_back(std::to_string(entry.sequence) + " " + std::string(entry.line));
  }
  return out;
}

TEST(FollowTest, gives_later_transactions_in_the_order_of_arrival) {
  Machine machine;
  const auto store = machine.open();
  ASSERT_TRUE(store->commit("", create_task(1, "one")).ok());
  ASSERT_TRUE(store->commit("", comment(1, "two")).ok());
  // Of an earlier time than what came before: arrival counts.
  ASSERT_TRUE(store->ingest(one_log("shop", 1, "received"), {}).ok());
  ASSERT_TRUE(store->commit("", comment(1, "three")).ok());
  for (const bool cut : {false, true}) {
    ASSERT_TRUE(!cut || store->cut().ok());
    const auto read = store->read();
    ASSERT_TRUE(read.ok());
    EXPECT_EQ(read->sequence, 4u);
    EXPECT_EQ(after(*store, 0).size(), 3u);
    EXPECT_EQ(after(*store, 1, false).size(), 3u);
    EXPECT_TRUE(after(*store, 1, false)[1].starts_with("3 ")) << after(*store, 1, false)[1];
    ASSERT_EQ(after(*store, 2).size(), 1u);
    EXPECT_TRUE(after(*store, 2)[0].starts_with("4 "));
    EXPECT_TRUE(after(*store, 4).empty());
  }
  ASSERT_TRUE(store->commit("", comment(1, "four")).ok());
  EXPECT_EQ(after(*store, 3).size(), 2u) << "one from a file, one from the head";
}

}  // namespace
}  // namespace contextcore::store::test
