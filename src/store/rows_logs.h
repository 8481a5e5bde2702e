#pragma once
// Log records as columns; the counterpart of rows_spans.h. Two tables: records, and the fields of bodies (log_fields.h).

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "store/column_attributes.h"
#include "store/log_fields.h"
#include "store/rows.h"
#include "store/rows_spans.h"

namespace contextcore::store {

// Numbers are written to files: append only. A body lies in body_text when it is a string, or in body_shape and the fields
// when it is one that is a JSON object; in body_value when it is another value; nowhere when it has none.
enum class LogColumn : uint8_t {
  time,
  observed_time,
  severity_number,
  severity_text,
  body_text,
  body_value,
  dropped_attributes,
  flags,
  trace_id,
  span_id,
  event_name,
  sequence,
  revision,
  journal,
  resource,
  scope,
  stream,
  shape,
  overflow,
  body_shape,
};
constexpr size_t kLogColumns = 20;
extern const std::array<FixedColumn, kLogColumns> kLogFixedColumns;

struct LogZones {
  int64_t min_time = INT64_MAX, max_time = INT64_MIN;  // effective times
};

class LogColumns : public ColumnSource {
 public:
  enum class Bodies : uint8_t { whole, as_fields };
  explicit LogColumns(Bodies bodies = Bodies::whole);
  uint32_t append(uint32_t resource, uint32_t scope, uint32_t stream, const otlp::LogRecord& record,
                  const RowMeta& meta);
  size_t rows(size_t) const override { return attributes_.rows(); }
  Result<const uint32_t*> child_begins(size_t) const override;
  Result<ColumnView> fixed(size_t column) const override;
  Zone fixed_zone(size_t) const override { return {}; }
  size_t attribute_count(size_t table) const override {
    return table == kFieldTable ? fields_.columns().size() : attributes_.columns().size();
  }
  AttributeInfo attribute_info(size_t table, size_t index) const override;
  Result<ColumnView> attribute(size_t table, size_t index) const override;
  Zone attribute_zone(size_t, size_t) const override { return {}; }
  Error damaged(const std::string& what) const override;

  const ColumnBuilder& column(LogColumn column) const {
    return fixed_[static_cast<size_t>(column)];
  }
  const LogZones& zones() const { return zones_; }
  uint64_t memory_bytes() const;

 private:
  ColumnBuilder& at(LogColumn column) { return fixed_[static_cast<size_t>(column)]; }
  std::vector<ColumnBuilder> fixed_;
  AttributeTable attributes_;
  const Bodies bodies_;
  FieldTable fields_;
  LogZones zones_;
  std::string buffer_;
};

// The record's time, else its observed time.
int64_t effective_time(const otlp::LogRecord& record);

Status read_log(const ColumnSource& source, size_t row, otlp::LogRecord& out);
// For who reads many rows. lines: of the same source, opened.
Status read_log(const ColumnSource& source, size_t row, FieldLines& lines, otlp::LogRecord& out);
Result<std::string> read_line(const ColumnSource& source, size_t row);
Result<std::string> read_line(const ColumnSource& source, size_t row, FieldLines& lines);
// Effective time of a row.
Result<int64_t> read_time(const ColumnSource& source, size_t row);
// Clears the rows whose line lacks one of the needles.
Status match_lines(const ColumnSource& source, const std::vector<std::string>& needles, RowSet& rows);
Status match_logs(const ColumnSource& source, int64_t start_ns, int64_t end_ns,
                  const std::vector<bool>& streams_wanted, const std::vector<std::string>& needles,
                  size_t base, RowSet& out);

}  // namespace contextcore::store
