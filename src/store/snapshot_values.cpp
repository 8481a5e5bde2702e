// Names and values of attributes, as autocompletion asks for them: from columns, with what the work
// room hides or computes when a span is read seen to row by row, without putting spans together.

#include <algorithm>
#include <set>
#include <utility>

#include "store/column_match.h"
#include "store/snapshot.h"
#include "store/snapshot_conditions.h"
#include "store/trace_assembly.h"

namespace contextcore::store {
namespace {

// Events of work spans lie in the log: so many of the newest traces are looked at for them.
constexpr size_t kEventTraces = 200;

bool is_all_time(const TimeRange& range) {
  return range.start_ns == INT64_MIN && range.end_ns == INT64_MAX;
}

// What the work room says of a key on one row.
struct Computed {
  const otlp::Value* value = nullptr;  // nullptr: the span does not show the key
  bool stored = false;                 // it shows what is stored; value means nothing
};

class Rows {
 public:
  Rows(const Snapshot& snapshot, const SpanRows& rows, bool journal)
      : snapshot_(snapshot), hooks_(snapshot.head().hooks()), rows_(rows), journal_(journal) {}

  // The rows of the selection among those that visible (a Status of a RowSet) leaves.
  template <typename Visible>
  Result<RowSet> select(const SpanSelection& selection, const Visible& visible) const {
    FetchRequest request;
    request.conditions = selection.conditions;
    request.all_conditions = true;
    CC_ASSIGN(RowSet out, match_conditions(rows_, journal_, hooks_, request));
    if (!is_all_time(selection.range)) {
      CC_ASSIGN(const RowSet overlapping, rows_.overlap(selection.range));
      out &= overlapping;
    }
    CC_TRY(visible(out));
    if (!journal_) return out;
    CC_TRY(drop_hidden(out));
    for (const Condition& condition : selection.conditions) {
      if (is_key_computed(condition)) CC_TRY(keep_passing(condition, out));
    }
    return out;
  }

  Status names(const RowSet& chosen, const std::function<void(const Column&)>& each) const {
    std::set<std::string> stored;  // of the keys that may be computed
    CC_TRY(rows_.attributes(chosen, [&](const Column& column) {
      if (journal_ && column.scope == ColumnScope::span && is_computed_key(column.key)) {
        stored.insert(column.key);
      } else {
        each(column);
      }
    }));
    if (!journal_ || !hooks_.compute) return {};
    std::vector<std::string> wanted = hooks_.computed_keys;
    return for_each_computed(chosen, [&](size_t, const otlp::Span& span) {
      std::erase_if(wanted, [&](const std::string& key) {
        const Computed found = shown(span, key);
        if (found.stored ? !stored.contains(key) : found.value == nullptr) return false;
        each({ColumnScope::span, key});
        return true;
      });
      return !wanted.empty();
    });
  }

  Result<bool> values(SpanField field, const Column& column, const RowSet& chosen,
                      const std::function<bool(const Cell&)>& each) const {
    const bool computed = journal_ && hooks_.compute && field == SpanField::attribute &&
                          column.scope == ColumnScope::span && is_computed_key(column.key);
    if (!computed) return rows_.values(field, column, chosen, each);
    RowSet stored(rows_.size());
    bool more = true;
    CC_TRY(for_each_computed(chosen, [&](size_t row, const otlp::Span& span) {
      const Computed found = shown(span, column.key);
      if (found.stored) stored.set(row);
      if (!found.stored && found.value != nullptr) more = each(Cell::of(found.value));
      return more;
    }));
    if (!more) return false;
    return rows_.values(field, column, stored, each);
  }

 private:
  // Stands for the stored value where compute leaves it alone.
  static const otlp::Value& mark() {
    static const otlp::Value kMark(std::string("\x01stored"));
    return kMark;
  }

  static Computed shown(const otlp::Span& span, const std::string& key) {
    const otlp::Value* value = otlp::find(span.attributes, key);
    return {value, value != nullptr && *value == mark()};
  }

  bool is_computed_key(std::string_view key) const {
    return std::find(hooks_.computed_keys.begin(), hooks_.computed_keys.end(), key) !=
           hooks_.computed_keys.end();
  }

  bool is_key_computed(const Condition& condition) const {
    return hooks_.compute && condition.field == SpanField::attribute &&
           condition.column.scope == ColumnScope::span && is_computed_key(condition.column.key);
  }

  Status drop_hidden(RowSet& out) const {
    if (!hooks_.hidden) return {};
    std::vector<size_t> hidden;
    out.for_each([&](size_t row) {
      const WorkRow* found = snapshot_.index().find(rows_.span_id(row));
      if (found != nullptr && hooks_.hidden(*found, snapshot_.index())) hidden.push_back(row);
    });
    for (const size_t row : hidden) out.clear(row);
    return snapshot_.table().status();
  }

  // Calls fn(row, span) for each chosen row, span having what compute makes of marks, until it
  // returns false.
  template <typename Fn>
  Status for_each_computed(const RowSet& chosen, const Fn& fn) const {
    bool more = true;
    chosen.for_each([&](size_t row) {
      if (!more) return;
      const WorkRow* found = snapshot_.index().find(rows_.span_id(row));
      if (found == nullptr) return;
      otlp::Span span;
      span.start_ns = static_cast<uint64_t>(rows_.start_ns(row));
      span.end_ns = static_cast<uint64_t>(rows_.end_ns(row));
      for (const std::string& key : hooks_.computed_keys) span.attributes.push_back({key, mark()});
      hooks_.compute(span, *found, snapshot_.now_ns());
      more = fn(row, span);
    });
    return snapshot_.table().status();
  }

