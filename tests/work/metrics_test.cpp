// Metrics as views over the log: they say what a direct count says, at any past time, and what is written into the past
// changes them as if it had always been there.

#include <cmath>

#include "random_changes.h"
#include "work/as_of.h"
#include "work/hooks.h"
#include "work/metrics/metric_views.h"
#include "work/names.h"

namespace contextcore::work::testing {
namespace {

using Labels = std::map<std::string, std::string>;

// The journal as followers see it: only what came after a number of events.
class Followed : public store::Source {
 public:
  explicit Followed(const MemoryJournal& journal) : journal_(journal) {}
  uint64_t sequence() const { return journal_.events_written.size(); }
  int64_t now_ns() const override { return journal_.now_ns(); }
  Result<std::unique_ptr<store::LogIterator>> fetch_logs(const store::LogFetchRequest& request) const override {
    if (!request.after_sequence) {
      store::LogFetchRequest any = request;
      any.backward = request.backward || backward;
      return journal_.fetch_logs(any);
    }
    ++follows;
    rest_.events_written.assign(journal_.events_written.begin() + static_cast<long>(*request.after_sequence),
                                journal_.events_written.end());
    return rest_.fetch_logs(request);
  }
  Result<std::unique_ptr<store::TraceIterator>> fetch(const store::FetchRequest& request) const override {
    return journal_.fetch(request);
  }
  Result<std::vector<store::LabelPairs>> streams(int64_t start_ns, int64_t end_ns) const override {
    return journal_.streams(start_ns, end_ns);
  }
  Result<std::optional<otlp::TracesData>> trace(const otlp::TraceId& id) const override { return journal_.trace(id); }

  mutable int follows = 0;
  bool backward = false;  // the log lies the wrong way round

 private:
  const MemoryJournal& journal_;
  mutable MemoryJournal rest_;
};

class MetricsTest : public RandomChangeTest {
 protected:
  static store::LabelMatcher equals(std::string name, std::string value) {
    return {std::move(name), true, std::move(value), {}};
  }

  // The value of each series at a time of the grid.
  std::map<Labels, double> values(const store::MetricSource& source, const std::string& name, int64_t time_ms,
                                  const std::string& task = "") {
    store::MetricRequest request;
    request.matchers = {equals("__name__", name)};
    if (!task.empty()) {
      request.named_labels = {"task_id"};
      if (task != "*") request.matchers.push_back(equals("task_id", task));
    }
    request.start_ms = request.end_ms = time_ms;
    const auto series = source.select(request);
    EXPECT_TRUE(series.ok());
    std::map<Labels, double> out;
    for (const store::MetricSeries& one : *series) {
      EXPECT_EQ(one.runs.size(), 1u);
      EXPECT_EQ(one.runs[0].start_ms, time_ms);
      EXPECT_EQ(one.runs[0].count, 1);
      Labels labels(one.labels.begin(), one.labels.end());
      labels.erase("__name__");
      EXPECT_TRUE(out.emplace(labels, one.runs[0].value).second) << name;
    }
    return out;
  }

  static std::map<Labels, double> without_zeros(std::map<Labels, double> all) {
    std::erase_if(all, [](const auto& one) { return one.second == 0; });
    return all;
  }

  std::unique_ptr<store::MetricSource> fresh(MetricViews& views) {
    auto source = views.at(journal, journal, 1);
    EXPECT_TRUE(source.ok());
    return std::move(*source);
  }

  double total(std::string_view event, int64_t time_ms) {
    double count = 0;
    for (const auto& written : journal.events_written) {
      if (written.record.event_name == event &&
          static_cast<int64_t>(written.record.time_ns) <= time_ms * kMillisecondNs) {
        ++count;
      }
    }
    return count;
  }

