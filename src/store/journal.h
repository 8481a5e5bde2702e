#pragma once
// The door between work and the store: a command is planned against one state and written as one
// transaction (its log events and the new revisions of its spans), or not at all.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "otlp/model.h"
#include "otlp/span_view.h"
#include "store/work_index.h"

namespace contextcore::store {

struct JournalSpan {
  otlp::Resource resource;
  otlp::Scope scope;
  otlp::Span span;  // without events: they are joined from the log when read; end_ns 0 = open
  int64_t revision = 0;
};

// One log event. resource/scope as they are to be stored.
struct JournalEvent {
  otlp::Resource resource;
  otlp::Scope scope;
  otlp::LogRecord record;
};

struct LeaseRenewal {
  otlp::SpanId span_id;
  int64_t claim_token = 0;
  int64_t lease_end_ns = 0;
  int32_t heartbeats = 0;  // of the claim so far
};

// What a plan wants written. Spans are whole new states; the store writes what changed of them.
// Derived changes (counts, progress) keep the revision of the span they touch.
struct WorkTransaction {
  std::vector<JournalEvent> events;
  std::vector<JournalSpan> spans;
  std::vector<LeaseRenewal> leases;
  // A trace that moved: reads of `from` find `to`.
  std::vector<std::pair<otlp::TraceId, otlp::TraceId>> forwards;
  std::string command_id;  // "" = none; a repeat within 24 h gives the first result
  std::string result;      // what the command answers (JSON), kept with command_id
  bool empty() const { return events.empty() && spans.empty() && leases.empty(); }
};

// The state a plan sees: everything committed and everything sequenced before it.
class WorkView {
 public:
  virtual ~WorkView() = default;
  virtual int64_t now_ns() const = 0;
  virtual const WorkIndexView& index() const = 0;
  // The current revision, without events; nullopt: the journal does not own this id.
  virtual Result<std::optional<JournalSpan>> span(const otlp::SpanId& id) const = 0;
  // All log events of one span, in (revision, ordinal) order.
  virtual Result<std::vector<otlp::LogRecord>> events(const otlp::SpanId& id) const = 0;
};

// Pure; may be called more than once (first optimistically, again under the lock when the state has
// changed meanwhile). An Error writes nothing.
using WorkPlan = std::function<Result<WorkTransaction>(const WorkView& view)>;

struct CommitResult {
  uint64_t sequence = 0;  // 0 when nothing was written
  bool replayed = false;  // the command_id was known: result is the first one's
  std::string result;
};

class Journal {
 public:
  virtual ~Journal() = default;
  // command_id first: a known one returns at once with its first result. Durable when it returns
  // ok. unavailable: the lock could not be had (the message names the holder), or the disk failed.
  virtual Result<CommitResult> commit(const std::string& command_id, const WorkPlan& plan) = 0;
};

// Pure functions that work registers, so that the store needs to know nothing of tasks.
struct WorkHooks {
  // The index row of a span revision.
  std::function<WorkRow(const JournalSpan& span)> row;
  // What a row adds to the sums of its parent. Empty: no sums are kept.
  std::function<WorkTally(const WorkRow& row)> tally;
  // The span as a query sees it at now: adds or removes computed attributes (contextcore.open,
  // task.ready, task.claim*, insight.status ...). row may carry a renewed lease.
  std::function<void(otlp::Span& span, const WorkRow& row, int64_t now_ns)> compute;
  // Left out of every answer (a deleted task and its phases), found by look-ups through the index
  // only. Empty: none.
  std::function<bool(const WorkRow& row, const WorkIndexView& index)> hidden;
  // Rows are hidden only where this says so of their own key or of their parent's; most are not even looked up then.
  // Pure. Empty: every row is asked about.
  std::function<bool(const WorkKey& key)> hides;
  // Keys that compute may add, change or remove: conditions on them are not pushed to columns.
  std::vector<std::string> computed_keys;
  // The span event that mirrors a log event; nullopt: none.
  std::function<std::optional<otlp::SpanEvent>(const otlp::LogRecord& record)> event;
  // Reasons to refuse received telemetry ("task state changes through the work API"); nullopt:
  // fine. owned: the span id belongs to the journal.
  std::function<std::optional<std::string>(const otlp::Resource&, const otlp::Scope&,
                                           const otlp::SpanView&, bool owned)>
      refuse_span;
  std::function<std::optional<std::string>(const otlp::Resource&, const otlp::Scope&,
                                           const otlp::LogRecord&, bool owned)>
      refuse_log;
  // The same for a series of the default tenant by its metric name (views of work have theirs).
  std::function<std::optional<std::string>(std::string_view name)> refuse_metric;
  // Received spans that stay when the rest of what is as old goes (runs of tasks). Empty: none.
  std::function<bool(const otlp::Resource&, const otlp::Scope&, const otlp::Span&)> keep_span;
  // What the sender of a span that is kept should know of it ("kept as telemetry, not as a task").
  std::function<std::optional<std::string>(const otlp::SpanView&)> remark_span;
};

}  // namespace contextcore::store
