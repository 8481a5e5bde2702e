#include "store/column_attributes.h"

#include <bit>
#include <cstring>

#include "store/column_value.h"

namespace contextcore::store {
namespace {

ColumnType type_of(const otlp::AttributeView& attribute) {
  switch (attribute.type) {
    case otlp::AttributeView::Type::string:
      return ColumnType::string;
    case otlp::AttributeView::Type::integer:
      return ColumnType::integer;
    case otlp::AttributeView::Type::boolean:
      return ColumnType::boolean;
    case otlp::AttributeView::Type::real:
      return ColumnType::real;
    case otlp::AttributeView::Type::other:
      break;
  }
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

void AttributeTable::append_value(Column& column, const otlp::AttributeView& attribute,
                                  uint32_t hash) {
  switch (attribute.type) {
    case otlp::AttributeView::Type::string:
      column.values.append(rows_, attribute.text, hash);
      break;
    case otlp::AttributeView::Type::boolean:
    case otlp::AttributeView::Type::integer:
    case otlp::AttributeView::Type::real:
      column.values.append(rows_, attribute.bits);
      break;
    case otlp::AttributeView::Type::other:
      value_buffer_.clear();
      encode_value(*attribute.value, value_buffer_);
      column.values.append(rows_, std::string_view(value_buffer_));
      break;
  }
}

void AttributeTable::append(const otlp::Attributes& attributes) {
  views_.clear();
  for (const otlp::KeyValue& attribute : attributes) views_.push_back(otlp::view_of(attribute));
  append(otlp::AttributesView(views_));
}

void AttributeTable::append(otlp::AttributesView attributes) {
  if (attributes.empty()) {
    ++rows_;
    return;
  }
  shape_.clear();
  hashes_.assign(attributes.size(), 0);
  otlp::Attributes rest;
  // Memory that the values of all columns need is on its way before the first is appended.
  for (size_t i = 0; i < attributes.size(); ++i) {
    const otlp::AttributeView& attribute = attributes[i];
    uint32_t number = column_of(shape_.size(), attribute.key, type_of(attribute));
    if (number != kShapeOverflow && columns_[number].last_row == rows_) number = kShapeOverflow;
    shape_.push_back(number);
    if (number == kShapeOverflow) {
      rest.push_back({std::string(attribute.key), otlp::value_of(attribute)});
      continue;
    }
    Column& column = columns_[number];
    column.last_row = rows_;
    if (column.values.type() != ColumnType::string) continue;
    hashes_[i] = StringPool::hash_of(attribute.text);
    column.values.pool().prefetch(hashes_[i]);
  }
  for (size_t i = 0; i < attributes.size(); ++i) {
    if (shape_[i] != kShapeOverflow) append_value(columns_[shape_[i]], attributes[i], hashes_[i]);
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