  void expect_counts(const store::MetricSource& source, int64_t time_ms) {
    SCOPED_TRACE(time_ms);
    Moment moment;
    moment.as_of_ns = time_ms * kMillisecondNs;
    const auto past = PastView::make(journal, journal, moment, project);
    ASSERT_TRUE(past.ok()) << past.error().to_string();
    std::map<Labels, double> by_status, by_type, wip, blocked, overdue, percent, planned, done;
    std::map<std::string, bool> sprint_over;
    (*past)->index().scan([&](const store::WorkRow& row) {
      if (row.kind == store::WorkKind::sprint) sprint_over[row.id] = row.end_ns != 0;
      return true;
    });
    (*past)->index().scan([&](const store::WorkRow& row) {
      if (!is_task(row)) return true;
      const TaskStatus status = row_status(row);
      const std::string word = row.status_name.empty() ? std::string(status_name(status)) : row.status_name;
      by_status[{{"project_id", project}, {"status", word}}] += 1;
      by_type[{{"project_id", project}, {"task_type", row.type}}] += 1;
      Labels labels{{"project_id", project}, {"task_type", row.type}};
      if (row.priority != 0) labels["priority"] = kPriorityNames[row.priority - 1u];
      if (!row.sprint.empty()) labels["sprint_id"] = row.sprint;
      if (status == TaskStatus::in_progress || status == TaskStatus::in_review) wip[labels] += 1;
      if (status == TaskStatus::blocked) blocked[labels] += 1;
      if (row.end_ns == 0 && row.due_ns != 0 && row.due_ns < *moment.as_of_ns) overdue[labels] += 1;
      labels["status"] = word;
      labels["task_id"] = row.id;
      percent[labels] = static_cast<double>(row_percent(row));
      if (!row.sprint.empty() && !sprint_over[row.sprint]) {
        const SprintPoints points = sprint_points(row);
        planned[{{"project_id", project}, {"sprint_id", row.sprint}}] += static_cast<double>(points.planned);
        done[{{"project_id", project}, {"sprint_id", row.sprint}}] += static_cast<double>(points.completed);
      }
      return true;
    });
    EXPECT_EQ(without_zeros(values(source, "task_count_by_status", time_ms)), by_status);
    EXPECT_EQ(without_zeros(values(source, "task_count_by_type", time_ms)), by_type);
    EXPECT_EQ(without_zeros(values(source, "task_wip", time_ms)), wip);
    EXPECT_EQ(without_zeros(values(source, "task_blocked", time_ms)), blocked);
    EXPECT_EQ(without_zeros(values(source, "task_overdue", time_ms)), overdue);
    std::map<Labels, double> open_planned = values(source, "sprint_planned_points", time_ms);
    std::map<Labels, double> open_done = values(source, "sprint_completed_points", time_ms);
    for (auto* points : {&open_planned, &open_done}) {
      std::erase_if(*points, [&](const auto& one) { return sprint_over[one.first.at("sprint_id")]; });
    }
    EXPECT_EQ(without_zeros(open_planned), without_zeros(planned));
    EXPECT_EQ(without_zeros(open_done), without_zeros(done));
    std::map<Labels, double> each = values(source, "task_percent_complete", time_ms, "*");
    std::erase_if(each, [](const auto& one) { return store::is_stale_marker(one.second); });
    EXPECT_EQ(each, percent);
    double statuses = 0;
    for (const auto& [labels, value] : values(source, "task_status", time_ms)) statuses += value;
    EXPECT_EQ(statuses, static_cast<double>(percent.size()));
    expect_totals(source, time_ms);
  }

  void expect_totals(const store::MetricSource& source, int64_t time_ms) {
    double completed = 0, transitions = 0, lead = 0;
    for (const auto& [labels, value] : values(source, "task_completed_total", time_ms)) completed += value;
    for (const auto& [labels, value] : values(source, "task_status_transitions_total", time_ms)) transitions += value;
    for (const auto& [labels, value] : values(source, "task_lead_time_seconds_bucket", time_ms)) {
      if (labels.at("le") == "+Inf") lead += value;
    }
    EXPECT_EQ(completed, total("task.completed", time_ms));
    EXPECT_EQ(lead, completed);
    EXPECT_EQ(transitions, total("task.status_changed", time_ms));
    for (const auto& [labels, value] : values(source, "task_events_total", time_ms)) {
      EXPECT_EQ(value, total(labels.at("event"), time_ms)) << labels.at("event");
    }
  }

