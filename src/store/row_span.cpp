#include "store/row_span.h"

#include <algorithm>
#include <utility>

#include "store/rows_spans.h"
#include "store/snapshot_conditions.h"

namespace contextcore::store {
namespace {

otlp::Value value_of(const Cell& cell) {
  switch (cell.type) {
    case Cell::Type::string:
      return std::string(cell.string);
    case Cell::Type::boolean:
      return cell.boolean;
    case Cell::Type::integer:
      return cell.integer;
    case Cell::Type::real:
      return cell.real;
    default:
      return cell.value != nullptr ? *cell.value : otlp::Value();
  }
}

}  // namespace

RowContext::RowContext(const Snapshot& snapshot, const std::vector<Column>& columns)
    : snapshot_(snapshot), columns_(columns) {
  const auto& keys = hooks().computed_keys;
  for (const Column& column : columns_) {
    computed_.push_back(column.scope == ColumnScope::span &&
                        std::find(keys.begin(), keys.end(), column.key) != keys.end());
  }
}

Result<bool> RowContext::is_hidden(const SpanCore& core) {
  if (!hooks().hidden) return false;
  const WorkTable& table = snapshot_.table();
  if (hooks().hides) {
    if (!hiding_) {
      hiding_ = table.hiding(hooks().hides);
      CC_TRY(table.status());
    }
    if (hiding_->empty()) return false;
    const auto hides = [this](const otlp::SpanId& id) { return hiding_->contains(number_of(id)); };
    if (!hides(core.span_id) && !hides(core.parent_span_id)) return false;
  }
  const WorkRow* row = table.find(core.span_id);
  const bool hidden = row != nullptr && hooks().hidden(*row, table);
  CC_TRY(table.status());
  return hidden;
}

Result<bool> RowSpan::take(RowContext& context, const SpanGroup& group, size_t row, bool journal) {
  group_ = &group;
  row_ = row;
  CC_ASSIGN(core_, group.core(row));
  core_.journal = journal;
  end_missing_ = !journal && (core_.end_ns == 0 || core_.end_ns < core_.start_ns);
  core_.open = journal && core_.end_ns == 0;
  if (end_missing_) core_.end_ns = core_.start_ns;
  if (core_.open) core_.end_ns = std::max(core_.start_ns, context.snapshot().now_ns());
  shown_.reset();
  if (!journal) return true;
  CC_ASSIGN(const bool hidden, context.is_hidden(core_));
  return !hidden;
}

Cell RowSpan::cell(RowContext& context, size_t column, std::deque<otlp::Value>& values) const {
  const Column& wanted = context.columns()[column];
  if (end_missing_ && wanted.scope == ColumnScope::span && wanted.key == kEndMissingKey) {
    Cell cell;
    cell.type = Cell::Type::boolean;
    cell.boolean = true;
    return cell;
  }
  if (core_.journal && context.computed(column) && context.hooks().compute) {
    return Cell::of(otlp::find(shown(context, values).attributes, wanted.key));
  }
  return stored(context, column, values);
}

Cell RowSpan::stored(RowContext& context, size_t column, std::deque<otlp::Value>& values) const {
  Result<Cell> cell = group_->cell(row_, column, values);
  if (cell.ok()) return *cell;
  context.keep(cell.status());
  return {};
}

const otlp::Span& RowSpan::shown(RowContext& context, std::deque<otlp::Value>& values) const {
  if (shown_ != nullptr) return *shown_;
  shown_ = std::make_unique<otlp::Span>();
  shown_->span_id = core_.span_id;
  shown_->start_ns = static_cast<uint64_t>(core_.start_ns);
  shown_->end_ns = core_.open ? 0 : static_cast<uint64_t>(core_.end_ns);
  for (size_t i = 0; i < context.columns().size(); ++i) {
    if (!context.computed(i)) continue;
    const Cell cell = stored(context, i, values);
    if (cell.type != Cell::Type::nil)
      otlp::set(shown_->attributes, context.columns()[i].key, value_of(cell));
  }
  const WorkRow* row = context.snapshot().index().find(core_.span_id);
  if (row != nullptr) {
    context.hooks().compute(*shown_, *row, context.snapshot().now_ns());
  } else {
    context.keep(context.snapshot().table().status());
  }
  return *shown_;
}

}  // namespace contextcore::store