  Status keep_passing(const Condition& condition, RowSet& out) const {
    CC_ASSIGN(const Predicate predicate, Predicate::compile(condition.op, condition.operands));
    CC_ASSIGN(const RowSet stored, rows_.match(condition));
    RowSet passing(rows_.size());
    CC_TRY(for_each_computed(out, [&](size_t row, const otlp::Span& span) {
      const Computed found = shown(span, condition.column.key);
      const bool passes =
          found.stored ? stored.test(row) : found.value != nullptr && predicate.test(*found.value);
      if (passes) passing.set(row);
      return true;
    }));
    out = std::move(passing);
    return {};
  }

  const Snapshot& snapshot_;
  const WorkHooks& hooks_;
  const SpanRows& rows_;
  bool journal_;
};

// Calls fn(rows, chosen) for each batch until it returns false; Result<bool> fn.
template <typename Fn>
Status for_each_batch(const Snapshot& snapshot, const SpanSelection& selection, const Fn& fn) {
  const Head& head = snapshot.head();
  CC_TRY(head.settle());
  for (const SpanSegment& segment : snapshot.version().spans) {
    if (!snapshot.sees(segment.info)) continue;
    const Rows rows(snapshot, *segment.rows, segment.journal());
    CC_ASSIGN(const RowSet chosen, rows.select(selection, [&](RowSet& out) {
      return snapshot.keep_visible(segment, out);
    }));
    CC_TRY(segment.rows->status());
    CC_ASSIGN(const bool more, fn(rows, chosen));
    if (!more) return {};
  }
  const auto lock = head.read_lock();
  for (const bool journal : {true, false}) {
    if (!snapshot.sees(journal)) continue;
    const Rows rows(snapshot, head.spans(journal), journal);
    CC_ASSIGN(const RowSet chosen, rows.select(selection, [&](RowSet& out) {
      return snapshot.keep_visible_in_head(journal, out);
    }));
    CC_ASSIGN(const bool more, fn(rows, chosen));
    if (!more) return {};
  }
  return {};
}

// Calls fn for events of work spans of the newest traces of the selection until it returns false.
Status for_each_work_event(const Snapshot& snapshot, const SpanSelection& selection,
                           const std::function<bool(const otlp::SpanEvent&)>& fn) {
  if (!snapshot.head().hooks().event || snapshot.index().size() == 0 || !snapshot.sees(true)) return {};
  FetchRequest request;
  request.range = selection.range;
  request.conditions = selection.conditions;
  request.all_conditions = true;
  CC_ASSIGN(const auto traces, snapshot.fetch(request));
  for (size_t i = 0; i < kEventTraces; ++i) {
    CC_ASSIGN(const TraceView* view, traces->next());
    if (view == nullptr) return {};
    CC_ASSIGN(const AssembledTrace trace, assemble_trace(snapshot, view->trace_id(), true));
    for (const AssembledSpan& span : trace.spans) {
      if (!span.journal) continue;
      for (const otlp::SpanEvent& event : span.span.events) {
        if (!fn(event)) return {};
      }
    }
  }
  return {};
}

}  // namespace

Result<std::vector<Column>> Snapshot::attributes(const SpanSelection& selection) const {
  std::vector<Column> columns;
  std::set<std::pair<ColumnScope, std::string>> seen;
  const auto add = [&](const Column& column) {
    if (seen.emplace(column.scope, column.key).second) columns.push_back(column);
  };
  const auto add_names = [&](const Rows& rows, const RowSet& chosen) -> Result<bool> {
    CC_TRY(rows.names(chosen, add));
    return true;
  };
  const Status status = for_each_batch(*this, selection, add_names);
  if (!status.ok()) return status.error();
  CC_TRY(for_each_work_event(*this, selection, [&](const otlp::SpanEvent& event) {
    for (const otlp::KeyValue& attribute : event.attributes) {
      add({ColumnScope::event, attribute.key});
    }
    return true;
  }));
  return columns;
}

Status Snapshot::values(const SpanSelection& selection, SpanField field, const Column& column,
                        const std::function<bool(const Cell&)>& each) const {
  bool more = true;
  CC_TRY(for_each_batch(*this, selection, [&](const Rows& rows, const RowSet& chosen) {
    Result<bool> result = rows.values(field, column, chosen, each);
    more = result.ok() && *result;
    return result;
  }));
  const bool of_event = field == SpanField::attribute && column.scope == ColumnScope::event;
  if (!more || (field != SpanField::event_name && !of_event)) return {};
  return for_each_work_event(*this, selection, [&](const otlp::SpanEvent& event) {
    if (!of_event) {
      const otlp::Value name(event.name);
      return each(Cell::of(&name));
    }
    const otlp::Value* value = otlp::find(event.attributes, column.key);
    return value == nullptr || each(Cell::of(value));
  });
}

}  // namespace contextcore::store
