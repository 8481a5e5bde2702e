#pragma once
// Attribute lists as columns: one column per (key, type), and per row its shape, the list of the
// columns in the order of the attributes. What does not fit (the second value of a key and type in
// one row, more than kAttributeColumnsMax columns) lies in an overflow column as a list of its own.

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "otlp/model.h"
#include "otlp/span_view.h"
#include "store/column.h"

namespace contextcore::store {

constexpr size_t kAttributeColumnsMax = 1000;
// In a shape: the next entry of the row's overflow list.
constexpr uint32_t kShapeOverflow = UINT32_MAX;

// Least and greatest number of a column in a row group; reals compare as doubles.
struct Zone {
  bool known = false;
  int64_t min = 0, max = 0;
};

class SegmentGroup;  // segment_reader.h

// The columns of one row group, in memory or on disk. What is borrowed from it lives as long as it.
class ColumnSource {
 public:
  struct AttributeInfo {
    std::string_view key;
    ColumnType type = ColumnType::string;
  };
  virtual ~ColumnSource() = default;
  virtual size_t rows(size_t table) const = 0;
  // The rows of a child table that belong to row r of table 0: [begins[r], begins[r + 1]).
  virtual Result<const uint32_t*> child_begins(size_t table) const = 0;
  virtual Result<ColumnView> fixed(size_t column) const = 0;
  virtual Zone fixed_zone(size_t column) const = 0;
  virtual size_t attribute_count(size_t table) const = 0;
  virtual AttributeInfo attribute_info(size_t table, size_t index) const = 0;
  virtual Result<ColumnView> attribute(size_t table, size_t index) const = 0;
  virtual Zone attribute_zone(size_t table, size_t index) const = 0;
  // An error of Code::corruption that says where these columns come from.
  virtual Error damaged(const std::string& what) const = 0;
  // The row group of a segment that these are, if so.
  virtual const SegmentGroup* in_segment() const { return nullptr; }
};

class AttributeTable {
 public:
  struct Column {
    std::string key;
    ColumnBuilder values;
    size_t last_row = SIZE_MAX;
  };

  // Appends the attributes of the next row.
  void append(otlp::AttributesView attributes);
  void append(const otlp::Attributes& attributes);
  // kShapeOverflow: there is no such column, and no more may be made.
  uint32_t find_or_add(std::string_view key, ColumnType type);
  size_t rows() const { return rows_; }
  const std::deque<Column>& columns() const { return columns_; }
  const ColumnBuilder& shapes() const { return shapes_; }
  const ColumnBuilder& overflow() const { return overflow_; }
  uint64_t memory_bytes() const;

 private:
  friend class SpanGather;  // appends rows column by column
  uint32_t column_of(size_t position, std::string_view key, ColumnType type);
  void append_value(Column& column, const otlp::AttributeView& attribute, uint32_t hash);
  size_t rows_ = 0;
  std::deque<Column> columns_;
  std::unordered_map<std::string, uint32_t> index_;  // type as a character, then the key
  std::vector<uint32_t> shape_, hashes_;             // of the row being appended
  std::vector<uint32_t> last_shape_;                 // rows in sequence tend to look alike
  ColumnBuilder shapes_{ColumnType::string};
  ColumnBuilder overflow_{ColumnType::encoded};
  std::string key_buffer_, value_buffer_;
  std::vector<otlp::AttributeView> views_;
};

// Value i of a column. False when an encoded value is damaged.
bool value_at(const ColumnView& view, size_t i, otlp::Value& out);
// The attributes of a row of a table (0 spans or logs, 1 events, 2 links), given its two fixed
// columns.
Status read_attributes(const ColumnSource& source, size_t table, const ColumnView& shapes,
                       size_t overflow_column, size_t row, otlp::Attributes& out);

}  // namespace contextcore::store
