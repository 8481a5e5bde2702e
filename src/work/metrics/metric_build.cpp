#include "work/metrics/metric_build.h"

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <string>

#include "work/metrics/grid_sums.h"

namespace contextcore::work {
namespace {

namespace metric = names::metric;
namespace label = names::label;

constexpr int64_t kGridNs = names::kMetricGridSeconds * 1'000'000'000;
constexpr std::string_view kName = "__name__";

int64_t floor_to_grid(int64_t ns) {
  const int64_t rest = ns % kGridNs;
  return ns - (rest < 0 ? rest + kGridNs : rest);
}

// The labels of a series, as words; task 0: none.
struct Key {
  uint32_t what = 0, status = 0, type = 0, priority = 0, sprint = 0;
  const Timeline* task = nullptr;
  auto operator<=>(const Key&) const = default;
};

// Changes by time of the grid.
struct Deltas {
  int64_t start_ms = 0;  // where the series begins
  GridSums sums;
  GridSums counts;  // of means
};
using Grouped = std::map<Key, Deltas>;

// The value of a sum from each of its changes on, which come with rising times.
class RunningSum {
 public:
  RunningSum(int64_t start_ms, std::vector<Step>& steps) : start_ms_(start_ms), steps_(steps) {
    steps_.assign(1, {start_ms, 0});
  }
  void add(int64_t time_ms, double delta) {
    value_ += delta;
    if (time_ms <= start_ms_) {
      steps_[0].second = value_;
    } else if (value_ != steps_.back().second) {
      steps_.emplace_back(time_ms, value_);
    }
  }

 private:
  const int64_t start_ms_;
  std::vector<Step>& steps_;
  double value_ = 0;
};

void to_steps(const Deltas& deltas, std::vector<Step>& steps) {
  RunningSum sum(deltas.start_ms, steps);
  for (const auto& [time_ms, delta] : deltas.sums.in_order()) sum.add(time_ms, delta);
}

// What was observed under one set of labels, times rising.
struct Observations {
  int64_t start_ms = 0;
  std::vector<Step> values;  // by time of the grid
};

// count(value): what an observation adds.
template <typename CountOf>
void to_steps(const Observations& observed, CountOf count, std::vector<Step>& steps) {
  RunningSum sum(observed.start_ms, steps);
  const std::vector<Step>& values = observed.values;
  for (size_t i = 0; i < values.size();) {
    const int64_t at_ms = values[i].first;
    double delta = 0;
    for (; i < values.size() && values[i].first == at_ms; ++i) delta += count(values[i].second);
    sum.add(at_ms, delta);
  }
}

// What a series is made of, and its labels.
template <typename Of>
struct Named {
  store::LabelPairs labels;
  Of of;
};

// Series in the order of their labels, and in memory as well, since that is how they are read. make_steps(of, steps) fills steps.
template <typename Of, typename MakeSteps>
std::vector<StepSeries> in_label_order(std::vector<Named<Of>> named, MakeSteps make_steps) {
  std::sort(named.begin(), named.end(), [](const Named<Of>& a, const Named<Of>& b) { return a.labels < b.labels; });
  std::vector<StepSeries> out;
  out.reserve(named.size());
  std::vector<Step> steps;
  for (const Named<Of>& one : named) {
    make_steps(one.of, steps);
    if (!steps.empty()) out.push_back({one.labels, steps});
  }
  return out;
}

// Sum by count, and nothing where the count is 0.
void to_mean_steps(const Deltas& deltas, std::vector<Step>& steps) {
  steps.clear();
  double sum = 0, count = 0;
  const std::vector<Step> sums = deltas.sums.in_order(), counts = deltas.counts.in_order();
  auto of_count = counts.begin();
  for (const auto& [time_ms, delta] : sums) {
    sum += delta;
    while (of_count != counts.end() && of_count->first <= time_ms) count += (of_count++)->second;
    const double value = count > 0 ? sum / count : store::stale_marker();
    const bool none = store::is_stale_marker(value);
    if (steps.empty() ? none
                      : (steps.back().second == value || (none && store::is_stale_marker(steps.back().second)))) {
      continue;
    }
    steps.emplace_back(time_ms, value);
  }
}

class Builder {
 public:
  Builder(const ProjectLog& project, std::string_view name, const BuildOptions& options)
      : project_(project), name_(name), options_(options), start_ms_(grid_start(project)) {}

