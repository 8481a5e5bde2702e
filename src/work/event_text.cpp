// Events in words, for people who read a history.

#include <algorithm>
#include <array>

#include "base/text.h"
#include "base/time.h"
#include "work/names.h"
#include "work/questions.h"

namespace contextcore::work {
namespace {

namespace field = names::field;

std::string duration(const Event& event, std::string_view name) {
  const auto seconds = event.number_if(name);
  if (!seconds || !(*seconds >= 0 && *seconds < 9e9)) return {};
  return format_duration_short(static_cast<int64_t>(*seconds) * kSecondNs);
}

// before + text + after, or nothing when there is no text.
std::string if_any(std::string_view before, const std::string& text, std::string_view after = {}) {
  return text.empty() ? std::string() : std::string(before) + text + std::string(after);
}

std::string or_none(std::string text) { return text.empty() ? "none" : text; }

std::string created(const Event& event) {
  std::string details = event.text(field::kTaskType);
  for (const std::string_view name :
       {field::kPriority, field::kAssignee, field::kParentId, field::kSprintId, field::kDueDate})
    details += if_any(", ", event.text(name));
  return (event.name == "task.imported" ? "imported as " : "created as ") +
         event.text(field::kStatus) + " (" + details + ")" +
         if_any(" from ", event.text(field::kSource));
}
std::string status_changed(const Event& event) {
  return event.text(field::kFromStatus) + " → " + event.text(field::kToStatus) +
         if_any(" after ", duration(event, field::kSecondsInStatus));
}
std::string blocked(const Event& event) {
  return "blocked" + if_any(": ", event.text(field::kReason)) +
         if_any(" (by ", join(event.list(field::kBlockedBy), ", "), ")");
}
std::string unblocked(const Event& event) {
  return "unblocked" + if_any(": ", event.text(field::kResolution)) +
         if_any(" (blocked for ", duration(event, field::kBlockedDurationSeconds), ")");
}
std::string ended(const Event& event) {
  const std::string what = event.name.substr(event.name.find('.') + 1);
  return what + if_any(": ", event.text(field::kReason)) +
         if_any(": ", event.text(field::kOutcome)) +
         if_any(" (lead time ", duration(event, field::kLeadTimeSeconds), ")");
}
std::string progress(const Event& event) {
  const std::string source = event.text(field::kSource);
  return std::to_string(event.integer(field::kPercentComplete)) + "% complete" +
         (source == "manual" ? "" : if_any(" (from ", source, ")"));
}
std::string edited(const Event& event) {
  return event.text(field::kField) + ": " + or_none(event.text(field::kFrom)) + " → " +
         or_none(event.text(field::kTo));
}
std::string assigned(const Event& event) {
  return "assigned: " + or_none(event.text(field::kFromAssignee)) + " → " +
         or_none(event.text(field::kToAssignee));
}
std::string claimed(const Event& event) {
  return "claimed by " + event.text(field::kClaimedBy) +
         if_any(" for ", duration(event, field::kLeaseSeconds));
}
std::string released(const Event& event) {
  return "claim given back" + if_any(": ", event.text(field::kReason));
}
std::string commented(const Event& event) { return "comment: " + event.text(field::kText); }
std::string linked(const Event& event) {
  std::string target = event.text(field::kTargetTaskId);
  if (target.empty()) target = "trace " + event.text(field::kTargetTraceId);
  return (event.name == "task.unlinked" ? "link removed: " : "") + event.text(field::kLinkType) +
         " " + target;
}
std::string subtask_completed(const Event& event) {
  return "subtask " + event.text(field::kSubtaskId) + " done (" +
         std::to_string(event.integer(field::kSubtaskCompleted)) + " of " +
         std::to_string(event.integer(field::kSubtaskCount)) + ")";
}
std::string insight(const Event& event) {
  const std::string what = event.name.substr(event.name.find('.') + 1);
  return event.text(field::kInsightType) + " " + what + if_any(": ", event.text(field::kSummary)) +
         if_any(": ", event.text(field::kResolution)) +
         if_any(" by ", event.text(field::kByInsightId));
}

// Any other: its own fields.
std::string plain(const Event& event) {
  static constexpr std::array kCommon = {field::kEvent,     field::kSchema,    field::kTaskId,
                                         field::kTaskType,  field::kTaskTitle, field::kActor,
                                         field::kActorType, field::kAgentId,   field::kSessionId,
                                         field::kTrigger,   field::kSprintId};
  std::string out = event.name.substr(event.name.find('.') + 1);
  std::replace(out.begin(), out.end(), '_', ' ');
  std::string_view separator = ": ";
  for (const auto& [name, value] : event.line) {
    if (std::find(kCommon.begin(), kCommon.end(), name) != kCommon.end()) continue;
    out += separator;
    out += name + " " + (value.as_string() ? *value.as_string() : to_string(value));
    separator = ", ";
  }
  return out;
}

struct Wording {
  std::string_view event;
  std::string (*text)(const Event& event);
};
constexpr std::array kWordings = {Wording{"task.created", created},
                                  Wording{"task.imported", created},
                                  Wording{"task.status_changed", status_changed},
                                  Wording{"task.blocked", blocked},
                                  Wording{"task.unblocked", unblocked},
                                  Wording{"task.completed", ended},
                                  Wording{"task.failed", ended},
                                  Wording{"task.cancelled", ended},
                                  Wording{"task.reopened", ended},
                                  Wording{"task.deleted", ended},
                                  Wording{"task.undeleted", ended},
                                  Wording{"task.progress_updated", progress},
                                  Wording{"task.edited", edited},
                                  Wording{"task.assigned", assigned},
                                  Wording{"task.claimed", claimed},
                                  Wording{"task.released", released},
                                  Wording{"task.commented", commented},
                                  Wording{"task.linked", linked},
                                  Wording{"task.unlinked", linked},
                                  Wording{"subtask.completed", subtask_completed},
                                  Wording{"insight.emitted", insight},
                                  Wording{"insight.superseded", insight},
                                  Wording{"insight.retracted", insight},
                                  Wording{"insight.resolved", insight}};

}  // namespace

std::string event_text(const Event& event) {
  for (const Wording& wording : kWordings) {
    if (wording.event == event.name) return wording.text(event);
  }
  return plain(event);
}

}  // namespace contextcore::work
