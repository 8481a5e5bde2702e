#pragma once
// The work index: one row per journal-owned span, what commands and lists need without reading
// spans. The table (its file, its look-ups) is the store's; its rows are built by work through
// WorkHooks.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/result.h"
#include "otlp/model.h"

namespace contextcore::store {

enum class WorkKind : uint8_t {
  task = 1,
  sprint = 2,
  phase = 3,
  insight = 4,
  handoff = 5,
  guidance = 6,
  session = 7,
  run = 8
};

// An edge "this depends on target"; when: what the target must reach (0 done/cancelled, 1 ended, 2
// failed).
struct WorkEdge {
  otlp::SpanId target;
  uint8_t when = 0;
  bool operator==(const WorkEdge&) const = default;
};

// Sums over the rows whose parent a row is (work_tally.h). What a row adds is work's to say.
struct WorkTally {
  int64_t count = 0;  // that count at all; all that follows is of those
  int64_t done = 0;
  int64_t open = 0;
  int64_t percent = 0;   // sum
  int64_t pointed = 0;   // have story points
  int64_t points = 0;    // sum
  int64_t weighted = 0;  // sum of percent times points

  template <typename Self>
  static auto fields(Self& t) {
    return std::tie(t.count, t.done, t.open, t.percent, t.pointed, t.points, t.weighted);
  }
  WorkTally& operator+=(const WorkTally& other) { return add(other, 1); }
  WorkTally& operator-=(const WorkTally& other) { return add(other, -1); }
  bool operator==(const WorkTally&) const = default;

 private:
  WorkTally& add(const WorkTally& other, int64_t sign) {
    count += sign * other.count;
    done += sign * other.done;
    open += sign * other.open;
    percent += sign * other.percent;
    pointed += sign * other.pointed;
    points += sign * other.points;
    weighted += sign * other.weighted;
    return *this;
  }
};

struct WorkRow {
  otlp::SpanId span_id;
  otlp::TraceId trace_id;
  otlp::SpanId parent_span_id;
  WorkKind kind = WorkKind::task;
  uint8_t status = 0;    // work's numbering, opaque here
  uint8_t priority = 0;  // 0 none, 1 critical .. 4 low
  uint8_t flags = 0;     // work's
  int64_t revision = 0;
  int64_t start_ns = 0;
  int64_t end_ns = 0;      // 0: open
  int64_t updated_ns = 0;  // time of the last event
  int64_t due_ns = 0;      // 0: none
  int64_t defer_until_ns = 0;
  int64_t claim_token = 0;  // 0: not claimed
  int64_t lease_end_ns = 0;
  int32_t child_count = 0, open_child_count = 0;
  int32_t waiting_count = 0;
  int32_t heartbeats = 0;   // of the claim: the only trace that renewals leave
  int64_t points = 0;       // story points
  std::string id, project;  // task.id, project.id
  std::string type;         // task type or insight type
  std::string assignee, claimed_by, claim_session;
  std::string sprint;       // sprint.id
  std::string status_name;  // where status stands for one of the user's own
  std::vector<WorkEdge> depends_on;
  WorkTally below;       // of the children, when tallied
  bool tallied = false;  // set by the store; a row that stands for itself knows no others
  bool operator==(const WorkRow&) const = default;
};

// What lists and searches for ready work look at of a row; every kind has keys but phases. Texts are borrowed.
struct WorkKey {
  otlp::SpanId span_id, parent_span_id;
  WorkKind kind = WorkKind::task;
  uint8_t status = 0, priority = 0, flags = 0;
  int32_t open_child_count = 0, waiting_count = 0;
  int64_t start_ns = 0, end_ns = 0, updated_ns = 0, due_ns = 0, defer_until_ns = 0;
  int64_t claim_token = 0, lease_end_ns = 0;
  std::string_view id, project, type, assignee, claimed_by, sprint, status_name;

  static WorkKey of(const WorkRow& row) {
    return {row.span_id,     row.parent_span_id, row.kind,          row.status,         row.priority,
            row.flags,       row.open_child_count, row.waiting_count, row.start_ns,     row.end_ns,
            row.updated_ns,  row.due_ns,         row.defer_until_ns, row.claim_token,   row.lease_end_ns,
            row.id,          row.project,        row.type,          row.assignee,       row.claimed_by,
            row.sprint,      row.status_name};
  }
  bool operator==(const WorkKey&) const = default;
};
constexpr bool has_key(WorkKind kind) { return kind != WorkKind::phase; }

// Which rows a scan wants; the rest costs next to nothing.
struct WorkFilter {
  uint32_t kinds = UINT32_MAX;   // bits 1 << WorkKind
  bool open_only = false;        // end_ns == 0
  std::string_view project = {};  // "" = all

  static constexpr uint32_t bit(WorkKind kind) { return 1u << static_cast<unsigned>(kind); }
  bool accepts_kind(WorkKind kind) const {
    const auto number = static_cast<unsigned>(kind);
    return number < 32 && (kinds >> number & 1) != 0;
  }
  bool accepts(WorkKind kind, int64_t end_ns) const {
    return accepts_kind(kind) && (!open_only || end_ns == 0);
  }
  bool accepts(const WorkKey& key) const {
    return accepts(key.kind, key.end_ns) && (project.empty() || key.project == project);
  }
};

// A read view of the table. Pointers are valid as long as the view that gave them.
class WorkIndexView {
 public:
  virtual ~WorkIndexView() = default;
  virtual const WorkRow* find(const otlp::SpanId& id) const = 0;
  // Rows whose parent_span_id / one of whose depends_on targets is id. Ascending span id.
  virtual std::vector<const WorkRow*> children(const otlp::SpanId& id) const = 0;
  virtual std::vector<const WorkRow*> dependents(const otlp::SpanId& id) const = 0;
  // Sums over children(id); nullptr: not kept here, they have to be counted.
  const WorkTally* tally(const otlp::SpanId& id) const {
    const WorkRow* row = find(id);
    return row != nullptr && row->tallied ? &row->below : nullptr;
  }
  // Every row (ascending span id) until fn returns false.
  virtual void scan(const std::function<bool(const WorkRow&)>& fn) const = 0;
  // The keys that filter accepts, in no order: many times faster, since no row is decoded. Valid as long as the view.
  virtual void scan_keys(const WorkFilter& filter, const std::function<bool(const WorkKey&)>& fn) const {
    scan([&](const WorkRow& row) {
      if (!filter.accepts(row.kind, row.end_ns) || !has_key(row.kind)) return true;
      const WorkKey key = WorkKey::of(row);
      return !filter.accepts(key) || fn(key);
    });
  }
  virtual size_t size() const = 0;
  // What could not be read looks as if it were not there; this says that it happened. Whoever answers from the index
  // asks afterwards.
  virtual Status status() const { return {}; }
};

}  // namespace contextcore::store