  // Everything that any metric says, about tasks and about the project.
  static std::string whole(const store::MetricSource& source) {
    std::string out;
    for (const bool tasks : {false, true}) {
      store::MetricRequest request;
      if (tasks) request.named_labels = {"task_id"};
      const auto series = source.select(request);
      EXPECT_TRUE(series.ok());
      std::vector<std::string> lines;
      for (const store::MetricSeries& one : *series) {
        std::string line;
        for (const auto& [name, value] : one.labels) line += name + "=" + value + ",";
        for (const store::SampleRun& run : one.runs) {
          line +=
              " " + std::to_string(run.start_ms) + "x" + std::to_string(run.count) + ":" + std::to_string(run.value);
        }
        lines.push_back(line);
      }
      std::sort(lines.begin(), lines.end());
      for (const std::string& line : lines) out += line + "\n";
    }
    return out;
  }
};

TEST_F(MetricsTest, RandomHistoriesHalfOfThemBackdatedGiveTheCountsOfTheirEvents) {
  for (uint64_t seed = 0; seed < 12; ++seed) {
    SCOPED_TRACE(seed);
    SeededRandom random(seed);
    const int64_t begin = journal.now;
    journal = MemoryJournal();
    journal.now = begin;
    const Followed followed(journal);
    MetricViews views;
    for (int step = 0; step < 120; ++step) {
      journal.now += static_cast<int64_t>(random.below(20'000)) * kSecondNs;
      Command next = any_command(random);
      if (random.below(2) == 0) next.time_ns = journal.now - static_cast<int64_t>(random.below(400'000)) * kSecondNs;
      (void)run(next);
      if (step % 10 != 9 || followed.sequence() == 0) continue;
      // What follows the log bit by bit says what a first look says.
      auto source = views.at(followed, journal, followed.sequence());
      ASSERT_TRUE(source.ok()) << source.error().to_string();
      MetricViews anew;
      ASSERT_EQ(whole(**source), whole(*fresh(anew)));
    }
    EXPECT_GE(followed.follows, 3);
    MetricViews anew;
    // In whatever order the log is read.
    Followed reversed(journal);
    reversed.backward = true;
    MetricViews from_behind;
    auto last_first = from_behind.at(reversed, journal, reversed.sequence());
    ASSERT_TRUE(last_first.ok()) << last_first.error().to_string();
    MetricViews forward;
    ASSERT_EQ(whole(**last_first), whole(*fresh(forward)));
    const auto source = fresh(anew);
    for (int look = 0; look < 12; ++look) {
      const int64_t span_s = (journal.now - begin) / kSecondNs;
      const int64_t at_ns = begin + static_cast<int64_t>(random.below(static_cast<uint64_t>(span_s))) * kSecondNs;
      expect_counts(*source, grid_before(at_ns));
      if (HasFailure()) return;
    }
    expect_counts(*source, grid_before(journal.now));
    if (HasFailure()) return;
  }
}

TEST_F(MetricsTest, SamplesStandOnTheGridFromOneStepBeforeTheFirstEventToNow) {
  journal.now = 1'000'000 * kMinuteNs + 30 * kSecondNs;
  create("a");
  pass(150);
  MetricViews views;
  const auto source = fresh(views);
  store::MetricRequest request;
  request.matchers = {equals("__name__", "task_count_by_status")};
  const auto series = source->select(request);
  ASSERT_TRUE(series.ok());
  ASSERT_EQ(series->size(), 1u);
  const std::vector<store::SampleRun>& runs = (*series)[0].runs;
  ASSERT_EQ(runs.size(), 2u);
  // 0 before the event, 1 from the next minute on; now is three minutes after the first minute.
  EXPECT_EQ(runs[0].start_ms, 60'000'000'000);
  EXPECT_EQ(runs[0].count, 1);
  EXPECT_EQ(runs[0].value, 0);
  EXPECT_EQ(runs[1].start_ms, 60'000'060'000);
  EXPECT_EQ(runs[1].count, 3);
  EXPECT_EQ(runs[1].value, 1);
}

TEST_F(MetricsTest, AnEventOnTheGridIsSeenThere) {
  journal.now = 1'000'000 * kMinuteNs;
  create("a");
  MetricViews views;
  const auto source = fresh(views);
  EXPECT_EQ(values(*source, "task_count_by_status", 60'000'000'000),
            (std::map<Labels, double>{{{{"project_id", "p"}, {"status", "todo"}}, 1}}));
  EXPECT_EQ(values(*source, "task_count_by_status", 59'999'940'000),
            (std::map<Labels, double>{{{{"project_id", "p"}, {"status", "todo"}}, 0}}));
  EXPECT_TRUE(values(*source, "task_count_by_status", 59'999'880'000).empty());
}

TEST_F(MetricsTest, TaskAndProjectLabelsComeWhenTheyAreNamed) {
  create("a");
  create("b");
  pass(120);
  MetricViews views;
  const auto source = fresh(views);
  const int64_t now_ms = grid_before(journal.now);
  EXPECT_EQ(values(*source, "task_status", now_ms).begin()->second, 2);
  EXPECT_EQ(values(*source, "task_status", now_ms, "*").size(), 2u);
  const auto one = values(*source, "task_status", now_ms, "a");
  ASSERT_EQ(one.size(), 1u);
  EXPECT_EQ(one.begin()->first.at("task_id"), "a");
  store::MetricRequest request;
  request.matchers = {equals("__name__", "task_wip"), equals("project", "p")};
  request.named_labels = {"project"};
  ok("task.start", R"({"id":"a"})");
  pass(60);
  MetricViews later;
  const auto series = fresh(later)->select(request);
  ASSERT_TRUE(series.ok());
  ASSERT_EQ(series->size(), 1u);
}

TEST_F(MetricsTest, AnEndedSprintKeepsWhatItEndedWith) {
  ok("sprint.start", R"({"id":"s1"})");
  create("a", R"("sprint_id":"s1","story_points":5)");
  create("b", R"("sprint_id":"s1","story_points":3)");
  pass(600);
  ok("task.complete", R"({"id":"a"})");
  pass(600);
  ok("sprint.end", R"({"id":"s1"})");
  const int64_t ended_ms = grid_before(journal.now) + kGridMs;
  pass(600);
  ok("task.edit", R"({"id":"b","sprint_id":null})");
  pass(600);
  MetricViews views;
  const auto source = fresh(views);
  const int64_t now_ms = grid_before(journal.now);
  const Labels labels{{"project_id", "p"}, {"sprint_id", "s1"}};
  EXPECT_EQ(values(*source, "sprint_planned_points", ended_ms), (std::map<Labels, double>{{labels, 8}}));
  EXPECT_EQ(values(*source, "sprint_planned_points", now_ms), (std::map<Labels, double>{{labels, 8}}));
  EXPECT_EQ(values(*source, "sprint_completed_points", now_ms), (std::map<Labels, double>{{labels, 5}}));
}

TEST(MetricRuns, AreCutToTheRange) {
  const std::vector<Step> steps = {{0, 0}, {120'000, 2}, {300'000, store::stale_marker()}, {420'000, 3}};
  std::vector<store::SampleRun> runs;
  make_runs(steps, 90'000, 470'000, runs);
  ASSERT_EQ(runs.size(), 3u);
  EXPECT_EQ(runs[0].start_ms, 120'000);
  EXPECT_EQ(runs[0].count, 3);
  EXPECT_TRUE(store::is_stale_marker(runs[1].value));
  EXPECT_EQ(runs[2].start_ms, 420'000);
  EXPECT_EQ(runs[2].count, 1);
  EXPECT_TRUE(has_runs(steps, 90'000, 470'000));
  for (const auto& [start_ms, end_ms] : {std::pair(-120'000, -60'000), std::pair(430'000, 470'000)}) {
    make_runs(steps, start_ms, end_ms, runs);
    EXPECT_TRUE(runs.empty()) << start_ms;
    EXPECT_FALSE(has_runs(steps, start_ms, end_ms)) << start_ms;
  }
  make_runs(steps, 430'000, 480'000, runs);
  ASSERT_EQ(runs.size(), 1u);
  EXPECT_EQ(runs[0].start_ms, 480'000);
}

TEST(MetricNames, OfViewsCannotBeReceived) {
  const store::WorkHooks all = hooks();
  EXPECT_TRUE(all.refuse_metric("task_wip"));
  EXPECT_TRUE(all.refuse_metric("task_lead_time_seconds_bucket"));
  EXPECT_TRUE(all.refuse_metric("task_lead_time_seconds"));
  EXPECT_FALSE(all.refuse_metric("task_wipe"));
  EXPECT_FALSE(all.refuse_metric("task_total"));
}

}  // namespace
}  // namespace contextcore::work::testing
