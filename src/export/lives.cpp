#include "export/lives.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "work/fold_task.h"
#include "work/hooks.h"
#include "work/ids.h"
#include "work/names.h"
#include "work/row.h"
#include "work/sprint.h"
#include "work/task.h"

namespace contextcore::exporter {
namespace {

namespace attr = work::names::attr;
namespace ev = work::names::event;
using work::Event;

const store::WorkHooks& hooks() {
  static const store::WorkHooks kHooks = work::hooks();
  return kHooks;
}

Result<std::vector<Event>> events_of(const SpanLog& log) {
  std::vector<Event> events;
  events.reserve(log.records.size());
  for (const otlp::LogRecord& record : log.records) {
    CC_ASSIGN(Event event, work::event_from_record(record, &log.resource));
    events.push_back(std::move(event));
  }
  return events;
}

// One past the last event of the command that the event at `first` belongs to.
size_t end_of_command(const std::vector<Event>& events, size_t first) {
  size_t end = first + 1;
  while (end < events.size() && events[end].revision == events[first].revision &&
         events[end].command_id == events[first].command_id) {
    ++end;
  }
  return end;
}

bool has_passed(int64_t observed_ns, int64_t settle_ns, int64_t now_ns) {
  return now_ns >= observed_ns && now_ns - observed_ns >= settle_ns;
}

// What an append-only reader gets: the computed columns as they are after the end, no working
// memory of the journal's.
void finish(store::JournalSpan& span) {
  hooks().compute(span.span, hooks().row(span), std::numeric_limits<int64_t>::max());
}

void cut_description(otlp::Span& span) {
  for (otlp::KeyValue& attribute : span.attributes) {
    std::string* text = std::get_if<std::string>(&attribute.value.data);
    if (attribute.key != attr::kTaskDescription || text == nullptr) continue;
    if (text->size() <= kDescriptionBytesMax) continue;
    size_t end = kDescriptionBytesMax;  // never inside a character
    while (end > 0 && (static_cast<unsigned char>((*text)[end]) & 0xc0) == 0x80) --end;
    text->resize(end);
  }
}

// Follows a task through its events, command by command.
class TaskLives {
 public:
  TaskLives(const SpanLog& log, const SettleTimes& settle) : log_(log), settle_(settle) {}

  // Events [first, end) are those of one command.
  Status add(const std::vector<Event>& events, size_t first, size_t end) {
    const int64_t observed_ns = events[first].observed_ns;
    settle_until(observed_ns);
    for (size_t i = first; i < end; ++i) CC_TRY(work::fold(history_, events[i]));
    const work::Task& task = history_.task;
    if (!task.ended() && left_) begin_life(events[first].time_ns);
    if (task.deleted != deleted_) {
      deleted_ = task.deleted;
      // What had ended before, and what waited meanwhile, settles anew with the recovery.
      for (EndedPhase& phase : phases_) phase.key = {events[first].revision, observed_ns};
    }
    add_phases({events[first].revision, observed_ns});
    const bool closed = task.ended() && !task.deleted;
    if (!closed) {
      end_.reset();
    } else if (!end_ && !left_) {
      end_ = End{{events[first].revision, observed_ns}, task, end};
    }
    return {};
  }

  // All that has settled by now.
  std::vector<Leaving> take(int64_t now_ns) {
    settle_until(now_ns);
    for (Leaving& leaving : out_) leaving.span.span.trace_id = log_.trace_id;
    return std::move(out_);
  }

 private:
  struct Key {
    int64_t revision = 0;
    int64_t observed_ns = 0;
  };
  struct End {
    Key key;
    work::Task task;
    size_t events = 0;  // of the whole log
  };
  struct EndedPhase {
    Key key;
    work::Phase phase;
    otlp::SpanId parent;
  };

  bool settled(const Key& key, int64_t now_ns) const {
    return has_passed(key.observed_ns, settle_.at(key.observed_ns), now_ns);
  }

  void settle_until(int64_t now_ns) {
    if (!deleted_) {
      std::erase_if(phases_, [&](const EndedPhase& ended) {
        if (!settled(ended.key, now_ns)) return false;
        store::JournalSpan span = work::to_span(ended.phase, history_.task);
        span.span.parent_span_id = ended.parent;
        finish(span);
        out_.push_back({ended.key.revision, ended.key.observed_ns, std::move(span)});
        return true;
      });
    }
    if (end_ && settled(end_->key, now_ns)) leave();
  }

  void leave() {
    store::JournalSpan span = work::to_span(end_->task);
    add_events(span.span, end_->events);
    finish(span);
    cut_description(span.span);
    const work::Task& task = end_->task;
    span.span.span_id = id_of(life_);
    if (life_ > 1) {
      span.span.start_ns = static_cast<uint64_t>(std::min(life_start_ns_, task.end_ns));
      otlp::set(span.span.attributes, attr::kTaskLife, otlp::Value(life_));
      otlp::SpanLink link;
      link.trace_id = log_.trace_id;
      link.span_id = id_of(life_ - 1);
      for (const std::string_view key : {attr::kType, attr::kLinkType})
        link.attributes.push_back({std::string(key), otlp::Value("continues")});
      link.attributes.push_back({std::string(attr::kTaskId), otlp::Value(task.id)});
      link.attributes.push_back({std::string(attr::kProjectId), otlp::Value(task.project)});
      span.span.links.push_back(std::move(link));
    }
    out_.push_back({end_->key.revision, end_->key.observed_ns, std::move(span)});
    events_left_ = end_->events;
    end_.reset();
    left_ = true;
  }

