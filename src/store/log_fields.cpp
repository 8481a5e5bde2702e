#include "store/log_fields.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>

#include "base/utf8.h"
#include "store/rows.h"
#include "store/rows_logs.h"

namespace contextcore::store {
namespace {

std::string_view bytes_of(const std::vector<uint32_t>& shape) {
  return {reinterpret_cast<const char*>(shape.data()), shape.size() * sizeof(uint32_t)};
}

uint32_t number_at(std::string_view shape, size_t index) {
  uint32_t number = 0;
  std::memcpy(&number, shape.data() + index * sizeof(uint32_t), sizeof(uint32_t));
  return number;
}

// Strings of JSON have none of these but the last one, which JsonWriter escapes.
bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

// What JsonWriter makes of a string with escapes when it writes it. False: it is spelled otherwise, which is seen when
// what comes out is written again.
bool unescape(std::string_view quoted, std::string& out) {
  constexpr std::string_view kNames = "\"\\bfnrt", kValues = "\"\\\b\f\n\r\t";
  out.clear();
  const std::string_view text = quoted.substr(1, quoted.size() - 2);
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      out += text[i];
      continue;
    }
    if (++i == text.size()) return false;
    if (const size_t known = kNames.find(text[i]); known != std::string_view::npos) {
      out += kValues[known];
      continue;
    }
    unsigned code = 0;
    if (text[i] != 'u' || text.size() - i < 5) return false;
    const auto read = std::from_chars(text.data() + i + 1, text.data() + i + 5, code, 16);
    if (read.ec != std::errc() || read.ptr != text.data() + i + 5 || code > 0x7f) return false;
    out += static_cast<char>(code);
    i += 4;
  }
  return true;
}

bool is_word(std::string_view name) {
  if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

}  // namespace

// ---- lines to fields

bool FieldTable::read_field(const FlatJson::Member& member, Field& out) {
  const std::string_view text = member.text;
  out.name = member.name;
  out.text = text;
  if (member.plain) {
    out.type = ColumnType::string;
    out.text = text.substr(1, text.size() - 2);
    return true;
  }
  if (text[0] == '"') {
    if (unescaped_used_ == unescaped_.size()) unescaped_.emplace_back();
    std::string& content = unescaped_[unescaped_used_];
    buffer_.clear();
    if (unescape(text, content) && (append_json_string(content, buffer_), buffer_ == text)) {
      ++unescaped_used_;
      out.type = ColumnType::string;
      out.text = content;
      return true;
    }
  } else if (text == "true" || text == "false") {
    out.type = ColumnType::boolean;
    out.number = text == "true" ? 1 : 0;
    return true;
  } else if (const auto integer = canonical_integer(text)) {
    out.type = ColumnType::integer;
    out.number = static_cast<uint64_t>(*integer);
    return true;
  } else {
    double real = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), real);
    if (read.ec == std::errc() && read.ptr == text.data() + text.size() && std::isfinite(real)) {
      buffer_.clear();
      JsonWriter(buffer_).number(real);
      if (buffer_ == text) {
        out.type = ColumnType::real;
        out.number = std::bit_cast<uint64_t>(real);
        return true;
      }
    }
  }
  out.type = ColumnType::encoded;
  return parse_json(text, 63).ok();  // the object around it is one level
}

bool FieldTable::split(std::string_view text) {
  if (!flat_.parse(text) || flat_.members().size() > kFieldsPerLineMax) return false;
  fields_.clear();
  unescaped_used_ = 0;
  for (const FlatJson::Member& member : flat_.members()) {
    const std::string_view content = member.plain ? member.text.substr(1, member.text.size() - 2) : member.text;
    for (const std::string_view part : {member.name, content}) {
      if (!is_plain_text(part) && (has_control(part) || !is_valid_utf8(part))) return false;
    }
    if (!read_field(member, fields_.emplace_back())) return false;
  }
  return true;
}

