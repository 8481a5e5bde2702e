// Received spans of the head: which older rows a request replaces, and its own rows.

#include <algorithm>
#include <deque>
#include <utility>

#include "store/head.h"

namespace contextcore::store {
namespace {

uint64_t identity_hash(const otlp::SpanView& span) {
  static const HashSecret secret = hash_secret();
  const uint64_t trace = hash_id(span.trace_id, secret);
  return mix(trace ^ load_u64(span.span_id.bytes.data()),
             secret.second + 2 * static_cast<uint64_t>(static_cast<uint32_t>(span.kind)));
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
  explicit StoredTraces(const Version& version) : version_(version) {}

  Result<StoredTrace*> find(const otlp::TraceId& id) {
    if (last_ != IdTable::kNone && traces_[last_].id == id) return &traces_[last_];
    const auto is = [&](uint32_t known) { return traces_[known].id == id; };
    last_ = table_.find_or_add(hash_id(id, secret_), static_cast<uint32_t>(traces_.size()), is);
    if (last_ < traces_.size()) return &traces_[last_];
    StoredTrace& trace = traces_.emplace_back(StoredTrace{id, {}, {}});
    for (const uint32_t segment : version_.traces.segments_of(id)) {
      CC_ASSIGN(const std::vector<uint32_t> rows, version_.spans[segment].rows->rows_of_trace(id));
      for (const uint32_t row : rows) trace.places.push_back({segment, row});
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
  const HashSecret& secret_ = hash_secret();
  IdTable table_;
  std::deque<StoredTrace> traces_;
  uint32_t last_ = IdTable::kNone;
};

}  // namespace

bool Head::is_received(uint32_t row, const otlp::SpanView& span) const {
  const SpanRows& rows = *received_.rows;
  return rows.span_id(row) == span.span_id && rows.trace_id(row) == span.trace_id &&
         rows.kind(row) == span.kind;
}

Result<PreparedSpans> Head::prepare_spans(const otlp::TracesView& data) const {
  PreparedSpans prepared;
  const auto runtime = [](const SpanSegment& segment) { return !segment.journal(); };
  if (std::none_of(version_->spans.begin(), version_->spans.end(), runtime)) return prepared;
  StoredTraces traces(*version_);
  for (const otlp::TracesView::ResourceGroup& resource : data.resources()) {
    for (const otlp::TracesView::ScopeGroup& scope : resource.scopes) {
      for (const otlp::SpanView& span : scope.spans) {
        CC_ASSIGN(StoredTrace* trace, traces.find(span.trace_id));
        if (trace->places.empty()) continue;
        const auto is = [&](uint32_t row) { return is_received(row, span); };
        if (received_row_.find(identity_hash(span), is) == IdTable::kNone)
          trace->spans.push_back(&span);
      }
    }
  }
  CC_TRY(traces.replaced(prepared.replaced));
  return prepared;
}

void Head::apply_spans(const otlp::TracesView& data, const PreparedSpans& prepared,
                       uint64_t sequence) {
  const std::unique_lock lock(mutex_);
  mask(prepared.replaced, sequence);
  for (const otlp::TracesView::ResourceGroup& resource : data.resources()) {
    for (const otlp::TracesView::ScopeGroup& scope : resource.scopes) {
      for (const otlp::SpanView& span : scope.spans) {
        const uint32_t row =
            append(received_, resource.resource, scope.scope, span, {sequence, 0, false});
        const uint32_t before = received_row_.exchange(
            identity_hash(span), row, [&](uint32_t known) { return is_received(known, span); });
        if (before != IdTable::kNone) supersede(received_, before, sequence);
      }
    }
  }
}

}  // namespace contextcore::store
