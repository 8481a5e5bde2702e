#include "work/metrics/metric_log.h"

#include <algorithm>
#include <deque>
#include <set>

#include "work/event_scan.h"
#include "work/fold.h"
#include "work/metrics/state_fold.h"
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

// What most tasks have, without growing to it step by step.
constexpr size_t kFewStates = 4, kFewIncrements = 8;

// Builds one timeline from its span's events, in order.
class Recorder {
 public:
  Recorder(Words& words, Timeline& timeline) : words_(words), timeline_(timeline) {}

  Status add(const EventView& event) {
    if (timeline_.first_ns == 0 || event.time_ns < timeline_.first_ns) timeline_.first_ns = event.time_ns;
    if (event.change != TaskChange::other) {
      CC_TRY(add_task_event(event));
      count(event, CounterKind::events, event.name);
      return {};
    }
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
  Status add_task_event(const EventView& event) {
    CC_TRY(fold_.add(event, words_));
    if (timeline_.task_id.empty()) timeline_.task_id = fold_.task_id();
    auto& states = timeline_.states;
    const TaskState& state = fold_.state();
    if (states.empty() || !(states.back().state == state)) {
      if (!states.empty() && states.back().time_ns == event.time_ns) {
        states.back().state = state;
      } else {
        if (states.empty()) states.reserve(kFewStates);
        states.push_back({event.time_ns, state});
      }
    }
    if (event.change == TaskChange::status_changed) {
      count(event, CounterKind::transitions, event.text(field::kToStatus));
    } else if (event.change == TaskChange::completed) {
      count(event, CounterKind::completed, {});
      count_number(event, CounterKind::points_completed, field::kStoryPoints);
      count_number(event, CounterKind::lead_seconds, field::kLeadTimeSeconds);
      count_number(event, CounterKind::cycle_seconds, field::kCycleTimeSeconds);
      count_number(event, CounterKind::blocked_seconds, field::kBlockedTimeSeconds);
    }
    return {};
  }

  void count_number(const EventView& event, CounterKind kind, std::string_view name) {
    if (const auto number = event.number_if(name)) count(event, kind, {}, *number);
  }

  void count(const EventView& event, CounterKind kind, std::string_view what, double value = 1) {
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
    if (timeline_.increments.empty()) timeline_.increments.reserve(kFewIncrements);
    timeline_.increments.push_back(increment);
  }

  Words& words_;
  Timeline& timeline_;
  StateFold fold_;
};

void settle(ProjectLog& project, uint64_t version) {
  project.version = version;
  project.first_ns = INT64_MAX;
  project.in_order.clear();
  project.in_order.reserve(project.timelines.size());
  for (const auto& [span, timeline] : project.timelines) {
    project.in_order.push_back(&timeline);
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
  if (word.empty()) return 0;
  // Of few words, one after the other: mostly the same stands here as last time.
  uint32_t& recent = recent_[(word.size() + static_cast<unsigned char>(word.back())) % recent_.size()];
  if (words_[recent] == word) return recent;
  return recent = look_up(word);
}

uint32_t Words::look_up(std::string_view word) {
  if (const auto known = numbers_.find(word); known != numbers_.end()) return known->second;
  const auto number = static_cast<uint32_t>(words_.size());
  numbers_.emplace(word, number);
  words_.emplace_back(word);
  return number;
}

Status MetricLog::update(const store::Source& source, const store::WorkView& view, uint64_t sequence) {
  if (sequence <= sequence_) return {};
  CC_TRY(sequence_ == 0 ? load(source) : follow(source, view));
  sequence_ = sequence;
  return {};
}

namespace {

class LogFold : public SpanFold {
 public:
  explicit LogFold(std::map<std::string, ProjectLog>& projects) : projects_(projects) {}

  // What of an event's line a timeline is made of. Of other events nothing is read: they change no state and are counted.
  Fields fields(std::string_view name) const override {
    const auto is = [name](auto... names) { return ((name == names) || ...); };
    if (is(ev::kTaskCompleted)) {
      return {{field::kStoryPoints, field::kLeadTimeSeconds, field::kCycleTimeSeconds, field::kBlockedTimeSeconds}};
    }
    if (is(ev::kInsightEmitted)) return {{field::kInsightType}};
    if (is(ev::kSprintEnded)) return {{field::kSprintId, field::kPlannedPoints, field::kCompletedPoints}};
    return fields_of_state(name);
  }
  Status add(size_t span, const EventView& event) override {
    if (span >= spans_.size()) spans_.resize(span + 1);
    Span*& of_span = spans_[span];
    if (of_span == nullptr) {
      if (project_ == nullptr || project_->name != event.project) {
        project_ = &projects_[std::string(event.project)];
        project_->name = event.project;
      }
      of_span = &made_.emplace_back(*project_, event.span_id);
    }
    return of_span->recorder.add(event);
  }
  void forget(size_t span, const otlp::SpanId&) override {
    if (span >= spans_.size() || spans_[span] == nullptr) return;
    spans_[span]->project = nullptr;
    spans_[span] = nullptr;
  }
  void prefetch(size_t span) const override {
    if (span >= spans_.size() || spans_[span] == nullptr) return;
    const char* at = reinterpret_cast<const char*>(spans_[span]);
    for (size_t line = 0; line < sizeof(Span); line += kCacheLine) __builtin_prefetch(at + line, 1);
  }
  // Hands the timelines to their projects.
  void finish() {
    std::vector<Span*> order;
    for (Span& span : made_) {
      if (span.project != nullptr) order.push_back(&span);
    }
    std::sort(order.begin(), order.end(), [](const Span* a, const Span* b) { return a->id < b->id; });
    for (Span* span : order) {
      auto& timelines = span->project->timelines;
      timelines.emplace_hint(timelines.end(), span->id, std::move(span->timeline));
    }
    spans_.clear();
    made_.clear();
  }

 private:
  static constexpr size_t kCacheLine = 64;
  struct Span {
    Span(ProjectLog& of_project, const otlp::SpanId& of_id)
        : project(&of_project), id(of_id), recorder(of_project.words, timeline) {}
    ProjectLog* project;  // nullptr: forgotten
    otlp::SpanId id;
    Timeline timeline;
    Recorder recorder;
  };
  std::map<std::string, ProjectLog>& projects_;
  ProjectLog* project_ = nullptr;  // of the last new span
  std::deque<Span> made_;
  std::vector<Span*> spans_;  // by number
};

}  // namespace

Status MetricLog::load(const store::Source& source) {
  std::map<std::string, ProjectLog> projects;
  LogFold all(projects);
  CC_TRY(scan_events(source, {}, all));
  all.finish();
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
    CC_TRY(recorder.add(ViewOfEvent(event).view()));
  }
  project.timelines[span] = std::move(timeline);
  return {};
}

}  // namespace contextcore::work
