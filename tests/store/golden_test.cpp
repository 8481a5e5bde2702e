// Stores that earlier versions wrote. Each folder of data/golden is one, as a backup: this version has
// to open it, answer as that version did, find it sound, and write on. How one is added for a new
// version: docs/store-format.md, "Golden stores".

#include <algorithm>
#include <cstdlib>

#include "store/backup.h"
#include "store/store_test_kit.h"
#include "store/verify.h"

namespace contextcore::store::test {
namespace {

const std::string kGolden = std::string(CONTEXTCORE_TEST_DATA) + "/golden";
constexpr const char* kExpected = "expected.txt";

// What a store says, as lines that people can compare.
std::string answers(Store& store) {
  std::string text;
  const auto read = store.read();
  if (!read.ok()) return read.error().message;
  FetchRequest request;
  request.columns = {{ColumnScope::span, "task.title"}, {ColumnScope::span, "color"}, {ColumnScope::resource, "service.name"}};
  auto traces = read->source->fetch(request);
  while (traces.ok()) {
    const auto view = (*traces)->next();
    if (!view.ok()) return view.error().message;
    if (*view == nullptr) break;
    for (size_t span = 0; span < (*view)->span_count(); ++span) {
      const SpanCore& core = (*view)->core(span);
      text += "span " + otlp::to_hex((*view)->trace_id()) + " " + otlp::to_hex(core.span_id) + " " + std::string(core.name) +
              " " + std::to_string(core.start_ns) + (core.open ? " open" : " " + std::to_string(core.end_ns));
      for (size_t column = 0; column < request.columns.size(); ++column) {
        text += " [" + std::string((*view)->cell(span, column).string) + "]";
      }
      text += "\n";
    }
  }
  for (const std::string& line : lines(*read->source)) text += "line " + line + "\n";
  const auto other = store.read("other");
  if (!other.ok()) return other.error().message;
  for (const std::string& name : span_names(*other->source)) text += "span of other " + name + "\n";
  for (const std::string& line : lines(*other->source)) text += "line of other " + line + "\n";
  text += metrics(store) + metrics(store, "other");
  read->work->index().scan([&](const WorkRow& row) {
    text += "row " + otlp::to_hex(row.span_id) + " " + row.id + " " + std::to_string(row.revision) + " " + row.claimed_by + "\n";
    return true;
  });
  const auto moved = read->source->forward(trace_id(77));
  text += "forward " + (moved ? otlp::to_hex(*moved) : std::string("none")) + "\n";
  return text;
}

std::string read_real(const std::string& path) {
  const auto bytes = real_file_system().read_file(path);
  EXPECT_TRUE(bytes.ok()) << path;
  return bytes.ok() ? *bytes : "";
}

// The files of a folder, into the simulated machine.
void load(Machine& machine, const std::string& from, const std::string& to) {
  SimFileSystem& files = machine.process();
  ASSERT_TRUE(files.make_directories(to).ok());
  const auto names = real_file_system().list(from);
  ASSERT_TRUE(names.ok());
  for (const std::string& name : *names) {
    if (name == kExpected) continue;
    const std::string path = join_path(from, name);
    if (real_file_system().stat(path)->is_directory) {
      load(machine, path, join_path(to, name));
    } else {
      ASSERT_TRUE(files.write_file_atomically(join_path(to, name), read_real(path)).ok());
    }
  }
}

uint64_t bytes_of(const std::string& folder) {
  uint64_t sum = 0;
  const auto names = real_file_system().list(folder);
  for (const std::string& name : *names) {
    const auto info = real_file_system().stat(join_path(folder, name));
    sum += info->is_directory ? bytes_of(join_path(folder, name)) : info->size;
  }
  return sum;
}

std::vector<std::string> versions() {
  const auto names = real_file_system().list(kGolden);
  return names.ok() ? *names : std::vector<std::string>();
}

// Two cuts and a log: work, its events, a claim, received spans of which some are superseded, logs,
// metrics of two tenants, commands, digests, a trace that moved, and a log that has some of each.
void fill(Store& store) {
  for (uint32_t i = 1; i <= 20; ++i) {
    ASSERT_TRUE(store.commit("create-" + std::to_string(i), create_task(i, "task " + std::to_string(i))).ok());
  }
  for (uint32_t i = 1; i <= 40; ++i) {
    ASSERT_TRUE(store.ingest(one_span(1000 + i / 4, 1000 + i, "GET /" + std::to_string(i % 5), 1000 * i, 1000 * i + 700), {}).ok());
    ASSERT_TRUE(store.ingest(one_log(i % 2 == 0 ? "shop" : "cart", 1000 * i, "line " + std::to_string(i)), {}).ok());
    if (i % 3 == 0) {  // under the same ids and labels
      ASSERT_TRUE(store.ingest(one_span(1000 + i / 4, 1000 + i, "POST /" + std::to_string(i % 5), 1000 * i, 1000 * i + 900), {}, "other").ok());
      ASSERT_TRUE(store.ingest(one_log("shop", 1000 * i, "their line " + std::to_string(i)), {}, "other").ok());
    }
    const std::string n = std::to_string(i);
    const std::string json = i % 2 == 0 ? R"({"event":"sold","n":)" + n + R"(,"price":)" + n + R"(.25,"ok":true,"note":"\"a\"\n"})"
                                        : R"({"event": "sold", "n": )" + n + R"(, "list": [1, {"x": null}], "odd": 1.0})";
    ASSERT_TRUE(store.ingest(one_log("shop", 1000 * i + 500, json), {}).ok());
    ASSERT_TRUE(store.ingest(one_sample("load", "host-" + std::to_string(i % 3), 1000 * i, i / 4.0), {}, i % 5 == 0 ? "other" : "").ok());
  }
  ASSERT_TRUE(store.cut().ok());
  ASSERT_TRUE(store.ingest(one_span(1001, 1005, "GET /again", 5000, 9000), {}).ok());
  ASSERT_TRUE(store.ingest(one_span(1001, 1006, "POST /again", 6000, 9000), {}, "other").ok());
  ASSERT_TRUE(store.commit("", edit_task(3, "color", "red")).ok());
  ASSERT_TRUE(store.commit("", claim_task(4, "ada")).ok());
  ASSERT_TRUE(store.commit("", [](const WorkView& view) -> Result<WorkTransaction> {
    CC_ASSIGN(WorkTransaction transaction, comment(4, "moved")(view));
    transaction.forwards.emplace_back(trace_id(77), trace_id(4));
    return transaction;
  }).ok());
  ASSERT_TRUE(store.cut().ok());
  ASSERT_TRUE(store.commit("late", edit_task(5, "color", "blue")).ok());
  ASSERT_TRUE(store.ingest(one_log("shop", 60500, R"({"event":"sold","n":41})"), {}).ok());
  ASSERT_TRUE(store.ingest(one_span(2000, 2001, "POST /late", 60000, 61000), {}).ok());
  ASSERT_TRUE(store.ingest(one_log("shop", 61000, "the last line"), {}).ok());
  ASSERT_TRUE(store.ingest(one_span(2000, 2002, "PUT /late", 60000, 61000), {}, "other").ok());
  ASSERT_TRUE(store.ingest(one_sample("load", "host-1", 62000, 7), {}, "").ok());
}

