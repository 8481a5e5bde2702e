#include "work/metrics/metric_build.h"

#include <algorithm>
#include <array>
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

std::vector<Step> to_steps(const Deltas& deltas) {
  std::vector<Step> steps{{deltas.start_ms, 0}};
  double value = 0;
  for (const auto& [time_ms, delta] : deltas.sums.in_order()) {
    value += delta;
    if (time_ms <= deltas.start_ms) {
      steps[0].second = value;
    } else if (value != steps.back().second) {
      steps.emplace_back(time_ms, value);
    }
  }
  return steps;
}

// Sum by count, and nothing where the count is 0.
std::vector<Step> to_mean_steps(const Deltas& deltas) {
  std::vector<Step> steps;
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
  return steps;
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
    for_each_timeline([&](const Timeline& timeline, const Timeline* task) {
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
    std::vector<StepSeries> out;
    for (const auto& [key, deltas] : groups) {
      std::vector<Step> steps = mean ? to_mean_steps(deltas) : to_steps(deltas);
      if (!steps.empty()) out.push_back({labels_of(key, name_), std::move(steps)});
    }
    return out;
  }

  // From a sprint's end on what was said at the end.
  std::vector<StepSeries> sprint_gauge(PartOf part_of, bool planned) const {
    std::vector<StepSeries> out = gauge(part_of);
    for (const auto& [span, timeline] : project_.timelines) {
      for (const SprintEnd& end : timeline.sprint_ends) freeze(out, end, planned ? end.planned : end.completed);
    }
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
    return to_series(groups, name_);
  }

  std::vector<StepSeries> histogram(CounterKind kind, KeyOf key_of) const {
    Grouped counts, sums;
    std::map<Key, std::array<Deltas, names::kBucketSeconds.size()>> buckets;
    for_each_increment(kind, [&](const Increment& increment, const Timeline& timeline, const Timeline* task) {
      Key key = key_of(increment);
      key.task = task;
      const int64_t at_ms = grid_at(increment.time_ns);
      Deltas& count = group(counts, key, timeline);
      count.sums.add(at_ms, 1);
      group(sums, key, timeline).sums.add(at_ms, increment.value);
      auto& of_key = buckets[key];
      for (size_t i = 0; i < of_key.size(); ++i) {
        of_key[i].start_ms = count.start_ms;
        if (increment.value <= static_cast<double>(names::kBucketSeconds[i])) of_key[i].sums.add(at_ms, 1);
      }
    });
    std::vector<StepSeries> out = to_series(counts, name_ + "_count");
    append(out, to_series(sums, name_ + "_sum"));
    for (const auto& [key, of_key] : buckets) {
      for (size_t i = 0; i < of_key.size(); ++i) {
        out.push_back(bucket(key, std::to_string(names::kBucketSeconds[i]), of_key[i]));
      }
      out.push_back(bucket(key, "+Inf", counts[key]));
    }
    return out;
  }

 private:
  template <typename Fn>
  void for_each_timeline(Fn fn) const {
    for (const auto& [span, timeline] : project_.timelines) {
      if (!options_.with_task) {
        fn(timeline, nullptr);
      } else if (!options_.wants_task || options_.wants_task(timeline.task_id)) {
        fn(timeline, timeline.task_id.empty() ? nullptr : &timeline);
      }
    }
  }
  template <typename Fn>
  void for_each_increment(CounterKind kind, Fn fn) const {
    for_each_timeline([&](const Timeline& timeline, const Timeline* task) {
      for (const Increment& increment : timeline.increments) {
        if (increment.kind == kind) fn(increment, timeline, task);
      }
    });
  }

  // A task's own series begin with the task, others with the project.
  Deltas& group(Grouped& groups, const Key& key, const Timeline& timeline) const {
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

  std::vector<StepSeries> to_series(const Grouped& groups, const std::string& name) const {
    std::vector<StepSeries> out;
    for (const auto& [key, deltas] : groups) out.push_back({labels_of(key, name), to_steps(deltas)});
    return out;
  }
  static void append(std::vector<StepSeries>& out, std::vector<StepSeries> more) {
    for (StepSeries& series : more) out.push_back(std::move(series));
  }
  StepSeries bucket(const Key& key, const std::string& bound, const Deltas& deltas) const {
    StepSeries out{labels_of(key, name_ + "_bucket"), to_steps(deltas)};
    out.labels.emplace_back(label::kLe, bound);
    std::sort(out.labels.begin(), out.labels.end());
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

std::vector<store::SampleRun> runs_of(const std::vector<Step>& steps, int64_t start_ms, int64_t end_ms) {
  std::vector<store::SampleRun> out;
  // The last step at or before the start is the first that matters.
  auto step = std::upper_bound(steps.begin(), steps.end(), start_ms,
                               [](int64_t time_ms, const Step& one) { return time_ms < one.first; });
  if (step != steps.begin()) --step;
  const auto behind = std::upper_bound(step, steps.end(), end_ms,
                                       [](int64_t time_ms, const Step& one) { return time_ms < one.first; });
  out.reserve(static_cast<size_t>(behind - step));
  for (; step != steps.end() && step->first <= end_ms; ++step) {
    const int64_t until_ms = step + 1 != steps.end() ? std::min((step + 1)->first - kGridMs, end_ms) : end_ms;
    if (store::is_stale_marker(step->second)) {
      if (step->first >= start_ms) out.push_back({step->first, 0, 1, step->second});
      continue;
    }
    int64_t first_ms = step->first;
    if (first_ms < start_ms) first_ms += (start_ms - first_ms + kGridMs - 1) / kGridMs * kGridMs;
    if (first_ms > until_ms) continue;
    out.push_back({first_ms, kGridMs, (until_ms - first_ms) / kGridMs + 1, step->second});
  }
  return out;
}

}  // namespace contextcore::work
