#include "store/column_attributes.h"

#include <bit>
#include <cstring>

#include "store/column_value.h"

namespace contextcore::store {
namespace {

ColumnType type_of(const otlp::Value& value) {
  if (value.as_string() != nullptr) return ColumnType::string;
  if (value.as_int() != nullptr) return ColumnType::integer;
  if (value.as_bool() != nullptr) return ColumnType::boolean;
  if (value.as_double() != nullptr) return ColumnType::real;
  return ColumnType::encoded;
}

std::string_view bytes_of(const std::vector<uint32_t>& shape) {
  return {reinterpret_cast<const char*>(shape.data()), shape.size() * sizeof(uint32_t)};
}

}  // namespace

uint32_t AttributeTable::column_of(size_t position, std::string_view key, ColumnType type) {
  if (position < last_shape_.size() && last_shape_[position] != kShapeOverflow) {
    const Column& guess = columns_[last_shape_[position]];
    if (guess.values.type() == type && guess.key == key) return last_shape_[position];
  }
  return find_or_add(key, type);
}

uint32_t AttributeTable::find_or_add(std::string_view key, ColumnType type) {
  key_buffer_.assign(1, static_cast<char>('0' + static_cast<int>(type)));
  key_buffer_ += key;
  if (const auto found = index_.find(key_buffer_); found != index_.end()) return found->second;
  if (columns_.size() >= kAttributeColumnsMax) return kShapeOverflow;
  const auto index = static_cast<uint32_t>(columns_.size());
  columns_.push_back({std::string(key), ColumnBuilder(type)});
  index_.emplace(key_buffer_, index);
  return index;
}

void AttributeTable::append_value(Column& column, const otlp::Value& value) {
  column.last_row = rows_;
  switch (column.values.type()) {
    case ColumnType::string:
      column.values.append(rows_, std::string_view(*value.as_string()));
      break;
    case ColumnType::boolean:
      column.values.append(rows_, uint64_t{*value.as_bool()});
      break;
    case ColumnType::integer:
      column.values.append(rows_, static_cast<uint64_t>(*value.as_int()));
      break;
    case ColumnType::real:
      column.values.append(rows_, std::bit_cast<uint64_t>(*value.as_double()));
      break;
    case ColumnType::encoded:
      value_buffer_.clear();
      encode_value(value, value_buffer_);
      column.values.append(rows_, std::string_view(value_buffer_));
      break;
  }
}

void AttributeTable::append(const otlp::Attributes& attributes) {
  if (attributes.empty()) {
    ++rows_;
    return;
  }
  shape_.clear();
  otlp::Attributes rest;
  for (const otlp::KeyValue& attribute : attributes) {
    uint32_t column = column_of(shape_.size(), attribute.key, type_of(attribute.value));
    if (column != kShapeOverflow && columns_[column].last_row == rows_) column = kShapeOverflow;
    if (column == kShapeOverflow) {
      rest.push_back(attribute);
    } else {
      append_value(columns_[column], attribute.value);
    }
    shape_.push_back(column);
  }
  shapes_.append(rows_, bytes_of(shape_));
  if (!rest.empty()) {
    value_buffer_.clear();
    encode_attributes(rest, value_buffer_);
    overflow_.append(rows_, std::string_view(value_buffer_));
  }
  last_shape_.swap(shape_);
  ++rows_;
}

uint64_t AttributeTable::memory_bytes() const {
  uint64_t bytes = shapes_.memory_bytes() + overflow_.memory_bytes();
  for (const Column& column : columns_)
    bytes += column.values.memory_bytes() + 2 * column.key.size() + 96;
  return bytes;
}

bool value_at(const ColumnView& view, size_t i, otlp::Value& out) {
  switch (view.type) {
    case ColumnType::string:
      out.data.emplace<std::string>(view.string(i));
      return true;
    case ColumnType::boolean:
      out.data = view.numbers[i] != 0;
      return true;
    case ColumnType::integer:
      out.data = static_cast<int64_t>(view.numbers[i]);
      return true;
    case ColumnType::real:
      out.data = std::bit_cast<double>(view.numbers[i]);
      return true;
    case ColumnType::encoded:
      break;
  }
  ByteReader reader(view.string(i));
  return decode_value(reader, out) && reader.at_end();
}

Status read_attributes(const ColumnSource& source, size_t table, const ColumnView& shapes,
                       size_t overflow_column, size_t row, otlp::Attributes& out) {
  out.clear();
  const std::string_view shape = shapes.string_of(row);
  if (shape.size() % sizeof(uint32_t) != 0)
    return source.damaged("an attribute shape of odd length");
  otlp::Attributes rest;
  size_t rest_used = 0;
  out.resize(shape.size() / sizeof(uint32_t));
  for (size_t i = 0; i < out.size(); ++i) {
    uint32_t column = 0;
    std::memcpy(&column, shape.data() + i * sizeof(uint32_t), sizeof(uint32_t));
    if (column == kShapeOverflow) {
      if (rest.empty()) {
        CC_ASSIGN(const ColumnView overflow, source.fixed(overflow_column));
        ByteReader reader(overflow.string_of(row));
        if (!decode_attributes(reader, rest))
          return source.damaged("an attribute overflow list that does not parse");
      }
      if (rest_used == rest.size())
        return source.damaged("an attribute overflow list that is too short");
      out[i] = std::move(rest[rest_used++]);
      continue;
    }
    if (column >= source.attribute_count(table))
      return source.damaged("a shape that names no column");
    CC_ASSIGN(const ColumnView view, source.attribute(table, column));
    const size_t at = view.find(row);
    if (at == ColumnView::npos)
      return source.damaged("a shape that names a column without a value");
    out[i].key = source.attribute_info(table, column).key;
    if (!value_at(view, at, out[i].value))
      return source.damaged("an attribute value that does not parse");
  }
  return {};
}

}  // namespace contextcore::store