  // ---- gauges ----

  // What a state adds, and under which labels; nullopt: nothing.
  struct Part {
    Key key;
    double value = 1;
    int64_t from_ns = INT64_MIN;  // not before
    bool operator==(const Part&) const = default;
  };
  using PartOf = std::optional<Part> (*)(const TaskState&);

  std::vector<StepSeries> gauge(PartOf part_of, bool mean = false) const {
    Grouped groups;
    for_each_timeline(&Timeline::states, [&](const Timeline& timeline, const Timeline* task) {
      const std::vector<StatePoint>& states = timeline.states;
      std::optional<Part> part, next;
      if (!states.empty()) next = part_of(states[0].state);
      for (size_t i = 0, end = 0; i < states.size(); i = end) {
        part = next;
        // Most changes of a task's state are of something else.
        for (end = i + 1; end < states.size(); ++end) {
          next = part_of(states[end].state);
          if (next != part) break;
        }
        if (!part) continue;
        part->key.task = task;
        const int64_t from_ns = std::max(part->from_ns, states[i].time_ns);
        const bool ends = end < states.size();
        const int64_t until_ns = ends ? states[end].time_ns : INT64_MAX;
        if (from_ns >= until_ns) continue;
        Deltas& deltas = group(groups, part->key, timeline);
        deltas.sums.add(grid_at(from_ns), part->value);
        if (mean) deltas.counts.add(grid_at(from_ns), 1);
        if (!ends) continue;
        deltas.sums.add(grid_at(until_ns), -part->value);
        if (mean) deltas.counts.add(grid_at(until_ns), -1);
      }
    });
    return in_label_order(named(groups), [mean](const Deltas* deltas, std::vector<Step>& steps) {
      mean ? to_mean_steps(*deltas, steps) : to_steps(*deltas, steps);
    });
  }

  // From a sprint's end on what was said at the end.
  std::vector<StepSeries> sprint_gauge(PartOf part_of, bool planned) const {
    std::vector<StepSeries> out = gauge(part_of);
    for (const Timeline* timeline : project_.in_order) {
      for (const SprintEnd& end : timeline->sprint_ends) freeze(out, end, planned ? end.planned : end.completed);
    }
    std::sort(out.begin(), out.end(), [](const StepSeries& a, const StepSeries& b) { return a.labels < b.labels; });
    return out;
  }

  // ---- counters ----

  using KeyOf = Key (*)(const Increment&);

  std::vector<StepSeries> counter(CounterKind kind, KeyOf key_of) const {
    Grouped groups;
    for_each_increment(kind, [&](const Increment& increment, const Timeline& timeline, const Timeline* task) {
      Key key = key_of(increment);
      key.task = task;
      group(groups, key, timeline).sums.add(grid_at(increment.time_ns), increment.value);
    });
    return in_label_order(named(groups), [](const Deltas* deltas, std::vector<Step>& steps) { to_steps(*deltas, steps); });
  }

