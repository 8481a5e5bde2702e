#include "store/log_scan_fields.h"

#include <map>
#include <optional>
#include <string>

namespace contextcore::store {
namespace {

class SourceFields : public LogFields {
 public:
  SourceFields(const ColumnSource& source, std::vector<uint32_t> rows)
      : source_(source), rows_(std::move(rows)), lines_(source) {}

  bool has(size_t entry) const override { return lines_.has(rows_[entry]); }
  Result<bool> is_flat(size_t entry) override { return lines_.is_flat(rows_[entry]); }
  Result<std::string> line(size_t entry) override {
    std::string line;
    CC_TRY(lines_.append(rows_[entry], line));
    return line;
  }
  Result<const FieldColumn*> column(std::string_view name) override {
    const auto known = columns_.find(name);
    if (known != columns_.end()) return &known->second;
    FieldColumn& column = columns_[std::string(name)];
    column.ids.assign(rows_.size(), 0);
    column.values.emplace_back();
    // One for each type; a row has a value in one of them.
    for (size_t i = 0; i < source_.attribute_count(kFieldTable); ++i) {
      if (source_.attribute_info(kFieldTable, i).key != name) continue;
      CC_ASSIGN(const ColumnView view, source_.attribute(kFieldTable, i));
      has_strings(view.type) ? add_texts(view, column) : add_numbers(view, column);
    }
    return &column;
  }

  Status open() { return lines_.open(); }

 private:
  static FieldValue::Type type_of(ColumnType type) {
    switch (type) {
      case ColumnType::string:
        return FieldValue::Type::string;
      case ColumnType::boolean:
        return FieldValue::Type::boolean;
      case ColumnType::integer:
        return FieldValue::Type::integer;
      case ColumnType::real:
        return FieldValue::Type::real;
      case ColumnType::encoded:
        break;
    }
    return FieldValue::Type::json;
  }

  // Calls fn(k, i) for rows k that have a value. Mostly all rows of a group are asked for, and few have one.
  template <typename Fn>
  void for_each_present(const ColumnView& view, Fn fn) const {
    if (rows_.empty() || rows_.back() - rows_.front() + 1 != rows_.size()) {
      for_each_value(view, rows_, [&](size_t k, size_t i) {
        if (i != ColumnView::npos) fn(k, i);
      });
      return;
    }
    for (size_t i = 0; i < view.count; ++i) {
      const size_t row = view.row(i);
      if (row > rows_.back()) break;
      if (row >= rows_.front()) fn(row - rows_.front(), i);
    }
  }

  void add_texts(const ColumnView& view, FieldColumn& out) {
    std::vector<uint32_t> numbers(view.ids != nullptr ? view.strings.count : 0);
    for_each_present(view, [&](size_t k, size_t i) {
      uint32_t added = 0;
      uint32_t& number = view.ids != nullptr ? numbers[view.ids[i]] : added;
      if (number == 0) {
        number = static_cast<uint32_t>(out.values.size());
        out.values.push_back({type_of(view.type), view.string(i), 0});
      }
      out.ids[k] = number;
    });
  }

  void add_numbers(const ColumnView& view, FieldColumn& out) {
    for_each_present(view, [&](size_t k, size_t i) {
      // Runs of one number are one value.
      if (out.values.back().type != type_of(view.type) || out.values.back().number != view.numbers[i])
        out.values.push_back({type_of(view.type), {}, view.numbers[i]});
      out.ids[k] = static_cast<uint32_t>(out.values.size() - 1);
    });
  }

  const ColumnSource& source_;
  const std::vector<uint32_t> rows_;
  FieldLines lines_;
  std::map<std::string, FieldColumn, std::less<>> columns_;  // node-based: pointers stay
};

}  // namespace

Result<std::unique_ptr<LogFields>> make_log_fields(const ColumnSource& source, std::vector<uint32_t> rows) {
  auto fields = std::make_unique<SourceFields>(source, std::move(rows));
  CC_TRY(fields->open());
  return std::unique_ptr<LogFields>(std::move(fields));
}

}  // namespace contextcore::store
