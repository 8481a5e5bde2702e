#pragma once
// One event applied to a task or an insight. The same function makes the spans that a command
// writes and those that a rebuild writes, so that fold(events) = stored span by construction. What
// depends on other tasks (counts, waiting_on) is not the fold's: see derive.h.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "work/event_view.h"
#include "work/task.h"

namespace contextcore::work {

struct TaskHistory {
  Task task;
  // Ascending ordinal. A plan has loaded the current one only; a rebuild has all.
  std::vector<Phase> phases;
  bool with_phases = true;  // otherwise the fold makes none
};

// task.edited of a caller's own attribute: `field` is this and the key, `from` and `to` are JSON.
inline constexpr std::string_view kAttributeField = "attributes.";

// An ended task is frozen: events after its end live in the log only, but for a reopening, a
// deletion and their inverses. Unknown events (of a later
// version) change the revision only. Errors (corruption): an event that no command can have
// written.
Status fold(TaskHistory& history, const EventView& event);
Status fold(TaskHistory& history, const Event& event);

// Parts of it, for folds of a part of a task.
Error bad_event(const EventView& event, std::string_view why);
// The status that a field names. One of the project's own stands with the built-in one that it
// behaves like, so that the log alone says what it means.
struct NamedStatus {
  std::optional<TaskStatus> status;
  std::string_view own;  // borrowed of the event
};
NamedStatus named_status(const EventView& event, std::string_view field);
std::optional<int64_t> points_of(std::string_view edited_to);
// Ended is frozen, but for these.
bool changes_ended(TaskChange change);

// The fields of the line that the fold of a task's event of that name looks at.
std::vector<std::string_view> fields_of_fold(std::string_view event_name);

struct InsightHistory {
  std::optional<store::JournalSpan> insight;
  std::vector<store::JournalSpan> facts;  // small spans of later facts
};
Status fold(InsightHistory& history, const Event& event);

// Which fold an event belongs to.
bool is_insight_event(std::string_view event_name);

}  // namespace contextcore::work
