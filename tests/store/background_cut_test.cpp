// A server's cuts: writers and readers go on while files are made, and nothing of what they see
// changes when the files are there.

#include <atomic>
#include <thread>

#include "store/store_test_kit.h"

namespace contextcore::store::test {
namespace {

std::unique_ptr<Store> open_server(Machine& machine) {
  StoreOptions options = machine.options(machine.process(), StoreMode::server);
  options.background = true;
  return machine.open(options);
}

void fill(Store& store) {
  for (uint32_t i = 1; i <= 4; ++i) {
    ASSERT_TRUE(store.commit("c" + std::to_string(i), create_task(i, "task")).ok());
    ASSERT_TRUE(store.ingest(one_span(i, 100 + i, "foreign", 1000 * i, 2000 * i), "").ok());
    ASSERT_TRUE(store.ingest(one_log("shop", i, "line " + std::to_string(i)), "").ok());
    ASSERT_TRUE(store.ingest(one_sample("up", "a", i, i), "", "").ok());
  }
}

// Changes that meet rows of every kind: new ones, and new revisions of what is being written.
void change(Store& store, const std::string& value) {
  ASSERT_TRUE(store.commit("", edit_task(1, "task.title", value)).ok());
  ASSERT_TRUE(store.commit("", edit_task(1, "task.note", value)).ok());
  ASSERT_TRUE(store.commit("", comment(3, value)).ok());
  ASSERT_TRUE(store.commit("made", create_task(50, "made meanwhile")).ok());
  ASSERT_TRUE(store.ingest(one_span(2, 102, value, 2000, 9000), "").ok());
  ASSERT_TRUE(store.ingest(one_span(2, 190, "second piece", 2500, 2600), "").ok());
  ASSERT_TRUE(store.ingest(one_log("shop", 9, value), "").ok());
  ASSERT_TRUE(store.ingest(one_sample("up", "a", 9, 9), "", "").ok());
  ASSERT_TRUE(store.ingest(one_sample("up", "b", 9, 9), "", "team").ok());
}

// Calls fn once, in the middle of a cut.
void within_cut(Machine& machine, std::function<void()> fn) {
  auto pending = std::make_shared<bool>(true);
  machine.disk.set_hook([pending, fn = std::move(fn)](SimOp op, const std::string& path) {
    if (op == SimOp::open && path.ends_with(".spans") && std::exchange(*pending, false)) fn();
  });
}

TEST(BackgroundCut, WritersAndReadersGoOnWhileFilesAreMade) {
  Machine machine, plain;
  auto store = open_server(machine);
  auto other = plain.open();  // the same without any cut
  fill(*store);
  fill(*other);
  const std::string before = dump(*store);
  std::string frozen, changed;
  std::shared_ptr<const Source> pinned;
  within_cut(machine, [&] {
    frozen = dump(*store);
    EXPECT_EQ(store->commit("c2", create_task(2, "task"))->result, "created task");  // known still
    EXPECT_TRUE(store->ingest(one_log("shop", 3, "line 3"), "")->duplicate);
    pinned = source(*store);
    change(*store, "new");
    changed = dump(*store);
  });
  ASSERT_TRUE(store->cut().ok());
  EXPECT_EQ(frozen, before);
  change(*other, "new");
  EXPECT_EQ(changed, dump(*other));
  EXPECT_EQ(dump(*store), changed);
  EXPECT_EQ(span_names(*pinned).size(), 8U);
  EXPECT_EQ(metrics(*store), metrics(*other));
  EXPECT_EQ(metrics(*store, "team"), metrics(*other, "team"));
  EXPECT_EQ(work(*store)->index().size(), 5U);
  // What came meanwhile is changed once more, over rows that are in files by now.
  change(*store, "newer");
  change(*other, "newer");
  EXPECT_EQ(dump(*store), dump(*other));
  within_cut(machine, [&] { change(*store, "newest"); });
  ASSERT_TRUE(store->cut().ok());
  machine.disk.set_hook(nullptr);
  change(*other, "newest");
  EXPECT_EQ(dump(*store), dump(*other));
  EXPECT_EQ(store->stats().cuts, 2U);
  ASSERT_TRUE(store->close().ok());
  store = machine.open();
  EXPECT_EQ(dump(*store), dump(*other));
  ASSERT_TRUE(store->cut().ok());
  EXPECT_EQ(dump(*store), dump(*other));
}

TEST(BackgroundCut, OneThatFailsIsDoneLater) {
  Machine machine, plain;
  auto store = open_server(machine);
  auto other = plain.open();
  fill(*store);
  fill(*other);
  within_cut(machine, [&] {
    change(*store, "new");
    machine.disk.set_free_bytes(0);
  });
  const Status failed = store->cut();
  machine.disk.set_hook(nullptr);
  ASSERT_FALSE(failed.ok());
  change(*other, "new");
  EXPECT_EQ(dump(*store), dump(*other));
  machine.disk.clear_faults();
  change(*store, "newer");  // the store takes more meanwhile
  change(*other, "newer");
  EXPECT_EQ(dump(*store), dump(*other));
  ASSERT_TRUE(store->cut().ok());
  EXPECT_EQ(dump(*store), dump(*other));
  ASSERT_TRUE(store->cut().ok());
  EXPECT_EQ(store->stats().head_span_rows + store->stats().head_log_rows, 0U);
  EXPECT_EQ(dump(*store), dump(*other));
  store.reset();
  EXPECT_EQ(dump(*machine.open()), dump(*other));
}

TEST(BackgroundCut, TelemetryIsRefusedWhenFilesAreAWholeHeadBehind) {
  Machine machine;
  StoreOptions options = machine.options(machine.process(), StoreMode::server);
  options.background = true;
  options.head_rows_max = 20;
  auto store = machine.open(options);
  fill(*store);
  Status refused;
  within_cut(machine, [&] {
    for (uint32_t i = 0; i < 100 && refused.ok(); ++i) {
      const auto sent = store->ingest(one_log("shop", 100 + i, "more " + std::to_string(i)), "");
      if (!sent.ok()) refused = sent.error();
    }
    // Work is not.
    EXPECT_TRUE(store->commit("", create_task(60, "urgent")).ok());
  });
  ASSERT_TRUE(store->cut().ok());
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Code::resource_exhausted);
  EXPECT_TRUE(store->ingest(one_log("shop", 500, "again"), "").ok());
}

TEST(BackgroundCut, ManyThreadsOverManyCuts) {
  Machine machine;
  StoreOptions options = machine.options(machine.process(), StoreMode::server);
  options.background = true;
  options.head_rows_max = 50;
  auto store = machine.open(options);
  constexpr uint32_t kThreads = 3, kRounds = 60;
  std::atomic<uint32_t> sent{0};
  std::atomic<bool> done{false};
  std::thread reader([&] {
    uint32_t seen = 0;
    while (!done) {
      const uint32_t before = sent;
      const auto read = store->read();
      ASSERT_TRUE(read.ok());
      const auto all = static_cast<uint32_t>(lines(*read->source).size());
      EXPECT_GE(all, before);  // what was acknowledged
      EXPECT_GE(all, seen);    // no step back
      seen = all;
      span_names(*read->source);
    }
  });
  std::vector<std::thread> writers;
  for (uint32_t thread = 0; thread < kThreads; ++thread) {
    writers.emplace_back([&, thread] {
      for (uint32_t round = 0; round < kRounds; ++round) {
        const uint32_t number = 1000 * (thread + 1) + round / 4;
        const bool fresh = round % 4 == 0;
        // By now a cut is due. It is made when the processor has time for it.
        while (round == kRounds / 2 && store->stats().cuts < 1) std::this_thread::yield();
        EXPECT_TRUE(store->commit("", fresh ? create_task(number, "t")
                                            : edit_task(number, "round", std::to_string(round)))
                        .ok());
        ++sent;
        const auto line = one_log("shop", round, std::to_string(thread) + "/" + std::to_string(round));
        while (!store->ingest(line, "").ok()) std::this_thread::yield();  // refused: again
        ++sent;
        const auto span = one_span(thread + 1, 100 * thread + round / 2, std::to_string(round));
        while (!store->ingest(span, "").ok()) std::this_thread::yield();
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  done = true;
  reader.join();
  while (store->stats().cuts < 2) std::this_thread::yield();  // and another
  const auto check = [&](Store& at) {
    EXPECT_EQ(lines(*source(at)).size(), 2 * kThreads * kRounds);
    EXPECT_EQ(span_names(*source(at)).size(), kThreads * (kRounds / 4 + kRounds / 2));
    EXPECT_EQ(attribute(task(at, 1000).span, "round"), "3");
  };
  check(*store);
  ASSERT_TRUE(store->close().ok());
  check(*machine.open());
}

}  // namespace
}  // namespace contextcore::store::test
