#include "store/trace_assembly.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "store/snapshot_conditions.h"

namespace contextcore::store {
namespace {

Status join_events(const Snapshot& snapshot, otlp::Span& span) {
  const WorkHooks& hooks = snapshot.head().hooks();
  if (!hooks.event) return {};
  CC_ASSIGN(const std::vector<otlp::LogRecord> records, snapshot.events(span.span_id));
  for (const otlp::LogRecord& record : records) {
    std::optional<otlp::SpanEvent> event = hooks.event(record);
    if (event) span.events.push_back(std::move(*event));
  }
  return {};
}

// row: that of the span in the index, null where it has none.
Status finish_journal_span(const Snapshot& snapshot, const WorkRow* row, bool with_events, AssembledSpan& out) {
  const WorkHooks& hooks = snapshot.head().hooks();
  otlp::Span& span = out.span;
  out.open = span.end_ns == 0;
  std::optional<WorkRow> fallback;
  if (row == nullptr && hooks.compute) row = &fallback.emplace(index_row(hooks, {*out.resource, *out.scope, span, 0}));
  // Of a phase the log tells under its task.
  if (with_events && (row == nullptr || row->kind != WorkKind::phase)) CC_TRY(join_events(snapshot, span));
  if (hooks.compute) hooks.compute(span, *row, snapshot.now_ns());
  if (out.open) {
    span.end_ns = std::max(span.start_ns, static_cast<uint64_t>(snapshot.now_ns()));
  }
  return {};
}

Result<std::vector<SpanRows::Whole>> materialize(const Snapshot& snapshot,
                                                 const std::vector<TraceRow>& rows) {
  std::vector<SpanRows::Whole> wholes(rows.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].in_head) continue;
    CC_ASSIGN(wholes[i], rows[i].rows->materialize(rows[i].row));
  }
  const auto lock = snapshot.head().read_lock();
  for (size_t i = 0; i < rows.size(); ++i) {
    if (!rows[i].in_head) continue;
    CC_ASSIGN(wholes[i], rows[i].rows->materialize(rows[i].row));
  }
  return wholes;
}

class View : public TraceView {
 public:
  View(AssembledTrace trace, const FetchRequest& request)
      : trace_(std::move(trace)),
        columns_(request.columns),
        with_links_(request.with_links),
        with_events_(request.with_events) {
    cores_.reserve(trace_.spans.size());
    for (AssembledSpan& span : trace_.spans) {
      if (span.end_missing) {
        otlp::set(span.span.attributes, kEndMissingKey, true);
        span.span.end_ns = span.span.start_ns;
      }
      cores_.push_back(core_of(span));
    }
  }

  const otlp::TraceId& trace_id() const override { return trace_.id; }
  size_t span_count() const override { return cores_.size(); }
  const SpanCore& core(size_t span) const override { return cores_[span]; }

  Cell cell(size_t span, size_t column) const override {
    const AssembledSpan& at = trace_.spans[span];
    const Column& wanted = columns_[column];
    switch (wanted.scope) {
      case ColumnScope::span:
        return Cell::of(otlp::find(at.span.attributes, wanted.key));
      case ColumnScope::resource:
        return Cell::of(otlp::find(at.resource->attributes, wanted.key));
      case ColumnScope::instrumentation:
        return Cell::of(otlp::find(at.scope->attributes, wanted.key));
      case ColumnScope::event:
      case ColumnScope::link:
        break;  // asked for by event_cell and link_cell
    }
    return {};
  }

  size_t event_count(size_t span) const override {
    return with_events_ ? trace_.spans[span].span.events.size() : 0;
  }
  EventCore event(size_t span, size_t event) const override {
    const otlp::SpanEvent& at = trace_.spans[span].span.events[event];
    return {at.name, static_cast<int64_t>(at.time_ns)};
  }
  Cell event_cell(size_t span, size_t event, size_t column) const override {
    const otlp::SpanEvent& at = trace_.spans[span].span.events[event];
    return Cell::of(otlp::find(at.attributes, columns_[column].key));
  }
  size_t link_count(size_t span) const override {
    return with_links_ ? trace_.spans[span].span.links.size() : 0;
  }
  LinkCore link(size_t span, size_t link) const override {
    const otlp::SpanLink& at = trace_.spans[span].span.links[link];
    return {at.trace_id, at.span_id};
  }
  Cell link_cell(size_t span, size_t link, size_t column) const override {
    const otlp::SpanLink& at = trace_.spans[span].span.links[link];
    return Cell::of(otlp::find(at.attributes, columns_[column].key));
  }

