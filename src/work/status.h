#pragma once
// The closed lists of the work model: task statuses and their categories, priorities, types, and
// how a WorkRow packs them. Numbers are stored in the work index: never renumber.

#include <array>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string_view>

#include "store/work_index.h"

namespace contextcore::work {

enum class TaskStatus : uint8_t {
  backlog = 1,
  todo = 2,
  in_progress = 3,
  in_review = 4,
  blocked = 5,
  done = 6,
  failed = 7,
  cancelled = 8,
};
inline constexpr std::array<std::string_view, 8> kTaskStatusNames = {
    "backlog", "todo", "in_progress", "in_review", "blocked", "done", "failed", "cancelled"};

constexpr std::string_view status_name(TaskStatus status) {
  return kTaskStatusNames[static_cast<size_t>(status) - 1];
}
std::optional<TaskStatus> parse_status(std::string_view name);
constexpr bool is_ended(TaskStatus status) { return status >= TaskStatus::done; }
constexpr bool is_not_started(TaskStatus status) { return status <= TaskStatus::todo; }

// "not_started", "active", "ended".
std::string_view category_name(TaskStatus status);

// 1..4 in WorkRow::priority, 0 = none.
inline constexpr std::array<std::string_view, 4> kPriorityNames = {"critical", "high", "medium",
                                                                   "low"};
uint8_t priority_rank(std::string_view name);  // 0 when unknown or empty

inline constexpr std::array<std::string_view, 7> kTaskTypes = {
    "epic", "story", "task", "subtask", "bug", "spike", "incident"};
inline constexpr std::array<std::string_view, 9> kInsightTypes = {
    "decision", "recommendation", "lesson",   "blocker", "discovery",
    "analysis", "risk",           "question", "progress"};
inline constexpr std::array<std::string_view, 3> kAudiences = {"agent", "human", "both"};
inline constexpr std::array<std::string_view, 7> kLinkTypes = {
    "depends_on",      "relates_to", "duplicates", "supersedes",
    "discovered_from", "caused_by",  "continues"};

// What satisfies a dependency (WorkEdge::when).
enum class DependsWhen : uint8_t { done = 0, ended = 1, failed = 2 };
constexpr bool satisfies(TaskStatus status, DependsWhen when) {
  switch (when) {
    case DependsWhen::done:
      return status == TaskStatus::done || status == TaskStatus::cancelled;
    case DependsWhen::ended:
      return is_ended(status);
    case DependsWhen::failed:
      return status == TaskStatus::failed;
  }
  return false;
}

// Links told from the other end: "A blocks B" is "B depends_on A".
struct InverseLink {
  std::string_view told, stored;
};
inline constexpr std::array<InverseLink, 6> kInverseLinks = {{{"blocks", "depends_on"},
                                                              {"duplicated_by", "duplicates"},
                                                              {"superseded_by", "supersedes"},
                                                              {"led_to", "discovered_from"},
                                                              {"causes", "caused_by"},
                                                              {"continued_by", "continues"}}};

// Insights: the later fact that closed one (WorkRow::status). `fact` rows are the small spans that
// tell of such a fact, not insights. Expiry depends on the clock and is not here.
enum class InsightState : uint8_t {
  fact = 0,
  active = 1,
  superseded = 2,
  retracted = 3,
  resolved = 4
};
// The status a reader sees at now: adds "expired".
std::string_view insight_status(const store::WorkRow& row, int64_t now_ns);

// WorkRow::flags of a task: percent complete, and whether it has story points.
constexpr uint8_t pack_task_flags(int64_t percent, bool has_points) {
  return static_cast<uint8_t>((percent & 0x7f) | (has_points ? 0x80 : 0));
}
constexpr int64_t row_percent(const store::WorkRow& row) { return row.flags & 0x7f; }
constexpr bool row_has_points(const store::WorkRow& row) { return (row.flags & 0x80) != 0; }
// WorkRow::status of a deleted task: its status and this bit.
inline constexpr uint8_t kDeletedBit = 0x80;
template <typename Row>
concept IndexRow = std::same_as<Row, store::WorkRow> || std::same_as<Row, store::WorkKey>;

TaskStatus row_status(const IndexRow auto& row) {
  return static_cast<TaskStatus>(row.status & ~kDeletedBit);
}
bool is_deleted(const IndexRow auto& row) {
  return row.kind == store::WorkKind::task && (row.status & kDeletedBit) != 0;
}
// Deleted ones are left out of every answer unless asked for.
bool is_task(const IndexRow auto& row) {
  return row.kind == store::WorkKind::task && !is_deleted(row);
}
inline bool satisfies(const store::WorkRow& row, DependsWhen when) {
  return satisfies(is_deleted(row) ? TaskStatus::cancelled : row_status(row), when);
}
// Sums over one child, itself.
constexpr store::WorkTally tally_of_child(TaskStatus status, bool deleted, int64_t percent, bool has_points,
                                          int64_t points) {
  store::WorkTally tally;
  if (deleted || status == TaskStatus::cancelled) return tally;
  tally.count = 1;
  tally.done = status == TaskStatus::done ? 1 : 0;
  tally.open = is_ended(status) ? 0 : 1;
  tally.percent = percent;
  tally.pointed = has_points ? 1 : 0;
  tally.points = points;
  tally.weighted = percent * points;
  return tally;
}
// What a row adds to the sums of its parent (store/work_tally.h): children that are neither
// cancelled nor deleted count.
inline store::WorkTally tally_of(const store::WorkRow& row) {
  if (row.kind != store::WorkKind::task) return {};
  return tally_of_child(row_status(row), is_deleted(row), row_percent(row), row_has_points(row), row.points);
}
bool is_insight(const IndexRow auto& row) {
  return row.kind == store::WorkKind::insight &&
         row.status != static_cast<uint8_t>(InsightState::fact);
}
bool has_live_claim(const IndexRow auto& row, int64_t now_ns) {
  return row.claim_token != 0 && row.lease_end_ns > now_ns;
}
// Somebody began it under a claim that was given back or whose lease is over: free for whoever asks next.
bool is_abandoned(const IndexRow auto& row, int64_t now_ns) {
  const TaskStatus status = row_status(row);
  return is_task(row) && !row.claimed_by.empty() && !has_live_claim(row, now_ns) &&
         (status == TaskStatus::in_progress || status == TaskStatus::in_review);
}
// Could be taken at now by somebody; assignee not looked at.
bool is_ready(const store::WorkKey& key, int64_t now_ns, bool include_backlog);
inline bool is_ready(const store::WorkRow& row, int64_t now_ns, bool include_backlog) {
  return is_ready(store::WorkKey::of(row), now_ns, include_backlog);
}

}  // namespace contextcore::work
