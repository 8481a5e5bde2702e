// Many children, many agents: what one change costs does not depend on how much there is already.
// On the real store, over a simulated disk and clock. Costs are counted, not timed.

#include <map>

#include "base/clock.h"
#include "base/sanitized.h"
#include "base/sim_file_system.h"
#include "random_changes.h"
#include "store/store.h"
#include "work/hooks.h"
#include "work/ids.h"
#include "work/rebuild.h"
#include "work/row.h"

namespace contextcore::work::testing {
namespace {

// Sanitizers make a simulated day take minutes; three hours show the same.

// A view that counts what is read of it.
class CountingView : public store::WorkView, public store::WorkIndexView {
 public:
  explicit CountingView(const store::WorkView& view) : view_(view) {}
  int64_t now_ns() const override { return view_.now_ns(); }
  const store::WorkIndexView& index() const override { return *this; }
  Result<std::optional<store::JournalSpan>> span(const otlp::SpanId& id) const override {
    ++spans;
    return view_.span(id);
  }
  Result<std::vector<otlp::LogRecord>> events(const otlp::SpanId& id) const override {
    auto records = view_.events(id);
    if (records.ok()) events_read += records->size();
    return records;
  }
  const store::WorkRow* find(const otlp::SpanId& id) const override {
    ++rows;
    return view_.index().find(id);
  }
  std::vector<const store::WorkRow*> children(const otlp::SpanId& id) const override {
    return counted(view_.index().children(id));
  }
  std::vector<const store::WorkRow*> dependents(const otlp::SpanId& id) const override {
    return counted(view_.index().dependents(id));
  }
  void scan(const std::function<bool(const store::WorkRow&)>& fn) const override {
    view_.index().scan([&](const store::WorkRow& row) {
      ++rows;
      return fn(row);
    });
  }
  size_t size() const override { return view_.index().size(); }

  mutable size_t rows = 0, spans = 0, events_read = 0;

 private:
  std::vector<const store::WorkRow*> counted(std::vector<const store::WorkRow*> found) const {
    rows += found.size();
    return found;
  }
  const store::WorkView& view_;
};

class CrowdTest : public RandomChangeTest {
 protected:
  static constexpr const char* kPath = "/data/store";

  void SetUp() override { open(); }
  void open(uint64_t wal_rows_max = 2000, uint64_t wal_bytes_max = 1 << 20) {
    store::StoreOptions options;
    options.path = kPath;
    options.hooks = hooks();
    options.embedded_wal_rows_max = wal_rows_max;
    options.embedded_wal_bytes_max = wal_bytes_max;
    processes_.push_back(disk_.start_process());
    options.file_system = processes_.back().get();
    options.clock = &clock_;
    options.random = &random_;
    auto opened = store::Store::open(std::move(options));
    ASSERT_TRUE(opened.ok()) << opened.error().to_string();
    store_ = std::move(*opened);
  }
  Json done(std::string_view op, const std::string& args) {
    const auto result = execute(*store_, command(op, args), settings);
    EXPECT_TRUE(result.ok()) << op << args << ": "
                             << (result.ok() ? "" : result.error().to_string());
    return result.ok() ? parse(*result) : Json();
  }
  // parent and children parent-0, parent-1 … in one transaction.
  void make_family(const std::string& parent, int children) {
    std::string batch = create_json(parent, "");
    for (int i = 0; i < children; ++i) {
      batch += "," + create_json(parent + "-" + std::to_string(i), parent);
    }
    done("batch", "{\"commands\":[" + batch + "]}");
  }
  store::Store::Read read() {
    auto read = store_->read();
    EXPECT_TRUE(read.ok());
    return std::move(*read);
  }
  // Every sum that the index keeps is what its rows add up to.
  void expect_sums(const std::string& when) {
    const store::Store::Read now = read();
    const store::WorkIndexView& index = now.work->index();
    index.scan([&](const store::WorkRow& row) {
      store::WorkTally sum;
      for (const store::WorkRow* child : index.children(row.span_id)) sum += tally_of(*child);
      EXPECT_TRUE(row.tallied) << row.id << " " << when;
      EXPECT_TRUE(row.below == sum)
          << row.id << " " << when << ": " << row.below.count << " of " << sum.count
          << " children, " << row.below.percent << " of " << sum.percent << " percent";
      return !HasFailure();
    });
  }
  uint64_t disk_bytes() const {
    uint64_t total = 0;
    const SimFileSystem& files = *processes_.back();
    for (const std::string folder : {"", "/data", "/wal"}) {
      const auto names = files.list(kPath + folder);
      EXPECT_TRUE(names.ok());
      for (const std::string& name : *names) {
        const auto info = files.stat(kPath + folder + "/" + name);
        if (info.ok() && !info->is_directory) total += info->size;
      }
    }
    return total;
  }

