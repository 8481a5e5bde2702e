#pragma once
// Bodies of log records that are JSON objects, as columns: one column per (name, type) in table 1 of a segment, and per
// row its shape, the layout and the columns in the order of the members. Only what comes back byte for byte is stored so:
// numbers, strings and words in JsonWriter's spelling as values, members that are spelled otherwise or nest as their text
// (a column of type encoded). Any other body lies in the column body_text.

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/flat_json.h"
#include "store/column_attributes.h"

namespace contextcore::store {

class RowSet;

constexpr size_t kFieldTable = 1;
// Of a row group: more are the sign of names that are data, and pages are not free.
constexpr size_t kFieldColumnsMax = 256;
constexpr size_t kFieldsPerLineMax = 128;
// The first number of a shape: blanks behind colons and commas, or none.
enum class FieldLayout : uint32_t { compact = 0, spaced = 1 };

class FieldTable {
 public:
  struct Column {
    std::string key;
    ColumnBuilder values;
  };

  // False: the text is nothing that comes back from fields; nothing is added.
  // REQUIRES: row is above every row appended before
  bool append(size_t row, std::string_view text);
  const std::deque<Column>& columns() const { return columns_; }
  const ColumnBuilder& shapes() const { return shapes_; }
  uint64_t memory_bytes() const;

 private:
  struct Field {
    ColumnType type = ColumnType::encoded;
    std::string_view name, text;
    uint64_t number = 0;
  };
  bool split(std::string_view text);
  bool read_field(const FlatJson::Member& member, Field& out);
  bool find_columns();
  bool add_columns();

  FlatJson flat_;
  std::vector<Field> fields_;  // of the line at hand, like the next three
  std::deque<std::string> unescaped_;
  size_t unescaped_used_ = 0;
  std::vector<uint32_t> shape_;
  std::vector<uint32_t> last_shape_;  // lines in sequence tend to look alike
  std::deque<Column> columns_;
  std::unordered_map<std::string, uint32_t> index_;  // type as a character, then the name
  ColumnBuilder shapes_{ColumnType::string};
  std::string buffer_;
};

// The lines of a source, put together again; rows are cheapest asked for in ascending order. Not thread-safe.
class FieldLines {
 public:
  explicit FieldLines(const ColumnSource& source) : source_(source) {}
  // Reads the shapes; before anything else.
  Status open();
  bool any() const { return shapes_.count > 0; }
  bool has(size_t row) const { return shapes_.find(row) != ColumnView::npos; }
  // The shape of a row that has one, as a number below shapes().
  size_t shape_of(size_t row) const {
    const size_t at = shapes_.find(row);
    return shapes_.ids != nullptr ? shapes_.ids[at] : at;
  }
  // Appends the line of a row that has one.
  Status append(size_t row, std::string& out);
  // A text that lies within one name or one value of any line that holds it: no quote, bracket, comma, colon or backslash
  // is in it, and no blank comes first.
  static bool within_members(std::string_view text);
  // Clears the rows that have no fields or whose line does not hold the text. REQUIRES: within_members(text)
  Status keep_holding(std::string_view text, RowSet& rows) const;
  // Whether each name of the row's line is a word ([A-Za-z_][A-Za-z0-9_]*) and no value an object.
  Result<bool> is_flat(size_t row);

 private:
  struct Shape {
    bool read = false, spaced = false;
    std::vector<uint32_t> columns;
    std::optional<bool> flat;
  };
  struct Column {
    bool read = false;
    ColumnView view;
    std::string name;  // as a line has it: quotes, colon
    std::optional<bool> flat;
    size_t at = 0;  // where the last row was found
  };
  Result<Shape*> shape_at(size_t row);
  Result<Column*> column_at(uint32_t number);
  Result<bool> is_flat_column(uint32_t number);
  static size_t find(Column& column, size_t row);
  static void append_value(const ColumnView& view, size_t at, std::string& out);

  const ColumnSource& source_;
  ColumnView shapes_;
  std::vector<Shape> known_;
  std::vector<Column> columns_;
};

}  // namespace contextcore::store
