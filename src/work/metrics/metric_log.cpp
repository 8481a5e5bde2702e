#include "work/metrics/metric_log.h"

#include <algorithm>
#include <set>

#include "base/time.h"
#include "work/event.h"
#include "work/event_scan.h"
#include "work/fold.h"
#include "work/fold_task.h"
#include "work/names.h"
#include "work/sprint.h"

namespace contextcore::work {
namespace {

namespace field = names::field;
namespace ev = names::event;

// Written by other tools than this version's commands, too.
constexpr std::string_view kHandoffCreated = "handoff.created";
// With more changed spans than this, reading the whole log in order is cheaper than span by span.
constexpr size_t kSpansMax = 5000;

int64_t due_of(const std::string& text) {
  if (text.empty()) return 0;
  const auto time = parse_rfc3339(text);
  return time.ok() ? *time : 0;
}

TaskState state_of(const Task& task, Words& words) {
  TaskState state;
  state.status = words.number_of(task.status_text());
  state.type = words.number_of(task.type);
  state.priority = words.number_of(task.priority);
  state.sprint = words.number_of(task.sprint_id);
  state.base = task.status;
  state.deleted = task.deleted;
  state.percent = static_cast<int32_t>(task.percent);
  state.points = task.story_points.value_or(0);
  state.due_ns = due_of(task.due_date);
  return state;
}

// Builds one timeline from its span's events, in order.
class Recorder {
 public:
  Recorder(Words& words, Timeline& timeline) : words_(words), timeline_(timeline) {}

  Status add(const Event& event) {
    if (timeline_.first_ns == 0 || event.time_ns < timeline_.first_ns) timeline_.first_ns = event.time_ns;
    if (is_task_event(event.name)) CC_TRY(add_task_event(event));
    count(event, CounterKind::events, event.name);
    if (event.name == ev::kInsightEmitted) count(event, CounterKind::insights, event.text(field::kInsightType));
    if (event.name == kHandoffCreated) count(event, CounterKind::handoffs, {});
    if (event.name == ev::kSprintEnded) {
      timeline_.sprint_ends.push_back({event.time_ns, words_.number_of(event.text(field::kSprintId)),
                                       event.integer(field::kPlannedPoints), event.integer(field::kCompletedPoints)});
    }
    return {};
  }

 private:
  Status add_task_event(const Event& event) {
    CC_TRY(fold(history_, event));
    history_.phases.clear();  // not asked for here
    const Task& task = history_.task;
    timeline_.task_id = task.id;
    const TaskState state = state_of(task, words_);
    auto& states = timeline_.states;
    if (states.empty() || !(states.back().state == state)) {
      if (!states.empty() && states.back().time_ns == event.time_ns) {
        states.back().state = state;
      } else {
        states.push_back({event.time_ns, state});
      }
    }
    if (event.name == ev::kTaskStatusChanged) {
      count(event, CounterKind::transitions, event.text(field::kToStatus));
    } else if (event.name == ev::kTaskCompleted) {
      count(event, CounterKind::completed, {});
      count_number(event, CounterKind::points_completed, field::kStoryPoints);
      count_number(event, CounterKind::lead_seconds, field::kLeadTimeSeconds);
      count_number(event, CounterKind::cycle_seconds, field::kCycleTimeSeconds);
      count_number(event, CounterKind::blocked_seconds, field::kBlockedTimeSeconds);
    }
    return {};
  }

  void count_number(const Event& event, CounterKind kind, std::string_view name) {
    if (const auto number = event.number_if(name)) count(event, kind, {}, *number);
  }

  void count(const Event& event, CounterKind kind, std::string_view what, double value = 1) {
    Increment increment;
    increment.time_ns = event.time_ns;
    increment.kind = kind;
    increment.what = words_.number_of(what);
    if (!timeline_.states.empty()) {
      const TaskState& state = timeline_.states.back().state;
      increment.type = state.type;
      increment.priority = state.priority;
      increment.sprint = state.sprint;
    }
    increment.value = value;
    timeline_.increments.push_back(increment);
  }