  std::vector<StepSeries> histogram(CounterKind kind, KeyOf key_of) const {
    std::map<Key, Observations> groups;
    for_each_increment(kind, [&](const Increment& increment, const Timeline& timeline, const Timeline* task) {
      Key key = key_of(increment);
      key.task = task;
      group(groups, key, timeline).values.emplace_back(grid_at(increment.time_ns), increment.value);
    });
    struct Piece {
      const Observations* observed;
      std::optional<double> bound;  // of a bucket; none: the sum
    };
    constexpr double kAll = std::numeric_limits<double>::infinity();
    std::vector<Named<Piece>> pieces;
    for (auto& [key, observed] : groups) {
      observed.values = by_time(std::move(observed.values));
      pieces.push_back({labels_of(key, name_ + "_count"), {&observed, kAll}});
      pieces.push_back({labels_of(key, name_ + "_sum"), {&observed, std::nullopt}});
      const store::LabelPairs labels = labels_of(key, name_ + "_bucket");
      const auto add_bucket = [&, &of = observed](std::string text, double bound) {
        Named<Piece>& bucket = pieces.emplace_back(Named<Piece>{labels, {&of, bound}});
        bucket.labels.emplace_back(label::kLe, std::move(text));
        std::sort(bucket.labels.begin(), bucket.labels.end());
      };
      for (const auto seconds : names::kBucketSeconds) add_bucket(std::to_string(seconds), static_cast<double>(seconds));
      add_bucket("+Inf", kAll);
    }
    return in_label_order(std::move(pieces), [](const Piece& piece, std::vector<Step>& steps) {
      if (!piece.bound) {
        to_steps(*piece.observed, [](double value) { return value; }, steps);
      } else {
        to_steps(*piece.observed, [bound = *piece.bound](double value) { return value <= bound ? 1.0 : 0.0; }, steps);
      }
    });
  }

 private:
  // what: the member that fn reads, so that it is there when fn comes.
  template <typename Member, typename Fn>
  void for_each_timeline(std::vector<Member> Timeline::*what, Fn fn) const {
    constexpr size_t kAhead = 8, kCacheLine = 64, kLinesMax = 6;
    const std::vector<const Timeline*>& all = project_.in_order;
    const auto prefetch = [](const void* begin, size_t bytes) {
      const char* at = static_cast<const char*>(begin);
      for (size_t line = 0; line < std::min(bytes, kLinesMax * kCacheLine); line += kCacheLine) __builtin_prefetch(at + line);
    };
    for (size_t i = 0; i < all.size(); ++i) {
      if (i + 2 * kAhead < all.size()) prefetch(all[i + 2 * kAhead], sizeof(Timeline));
      if (i + kAhead < all.size()) {
        const std::vector<Member>& next = all[i + kAhead]->*what;
        prefetch(next.data(), next.size() * sizeof(Member));
      }
      const Timeline& timeline = *all[i];
      if (!options_.with_task) {
        fn(timeline, nullptr);
      } else if (!options_.wants_task || options_.wants_task(timeline.task_id)) {
        fn(timeline, timeline.task_id.empty() ? nullptr : &timeline);
      }
    }
  }
  template <typename Fn>
  void for_each_increment(CounterKind kind, Fn fn) const {
    for_each_timeline(&Timeline::increments, [&](const Timeline& timeline, const Timeline* task) {
      for (const Increment& increment : timeline.increments) {
        if (increment.kind == kind) fn(increment, timeline, task);
      }
    });
  }

  // A task's own series begin with the task, others with the project.
  template <typename Group>
  Group& group(std::map<Key, Group>& groups, const Key& key, const Timeline& timeline) const {
    const auto [at, is_new] = groups.try_emplace(key);
    if (is_new) at->second.start_ms = key.task != nullptr ? grid_at(timeline.first_ns) - kGridMs : start_ms_;
    return at->second;
  }

  store::LabelPairs labels_of(const Key& key, const std::string& name) const {
    const Words& words = project_.words;
    store::LabelPairs out{{std::string(kName), name}, {std::string(label::kProjectId), project_.name}};
    const auto put = [&](std::string_view key_name, uint32_t word) {
      if (word != 0) out.emplace_back(key_name, words.word(word));
    };
    put(name_ == metric::kInsightTotal ? label::kInsightType : label::kEvent, key.what);
    put(label::kPriority, key.priority);
    put(label::kSprintId, key.sprint);
    put(label::kStatus, key.status);
    put(label::kTaskType, key.type);
    if (key.task != nullptr) out.emplace_back(label::kTaskId, key.task->task_id);
    if (options_.with_project) out.emplace_back(label::kProject, project_.name);
    std::sort(out.begin(), out.end());
    return out;
  }