// Fills in the shape as far as its columns exist; false: some do not.
bool FieldTable::find_columns() {
  shape_.assign(1, static_cast<uint32_t>(flat_.spaced() ? FieldLayout::spaced : FieldLayout::compact));
  bool all = true;
  for (const Field& field : fields_) {
    const size_t position = shape_.size();
    if (position < last_shape_.size()) {
      const Column& guess = columns_[last_shape_[position]];
      if (guess.values.type() == field.type && guess.key == field.name) {
        shape_.push_back(last_shape_[position]);
        continue;
      }
    }
    buffer_.assign(1, static_cast<char>('0' + static_cast<int>(field.type)));
    buffer_ += field.name;
    const auto found = index_.find(buffer_);
    shape_.push_back(found != index_.end() ? found->second : UINT32_MAX);
    all &= found != index_.end();
  }
  return all;
}

// For a shape that was not seen before. False: two members of one name, or too many columns.
bool FieldTable::add_columns() {
  std::vector<std::string_view> names;
  for (const Field& field : fields_) names.push_back(field.name);
  std::sort(names.begin(), names.end());
  if (std::adjacent_find(names.begin(), names.end()) != names.end()) return false;
  const auto missing = static_cast<size_t>(std::count(shape_.begin() + 1, shape_.end(), UINT32_MAX));
  if (columns_.size() + missing > kFieldColumnsMax) return false;
  for (size_t i = 0; i < fields_.size(); ++i) {
    if (shape_[i + 1] != UINT32_MAX) continue;
    const auto number = static_cast<uint32_t>(columns_.size());
    const Field& field = fields_[i];
    columns_.push_back({std::string(field.name), ColumnBuilder(field.type)});
    buffer_.assign(1, static_cast<char>('0' + static_cast<int>(field.type)));
    buffer_ += field.name;
    index_.emplace(buffer_, number);
    shape_[i + 1] = number;
  }
  return true;
}

bool FieldTable::append(size_t row, std::string_view text) {
  if (!split(text)) return false;
  const bool known = find_columns() && (shape_ == last_shape_ || shapes_.pool().find(bytes_of(shape_)) != StringPool::kNone);
  if (!known && !add_columns()) return false;
  for (size_t i = 0; i < fields_.size(); ++i) {
    ColumnBuilder& values = columns_[shape_[i + 1]].values;
    if (has_strings(fields_[i].type)) {
      values.append(row, fields_[i].text);
    } else {
      values.append(row, fields_[i].number);
    }
  }
  shapes_.append(row, bytes_of(shape_));
  last_shape_.swap(shape_);
  return true;
}

uint64_t FieldTable::memory_bytes() const {
  uint64_t bytes = shapes_.memory_bytes();
  for (const Column& column : columns_) bytes += column.values.memory_bytes() + 2 * column.key.size() + 96;
  return bytes;
}

// ---- fields to lines

Status FieldLines::open() {
  CC_ASSIGN(shapes_, source_.fixed(static_cast<size_t>(LogColumn::body_shape)));
  known_.resize(shapes_.strings.count);
  columns_.resize(source_.attribute_count(kFieldTable));
  return {};
}

Result<FieldLines::Shape*> FieldLines::shape_at(size_t row) {
  const size_t number = shape_of(row);
  Shape& shape = known_[number];
  if (shape.read) return &shape;
  const std::string_view bytes = shapes_.strings.at(number);
  if (bytes.empty() || bytes.size() % sizeof(uint32_t) != 0) return source_.damaged("a shape of fields of odd length");
  const uint32_t layout = number_at(bytes, 0);
  if (layout > static_cast<uint32_t>(FieldLayout::spaced)) return source_.damaged("a shape of fields of no known layout");
  shape.spaced = layout == static_cast<uint32_t>(FieldLayout::spaced);
  for (size_t i = 1; i < bytes.size() / sizeof(uint32_t); ++i) {
    shape.columns.push_back(number_at(bytes, i));
    if (shape.columns.back() >= columns_.size()) return source_.damaged("a shape of fields that names no column");
  }
  shape.read = true;
  return &shape;
}

Result<FieldLines::Column*> FieldLines::column_at(uint32_t number) {
  Column& column = columns_[number];
  if (column.read) return &column;
  CC_ASSIGN(column.view, source_.attribute(kFieldTable, number));
  const std::string_view key = source_.attribute_info(kFieldTable, number).key;
  append_json_string(key, column.name);
  column.name += ':';
  column.read = true;
  return &column;
}

