#include "store/segment_cursor.h"

#include <bit>

#include "store/column_value.h"

namespace contextcore::store {

Status SegmentCursor::load(size_t group) {
  static constexpr std::array<SpanColumn, kFixedCount> kColumns = {
      SpanColumn::trace_id,    SpanColumn::span_id,  SpanColumn::parent_span_id,
      SpanColumn::start,       SpanColumn::duration, SpanColumn::kind,
      SpanColumn::status_code, SpanColumn::name,     SpanColumn::status_message,
      SpanColumn::resource,    SpanColumn::scope,    SpanColumn::overflow};
  group_ = rows_.group(group);
  first_ = rows_.file().first_row(group);
  end_ = rows_.file().first_row(group + 1);
  for (size_t i = 0; i < kFixedCount; ++i) {
    CC_ASSIGN(fixed_[i], group_->fixed(static_cast<size_t>(kColumns[i])));
  }
  attributes_.assign(columns_.size(), {});
  for (size_t i = 0; i < group_->attribute_count(kSpanTable); ++i) {
    const ColumnSource::AttributeInfo info = group_->attribute_info(kSpanTable, i);
    for (size_t column = 0; column < columns_.size(); ++column) {
      if (columns_[column].scope != ColumnScope::span || columns_[column].key != info.key) continue;
      CC_ASSIGN(const ColumnView view, group_->attribute(kSpanTable, i));
      attributes_[column].push_back(view);
    }
  }
  return {};
}

Status SegmentCursor::seek(size_t row) {
  if (group_ == nullptr || row < first_ || row >= end_) CC_TRY(load(rows_.file().group_of(row)));
  row_ = row - first_;
  values_.clear();
  if (const uint64_t number = fixed_[kResource].number_of(row_); number != resource_number_) {
    CC_ASSIGN(resource_, rows_.resources().at(number));
    resource_number_ = number;
  }
  if (const uint64_t number = fixed_[kScope].number_of(row_); number != scope_number_) {
    CC_ASSIGN(scope_, rows_.scopes().at(number));
    scope_number_ = number;
  }
  core_.span_id = span_id_of(fixed_[kSpanId].number_of(row_));
  core_.parent_span_id = span_id_of(fixed_[kParent].number_of(row_));
  core_.start_ns = static_cast<int64_t>(fixed_[kStart].number_of(row_));
  const size_t duration = fixed_[kDuration].find(row_);
  core_.end_ns = duration == ColumnView::npos
                     ? 0
                     : core_.start_ns + static_cast<int64_t>(fixed_[kDuration].numbers[duration]);
  core_.kind = static_cast<otlp::SpanKind>(static_cast<int32_t>(fixed_[kKind].number_of(row_)));
  core_.status =
      static_cast<otlp::StatusCode>(static_cast<int32_t>(fixed_[kStatus].number_of(row_)));
  core_.name = fixed_[kName].string_of(row_);
  core_.status_message = fixed_[kMessage].string_of(row_);
  core_.scope_name = scope_->name;
  core_.scope_version = scope_->version;
  return {};
}

Result<Cell> SegmentCursor::value_cell(const ColumnView& view, size_t at) {
  Cell cell;
  switch (view.type) {
    case ColumnType::string:
      cell.type = Cell::Type::string;
      cell.string = view.string(at);
      return cell;
    case ColumnType::boolean:
      cell.type = Cell::Type::boolean;
      cell.boolean = view.numbers[at] != 0;
      return cell;
    case ColumnType::integer:
      cell.type = Cell::Type::integer;
      cell.integer = static_cast<int64_t>(view.numbers[at]);
      return cell;
    case ColumnType::real:
      cell.type = Cell::Type::real;
      cell.real = std::bit_cast<double>(view.numbers[at]);
      return cell;
    case ColumnType::encoded:
      break;
  }
  otlp::Value& value = values_.emplace_back();
  ByteReader reader(view.string(at));
  if (!decode_value(reader, value)) return group_->damaged("a value that does not parse");
  return Cell::of(&value);
}

Result<Cell> SegmentCursor::span_cell(size_t column) {
  const ColumnView* found = nullptr;
  size_t at = ColumnView::npos;
  for (const ColumnView& view : attributes_[column]) {
    const size_t here = view.find(row_);
    if (here == ColumnView::npos) continue;
    if (found != nullptr) {
      // The key twice, with two types: the order of the attributes tells which counts.
      otlp::Attributes attributes;
      CC_ASSIGN(const ColumnView shapes, group_->fixed(static_cast<size_t>(SpanColumn::shape)));
      CC_TRY(read_attributes(*group_, kSpanTable, shapes, static_cast<size_t>(SpanColumn::overflow),
                             row_, attributes));
      const otlp::Value* value = otlp::find(attributes, columns_[column].key);
      if (value == nullptr) return Cell{};
      return Cell::of(&values_.emplace_back(*value));
    }
    found = &view;
    at = here;
  }
  if (found != nullptr) return value_cell(*found, at);
  at = fixed_[kOverflow].find(row_);
  if (at == ColumnView::npos) return Cell{};
  otlp::Attributes attributes;
  ByteReader reader(fixed_[kOverflow].string(at));
  if (!decode_attributes(reader, attributes)) {
    return group_->damaged("an attribute overflow list that does not parse");
  }
  const otlp::Value* value = otlp::find(attributes, columns_[column].key);
  if (value == nullptr) return Cell{};
  return Cell::of(&values_.emplace_back(*value));
}

Result<Cell> SegmentCursor::cell(size_t column) {
  switch (columns_[column].scope) {
    case ColumnScope::span:
      return span_cell(column);
    case ColumnScope::resource:
      return Cell::of(otlp::find(resource_->attributes, columns_[column].key));
    case ColumnScope::instrumentation:
      return Cell::of(otlp::find(scope_->attributes, columns_[column].key));
    case ColumnScope::event:
    case ColumnScope::link:
      break;  // not read one by one
  }
  return Cell{};
}

}  // namespace contextcore::store
