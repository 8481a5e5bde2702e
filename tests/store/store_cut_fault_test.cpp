// A disk that fills up, or fails, exactly while a cut or a merge makes its files the truth.

#include "store/store_test_kit.h"

namespace contextcore::store::test {
namespace {

// Calls to a path that begins with it, below the store's folder.
struct Place {
  SimOp op;
  const char* path;
  bool later = false;  // of a cut that goes on with the manifest file of the one before
};

// What a cut writes before anybody could find its manifest.
constexpr Place kBefore[] = {
    {SimOp::open, "MANIFEST-"},        {SimOp::write, "MANIFEST-"},     {SimOp::sync, "MANIFEST-"},
    {SimOp::open, "CURRENT.tmp-"},     {SimOp::write, "CURRENT.tmp-"},  {SimOp::sync, "CURRENT.tmp-"},
    {SimOp::allocate, "MANIFEST-", true}, {SimOp::write, "COMMIT"},     {SimOp::write, "COMMIT", true},
};
// From here on nobody knows which one the disk has.
constexpr Place kInDoubt[] = {
    {SimOp::rename, "CURRENT.tmp-"},
    {SimOp::write, "MANIFEST-", true},
    {SimOp::sync, "MANIFEST-", true},
};

// The first `times` calls to the place fail.
void fail_at(Machine& machine, const std::string& directory, const Place& place, SimFault fault, int times = 1) {
  machine.disk.set_injector([prefix = directory + "/" + place.path, op = place.op, fault,
                             times](const SimCall& call) mutable {
    SimFate fate;
    if (call.op == op && call.counted && call.path.starts_with(prefix) && times > 0) {
      --times;
      fate.fault = fault;
    }
    return fate;
  });
}

std::string name_of(const Place& place, bool background) {
  return std::string(place.path) + " " + std::to_string(static_cast<int>(place.op)) + (place.later ? " later" : "") +
         (background ? ", a server" : "");
}

// Of a server that makes and merges files when it is asked to, and not by itself.
class NoExecutor : public Executor {
 public:
  void post(std::function<void()>) override {}
  void post_after(int64_t, std::function<void()>) override {}
  void stop() override {}
};

StoreOptions options_of(Machine& machine, bool background) {
  StoreOptions options =
      machine.options(machine.process(), background ? StoreMode::server : StoreMode::embedded);
  options.background = background;
  options.make_executor = [] { return std::make_unique<NoExecutor>(); };
  return options;
}

// A store just before the cut in question.
std::unique_ptr<Store> before_cut(Machine& machine, const Place& place, bool background) {
  auto store = machine.open(options_of(machine, background));
  EXPECT_TRUE(store->commit("one", create_task(1, "one")).ok());
  if (place.later) {
    EXPECT_TRUE(store->cut().ok());
  } else {  // another process begins a manifest file of its own
    EXPECT_TRUE(store->close().ok());
    store = machine.open(options_of(machine, background));
  }
  EXPECT_TRUE(store->commit("two", create_task(2, "two")).ok());
  return store;
}

TEST(CutFaults, AFullDiskBeforeTheManifestIsTouchedIsForgottenWhenThereIsRoom) {
  for (const bool background : {false, true}) {
    for (const Place& place : kBefore) {
      SCOPED_TRACE(name_of(place, background));
      Machine machine;
      auto store = before_cut(machine, place, background);
      const std::string before = dump(*store);
      fail_at(machine, store->path(), place, SimFault::no_space);
      EXPECT_FALSE(store->cut().ok());
      machine.disk.set_injector(nullptr);
      EXPECT_TRUE(store->stats().writable);
      EXPECT_EQ(dump(*store), before);
      ASSERT_TRUE(store->commit("three", create_task(3, "three")).ok());
      const std::string after = dump(*store);
      // Another process sees what was committed, and nothing of the cut.
      EXPECT_EQ(dump(*machine.open(machine.options(machine.process(), StoreMode::read_only))), after);
      ASSERT_TRUE(store->cut().ok());
      if (background) {  // the first was the one that had failed
        ASSERT_TRUE(store->cut().ok());
      }
      EXPECT_EQ(store->stats().head_span_rows, 0U);
      EXPECT_EQ(dump(*store), after);
      store.reset();
      EXPECT_EQ(dump(*machine.open()), after);
    }
  }
}

// The same, and the process ends or the power fails before there is room: what was acknowledged is there.
TEST(CutFaults, WhatComesAfterAFailedCutOutlivesTheProcess) {
  for (const bool power : {false, true}) {
    for (const Place& place : kBefore) {
      SCOPED_TRACE(name_of(place, power));
      Machine machine;
      auto store = before_cut(machine, place, false);
      fail_at(machine, store->path(), place, SimFault::no_space);
      EXPECT_FALSE(store->cut().ok());
      machine.disk.set_injector(nullptr);
      ASSERT_TRUE(store->commit("three", create_task(3, "three")).ok());
      const std::string after = dump(*store);
      if (power) {
        machine.power_failure(7);
      } else {
        store.reset();
      }
      EXPECT_EQ(dump(*machine.open()), after);
    }
  }
}

TEST(CutFaults, InDoubtTheStoreIsReadOnlyUntilItIsOpenedAgain) {
  for (const bool background : {false, true}) {
    for (const Place& place : kInDoubt) {
      SCOPED_TRACE(name_of(place, background));
      Machine machine;
      auto store = before_cut(machine, place, background);
      const std::string before = dump(*store);
      fail_at(machine, store->path(), place, SimFault::io_error);
      EXPECT_FALSE(store->cut().ok());
      machine.disk.set_injector(nullptr);
      EXPECT_FALSE(store->stats().writable);
      EXPECT_EQ(dump(*store), before);
      const auto refused = store->commit("three", create_task(3, "three"));
      ASSERT_FALSE(refused.ok());
      EXPECT_EQ(refused.error().code, Code::unavailable);
      EXPECT_NE(refused.error().message.find("nobody knows whether the disk has the manifest of a cut"),
                std::string::npos)
          << refused.error().message;
      store.reset();
      store = machine.open();
      EXPECT_EQ(dump(*store), before);
      EXPECT_TRUE(store->commit("three", create_task(3, "three")).ok());
    }
  }
}

// A mark that cannot be brought back leaves others in doubt.
TEST(CutFaults, WithoutAMarkTheStoreIsReadOnlyUntilItIsOpenedAgain) {
  Machine machine;
  auto store = before_cut(machine, {}, false);
  const std::string before = dump(*store);
  fail_at(machine, store->path(), {SimOp::write, "COMMIT"}, SimFault::io_error, 2);
  EXPECT_FALSE(store->cut().ok());
  machine.disk.set_injector(nullptr);
  EXPECT_FALSE(store->stats().writable);
  store = machine.open();
  EXPECT_EQ(dump(*store), before);
  EXPECT_TRUE(store->cut().ok());
}

TEST(CutFaults, AFullDiskWhileAMergeWritesItsManifestIsForgottenWhenThereIsRoom) {
  constexpr Place kPlaces[] = {{SimOp::allocate, "MANIFEST-"}, {SimOp::write, "CURRENT.tmp-"}, {SimOp::open, "MANIFEST-"}};
  for (const Place& place : kPlaces) {
    SCOPED_TRACE(name_of(place, true));
    Machine machine;
    auto store = machine.open(options_of(machine, true));
    for (uint32_t i = 0; i < 7; ++i) {
      ASSERT_TRUE(store->ingest(one_span(10 + i, 110 + i, "s", 1000, 2000), "").ok());
      ASSERT_TRUE(store->cut().ok());
    }
    const std::string directory = store->path();
    if (place.op != SimOp::allocate) {
      ASSERT_TRUE(store->close().ok());
    }
    fail_at(machine, directory, place, SimFault::no_space);
    // A process that has begun no manifest file yet.
    if (place.op != SimOp::allocate) store = machine.open(options_of(machine, true));
    const std::string before = dump(*store);
    EXPECT_FALSE(store->compact().ok());
    machine.disk.set_injector(nullptr);
    EXPECT_TRUE(store->stats().writable);
    EXPECT_EQ(dump(*store), before);
    ASSERT_TRUE(store->compact().ok());
    EXPECT_EQ(store->stats().segments, 1U);
    ASSERT_TRUE(store->commit("one", create_task(1, "one")).ok());
    ASSERT_TRUE(store->cut().ok());
    const std::string after = dump(*store);
    store.reset();
    EXPECT_EQ(dump(*machine.open()), after);
  }
}

}  // namespace
}  // namespace contextcore::store::test