  Words& words_;
  Timeline& timeline_;
  TaskHistory history_;
};

void settle(ProjectLog& project, uint64_t version) {
  project.version = version;
  project.first_ns = INT64_MAX;
  for (const auto& [span, timeline] : project.timelines) {
    if (timeline.first_ns != 0) project.first_ns = std::min(project.first_ns, timeline.first_ns);
  }
}

std::string label(const store::LabelPairs* pairs, std::string_view name) {
  if (pairs == nullptr) return {};
  for (const auto& [key, value] : *pairs) {
    if (key == name) return value;
  }
  return {};
}

}  // namespace

uint32_t Words::number_of(std::string_view word) {
  const auto [at, is_new] = numbers_.try_emplace(std::string(word), static_cast<uint32_t>(words_.size()));
  if (is_new) words_.emplace_back(word);
  return at->second;
}

Status MetricLog::update(const store::Source& source, const store::WorkView& view, uint64_t sequence) {
  if (sequence <= sequence_) return {};
  CC_TRY(sequence_ == 0 ? load(source) : follow(source, view));
  sequence_ = sequence;
  return {};
}

namespace {

// What of an event's line a timeline is made of. Events that are not here change no state and are counted as they are; of
// what fold() would read of them nothing is kept.
Fields fields_of(std::string_view name) {
  const auto is = [name](auto... names) { return ((name == names) || ...); };
  if (is(ev::kTaskCreated, ev::kTaskImported)) {
    return {{field::kTaskId, field::kTaskType, field::kStatus, field::kBaseStatus, field::kSprintId, field::kPriority,
             field::kStoryPoints, field::kDueDate}};
  }
  if (is(ev::kTaskStatusChanged)) return {{field::kToStatus, field::kBaseStatus}};
  if (is(ev::kTaskProgressUpdated)) return {{field::kPercentComplete}};
  if (is(ev::kTaskEdited)) return {{field::kField, field::kTo}};
  if (is(ev::kTaskCompleted)) {
    return {{field::kStoryPoints, field::kLeadTimeSeconds, field::kCycleTimeSeconds, field::kBlockedTimeSeconds}};
  }
  if (is(ev::kInsightEmitted)) return {{field::kInsightType}};
  if (is(ev::kSprintEnded)) return {{field::kSprintId, field::kPlannedPoints, field::kCompletedPoints}};
  return std::vector<std::string_view>();
}

}  // namespace

Status MetricLog::load(const store::Source& source) {
  std::map<std::string, ProjectLog> projects;
  std::unordered_map<otlp::SpanId, Recorder, SpanIdHash> recorders;
  CC_TRY(scan_events(source, {}, fields_of, [&](Event& event) {
    auto recorder = recorders.find(event.span_id);
    if (recorder == recorders.end()) {
      ProjectLog& project = projects[event.project];
      project.name = event.project;
      recorder = recorders.try_emplace(event.span_id, project.words, project.timelines[event.span_id]).first;
    }
    return recorder->second.add(event);
  }));
  projects_ = std::move(projects);
  for (auto& [name, project] : projects_) settle(project, ++versions_);
  return {};
}

Status MetricLog::follow(const store::Source& source, const store::WorkView& view) {
  store::LogFetchRequest request;
  request.journal_only = true;
  request.after_sequence = sequence_;
  CC_ASSIGN(const auto entries, source.fetch_logs(request));
  std::map<std::string, std::set<otlp::SpanId>> changed;
  size_t spans = 0;
  for (store::LogEntry entry;;) {
    CC_ASSIGN(const bool more, entries->next(entry));
    if (!more) break;
    otlp::SpanId span;
    if (!otlp::parse_hex(label(entry.metadata, "span_id"), span)) continue;
    if (changed[label(entry.stream, "project_id")].insert(span).second) ++spans;
    if (spans > kSpansMax) return load(source);
  }
  for (const auto& [name, ids] : changed) {
    ProjectLog& project = projects_[name];
    project.name = name;
    for (const otlp::SpanId& span : ids) CC_TRY(replace(project, view, span));
    settle(project, ++versions_);
  }
  return {};
}

Status MetricLog::replace(ProjectLog& project, const store::WorkView& view, const otlp::SpanId& span) {
  CC_ASSIGN(const std::vector<otlp::LogRecord> records, view.events(span));
  Timeline timeline;
  Recorder recorder(project.words, timeline);
  for (const otlp::LogRecord& record : records) {
    CC_ASSIGN(Event event, event_from_record(record, nullptr));
    event.project = project.name;
    CC_TRY(recorder.add(event));
  }
  project.timelines[span] = std::move(timeline);
  return {};
}

}  // namespace contextcore::work