size_t FieldLines::find(Column& column, size_t row) {
  const ColumnView& view = column.view;
  if (view.rows == nullptr) return view.find(row);
  const uint32_t* const end = view.rows + view.count;
  const uint32_t* at = view.rows + column.at;
  if (at == end || *at > row) {
    at = std::lower_bound(view.rows, at, row);
  } else if (*at < row && ++at != end && *at < row) {
    at = std::lower_bound(at, end, row);
  }
  column.at = static_cast<size_t>(at - view.rows);
  return at != end && *at == row ? column.at : ColumnView::npos;
}

void FieldLines::append_value(const ColumnView& view, size_t at, std::string& out) {
  switch (view.type) {
    case ColumnType::string:
      return append_json_string(view.string(at), out);
    case ColumnType::boolean:
      return JsonWriter(out).boolean(view.numbers[at] != 0);
    case ColumnType::integer:
      return JsonWriter(out).number(static_cast<int64_t>(view.numbers[at]));
    case ColumnType::real:
      return JsonWriter(out).number(std::bit_cast<double>(view.numbers[at]));
    case ColumnType::encoded:
      out += view.string(at);
      return;
  }
}

Status FieldLines::append(size_t row, std::string& out) {
  CC_ASSIGN(const Shape* shape, shape_at(row));
  out += '{';
  bool first = true;
  for (const uint32_t number : shape->columns) {
    CC_ASSIGN(Column* column, column_at(number));
    const size_t at = find(*column, row);
    if (at == ColumnView::npos) return source_.damaged("a shape of fields that names a column without a value");
    if (!first) out += shape->spaced ? ", " : ",";
    first = false;
    out += column->name;
    if (shape->spaced) out += ' ';
    append_value(column->view, at, out);
  }
  out += '}';
  return {};
}

bool FieldLines::within_members(std::string_view text) {
  return !text.empty() && is_plain_text(text) && text[0] != ' ' && text.find_first_of("{}[],:") == std::string_view::npos;
}

Status FieldLines::keep_holding(std::string_view text, RowSet& rows) const {
  RowSet holding(rows.rows());
  std::string buffer;
  // As a line has it: an escape may hold what the content does not.
  const auto holds = [&](const ColumnView& view, size_t i) {
    if (view.type == ColumnType::encoded || (view.type == ColumnType::string && is_plain_text(view.string(i)))) {
      return view.string(i).find(text) != std::string_view::npos;
    }
    buffer.clear();
    append_value(view, i, buffer);
    return buffer.find(text) != std::string::npos;
  };
  for (uint32_t number = 0; number < columns_.size(); ++number) {
    const bool named = source_.attribute_info(kFieldTable, number).key.find(text) != std::string_view::npos;
    CC_ASSIGN(const ColumnView view, source_.attribute(kFieldTable, number));
    std::vector<uint8_t> known(view.ids != nullptr ? view.strings.count : 0);  // 0 not looked at, 1 no, 2 yes
    for (size_t i = 0; i < view.count; ++i) {
      const size_t row = view.row(i);
      if (row >= rows.rows()) return source_.damaged("a field of a row that there is not");
      if (!rows.test(row) || holding.test(row)) continue;
      uint8_t alone = 0;
      uint8_t& verdict = view.ids != nullptr ? known[view.ids[i]] : alone;
      if (verdict == 0) verdict = named || holds(view, i) ? 2 : 1;
      if (verdict == 2) holding.set(row);
    }
  }
  rows = std::move(holding);
  return {};
}

// Whether a label can be named as the column is and no value has members of its own.
Result<bool> FieldLines::is_flat_column(uint32_t number) {
  Column& column = columns_[number];
  if (column.flat) return *column.flat;
  const ColumnSource::AttributeInfo info = source_.attribute_info(kFieldTable, number);
  bool flat = is_word(info.key);
  if (flat && info.type == ColumnType::encoded) {
    CC_ASSIGN(const Column* read, column_at(number));
    const StringsView& strings = read->view.strings;
    for (size_t i = 0; i < strings.count; ++i) flat &= !strings.at(i).starts_with('{');
  }
  column.flat = flat;
  return flat;
}

Result<bool> FieldLines::is_flat(size_t row) {
  CC_ASSIGN(Shape* shape, shape_at(row));
  if (shape->flat) return *shape->flat;
  bool flat = true;
  for (const uint32_t number : shape->columns) {
    CC_ASSIGN(const bool one, is_flat_column(number));
    flat &= one;
  }
  shape->flat = flat;
  return flat;
}

}  // namespace contextcore::store
