// From the head to files: the same answers before and after, and a bounded number of files.

#include "store/store_test_kit.h"

namespace contextcore::store::test {
namespace {

void fill(Store& store) {
  for (uint32_t i = 1; i <= 4; ++i) {
    ASSERT_TRUE(store.commit("c" + std::to_string(i), create_task(i, "task")).ok());
    ASSERT_TRUE(store.ingest(one_span(i, 100 + i, "foreign", 1000 * i, 2000 * i), "").ok());
    ASSERT_TRUE(store.ingest(one_log("shop", i, "line " + std::to_string(i)), "").ok());
  }
}

TEST(StoreCut, ChangesNoAnswer) {
  Machine machine;
  auto store = machine.open();
  fill(*store);
  const std::string before = dump(*store);
  const auto pinned = source(*store);
  ASSERT_TRUE(store->cut().ok());
  EXPECT_EQ(store->stats().segments, 4U);
  EXPECT_EQ(store->stats().head_span_rows + store->stats().head_log_rows, 0U);
  EXPECT_EQ(dump(*store), before);
  EXPECT_EQ(span_names(*pinned).size(), 8U);
  store = machine.open();
  EXPECT_EQ(dump(*store), before);
  EXPECT_EQ(store->commit("c2", create_task(2, "task"))->result, "created task");
}

TEST(StoreCut, WithNothingNewDoesNothing) {
  Machine machine;
  auto store = machine.open();
  ASSERT_TRUE(store->cut().ok());
  EXPECT_EQ(store->stats().cuts, 0U);
  fill(*store);
  ASSERT_TRUE(store->cut().ok());
  ASSERT_TRUE(store->cut().ok());
  EXPECT_EQ(store->stats().cuts, 1U);
}

TEST(StoreCut, ChangesToRowsInFilesMaskThem) {
  Machine machine;
  auto store = machine.open();
  fill(*store);
  ASSERT_TRUE(store->cut().ok());
  const auto pinned = source(*store);
  ASSERT_TRUE(store->commit("", edit_task(1, "task.title", "new")).ok());
  ASSERT_TRUE(store->ingest(one_span(2, 102, "foreign again", 2000, 4000), "").ok());
  const std::string changed = dump(*store);
  EXPECT_EQ(span_names(*source(*store)).size(), 8U);
  store = machine.open();
  EXPECT_EQ(dump(*store), changed);
  ASSERT_TRUE(store->cut().ok());
  EXPECT_EQ(store->stats().masked_rows, 2U);
  EXPECT_EQ(dump(*store), changed);
  store = machine.open();
  EXPECT_EQ(dump(*store), changed);
  EXPECT_EQ(attribute(task(*store, 1).span, "task.title"), "new");
  EXPECT_EQ(span_names(*pinned).size(), 8U);
  // Once more over a mask that is there.
  ASSERT_TRUE(store->commit("", edit_task(1, "task.title", "newer")).ok());
  ASSERT_TRUE(store->commit("", edit_task(2, "task.title", "newer")).ok());
  ASSERT_TRUE(store->cut().ok());
  EXPECT_EQ(span_names(*source(*store)).size(), 8U);
  EXPECT_EQ(attribute(task(*machine.open(), 2).span, "task.title"), "newer");
}

TEST(StoreCut, FilesStayBoundedAndAnswersTheSame) {
  Machine machine;
  SimFileSystem& process = machine.process();
  auto store = machine.open(machine.options(process));
  auto uncut = Machine(2);
  auto plain = uncut.open();
  for (uint32_t round = 0; round < 40; ++round) {
    for (Store* each : {store.get(), plain.get()}) {
      ASSERT_TRUE(each->commit("c" + std::to_string(round), create_task(round, "t")).ok());
      ASSERT_TRUE(each->commit("", edit_task(round / 2, "round", std::to_string(round))).ok());
      ASSERT_TRUE(each->ingest(one_span(1000 + round / 3, 5000 + round / 2, "s"), "").ok());
      ASSERT_TRUE(each->ingest(one_log("shop", 1 + round, "l"), "").ok());
    }
    ASSERT_TRUE(store->cut().ok());
    ASSERT_LE(store->stats().segments, 4U * 8);
  }
  EXPECT_EQ(dump(*store), dump(*plain));
  EXPECT_EQ(dump(*machine.open()), dump(*plain));
  EXPECT_EQ(store->commit("c3", create_task(3, "t"))->replayed, true);
  const auto names = process.list(std::string(kPath) + "/data");
  ASSERT_TRUE(names.ok());
  EXPECT_LT(names->size(), 64U) << "what was replaced is removed";
  EXPECT_LE(process.list(std::string(kPath) + "/wal")->size(), 2U);
}

TEST(StoreCut, AnEmbeddedWriterCutsAboveItsLimits) {
  Machine machine;
  StoreOptions options = machine.options(machine.process());
  options.embedded_wal_rows_max = 10;
  auto store = machine.open(options);
  for (uint32_t i = 0; i < 20; ++i) ASSERT_TRUE(store->commit("", create_task(i, "t")).ok());
  EXPECT_GE(store->stats().cuts, 2U);
  EXPECT_EQ(work(*machine.open())->index().size(), 20U);
}

TEST(StoreCut, AServerLeavesAShortLogBehind) {
  Machine machine;
  StoreOptions options = machine.options(machine.process(), StoreMode::server);
  options.embedded_wal_rows_max = 5;
  auto store = machine.open(options);
  fill(*store);
  EXPECT_EQ(store->stats().cuts, 0U);
  ASSERT_TRUE(store->close().ok());
  EXPECT_EQ(store->stats().cuts, 1U);
}

TEST(StoreCut, AMissingOrDamagedWorkIndexIsMadeAgain) {
  Machine machine;
  SimFileSystem& process = machine.process();
  auto store = machine.open(machine.options(process));
  fill(*store);
  ASSERT_TRUE(store->commit("", edit_task(1, "k", "v")).ok());
  ASSERT_TRUE(store->cut().ok());
  const std::string before = dump(*store);
  store.reset();
  const std::string data = std::string(kPath) + "/data";
  const auto names = process.list(data);
  ASSERT_TRUE(names.ok());
  for (const std::string& name : *names) {
    if (name.ends_with(".work")) {
      ASSERT_TRUE(process.remove(join_path(data, name)).ok());
    }
  }
  EXPECT_EQ(dump(*machine.open()), before);
}

TEST(StoreCut, AMissingSegmentIsCorruptionAndNotSilence) {
  Machine machine;
  SimFileSystem& process = machine.process();
  auto store = machine.open(machine.options(process));
  fill(*store);
  ASSERT_TRUE(store->cut().ok());
  store.reset();
  const std::string data = std::string(kPath) + "/data";
  const auto names = process.list(data);
  ASSERT_TRUE(names.ok());
  for (const std::string& name : *names) {
    if (name.ends_with(".logs")) {
      ASSERT_TRUE(process.remove(join_path(data, name)).ok());
    }
  }
  const auto opened = Store::open(machine.options(machine.process()));
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, Code::corruption);
}

TEST(StoreCut, MovedTracesForwardFromFiles) {
  Machine machine;
  auto store = machine.open();
  fill(*store);
  ASSERT_TRUE(store->cut().ok());
  ASSERT_TRUE(store
                  ->commit("",
                           [](const WorkView& view) -> Result<WorkTransaction> {
                             CC_ASSIGN(auto span, view.span(span_id(1)));
                             span->span.trace_id = trace_id(50);
                             WorkTransaction transaction;
                             transaction.spans = {*span};
                             transaction.forwards = {{trace_id(77), trace_id(50)}};
                             return transaction;
                           })
                  .ok());
  ASSERT_TRUE(store->cut().ok());
  store = machine.open();
  EXPECT_TRUE(source(*store)->trace(trace_id(77))->has_value());
  EXPECT_EQ(task(*store, 1).span.trace_id, trace_id(50));
  EXPECT_EQ(span_names(*source(*store)).size(), 8U);
}

}  // namespace
}  // namespace contextcore::store::test
