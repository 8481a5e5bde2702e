#pragma once
// A sprint as a typed value, its span form and its fold. Its points derive from its tasks while it
// is open; its end freezes them.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "store/journal.h"
#include "work/event.h"
#include "work/task.h"

namespace contextcore::work {

inline constexpr std::string_view kSprintSpanName = "contextcore.sprint";

struct Sprint {
  std::string service_name, project, id, name, goal, start_date, end_date, notes;
  otlp::TraceId trace_id;
  otlp::SpanId span_id;
  int64_t start_ns = 0;
  int64_t end_ns = 0;  // 0: open
  int64_t revision = 0;
  int64_t updated_ns = 0;
  int64_t event_seq = 0;
  int64_t planned_points = 0, completed_points = 0;

  bool ended() const { return end_ns != 0; }
  bool exists() const { return revision != 0; }
};

store::JournalSpan to_span(const Sprint& sprint);
// REQUIRES: a span that to_span made. Errors (corruption) otherwise.
Result<Sprint> sprint_from_span(const store::JournalSpan& span);

bool is_sprint_event(std::string_view event_name);
// An ended sprint is frozen. Errors (corruption): an event that no command can have written.
Status fold(Sprint& sprint, const Event& event);

// What a task adds to its sprint: {planned, completed}; deleted and cancelled ones add nothing.
struct SprintPoints {
  int64_t planned = 0, completed = 0;
};
SprintPoints sprint_points(const store::WorkRow& task);
SprintPoints sprint_points(const Task& task);

}  // namespace contextcore::work
