#include "work/transaction.h"

#include <algorithm>
#include <set>

#include "base/time.h"
#include "work/args.h"
#include "work/ids.h"
#include "work/names.h"
#include "work/read.h"

namespace contextcore::work {
namespace {

namespace field = names::field;
namespace ev = names::event;

bool same(const store::JournalSpan& a, const store::JournalSpan& b) {
  return a.revision == b.revision && a.span == b.span && a.resource == b.resource &&
         a.scope == b.scope;
}

// The fields that stand in every line.
JsonObject common_line(std::string_view name, const Actor& actor, std::string_view trigger,
                       const Task* about, std::string_view task_id, JsonObject fields) {
  Line line;
  line.text(field::kEvent, name);
  line.integer(field::kSchema, int64_t{1});
  if (about) {
    line.text(field::kTaskId, about->id);
    line.text(field::kTaskType, about->type);
    line.text(field::kTaskTitle, about->title);
    line.text(field::kSprintId, about->sprint_id);
  } else {
    line.text(field::kTaskId, task_id);
  }
  line.text(field::kActor, actor.actor);
  line.text(field::kActorType, actor.actor_type);
  line.text(field::kAgentId, actor.agent_id);
  line.text(field::kSessionId, actor.session_id);
  line.text(field::kTrigger, trigger.empty() ? std::string_view(actor.trigger) : trigger);
  JsonObject out = line.take();
  // What an event says itself wins (task.created knows the title before the task does).
  for (auto& member : fields) {
    const auto old = std::find_if(out.begin(), out.end(),
                                  [&](const auto& m) { return m.first == member.first; });
    if (old != out.end()) {
      old->second = std::move(member.second);
    } else {
      out.push_back(std::move(member));
    }
  }
  return out;
}

Result<std::vector<Event>> events_of(const store::WorkView& view, const otlp::SpanId& id) {
  CC_ASSIGN(const std::vector<otlp::LogRecord> records, view.events(id));
  std::vector<Event> events;
  for (const otlp::LogRecord& record : records) {
    CC_ASSIGN(Event event, event_from_record(record, nullptr));
    events.push_back(std::move(event));
  }
  return events;
}

}  // namespace

Transaction::Transaction(const store::WorkView& view, const Command& command,
                         const Settings& settings)
    : view_(view),
      command_(command),
      settings_(settings),
      now_ns_(view.now_ns()),
      time_ns_(command.time_ns.value_or(now_ns_)) {}

Result<Entry*> Transaction::load(const otlp::SpanId& id) {
  if (const auto known = entries_.find(id); known != entries_.end()) return known->second.get();
  const store::WorkRow* indexed = view_.index().find(id);
  CC_ASSIGN(std::optional<store::JournalSpan> span, view_.span(id));
  if (!indexed || !span) {
    return Error{Code::corruption,
                 "the work index and the spans disagree about " + otlp::to_hex(id),
                 "run contextcore rebuild",
                 {},
                 {}};
  }
  auto entry = std::make_unique<Entry>();
  CC_ASSIGN(entry->history.task, task_from_span(*span));
  const Task& task = entry->task();
  entry->before = std::move(span);
  entry->token_before = task.claim_token;
  entry->lease_end_ns = indexed->lease_end_ns;
  entry->heartbeats = indexed->heartbeats;
  entry->row = entry->row_before = *indexed;
  if (const auto moved = moved_.find(id); moved != moved_.end()) {
    mutable_task(*entry).trace_id = moved->second.span.trace_id;
  }
  if (task.ended()) {
    entry->log_only = true;
    CC_ASSIGN(const std::vector<Event> events, events_of(view_, id));
    for (const Event& event : events) {
      if (event.revision == task.revision)
        entry->log_only_seq = std::max(entry->log_only_seq, event.seq);
      mutable_task(*entry).updated_ns = std::max(task.updated_ns, event.time_ns);
    }
  } else {
    CC_TRY(load_current_phase(*entry));
  }
  Entry* result = entry.get();
  entries_.emplace(id, std::move(entry));
  order_.push_back(result);
  return result;
}

// The phase with the highest ordinal: the open one, or the one that the task ended in.
Status Transaction::load_current_phase(Entry& entry) const {
  const Task& task = entry.task();
  // Numbered from 1 without gaps, with computed ids: none has to be looked for among the children.
  const auto phase_at = [&](int64_t ordinal) {
    return view_.index().find(phase_span_id(task.project, task.id, ordinal));
  };
  const store::WorkRow* current = phase_at(1);
  int64_t known = 1, beyond = 2;
  for (const store::WorkRow* row = current; row; beyond *= 2) {
    if ((row = phase_at(beyond)) == nullptr) break;
    current = row;
    known = beyond;
  }
  while (beyond - known > 1) {
    const int64_t middle = known + (beyond - known) / 2;
    const store::WorkRow* row = phase_at(middle);
    (row ? known : beyond) = middle;
    if (row) current = row;
  }
  if (current) {
    CC_ASSIGN(entry.phase_before, view_.span(current->span_id));
  }
  if (!entry.phase_before) {
    return Status(Error{Code::corruption,
                        "the current phase of task " + task.id + " is missing",
                        "run contextcore rebuild",
                        {},
                        {}});
  }
  CC_ASSIGN(Phase phase, phase_from_span(*entry.phase_before));
  entry.history.phases.push_back(std::move(phase));
  return {};
}

Status Transaction::thaw(Entry& entry) {
  if (!entry.log_only) return {};
  CC_TRY(load_current_phase(entry));
  entry.log_only = false;
  return {};
}

Status Transaction::move_trace(Entry& entry, const otlp::TraceId& to) {
  if (entry.task().trace_id == to) return {};
  mutable_task(entry).trace_id = to;
  refresh(entry);
  std::vector<const store::WorkRow*> stack{view_.index().find(entry.task().span_id)};
  while (!stack.empty()) {
    const store::WorkRow* row = stack.back();
    stack.pop_back();
    if (!row) continue;
    CC_ASSIGN(std::optional<store::JournalSpan> span, view_.span(row->span_id));
    if (!span) continue;
    span->span.trace_id = to;
    moved_.insert_or_assign(row->span_id, std::move(*span));
    if (const auto known = entries_.find(row->span_id); known != entries_.end()) {
      mutable_task(*known->second).trace_id = to;
      refresh(*known->second);
    }
    // Each of the tasks may have been a root once: who knows its trace by then finds it here.
    const otlp::TraceId own = trace_id("task", row->project, row->id);
    if (row->kind == store::WorkKind::task && own != to) forwards_.emplace_back(own, to);
    for (const store::WorkRow* child : view_.index().children(row->span_id)) stack.push_back(child);
  }
  return {};
}

Result<Entry*> Transaction::deleted_subject(std::string_view id) {
  CC_TRY(check_id("task id", id));
  std::optional<otlp::SpanId> found;
  size_t count = 0;
  const store::WorkFilter tasks{store::WorkFilter::bit(store::WorkKind::task), false, command_.project};
  view_.index().scan_keys(tasks, [&](const store::WorkKey& row) {
    if (!is_deleted(row) || row.id != id) return true;
    found = row.span_id;
    count++;
    return true;
  });
  if (count > 1) {
    return Error{Code::invalid_argument,
                 "deleted tasks of several projects have the id " + std::string(id),
                 "give the project",
                 {},
                 {}};
  }
  if (!found) {
    // Says what there is instead.
    CC_ASSIGN(const store::WorkRow* there, find_task(view_, command_.project, id));
    return load(there->span_id);
  }
  return load(*found);
}

Result<SprintEntry*> Transaction::find_sprint(std::string_view project, std::string_view id) {
  const otlp::SpanId span_of_it = span_id("sprint", project, id);
  if (const auto known = sprints_.find(span_of_it); known != sprints_.end()) {
    return known->second.get();
  }
  const store::WorkRow* row = view_.index().find(span_of_it);
  if (!row || row->kind != store::WorkKind::sprint) return static_cast<SprintEntry*>(nullptr);
  CC_ASSIGN(std::optional<store::JournalSpan> span, view_.span(span_of_it));
  if (!span) {
    return Error{Code::corruption,
                 "the span of sprint " + std::string(id) + " is missing",
                 "run contextcore rebuild",
                 {},
                 {}};
  }
  auto entry = std::make_unique<SprintEntry>();
  CC_ASSIGN(entry->sprint, sprint_from_span(*span));
  entry->before = std::move(span);
  return sprints_.emplace(span_of_it, std::move(entry)).first->second.get();
}

SprintEntry& Transaction::make_sprint(std::string_view project, std::string_view id) {
  auto entry = std::make_unique<SprintEntry>();
  entry->sprint.project = project;
  entry->sprint.id = id;
  entry->sprint.span_id = span_id("sprint", project, id);
  entry->sprint.trace_id = trace_id("sprint", project, id);
  const otlp::SpanId key = entry->sprint.span_id;
  return *(sprints_[key] = std::move(entry));
}

Status Transaction::emit(SprintEntry& entry, std::string_view name, Line line) {
  const Sprint& sprint = entry.sprint;
  Event event;
  event.name = name;
  event.project = sprint.project;
  event.service_name = settings_.service_name;
  event.trace_id = sprint.trace_id;
  event.span_id = sprint.span_id;
  event.time_ns = std::max(time_ns_, sprint.updated_ns);
  event.observed_ns = now_ns_;
  event.command_id = command_.command_id;
  event.revision = sprint.revision + (entry.raised ? 0 : 1);
  event.seq = entry.raised ? sprint.event_seq + 1 : 1;
  entry.raised = true;
  Line whole;
  whole.text(field::kSprintId, sprint.id);
  JsonObject fields = whole.take();
  for (auto& member : line.take()) fields.push_back(std::move(member));
  event.line = common_line(name, command_.actor, {}, nullptr, {}, std::move(fields));
  store::JournalEvent wire = to_journal_event(event);
  CC_ASSIGN(const Event read_back, event_from_record(wire.record, &wire.resource));
  CC_TRY(fold(entry.sprint, read_back));
  events_.push_back(std::move(wire));
  return {};
}

std::vector<std::string_view> Transaction::type_names() const {
  std::vector<std::string_view> names(kTaskTypes.begin(), kTaskTypes.end());
  for (const Vocabulary* own : {&settings_.vocabulary, &command_.vocabulary}) {
    names.insert(names.end(), own->types.begin(), own->types.end());
  }
  return names;
}

std::vector<std::string_view> Transaction::status_names() const {
  std::vector<std::string_view> names(kTaskStatusNames.begin(), kTaskStatusNames.end());
  for (const Vocabulary* own : {&settings_.vocabulary, &command_.vocabulary}) {
    for (const auto& [name, base] : own->statuses) names.push_back(name);
  }
  return names;
}

Result<Entry*> Transaction::subject(std::string_view id, bool as_typed) {
  CC_ASSIGN(const store::WorkRow* found, as_typed ? resolve_task(view_, command_.project, id)
                                                  : find_task(view_, command_.project, id));
  CC_ASSIGN(Entry * entry, load(found->span_id));
  const Task& task = entry->task();
  if (command_.expected_revision && *command_.expected_revision != task.revision) {
    return Error{Code::conflict,
                 "task " + task.id + " is at revision " + std::to_string(task.revision) + ", not " +
                     std::to_string(*command_.expected_revision),
                 "read it again and decide anew",
                 {},
                 {}};
  }
  CC_TRY(check_time(*entry));
  return entry;
}

Status Transaction::check_time(const Entry& entry) const {
  const Task& task = entry.task();
  if (!command_.time_ns || *command_.time_ns >= task.updated_ns) return {};
  CC_ASSIGN(const std::vector<Event> events, events_of(view_, task.span_id));
  const std::string last = events.empty() ? "its last event" : events.back().name;
  return Error{Code::failed_precondition,
               "the time " + format_rfc3339(*command_.time_ns) +
                   " is before the last event of task " + task.id + ": " + last + " at " +
                   format_rfc3339(task.updated_ns),
               "events of a task are written in the order of their times",
               {},
               {}};
}

int64_t Transaction::event_time(const Entry& entry) const {
  return std::max(time_ns_, entry.task().updated_ns);
}

Entry& Transaction::make(std::string_view project, std::string_view id,
                         const otlp::TraceId& trace_id) {
  auto entry = std::make_unique<Entry>();
  Task& task = entry->history.task;
  task.project = project;
  task.id = id;
  task.span_id = span_id("task", project, id);
  task.trace_id = trace_id;
  Entry& result = *entry;
  entries_.insert_or_assign(task.span_id, std::move(entry));
  order_.push_back(&result);
  return result;
}

Event Transaction::prepare(const Entry& entry, std::string_view name, Line line,
                           std::string_view trigger) const {
  const Task& task = entry.task();
  Event event;
  event.name = name;
  event.project = task.project;
  event.service_name = settings_.service_name;
  event.trace_id = task.trace_id;
  event.span_id = task.span_id;
  event.time_ns = event_time(entry);
  event.observed_ns = now_ns_;
  event.command_id = command_.command_id;
  event.line = common_line(name, command_.actor, trigger, &task, {}, line.take());
  return event;
}

Status Transaction::emit(Entry& entry, std::string_view name, Line line, std::string_view trigger) {
  const Task& task = entry.task();
  const bool first = !entry.raised;
  entry.raised = true;
  if (first && task.claim_token != 0 && entry.lease_end_ns <= lease_now_ns() && !entry.log_only) {
    entry.raised = false;
    Line released;
    released.text(field::kReason, "lease_expired").integer(field::kHeartbeats, entry.heartbeats);
    Event event = prepare(entry, ev::kTaskReleased, std::move(released), "rule");
    entry.raised = true;
    event.revision = task.revision + 1;
    event.seq = 1;
    CC_TRY(append(std::move(event), &task));
    return emit(entry, name, std::move(line), trigger);
  }
  Event event = prepare(entry, name, std::move(line), trigger);
  if (entry.log_only) {
    event.revision = task.revision;
    event.seq = ++entry.log_only_seq;
  } else {
    event.revision = task.revision + (first ? 1 : 0);
    event.seq = first ? 1 : task.event_seq + 1;
  }
  return append(std::move(event), &task);
}

Status Transaction::emit_derived(Entry& entry, std::string_view name, Line line) {
  Event event = prepare(entry, name, std::move(line), "rule");
  event.revision = entry.task().revision;
  event.seq = entry.task().event_seq + 1;
  return append(std::move(event), &entry.task());
}

Status Transaction::emit(InsightEntry& entry, const otlp::TraceId& trace_id,
                         const otlp::SpanId& span_id, std::string_view name, Line line,
                         std::string_view task_id) {
  if (entry.seq == 0) {
    entry.revision = entry.history.insight ? entry.history.insight->revision + 1 : 1;
  }
  Event event;
  event.name = name;
  event.project = command_.project;
  if (entry.history.insight) {
    event.project =
        otlp::find_string(entry.history.insight->span.attributes, names::attr::kProjectId);
  }
  event.service_name = settings_.service_name;
  event.trace_id = trace_id;
  event.span_id = span_id;
  event.time_ns = time_ns_;
  if (entry.history.insight) {
    event.time_ns =
        std::max(event.time_ns, static_cast<int64_t>(entry.history.insight->span.start_ns));
  }
  event.observed_ns = now_ns_;
  event.revision = entry.revision;
  event.seq = ++entry.seq;
  event.command_id = command_.command_id;
  event.line = common_line(name, command_.actor, {}, nullptr, task_id, line.take());
  store::JournalEvent wire = to_journal_event(event);
  CC_ASSIGN(const Event read_back, event_from_record(wire.record, &wire.resource));
  CC_TRY(fold(entry.history, read_back));
  events_.push_back(std::move(wire));
  return {};
}

// Folds what a rebuild will read, not what was meant: the event goes through its wire form.
Status Transaction::append(Event event, const Task* about) {
  store::JournalEvent wire = to_journal_event(event);
  CC_ASSIGN(const Event read_back, event_from_record(wire.record, &wire.resource));
  Entry& entry = *entries_.at(about->span_id);
  CC_TRY(fold(entry.history, read_back));
  events_.push_back(std::move(wire));
  refresh(entry);
  return {};
}

void Transaction::refresh(Entry& entry) const {
  entry.row = row_of(entry.task());
  if (entry.task().claim_token != 0 && entry.task().claim_token == entry.token_before) {
    entry.row.lease_end_ns = entry.lease_end_ns;
    entry.row.heartbeats = entry.heartbeats;
  }
}

const store::WorkRow* Transaction::row(const otlp::SpanId& id) const {
  if (const auto known = entries_.find(id); known != entries_.end()) return &known->second->row;
  const store::WorkRow* indexed = view_.index().find(id);
  return indexed && indexed->kind == store::WorkKind::task ? indexed : nullptr;
}

std::vector<const store::WorkRow*> Transaction::children(const otlp::SpanId& id) const {
  std::vector<const store::WorkRow*> result;
  for (const store::WorkRow* child : view_.index().children(id)) {
    if (is_task(*child) && !entries_.contains(child->span_id)) result.push_back(child);
  }
  for (const auto& [span, entry] : entries_) {
    const Task& task = entry->task();
    if (task.exists() && !task.deleted && task.parent_span_id == id) result.push_back(&entry->row);
  }
  return result;
}

// The index knows the sum; what this plan has changed is set against it.
store::WorkTally Transaction::tally(const otlp::SpanId& id) const {
  store::WorkTally sum;
  if (const store::WorkTally* kept = view_.index().tally(id)) {
    sum = *kept;
  } else {
    for (const store::WorkRow* child : view_.index().children(id)) sum += tally_of(*child);
  }
  for (const auto& [span, entry] : entries_) {
    const store::WorkRow* before = view_.index().find(span);
    if (before && before->parent_span_id == id) sum -= tally_of(*before);
    if (entry->task().exists() && entry->row.parent_span_id == id) sum += tally_of(entry->row);
  }
  return sum;
}

std::vector<const store::WorkRow*> Transaction::dependents(const otlp::SpanId& id) const {
  std::vector<const store::WorkRow*> result;
  for (const store::WorkRow* row : view_.index().dependents(id)) {
    if (row->kind == store::WorkKind::task && !entries_.contains(row->span_id)) {
      result.push_back(row);
    }
  }
  for (const auto& [span, entry] : entries_) {
    const auto& edges = entry->row.depends_on;
    const bool depends =
        std::any_of(edges.begin(), edges.end(), [&](const auto& e) { return e.target == id; });
    if (depends) result.push_back(&entry->row);
  }
  return result;
}

void Transaction::renew_lease(Entry& entry, int64_t lease_end) {
  entry.lease_end_ns = entry.row.lease_end_ns = lease_end;
  leases_.push_back(
      {entry.task().span_id, entry.task().claim_token, lease_end, entry.row.heartbeats});
}

InsightEntry& Transaction::keep(std::unique_ptr<InsightEntry> entry) {
  insights_.push_back(std::move(entry));
  return *insights_.back();
}

void Transaction::collect(const Entry& entry, store::WorkTransaction& out) const {
  const Task& task = entry.task();
  if (entry.log_only || !task.exists()) return;
  store::JournalSpan span = to_span(task);
  if (!entry.before || !same(span, *entry.before)) {
    out.spans.push_back(std::move(span));
    // A new state of a claimed task must not forget the heartbeats.
    const bool renewed = std::any_of(leases_.begin(), leases_.end(), [&](const auto& lease) {
      return lease.span_id == task.span_id;
    });
    if (task.claim_token != 0 && task.claim_token == entry.token_before && !renewed) {
      out.leases.push_back({task.span_id, task.claim_token, entry.lease_end_ns, entry.heartbeats});
    }
  }
  for (const Phase& phase : entry.history.phases) {
    store::JournalSpan phase_span = to_span(phase, task);
    const bool known =
        entry.phase_before && entry.phase_before->span.span_id == phase_span.span.span_id;
    if (!known || !same(phase_span, *entry.phase_before))
      out.spans.push_back(std::move(phase_span));
  }
}

// What moved into another trace and is not told of otherwise.
void Transaction::collect_moved(store::WorkTransaction& out) const {
  std::set<otlp::SpanId> told;
  for (const store::JournalSpan& span : out.spans) told.insert(span.span.span_id);
  for (const auto& [id, span] : moved_) {
    if (told.contains(id)) continue;
    out.spans.push_back(span);
    const store::WorkRow* row = view_.index().find(id);
    if (row && row->claim_token != 0) {
      out.leases.push_back({id, row->claim_token, row->lease_end_ns, row->heartbeats});
    }
  }
  out.forwards = forwards_;
}

store::WorkTransaction Transaction::finish() {
  store::WorkTransaction out;
  out.command_id = command_.command_id;
  out.events = std::move(events_);
  for (const Entry* entry : order_) collect(*entry, out);
  collect_moved(out);
  for (const auto& [id, entry] : sprints_) {
    if (!entry->sprint.exists()) continue;
    store::JournalSpan span = to_span(entry->sprint);
    if (!entry->before || !same(span, *entry->before)) out.spans.push_back(std::move(span));
  }
  for (const auto& entry : insights_) {
    if (entry->seq == 0) continue;
    out.spans.push_back(*entry->history.insight);
    for (const store::JournalSpan& fact : entry->history.facts) out.spans.push_back(fact);
  }
  out.leases.insert(out.leases.end(), leases_.begin(), leases_.end());
  return out;
}

}  // namespace contextcore::work
