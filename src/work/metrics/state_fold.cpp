#include "work/metrics/state_fold.h"

#include <algorithm>

#include "base/time.h"
#include "work/fold_task.h"
#include "work/names.h"

namespace contextcore::work {
namespace {

namespace field = names::field;
namespace ev = names::event;

int64_t due_of(std::string_view text) {
  if (text.empty()) return 0;
  const auto time = parse_rfc3339(text);
  return time.ok() ? *time : 0;
}

// The number of a text that mostly is the word it was.
uint32_t number_of(std::string_view text, uint32_t guess, Words& words) {
  return words.word(guess) == text ? guess : words.number_of(text);
}

}  // namespace

std::vector<std::string_view> fields_of_state(std::string_view name) {
  const auto is = [name](auto... names) { return ((name == names) || ...); };
  if (is(ev::kTaskCreated, ev::kTaskImported)) {
    return {field::kTaskId,   field::kTaskType, field::kStatus,      field::kBaseStatus,
            field::kSprintId, field::kPriority, field::kStoryPoints, field::kDueDate};
  }
  if (is(ev::kTaskStatusChanged)) return {field::kToStatus, field::kBaseStatus};
  if (is(ev::kTaskProgressUpdated)) return {field::kPercentComplete};
  if (is(ev::kTaskEdited)) return {field::kField, field::kTo};
  return {};
}

Status StateFold::create(const EventView& event, Words& words) {
  if (exists_) return bad_event(event, "creates a task that exists");
  const NamedStatus status = named_status(event, field::kStatus);
  if (!status.status || is_ended(*status.status)) return bad_event(event, "has no status of an open task");
  task_id_ = event.text(field::kTaskId);
  state_.base = *status.status;
  state_.status = number_of(status.own.empty() ? status_name(state_.base) : status.own, 0, words);
  state_.type = number_of(event.text(field::kTaskType), 0, words);
  state_.priority = number_of(event.text(field::kPriority), 0, words);
  state_.sprint = number_of(event.text(field::kSprintId), 0, words);
  state_.points = event.integer(field::kStoryPoints);
  state_.due_ns = due_of(event.text(field::kDueDate));
  return {};
}

Status StateFold::move(const EventView& event, Words& words) {
  const NamedStatus to = named_status(event, field::kToStatus);
  if (!to.status) return bad_event(event, "has no known to_status");
  state_.base = *to.status;
  state_.status = number_of(to.own.empty() ? status_name(state_.base) : to.own, state_.status, words);
  ended_ = ended_ || is_ended(state_.base);
  return {};
}

void StateFold::edit(const EventView& event, Words& words) {
  const std::string_view name = event.text(field::kField);
  const std::string_view to = event.text(field::kTo);
  if (name == "type") state_.type = number_of(to, state_.type, words);
  if (name == "priority") state_.priority = number_of(to, state_.priority, words);
  if (name == "sprint") state_.sprint = number_of(to, state_.sprint, words);
  if (name == "due") state_.due_ns = due_of(to);
  if (name == "points") state_.points = points_of(to).value_or(0);
}

Status StateFold::add(const EventView& event, Words& words) {
  const TaskChange change = event.change;
  if (ended_ && !changes_ended(change)) return {};
  if (change == TaskChange::created) {
    CC_TRY(create(event, words));
  } else if (!exists_) {
    return bad_event(event, "comes before the task's creation");
  } else if (change == TaskChange::status_changed) {
    CC_TRY(move(event, words));
  } else if (change == TaskChange::progress_updated) {
    state_.percent = static_cast<int32_t>(std::clamp<int64_t>(event.integer(field::kPercentComplete), 0, 100));
  } else if (change == TaskChange::edited) {
    edit(event, words);
  } else if (change == TaskChange::reopened) {
    if (!ended_) return bad_event(event, "reopens an open task");
    ended_ = false;
  } else if (change == TaskChange::deleted || change == TaskChange::undeleted) {
    state_.deleted = change == TaskChange::deleted;
  }
  exists_ = true;
  return {};
}

}  // namespace contextcore::work
