#pragma once
// What of a task, sprint or insight leaves for a back end that takes a span once and never again.
//
// An ended span leaves when it has stayed ended for the settle time, counted from the arrival of
// the event that ended it: reopened or undone before, it had not ended at all. A task that is
// reopened later has a further life there: a new span (id with #life, attribute task.life, link
// `continues` to the life before) that begins with the reopening. All this is a pure function of
// the events, so the same spans come out whenever and however often it is asked, also when the back
// end was away in between.

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/journal.h"
#include "work/event.h"

namespace contextcore::exporter {

// The settle time by the arrival of the end; a changed setting holds from then on, or lives that
// have left would be told differently.
struct SettleTimes {
  struct From {
    int64_t from_ns = INT64_MIN;
    int64_t settle_ns = 0;
  };
  std::vector<From> times;  // ascending; never empty once in use
  int64_t at(int64_t observed_ns) const;
  // A setting that differs from the last one holds from now on.
  void set(int64_t settle_ns, int64_t now_ns);
};

// A span that leaves, and the event by which it does: the end, or the recovery of a deleted task.
struct Leaving {
  int64_t revision = 0;
  int64_t observed_ns = 0;
  store::JournalSpan span;
};

// The log events of one span, in order, and the resource they came with.
struct SpanLog {
  otlp::Resource resource;
  std::vector<otlp::LogRecord> records;
  otlp::TraceId trace_id;  // where the span is now
};

// Spans of a task and its phases that have settled by now. Errors (corruption): events that no
// command can have written.
Result<std::vector<Leaving>> leaving_of_task(const SpanLog& log, const SettleTimes& settle,
                                             int64_t now_ns);
Result<std::vector<Leaving>> leaving_of_sprint(const SpanLog& log, const SettleTimes& settle,
                                               int64_t now_ns);
// An insight and the small spans of later facts about it leave at once, each with its event.
Result<std::vector<Leaving>> leaving_of_insight(const SpanLog& log);

// Whether an event may end a span of a task or sprint, or bring an ended one back.
bool may_end_span(std::string_view event_name);

constexpr size_t kDescriptionBytesMax = 2048;

}  // namespace contextcore::exporter