  ManualClock clock_;
  SeededRandom random_{7};
  SimDisk disk_{7, &clock_};
  std::vector<std::unique_ptr<SimFileSystem>> processes_;
  std::unique_ptr<store::Store> store_;

 private:
  static std::string create_json(const std::string& id, const std::string& parent) {
    return "{\"op\":\"task.create\",\"args\":{\"id\":\"" + id + "\",\"title\":\"" + id + "\"" +
           (parent.empty() ? "" : ",\"parent_id\":\"" + parent + "\"") + "}}";
  }
};

struct Cost {
  size_t rows = 0, spans = 0, events = 0;
  uint64_t log_bytes = 0;
};

TEST_F(CrowdTest, AChangeOfAChildReadsAndWritesTheSameHoweverManySiblingsItHas) {
  make_family("few", 16);
  make_family("many", 1024);
  const auto cost_of = [&](const std::string& op, const std::string& args) {
    Cost cost;
    {
      const store::Store::Read now = read();
      const CountingView view(*now.work);
      const auto planned = plan(view, command(op, args), settings);
      EXPECT_TRUE(planned.ok()) << (planned.ok() ? "" : planned.error().to_string());
      cost = {view.rows, view.spans, view.events_read, 0};
    }
    const uint64_t before = store_->stats().wal_bytes;
    done(op, args);
    const uint64_t after = store_->stats().wal_bytes;
    cost.log_bytes = after > before ? after - before : 0;  // 0: cut in between
    return cost;
  };
  const auto compare = [&](const std::string& op, const std::string& child,
                           const std::string& more = "") {
    const auto args = [&](const char* parent) {
      return "{\"id\":\"" + std::string(parent) + child + "\"" + more + "}";
    };
    const Cost few = cost_of(op, args("few")), many = cost_of(op, args("many"));
    EXPECT_EQ(few.rows, many.rows) << op << child;
    EXPECT_EQ(few.spans, many.spans) << op << child;
    EXPECT_EQ(few.events, many.events) << op << child;
    // One of a few moves the parent's percentage, and one event more tells of that.
    EXPECT_GT(many.log_bytes, 0U) << op << child;
    EXPECT_LE(many.log_bytes, few.log_bytes + 64) << op << child;
  };
  compare("task.complete", "-1");
  compare("task.status", "-2", ",\"status\":\"in_progress\"");
  compare("task.progress", "-2", ",\"percent\":50");
  compare("task.block", "-3", ",\"reason\":\"r\"");
  compare("task.cancel", "-3");
  compare("task.claim", "-4");
  compare("task.comment", "", ",\"text\":\"on the parent itself\"");
  compare("task.edit", "", ",\"priority\":\"high\"");
  compare("task.complete", "");
  compare("task.complete", "-5");  // below an ended parent: its history is not read
  expect_sums("at the end");
}

TEST_F(CrowdTest, SumsOverChildrenAreWhatTheyAddUpToInAnyHistory) {
  for (const uint64_t seed : {1, 2, 3}) {
    SeededRandom random(seed);
    store_ = nullptr;
    open(20);  // cuts often
    project = "p" + std::to_string(seed);
    for (int step = 0; step < 400 && !HasFailure(); ++step) {
      clock_.advance_ns(static_cast<int64_t>(random.below(30)) * kSecondNs);
      // Most random commands are refused; what is written must keep the sums right.
      (void)execute(*store_, any_command(random), settings).ok();
      if (random.below(40) == 0) {
        store_ = nullptr;  // another process takes the log in
        open(20);
      }
      expect_sums("seed " + std::to_string(seed) + " step " + std::to_string(step));
    }
    const auto report = rebuild_store(*store_);
    ASSERT_TRUE(report.ok()) << report.error().to_string();
    EXPECT_EQ(report->changed, 0);
  }
}

// The same commands on a journal that keeps no sums and counts children each time.
TEST_F(CrowdTest, KeptSumsGiveTheSpansThatCountingGives) {
  SeededRandom random(11);
  journal.now = clock_.wall_ns();
  for (int step = 0; step < 600; ++step) {
    const int64_t seconds = static_cast<int64_t>(random.below(30));
    clock_.advance_ns(seconds * kSecondNs);
    pass(seconds);
    const Command next = any_command(random);
    const auto counted = run(next);
    const auto kept = execute(*store_, next, settings);
    ASSERT_EQ(counted.ok(), kept.ok()) << next.op << " " << to_string(next.args);
  }
  const store::Store::Read now = read();
  size_t parents = 0;
  for (const auto& [id, span] : journal.spans) {
    const auto stored = now.work->span(id);
    ASSERT_TRUE(stored.ok() && *stored);
    EXPECT_TRUE((*stored)->span == span.span) << difference((*stored)->span, span.span);
    const store::WorkTally* sums = now.work->index().tally(id);
    parents += sums != nullptr && sums->count > 0 ? 1 : 0;
  }
  EXPECT_GT(parents, 0U);
}

TEST_F(CrowdTest, ADayOfHeartbeatsLeavesNothingBehind) {
  constexpr int kAgents = 32, kMinutes = kSanitized ? 3 * 60 : 24 * 60;
  constexpr int64_t kMinuteNs = 60 * kSecondNs;
  constexpr uint64_t kManifestBytes = 16 * 1024;  // a record per cut, begun anew now and then
  store_ = nullptr;
  open(2000, 256 * 1024);  // a log that is soon full, so that many are
  make_family("work", kAgents);
  std::vector<int64_t> tokens;
  for (int agent = 0; agent < kAgents; ++agent) {
    act_as("agent-" + std::to_string(agent), "s" + std::to_string(agent));
    const Json claimed =
        done("task.claim", "{\"id\":\"work-" + std::to_string(agent) + "\",\"lease_seconds\":150}");
    tokens.push_back(*claimed.find("token")->as_int());
  }
  const auto beat_for = [&](int minutes) {
    for (int minute = 0; minute < minutes && !HasFailure(); ++minute) {
      clock_.advance_ns(kMinuteNs);
      for (int agent = 0; agent < kAgents; ++agent) {
        act_as("agent-" + std::to_string(agent), "s" + std::to_string(agent));
        const Json beat =
            done("task.heartbeat", "{\"id\":\"work-" + std::to_string(agent) + "\",\"token\":" +
                                       std::to_string(tokens[static_cast<size_t>(agent)]) + "}");
        EXPECT_TRUE(*beat.find("renewed")->as_bool());
      }
    }
  };
  const auto revisions = [&] {
    std::map<std::string, int64_t> out;
    read().work->index().scan([&](const store::WorkRow& row) {
      out[row.project + "/" + row.id + otlp::to_hex(row.span_id)] = row.revision;
      return true;
    });
    return out;
  };
  const auto events = [&] {
    size_t count = 0;
    const store::Store::Read now = read();
    for (int agent = 0; agent < kAgents; ++agent) {
      const auto id = span_id("task", project, "work-" + std::to_string(agent));
      const auto records = now.work->events(id);
      EXPECT_TRUE(records.ok());
      count += records.ok() ? records->size() : 0;
    }
    return count;
  };
  // Until the log has reached the size at which it is cut, and been: from then on it is recycled.
  while (store_->stats().cuts < 2 && !HasFailure()) beat_for(30);
  const auto revisions_before = revisions();
  const size_t events_before = events();
  const uint64_t bytes_before = disk_bytes(), cuts_before = store_->stats().cuts;
  const store::StoreStats rows_before = store_->stats();
  beat_for(kMinutes);
  EXPECT_GT(store_->stats().cuts, cuts_before) << "the log was never cut";
  EXPECT_EQ(revisions(), revisions_before);
  EXPECT_EQ(events(), events_before);
  EXPECT_EQ(store_->stats().span_rows, rows_before.span_rows);
  EXPECT_EQ(store_->stats().log_rows, rows_before.log_rows);
  EXPECT_LE(disk_bytes(), bytes_before + kManifestBytes) << "the store has grown";
  // The leases live on, told by another process, too.
  store_ = nullptr;
  open();
  read().work->index().scan([&](const store::WorkRow& row) {
    if (row.claim_token == 0) return true;
    EXPECT_TRUE(has_live_claim(row, clock_.wall_ns())) << row.id;
    EXPECT_GE(row.heartbeats, kMinutes) << row.id;
    return true;
  });
}

}  // namespace
}  // namespace contextcore::work::testing