  std::vector<Named<const Deltas*>> named(const Grouped& groups) const {
    std::vector<Named<const Deltas*>> out;
    for (const auto& [key, deltas] : groups) out.push_back({labels_of(key, name_), &deltas});
    return out;
  }

  void freeze(std::vector<StepSeries>& all, const SprintEnd& end, int64_t points) const {
    Key key;
    key.sprint = end.sprint;
    const store::LabelPairs labels = labels_of(key, name_);
    auto found = std::find_if(all.begin(), all.end(), [&](const StepSeries& series) { return series.labels == labels; });
    if (found == all.end()) found = all.insert(found, {labels, {{start_ms_, 0}}});
    std::vector<Step>& steps = found->steps;
    const int64_t at_ms = grid_at(end.time_ns);
    std::erase_if(steps, [&](const Step& step) { return step.first >= at_ms; });
    const auto value = static_cast<double>(points);
    if (steps.empty() || steps.back().second != value) steps.emplace_back(at_ms, value);
  }

  const ProjectLog& project_;
  const std::string name_;
  const BuildOptions& options_;
  const int64_t start_ms_;
};

// ---- what the metrics count ----

using Part = Builder::Part;

Key task_key(const TaskState& state) {
  Key key;
  key.type = state.type;
  key.priority = state.priority;
  key.sprint = state.sprint;
  return key;
}

std::optional<Part> status_part(const TaskState& state) {
  if (state.deleted) return std::nullopt;
  Part part{task_key(state)};
  part.key.status = state.status;
  return part;
}
std::optional<Part> percent_part(const TaskState& state) {
  std::optional<Part> part = status_part(state);
  if (part) part->value = state.percent;
  return part;
}
std::optional<Part> by_status_part(const TaskState& state) {
  if (state.deleted) return std::nullopt;
  Part part;
  part.key.status = state.status;
  return part;
}
std::optional<Part> by_type_part(const TaskState& state) {
  if (state.deleted) return std::nullopt;
  Part part;
  part.key.type = state.type;
  return part;
}
std::optional<Part> wip_part(const TaskState& state) {
  const bool working = state.base == TaskStatus::in_progress || state.base == TaskStatus::in_review;
  if (state.deleted || !working) return std::nullopt;
  return Part{task_key(state)};
}
std::optional<Part> blocked_part(const TaskState& state) {
  if (state.deleted || state.base != TaskStatus::blocked) return std::nullopt;
  return Part{task_key(state)};
}
std::optional<Part> overdue_part(const TaskState& state) {
  if (state.deleted || is_ended(state.base) || state.due_ns == 0) return std::nullopt;
  Part part{task_key(state)};
  part.from_ns = state.due_ns + 1;
  return part;
}
std::optional<Part> planned_part(const TaskState& state) {
  if (state.deleted || state.sprint == 0 || state.base == TaskStatus::cancelled) return std::nullopt;
  Part part;
  part.key.sprint = state.sprint;
  part.value = static_cast<double>(state.points);
  return part;
}
std::optional<Part> sprint_completed_part(const TaskState& state) {
  std::optional<Part> part = planned_part(state);
  // The series is there as soon as the sprint has a task.
  if (part && state.base != TaskStatus::done) part->value = 0;
  return part;
}

Key task_labels(const Increment& increment) {
  Key key;
  key.type = increment.type;
  key.priority = increment.priority;
  key.sprint = increment.sprint;
  return key;
}
Key transition_labels(const Increment& increment) {
  Key key = task_labels(increment);
  key.status = increment.what;
  return key;
}
Key what_label(const Increment& increment) {
  Key key;
  key.what = increment.what;
  return key;
}
Key no_labels(const Increment&) { return {}; }

}  // namespace

int64_t grid_before(int64_t time_ns) { return floor_to_grid(time_ns) / 1'000'000; }
int64_t grid_at(int64_t time_ns) { return grid_before(time_ns - 1) + kGridMs; }
int64_t grid_start(const ProjectLog& project) { return grid_at(project.first_ns) - kGridMs; }

std::vector<StepSeries> build(const ProjectLog& project, std::string_view name, const BuildOptions& options) {
  if (project.first_ns == INT64_MAX) return {};
  const Builder builder(project, name, options);
  if (name == metric::kTaskStatus) return builder.gauge(status_part);
  if (name == metric::kTaskCountByStatus) return builder.gauge(by_status_part);
  if (name == metric::kTaskCountByType) return builder.gauge(by_type_part);
  if (name == metric::kTaskWip) return builder.gauge(wip_part);
  if (name == metric::kTaskBlocked) return builder.gauge(blocked_part);
  if (name == metric::kTaskOverdue) return builder.gauge(overdue_part);
  if (name == metric::kTaskPercentComplete) return builder.gauge(percent_part, true);
  if (name == metric::kSprintPlannedPoints) return builder.sprint_gauge(planned_part, true);
  if (name == metric::kSprintCompletedPoints) return builder.sprint_gauge(sprint_completed_part, false);
  if (name == metric::kTaskCompletedTotal) return builder.counter(CounterKind::completed, task_labels);
  if (name == metric::kTaskStoryPointsCompletedTotal) {
    return builder.counter(CounterKind::points_completed, task_labels);
  }
  if (name == metric::kTaskStatusTransitionsTotal) return builder.counter(CounterKind::transitions, transition_labels);
  if (name == metric::kTaskEventsTotal) return builder.counter(CounterKind::events, what_label);
  if (name == metric::kTaskLeadTimeSeconds) return builder.histogram(CounterKind::lead_seconds, task_labels);
  if (name == metric::kTaskCycleTimeSeconds) return builder.histogram(CounterKind::cycle_seconds, task_labels);
  if (name == metric::kTaskBlockedTimeSeconds) return builder.histogram(CounterKind::blocked_seconds, task_labels);
  if (name == metric::kInsightTotal) return builder.counter(CounterKind::insights, what_label);
  if (name == metric::kHandoffTotal) return builder.counter(CounterKind::handoffs, no_labels);
  return {};
}

namespace {

using StepIterator = std::vector<Step>::const_iterator;

// The last step at or before the start is the first that matters.
StepIterator first_that_matters(const std::vector<Step>& steps, int64_t start_ms) {
  const auto step = std::upper_bound(steps.begin(), steps.end(), start_ms,
                                     [](int64_t time_ms, const Step& one) { return time_ms < one.first; });
  return step == steps.begin() ? step : step - 1;
}

// nullopt: of this step nothing lies in the range.
std::optional<store::SampleRun> run_of(StepIterator step, StepIterator end, int64_t start_ms, int64_t end_ms) {
  if (store::is_stale_marker(step->second)) {
    if (step->first < start_ms) return std::nullopt;
    return store::SampleRun{step->first, 0, 1, step->second};
  }
  const int64_t until_ms = step + 1 != end ? std::min((step + 1)->first - kGridMs, end_ms) : end_ms;
  int64_t first_ms = step->first;
  if (first_ms < start_ms) first_ms += (start_ms - first_ms + kGridMs - 1) / kGridMs * kGridMs;
  if (first_ms > until_ms) return std::nullopt;
  return store::SampleRun{first_ms, kGridMs, (until_ms - first_ms) / kGridMs + 1, step->second};
}

}  // namespace

void make_runs(const std::vector<Step>& steps, int64_t start_ms, int64_t end_ms, std::vector<store::SampleRun>& out) {
  out.clear();
  for (auto step = first_that_matters(steps, start_ms); step != steps.end() && step->first <= end_ms; ++step) {
    if (const auto run = run_of(step, steps.end(), start_ms, end_ms)) out.push_back(*run);
  }
}

bool has_runs(const std::vector<Step>& steps, int64_t start_ms, int64_t end_ms) {
  for (auto step = first_that_matters(steps, start_ms); step != steps.end() && step->first <= end_ms; ++step) {
    if (run_of(step, steps.end(), start_ms, end_ms)) return true;
  }
  return false;
}

}  // namespace contextcore::work
