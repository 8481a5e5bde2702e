// A request that comes again as it was changes nothing, whoever has made files of it since: the log tells
// repeats of what it holds, files of digests those of before.

#include <algorithm>

#include "store/backup.h"
#include "store/digest_file.h"
#include "store/manifest.h"
#include "store/store_test_kit.h"
#include "store/verify.h"

namespace contextcore::store::test {
namespace {

Result<IngestResult> send_line(Store& store, int number, const std::string& tenant = "") {
  return store.ingest(one_log("shop", static_cast<uint64_t>(number), "line " + std::to_string(number)), {}, tenant);
}

bool is_repeat(Store& store, int number, const std::string& tenant = "") {
  const auto result = send_line(store, number, tenant);
  EXPECT_TRUE(result.ok()) << result.error().message;
  return result.ok() && result->duplicate;
}

Manifest manifest_of(Machine& machine) { return *ManifestFile(machine.process(), kPath).read(); }

std::string path_of(const DigestFileInfo& file) { return data_path(kPath, file.number, "digests"); }

// A line of its own, and files of it.
void send_and_cut(Store& store, int number) {
  ASSERT_FALSE(is_repeat(store, number));
  ASSERT_TRUE(store.cut().ok());
}

TEST(Repeat, IsKnownAfterACutAndARestart) {
  for (const StoreMode mode : {StoreMode::embedded, StoreMode::server}) {
    Machine machine;
    auto store = machine.open(mode);
    const otlp::TracesData spans = one_span(1, 1, "GET /");
    const otlp::RemoteWriteRequest samples = one_sample("load", "a", 1000, 1.5);
    ASSERT_FALSE(is_repeat(*store, 1));
    ASSERT_FALSE(is_repeat(*store, 1, "other")) << "a repeat is one of a tenant's requests";
    ASSERT_FALSE(store->ingest(spans, {})->duplicate);
    ASSERT_FALSE(store->ingest(samples, {}, "")->duplicate);
    ASSERT_TRUE(store->cut().ok());
    ASSERT_TRUE(store->close().ok());
    store = machine.open(mode);
    EXPECT_TRUE(is_repeat(*store, 1));
    EXPECT_TRUE(is_repeat(*store, 1, "other"));
    EXPECT_FALSE(is_repeat(*store, 1, "another"));
    EXPECT_TRUE(store->ingest(spans, {})->duplicate);
    EXPECT_TRUE(store->ingest(samples, {}, "")->duplicate);
    EXPECT_FALSE(is_repeat(*store, 2));
    EXPECT_EQ(lines(*source(*store)), (std::vector<std::string>{"line 1", "line 2"}));
    EXPECT_EQ(store->stats().duplicates, 4U);
  }
}

// Of one that was partly refused the log has another request than the one that came.
TEST(Repeat, IsThatOfTheRequestAsItCame) {
  Machine machine;
  auto store = machine.open();
  ASSERT_TRUE(store->commit("", create_task(1, "one")).ok());
  const otlp::TracesData data = half_forged();
  ASSERT_EQ(store->ingest(data, {})->rejected, 1);
  store = machine.open();  // the digest comes back from the log, and goes from there into a file
  ASSERT_TRUE(store->cut().ok());
  store = machine.open();
  const auto again = store->ingest(data, {});
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_TRUE(again->duplicate);
  EXPECT_EQ(again->rejected, 1);
}

// Written and not answered; another process makes files of it; then it comes again.
TEST(Repeat, IsKnownWhoeverMadeTheFiles) {
  Machine machine;
  auto first = machine.open();
  auto second = machine.open();
  auto third = machine.open();
  ASSERT_FALSE(is_repeat(*first, 1));
  send_and_cut(*second, 2);
  EXPECT_TRUE(is_repeat(*third, 1)) << "saw neither the log nor the cut";
  EXPECT_TRUE(is_repeat(*third, 2));
  EXPECT_TRUE(is_repeat(*first, 2)) << "saw a part of the log";
  EXPECT_TRUE(is_repeat(*second, 1)) << "made the files itself";
  EXPECT_EQ(lines(*source(*first)).size(), 2U);
}

TEST(Repeat, IsKnownThroughManyCuts) {
  constexpr int kCuts = 20;
  Machine machine;
  auto other = machine.open();
  auto store = machine.open();
  size_t most = 0;
  for (int number = 1; number <= kCuts; ++number) {
    ASSERT_NO_FATAL_FAILURE(send_and_cut(*store, number));
    most = std::max(most, manifest_of(machine).digests.size());
  }
  EXPECT_EQ(most, 8U) << "the number of files is bounded";
  for (const DigestFileInfo& file : manifest_of(machine).digests) EXPECT_TRUE(machine.process().exists(path_of(file)));
  const auto names = machine.process().list(data_directory(kPath));
  EXPECT_EQ(std::ranges::count_if(*names, [](const std::string& name) { return name.ends_with(".digests"); }),
            static_cast<std::ptrdiff_t>(manifest_of(machine).digests.size()))
      << "those that are no longer named are gone";
  auto fresh = machine.open();
  for (int number = 1; number <= kCuts; ++number) {
    EXPECT_TRUE(is_repeat(*store, number)) << number;
    EXPECT_TRUE(is_repeat(*other, number)) << number;
    EXPECT_TRUE(is_repeat(*fresh, number)) << number;
  }
  EXPECT_EQ(lines(*source(*store)).size(), size_t{kCuts});
}

TEST(Repeat, IsForgottenAfterADay) {
  Machine machine;
  auto store = machine.open();
  send_and_cut(*store, 1);
  machine.clock.advance_ns(kDigestKeptNs / 2);
  send_and_cut(*store, 2);
  machine.clock.advance_ns(kDigestKeptNs / 2);
  send_and_cut(*store, 3);
  EXPECT_EQ(manifest_of(machine).digests.size(), 2U);
  store = machine.open();
  EXPECT_TRUE(is_repeat(*store, 3));
  EXPECT_TRUE(is_repeat(*store, 2));
  EXPECT_FALSE(is_repeat(*store, 1)) << "who means to send it once more may";
}

TEST(Repeat, ACutWithoutRequestsWritesNoDigests) {
  Machine machine;
  auto store = machine.open();
  ASSERT_TRUE(store->commit("", create_task(1, "one")).ok());
  ASSERT_TRUE(store->cut().ok());
  EXPECT_TRUE(manifest_of(machine).digests.empty());
}

TEST(Repeat, TravelsWithABackup) {
  Machine machine;
  auto store = machine.open();
  send_and_cut(*store, 1);
  CopyOptions copy;
  copy.source = kPath;
  copy.destination = "/backup";
  copy.file_system = &machine.process();
  copy.clock = &machine.clock;
  ASSERT_TRUE(backup_store(copy).ok());
  StoreOptions options = machine.options(machine.process());
  options.path = copy.destination;
  store = machine.open(options);
  EXPECT_TRUE(is_repeat(*store, 1));
}

// Nothing is acknowledged while nobody can tell whether it is there; the sender tries again.
TEST(Repeat, IsNotDecidedWhileFilesCannotBeRead) {
  Machine machine;
  auto store = machine.open();
  send_and_cut(*store, 1);
  store = machine.open();
  machine.disk.set_injector([](const SimCall& call) {
    SimFate fate;
    if (call.op == SimOp::read && call.path.ends_with(".digests")) fate.fault = SimFault::io_error;
    return fate;
  });
  const auto result = send_line(*store, 1);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, Code::io_error);
  machine.disk.set_injector(nullptr);
  EXPECT_TRUE(is_repeat(*store, 1));
}

// What is lost for good keeps nobody from going on.
TEST(Repeat, OfADamagedFileIsNewAndVerifySaysWhy) {
  Machine machine;
  auto store = machine.open();
  for (int number = 1; number <= 8; ++number) send_and_cut(*store, number);
  const std::string path = path_of(manifest_of(machine).digests[0]);
  machine.disk.flip_bits(path, 30, 1);
  VerifyOptions options;
  options.path = kPath;
  options.file_system = &machine.process();
  options.clock = &machine.clock;
  const auto report = verify_store(options);
  ASSERT_TRUE(report.ok()) << report.error().message;
  ASSERT_EQ(report->damages.size(), 1U);
  EXPECT_EQ(report->damages[0].file, path);
  EXPECT_NE(report->damages[0].remedy.find("comes again"), std::string::npos) << report->damages[0].remedy;
  store = machine.open();
  EXPECT_FALSE(is_repeat(*store, 1));
  EXPECT_TRUE(is_repeat(*store, 2));
  ASSERT_TRUE(store->cut().ok()) << "puts the files together that can be read";
  EXPECT_EQ(manifest_of(machine).digests.size(), 1U);
  store = machine.open();
  EXPECT_TRUE(is_repeat(*store, 1));
  EXPECT_TRUE(is_repeat(*store, 8));
}

TEST(Repeat, DigestsKeepTheNewest) {
  const auto run = [](int64_t time_ns, uint64_t from, uint64_t to) {
    DigestRun out{time_ns, {}};
    for (uint64_t i = from; i < to; ++i) out.digests.push_back({i, i});
    return out;
  };
  const int64_t now = 10 * kDigestKeptNs;
  const std::vector<DigestRun> runs{run(now - kDigestKeptNs, 0, 5), run(now - 2, 5, 10), run(now - 1, 10, 10), run(now, 10, 13)};
  EXPECT_EQ(kept_digests(runs, now), (std::vector<DigestRun>{run(now - 2, 5, 10), run(now, 10, 13)}));
  EXPECT_EQ(kept_digests(runs, now, 5), (std::vector<DigestRun>{run(now - 2, 8, 10), run(now, 10, 13)}));
  EXPECT_EQ(kept_digests(runs, now, 3), (std::vector<DigestRun>{run(now, 10, 13)}));
  EXPECT_EQ(kept_digests(runs, now, 2), (std::vector<DigestRun>{run(now, 11, 13)}));
  EXPECT_TRUE(kept_digests({}, now).empty());
}

TEST(Repeat, FilesBehindTheNewestDigestsGo) {
  const int64_t now = 10 * kDigestKeptNs;
  const std::vector<DigestFileInfo> files{{1, 5, now - kDigestKeptNs}, {2, 4, now - 3}, {3, 2, now - 2}, {4, 3, now}};
  const auto numbers = [&](size_t max) {
    std::vector<uint64_t> out;
    for (const DigestFileInfo& file : kept_files(files, now, max)) out.push_back(file.number);
    return out;
  };
  EXPECT_EQ(numbers(100), (std::vector<uint64_t>{2, 3, 4})) << "the first has expired";
  EXPECT_EQ(numbers(6), (std::vector<uint64_t>{2, 3, 4})) << "the second has one of the newest six";
  EXPECT_EQ(numbers(5), (std::vector<uint64_t>{3, 4}));
  EXPECT_EQ(numbers(3), std::vector<uint64_t>{4});
  EXPECT_TRUE(kept_files({}, now).empty());
}

}  // namespace
}  // namespace contextcore::store::test
