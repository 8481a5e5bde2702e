#pragma once
// What metrics need of the event log: per project and span, the states that a task went through and the increments of
// counters. Follows the log by sequence number: what came since, backdated or not, replaces the timelines that it
// touches, and only these.
//
// Start here, then metric_build.h (timelines to step functions), then metric_views.h (the source that queries ask).

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "store/fetch.h"
#include "store/journal.h"
#include "work/status.h"

namespace contextcore::work {

// The words of one project, as numbers; 0 is "".
class Words {
 public:
  uint32_t number_of(std::string_view word);
  const std::string& word(uint32_t number) const { return words_[number]; }

 private:
  uint32_t look_up(std::string_view word);

  std::vector<std::string> words_{""};
  std::array<uint32_t, 64> recent_{};  // numbers that were asked for, by what is cheap to see of their words
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view word) const { return std::hash<std::string_view>()(word); }
  };
  std::unordered_map<std::string, uint32_t, Hash, std::equal_to<>> numbers_{{"", 0}};
};

struct TaskState {
  uint32_t status = 0, type = 0, priority = 0, sprint = 0;  // words
  TaskStatus base = TaskStatus::todo;                       // what a status of the project's own behaves like
  bool deleted = false;
  int32_t percent = 0;
  int64_t points = 0;
  int64_t due_ns = 0;  // 0: none
  bool operator==(const TaskState&) const = default;
};
struct StatePoint {
  int64_t time_ns = 0;
  TaskState state;  // from then on
};

enum class CounterKind : uint8_t {
  completed,
  points_completed,
  transitions,
  events,
  lead_seconds,
  cycle_seconds,
  blocked_seconds,
  insights,
  handoffs,
};
struct Increment {
  int64_t time_ns = 0;
  CounterKind kind = CounterKind::events;
  uint32_t what = 0;  // a word: the event, the new status, the type of the insight
  uint32_t type = 0, priority = 0, sprint = 0;
  double value = 1;
};

// A sprint's points, from its end on.
struct SprintEnd {
  int64_t time_ns = 0;
  uint32_t sprint = 0;
  int64_t planned = 0, completed = 0;
};

// Of one span; times rise.
struct Timeline {
  std::string task_id;  // "" when it is no task
  int64_t first_ns = 0;
  std::vector<StatePoint> states;
  std::vector<Increment> increments;
  std::vector<SprintEnd> sprint_ends;
};

struct ProjectLog {
  std::string name;
  Words words;
  std::map<otlp::SpanId, Timeline> timelines;
  std::vector<const Timeline*> in_order;  // the same, for who reads them all
  int64_t first_ns = INT64_MAX;
  uint64_t version = 0;  // changes with every change
};

class MetricLog {
 public:
  // Reads what came after the last time. source and view: of the same state, at sequence.
  Status update(const store::Source& source, const store::WorkView& view, uint64_t sequence);
  uint64_t sequence() const { return sequence_; }
  const std::map<std::string, ProjectLog>& projects() const { return projects_; }

 private:
  Status load(const store::Source& source);
  Status follow(const store::Source& source, const store::WorkView& view);
  Status replace(ProjectLog& project, const store::WorkView& view, const otlp::SpanId& span);

  std::map<std::string, ProjectLog> projects_;
  uint64_t sequence_ = 0;
  uint64_t versions_ = 0;
};

}  // namespace contextcore::work