 private:
  static SpanCore core_of(const AssembledSpan& from) {
    SpanCore core;
    core.span_id = from.span.span_id;
    core.parent_span_id = from.span.parent_span_id;
    core.start_ns = static_cast<int64_t>(from.span.start_ns);
    core.end_ns = static_cast<int64_t>(from.span.end_ns);
    core.kind = from.span.kind;
    core.status = from.span.status_code;
    core.open = from.open;
    core.journal = from.journal;
    core.name = from.span.name;
    core.status_message = from.span.status_message;
    core.scope_name = from.scope->name;
    core.scope_version = from.scope->version;
    return core;
  }

  AssembledTrace trace_;
  std::vector<Column> columns_;
  bool with_links_;
  bool with_events_;
  std::vector<SpanCore> cores_;
};

template <typename Group, typename Member>
Group& find_group(std::vector<Group>& groups, Member Group::* member, const Member& wanted) {
  for (Group& group : groups) {
    if (group.*member == wanted) return group;
  }
  groups.emplace_back();
  groups.back().*member = wanted;
  return groups.back();
}

}  // namespace

Result<std::optional<AssembledSpan>> assemble_span(const Snapshot& snapshot, SpanRows::Whole whole,
                                                   bool journal, bool with_events) {
  AssembledSpan span{std::move(whole.resource),
                     std::move(whole.scope),
                     std::move(whole.span),
                     journal,
                     false,
                     false};
  if (journal) {
    const WorkHooks& hooks = snapshot.head().hooks();
    const WorkRow* row = hooks.hidden || hooks.compute ? snapshot.index().find(span.span.span_id) : nullptr;
    const bool hidden = hooks.hidden && row != nullptr && hooks.hidden(*row, snapshot.index());
    CC_TRY(snapshot.table().status());
    if (hidden) return std::optional<AssembledSpan>();
    CC_TRY(finish_journal_span(snapshot, row, with_events, span));
  } else {
    span.end_missing = span.span.end_ns == 0 || span.span.end_ns < span.span.start_ns;
  }
  return std::optional(std::move(span));
}

Result<std::vector<AssembledSpan>> assemble_rows(const Snapshot& snapshot, const std::vector<TraceRow>& rows,
                                                 bool with_events) {
  std::vector<AssembledSpan> spans;
  if (rows.empty()) return spans;
  CC_ASSIGN(std::vector<SpanRows::Whole> wholes, materialize(snapshot, rows));
  spans.reserve(rows.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    CC_ASSIGN(std::optional<AssembledSpan> span,
              assemble_span(snapshot, std::move(wholes[i]), rows[i].journal, with_events));
    if (span) spans.push_back(std::move(*span));
  }
  return spans;
}

Result<AssembledTrace> assemble_trace(const Snapshot& snapshot, const otlp::TraceId& id,
                                      bool with_events) {
  CC_ASSIGN(const std::vector<TraceRow> rows, snapshot.rows_of(id));
  AssembledTrace trace{id, {}};
  CC_ASSIGN(trace.spans, assemble_rows(snapshot, rows, with_events));
  std::sort(trace.spans.begin(), trace.spans.end(),
            [](const AssembledSpan& a, const AssembledSpan& b) {
              return std::tie(a.span.start_ns, a.span.span_id, a.span.kind) <
                     std::tie(b.span.start_ns, b.span.span_id, b.span.kind);
            });
  return trace;
}

otlp::TracesData group_trace(AssembledTrace trace) {
  otlp::TracesData data;
  for (AssembledSpan& span : trace.spans) {
    otlp::ResourceSpans& resource =
        find_group(data.resource_spans, &otlp::ResourceSpans::resource, *span.resource);
    otlp::ScopeSpans& scope =
        find_group(resource.scope_spans, &otlp::ScopeSpans::scope, *span.scope);
    scope.spans.push_back(std::move(span.span));
  }
  return data;
}

std::unique_ptr<TraceView> make_trace_view(AssembledTrace trace, const FetchRequest& request) {
  return std::make_unique<View>(std::move(trace), request);
}

}  // namespace contextcore::store