TEST(GoldenStore, WriteOneForThisVersion) {
  const char* version = std::getenv("CONTEXTCORE_WRITE_GOLDEN");
  if (version == nullptr) GTEST_SKIP() << "set CONTEXTCORE_WRITE_GOLDEN to the version to write one";
  const std::string folder = join_path(kGolden, version);
  ASSERT_FALSE(real_file_system().exists(folder)) << folder << " exists; golden stores are never changed";
  Machine machine;
  auto store = machine.open();
  fill(*store);
  const std::string simulated = "/backup";
  CopyOptions options;
  options.source = kPath;
  options.destination = simulated;
  options.file_system = &machine.process();
  options.clock = &machine.clock;
  ASSERT_TRUE(backup_store(options).ok());
  FileSystem& real = real_file_system();
  for (const char* inside : {"", "/data", "/wal"}) {
    ASSERT_TRUE(real.make_directories(folder + inside).ok());
    const auto names = machine.process().list(simulated + inside);
    for (const std::string& name : *names) {
      const std::string path = simulated + inside + "/" + name;
      if (machine.process().stat(path)->is_directory || name == "LOCK") continue;
      ASSERT_TRUE(real.write_file_atomically(folder + inside + "/" + name, *machine.process().read_file(path)).ok());
    }
  }
  ASSERT_TRUE(real.write_file_atomically(join_path(folder, kExpected), answers(*store)).ok());
}

TEST(GoldenStore, EveryOneOpensAndAnswersAsItDid) {
  ASSERT_FALSE(versions().empty());
  for (const std::string& version : versions()) {
    const std::string folder = join_path(kGolden, version);
    EXPECT_LT(bytes_of(folder), 200'000U) << version;
    Machine machine;
    load(machine, folder, kPath);
    const std::string expected = read_real(join_path(folder, kExpected));
    EXPECT_GT(std::count(expected.begin(), expected.end(), '\n'), 100) << version;
    auto reader = machine.open(StoreMode::read_only);
    EXPECT_EQ(answers(*reader), expected) << version;
    reader.reset();

    VerifyOptions options{kPath, small_hooks(), &machine.process(), &machine.clock, {}};
    auto report = verify_store(options);
    ASSERT_TRUE(report.ok()) << report.error().message;
    for (const Damage& damage : report->damages) ADD_FAILURE() << version << ": " << damage.file << ": " << damage.what;
    EXPECT_GT(report->masked_rows, 0U);
    EXPECT_GT(report->metric_samples, 0U);
    EXPECT_GT(report->commands, 0U);
    EXPECT_GT(report->frames, 0U);
    EXPECT_GT(report->work_rows, 0U);

    // It goes on from there, and what this version makes of it is sound as well.
    auto store = machine.open();
    EXPECT_EQ(answers(*store), expected) << version;
    const auto again = store->commit("create-1", create_task(1, "not this"));
    ASSERT_TRUE(again.ok()) << again.error().message;
    EXPECT_TRUE(again->replayed) << "commands of the last day are remembered";
    const auto repeated = store->ingest(one_log("cart", 1000, "line 1"), {});
    ASSERT_TRUE(repeated.ok()) << repeated.error().message;
    EXPECT_EQ(repeated->duplicate, report->digests > 0) << "and so are requests, since files of digests are written";
    ASSERT_TRUE(store->commit("new", edit_task(6, "color", "green")).ok());
    ASSERT_TRUE(store->cut().ok());
    ASSERT_TRUE(store->close().ok());
    report = verify_store(options);
    ASSERT_TRUE(report.ok()) << report.error().message;
    EXPECT_TRUE(report->sound()) << version;
  }
}

}  // namespace
}  // namespace contextcore::store::test
