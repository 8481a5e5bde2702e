// Received spans of the head: which older rows a request replaces, and its own rows.

#include <algorithm>
#include <deque>
#include <utility>

#include "store/head.h"

namespace contextcore::store {
namespace {

uint64_t identity_hash(uint32_t tenant, const otlp::SpanView& span) {
  static const HashSecret secret = hash_secret();
  const uint64_t trace = hash_id(span.trace_id, secret);
  const uint64_t rest = static_cast<uint64_t>(tenant) << 32 | static_cast<uint32_t>(span.kind);
  return mix(trace ^ load_u64(span.span_id.bytes.data()), secret.second + 2 * rest);
}

// A trace of a request: its spans that the head does not have, and the rows that files, or a head that
// is being cut, have of it.
struct StoredTrace {
  otlp::TraceId id;
  std::vector<Version::Place> places;
  std::vector<const otlp::SpanView*> spans;
};

class StoredTraces {
 public:
  StoredTraces(const Version& version, uint32_t tenant)
      : version_(version), tenant_(tenant), only_(TenantSet::of(tenant)) {}

  Result<StoredTrace*> find(const otlp::TraceId& id) {
    if (last_ != IdTable::kNone && traces_[last_].id == id) return &traces_[last_];
    const auto is = [&](uint32_t known) { return traces_[known].id == id; };
    last_ = table_.find_or_add(hash_id(id, secret_), static_cast<uint32_t>(traces_.size()), is);
    if (last_ < traces_.size()) return &traces_[last_];
    StoredTrace& trace = traces_.emplace_back(StoredTrace{id, {}, {}});
    for (const uint32_t segment : version_.traces.segments_of(id)) {
      const SpanSegment& in = version_.spans[segment];
      if (!only_.contains_any(in.info.tenants)) continue;
      CC_ASSIGN(const std::vector<uint32_t> rows, in.rows->rows_of_trace(id));
      const bool shared = !only_.contains_all(in.info.tenants);
      for (const uint32_t row : rows) {
        if (!shared || in.rows->tenant(row) == tenant_) trace.places.push_back({segment, row});
      }
      if (shared) CC_TRY(in.rows->status());
    }
    return &trace;
  }

  // The rows that the spans replace. Looks at each stored row once, however many spans a trace that
  // goes on growing has by now.
  Status replaced(std::vector<Version::Place>& out) const {
    for (const StoredTrace& trace : traces_) {
      if (trace.spans.empty()) continue;
      IdTable wanted;
      for (uint32_t i = 0; i < trace.spans.size(); ++i) {
        const otlp::SpanView& span = *trace.spans[i];
        wanted.find_or_add(hash_id(span.span_id, secret_), i, [&](uint32_t known) {
          return trace.spans[known]->span_id == span.span_id &&
                 trace.spans[known]->kind == span.kind;
        });
      }
      for (const Version::Place& place : trace.places) {
        const SpanSegment& segment = version_.spans[place.segment];
        const otlp::SpanId id = segment.rows->span_id(place.row);
        const uint32_t span = wanted.find(hash_id(id, secret_), [&](uint32_t known) {
          return trace.spans[known]->span_id == id &&
                 trace.spans[known]->kind == segment.rows->kind(place.row);
        });
        if (span != IdTable::kNone && !segment.masked(place.row)) out.push_back(place);
      }
      // A row that could not be read might have been one of them.
      uint32_t checked = IdTable::kNone;
      for (const Version::Place& place : trace.places) {
        if (std::exchange(checked, static_cast<uint32_t>(place.segment)) == place.segment) continue;
        CC_TRY(version_.spans[place.segment].rows->status());
      }
    }
    return {};
  }

 private:
  const Version& version_;
  const uint32_t tenant_;
  const TenantSet only_;
  const HashSecret& secret_ = hash_secret();
  IdTable table_;
  std::deque<StoredTrace> traces_;
  uint32_t last_ = IdTable::kNone;
};

}  // namespace

bool Head::is_received(uint32_t row, uint32_t tenant, const otlp::SpanView& span) const {
  const SpanRows& rows = *received_.rows;
  return rows.span_id(row) == span.span_id && rows.trace_id(row) == span.trace_id &&
         rows.kind(row) == span.kind && rows.tenant(row) == tenant;
}

Result<PreparedSpans> Head::prepare_spans(uint32_t tenant, const otlp::TracesView& data) const {
  PreparedSpans prepared;
  const auto runtime = [](const SpanSegment& segment) { return !segment.journal(); };
  if (std::none_of(version_->spans.begin(), version_->spans.end(), runtime)) return prepared;
  StoredTraces traces(*version_, tenant);
  for (const otlp::TracesView::ResourceGroup& resource : data.resources()) {
    for (const otlp::TracesView::ScopeGroup& scope : resource.scopes) {
      for (const otlp::SpanView& span : scope.spans) {
        CC_ASSIGN(StoredTrace* trace, traces.find(span.trace_id));
        if (trace->places.empty()) continue;
        const auto is = [&](uint32_t row) { return is_received(row, tenant, span); };
        if (received_row_.find(identity_hash(tenant, span), is) == IdTable::kNone)
          trace->spans.push_back(&span);
      }
    }
  }
  CC_TRY(traces.replaced(prepared.replaced));
  return prepared;
}

void Head::apply_spans(uint32_t tenant, const otlp::TracesView& data, const PreparedSpans& prepared,
                       uint64_t sequence) {
  const std::unique_lock lock(mutex_);
  span_rows_[tenant] += data.span_count();
  mask(prepared.replaced, sequence);
  for (const otlp::TracesView::ResourceGroup& resource : data.resources()) {
    for (const otlp::TracesView::ScopeGroup& scope : resource.scopes) {
      for (const otlp::SpanView& span : scope.spans) {
        const uint32_t row =
            append(received_, resource.resource, scope.scope, span, {sequence, 0, false, tenant});
        const uint32_t before = received_row_.exchange(
            identity_hash(tenant, span), row,
            [&](uint32_t known) { return is_received(known, tenant, span); });
        if (before != IdTable::kNone) supersede(received_, before, sequence);
      }
    }
  }
}

}  // namespace contextcore::store