  otlp::SpanId id_of(int64_t life) const {
    const work::Task& task = history_.task;
    return life == 1 ? task.span_id : work::life_span_id("task", task.project, task.id, life);
  }

  void begin_life(int64_t time_ns) {
    left_ = false;
    ++life_;
    life_start_ns_ = time_ns;
  }

  void add_events(otlp::Span& span, size_t end) const {
    for (size_t i = events_left_; i < end; ++i) {
      if (auto event = hooks().event(log_.records[i])) span.events.push_back(std::move(*event));
    }
  }

  // Phases end one after the other; those that began in this life hang on its span.
  void add_phases(const Key& key) {
    for (const work::Phase& phase : history_.phases) {
      if (phase.end_ns == 0 || phase.ordinal <= phase_seen_) continue;
      phase_seen_ = phase.ordinal;
      phases_.push_back({key, phase, id_of(life_)});
    }
  }

  const SpanLog& log_;
  const SettleTimes& settle_;
  work::TaskHistory history_;
  std::vector<Leaving> out_;
  std::optional<End> end_;  // an end that has not settled yet
  std::vector<EndedPhase> phases_;
  bool deleted_ = false;
  bool left_ = false;  // the present life has left
  int64_t life_ = 1;
  int64_t life_start_ns_ = 0;
  int64_t phase_seen_ = 0;
  size_t events_left_ = 0;  // span events of earlier lives
};

}  // namespace

int64_t SettleTimes::at(int64_t observed_ns) const {
  int64_t settle_ns = 0;
  for (const From& from : times) {
    if (from.from_ns <= observed_ns || &from == &times.front()) settle_ns = from.settle_ns;
  }
  return settle_ns;
}

void SettleTimes::set(int64_t settle_ns, int64_t now_ns) {
  if (times.empty()) {
    times.push_back({INT64_MIN, settle_ns});
  } else if (times.back().settle_ns != settle_ns) {
    times.push_back({now_ns, settle_ns});
  }
}

Result<std::vector<Leaving>> leaving_of_task(const SpanLog& log, const SettleTimes& settle,
                                             int64_t now_ns) {
  CC_ASSIGN(const std::vector<Event> events, events_of(log));
  TaskLives lives(log, settle);
  for (size_t first = 0; first < events.size();) {
    const size_t end = end_of_command(events, first);
    CC_TRY(lives.add(events, first, end));
    first = end;
  }
  return lives.take(now_ns);
}

Result<std::vector<Leaving>> leaving_of_sprint(const SpanLog& log, const SettleTimes& settle,
                                               int64_t now_ns) {
  CC_ASSIGN(const std::vector<Event> events, events_of(log));
  std::vector<Leaving> out;
  work::Sprint sprint;
  for (const Event& event : events) {
    CC_TRY(work::fold(sprint, event));
    if (!sprint.ended() || !out.empty()) continue;
    if (!has_passed(event.observed_ns, settle.at(event.observed_ns), now_ns)) break;
    store::JournalSpan span = work::to_span(sprint);
    finish(span);
    span.span.trace_id = log.trace_id;
    out.push_back({event.revision, event.observed_ns, std::move(span)});
  }
  return out;
}

Result<std::vector<Leaving>> leaving_of_insight(const SpanLog& log) {
  CC_ASSIGN(const std::vector<Event> events, events_of(log));
  std::vector<Leaving> out;
  work::InsightHistory history;
  for (size_t first = 0; first < events.size();) {
    const size_t end = end_of_command(events, first);
    const bool known = history.insight.has_value();
    const size_t facts = history.facts.size();
    for (size_t i = first; i < end; ++i) CC_TRY(work::fold(history, events[i]));
    const Event& event = events[first];
    if (!known && history.insight) {
      store::JournalSpan span = *history.insight;
      for (size_t i = first; i < end; ++i) {
        if (auto mirrored = hooks().event(log.records[i]))
          span.span.events.push_back(std::move(*mirrored));
      }
      out.push_back({event.revision, event.observed_ns, std::move(span)});
    }
    for (size_t i = facts; i < history.facts.size(); ++i)
      out.push_back({event.revision, event.observed_ns, history.facts[i]});
    first = end;
  }
  for (Leaving& leaving : out) leaving.span.span.trace_id = log.trace_id;
  return out;
}

bool may_end_span(std::string_view event_name) {
  return event_name == ev::kTaskStatusChanged || event_name == ev::kTaskUndeleted ||
         event_name == ev::kSprintEnded;
}

}  // namespace contextcore::exporter
