#include "store/span_group.h"

#include <bit>

#include "store/column_value.h"

namespace contextcore::store {

Result<std::shared_ptr<const SpanGroup>> SegmentSpanGroup::open(const SegmentRows& rows, size_t group,
                                                                const std::vector<Column>& columns) {
  std::shared_ptr<SegmentSpanGroup> opened(new SegmentSpanGroup(rows, columns));
  CC_TRY(opened->load(group));
  return std::shared_ptr<const SpanGroup>(std::move(opened));
}

Status SegmentSpanGroup::load(size_t group) {
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

Result<const otlp::Resource*> SegmentSpanGroup::resource(size_t at) const {
  if (const uint64_t number = fixed_[kResource].number_of(at); number != resource_.number) {
    CC_ASSIGN(resource_.object, rows_.resources().at(number));
    resource_.number = number;
  }
  return resource_.object.get();
}

Result<const otlp::Scope*> SegmentSpanGroup::scope(size_t at) const {
  if (const uint64_t number = fixed_[kScope].number_of(at); number != scope_.number) {
    CC_ASSIGN(scope_.object, rows_.scopes().at(number));
    scope_.number = number;
  }
  return scope_.object.get();
}

Result<SpanCore> SegmentSpanGroup::core(size_t row) const {
  const size_t at = row - first_;
  SpanCore core;
  core.span_id = span_id_of(fixed_[kSpanId].number_of(at));
  core.parent_span_id = span_id_of(fixed_[kParent].number_of(at));
  core.start_ns = static_cast<int64_t>(fixed_[kStart].number_of(at));
  const size_t duration = fixed_[kDuration].find(at);
  core.end_ns = duration == ColumnView::npos
                    ? 0
                    : core.start_ns + static_cast<int64_t>(fixed_[kDuration].numbers[duration]);
  core.kind = static_cast<otlp::SpanKind>(static_cast<int32_t>(fixed_[kKind].number_of(at)));
  core.status = static_cast<otlp::StatusCode>(static_cast<int32_t>(fixed_[kStatus].number_of(at)));
  core.name = fixed_[kName].string_of(at);
  core.status_message = fixed_[kMessage].string_of(at);
  CC_ASSIGN(const otlp::Scope* scope, this->scope(at));  // the segment keeps it
  core.scope_name = scope->name;
  core.scope_version = scope->version;
  return core;
}

Result<Cell> SegmentSpanGroup::value_cell(const ColumnView& view, size_t index,
                                          std::deque<otlp::Value>& values) const {
  Cell cell;
  switch (view.type) {
    case ColumnType::string:
      cell.type = Cell::Type::string;
      cell.string = view.string(index);
      return cell;
    case ColumnType::boolean:
      cell.type = Cell::Type::boolean;
      cell.boolean = view.numbers[index] != 0;
      return cell;
    case ColumnType::integer:
      cell.type = Cell::Type::integer;
      cell.integer = static_cast<int64_t>(view.numbers[index]);
      return cell;
    case ColumnType::real:
      cell.type = Cell::Type::real;
      cell.real = std::bit_cast<double>(view.numbers[index]);
      return cell;
    case ColumnType::encoded:
      break;
  }
  otlp::Value& value = values.emplace_back();
  ByteReader reader(view.string(index));
  if (!decode_value(reader, value)) return group_->damaged("a value that does not parse");
  return Cell::of(&value);
}

Result<Cell> SegmentSpanGroup::span_cell(size_t at, size_t column,
                                         std::deque<otlp::Value>& values) const {
  const ColumnView* found = nullptr;
  size_t index = ColumnView::npos;
  for (const ColumnView& view : attributes_[column]) {
    const size_t here = view.find(at);
    if (here == ColumnView::npos) continue;
    if (found != nullptr) {
      // The key twice, with two types: the order of the attributes tells which counts.
      otlp::Attributes attributes;
      CC_ASSIGN(const ColumnView shapes, group_->fixed(static_cast<size_t>(SpanColumn::shape)));
      CC_TRY(read_attributes(*group_, kSpanTable, shapes, static_cast<size_t>(SpanColumn::overflow),
                             at, attributes));
      const otlp::Value* value = otlp::find(attributes, columns_[column].key);
      if (value == nullptr) return Cell{};
      return Cell::of(&values.emplace_back(*value));
    }
    found = &view;
    index = here;
  }
  if (found != nullptr) return value_cell(*found, index, values);
  index = fixed_[kOverflow].find(at);
  if (index == ColumnView::npos) return Cell{};
  otlp::Attributes attributes;
  ByteReader reader(fixed_[kOverflow].string(index));
  if (!decode_attributes(reader, attributes)) {
    return group_->damaged("an attribute overflow list that does not parse");
  }
  const otlp::Value* value = otlp::find(attributes, columns_[column].key);
  if (value == nullptr) return Cell{};
  return Cell::of(&values.emplace_back(*value));
}

Result<Cell> SegmentSpanGroup::cell(size_t row, size_t column, std::deque<otlp::Value>& values) const {
  const size_t at = row - first_;
  switch (columns_[column].scope) {
    case ColumnScope::span:
      return span_cell(at, column, values);
    case ColumnScope::resource: {
      CC_ASSIGN(const otlp::Resource* resource, this->resource(at));
      return Cell::of(otlp::find(resource->attributes, columns_[column].key));
    }
    case ColumnScope::instrumentation: {
      CC_ASSIGN(const otlp::Scope* scope, this->scope(at));
      return Cell::of(otlp::find(scope->attributes, columns_[column].key));
    }
    case ColumnScope::event:
    case ColumnScope::link:
      break;  // not read one by one
  }
  return Cell{};
}

}  // namespace contextcore::store
