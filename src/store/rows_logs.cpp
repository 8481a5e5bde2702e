#include "store/rows_logs.h"

#include <algorithm>

#include "store/column_value.h"

namespace contextcore::store {

const std::array<FixedColumn, kLogColumns> kLogFixedColumns = {{
    {"time", ColumnType::integer, 0},
    {"observed_time", ColumnType::integer, 0},
    {"severity_number", ColumnType::integer, 0},
    {"severity_text", ColumnType::string, 0},
    {"body_text", ColumnType::string, 0},
    {"body_value", ColumnType::encoded, 0},
    {"dropped_attributes", ColumnType::integer, 0},
    {"flags", ColumnType::integer, 0},
    {"trace_id", ColumnType::string, 0},
    {"span_id", ColumnType::integer, 0},
    {"event_name", ColumnType::string, 0},
    {"sequence", ColumnType::integer, 0},
    {"revision", ColumnType::integer, 0},
    {"journal", ColumnType::integer, 0},
    {"resource", ColumnType::integer, 0},
    {"scope", ColumnType::integer, 0},
    {"stream", ColumnType::integer, 0},
    {"shape", ColumnType::string, 0},
    {"overflow", ColumnType::encoded, 0},
    {"body_shape", ColumnType::string, 0},
}};

namespace {

constexpr size_t at_index(LogColumn column) { return static_cast<size_t>(column); }

// Fixed columns of one row. The first error stays; reads after it give defaults.
class RowReader {
 public:
  RowReader(const ColumnSource& source, size_t row) : source_(source), row_(row) {}
  uint64_t number(LogColumn column) {
    const Result<ColumnView> view = source_.fixed(at_index(column));
    if (!view.ok()) return keep(view.status()), 0;
    return view->number_of(row_);
  }
  std::string_view string(LogColumn column) {
    const Result<ColumnView> view = source_.fixed(at_index(column));
    if (!view.ok()) return keep(view.status()), std::string_view();
    return view->string_of(row_);
  }
  void keep(Status status) {
    if (status_.ok()) status_ = std::move(status);
  }
  const Status& status() const { return status_; }

 private:
  const ColumnSource& source_;
  size_t row_;
  Status status_;
};

Status read_body(const ColumnSource& source, size_t row, FieldLines& lines, otlp::Value& out) {
  out = {};
  if (lines.has(row)) return lines.append(row, out.data.emplace<std::string>());
  for (const LogColumn column : {LogColumn::body_text, LogColumn::body_value}) {
    CC_ASSIGN(const ColumnView view, source.fixed(at_index(column)));
    const size_t at = view.find(row);
    if (at == ColumnView::npos) continue;
    if (!value_at(view, at, out)) return source.damaged("a body that does not parse");
    break;
  }
  return {};
}

bool contains_all(std::string_view line, const std::vector<std::string>& needles) {
  return std::all_of(needles.begin(), needles.end(), [line](const std::string& needle) {
    return line.find(needle) != std::string_view::npos;
  });
}

// Rows with fields among rows, as far as their lines hold the needles.
Status match_fields(FieldLines& lines, const std::vector<std::string>& needles, RowSet& rows) {
  std::vector<std::string> rest;
  for (const std::string& needle : needles) {
    if (!FieldLines::within_members(needle)) {
      rest.push_back(needle);
    } else {
      CC_TRY(lines.keep_holding(needle, rows));
    }
  }
  if (rest.empty()) return {};
  Status status;
  std::string line;
  RowSet passing(rows.rows());
  rows.for_each([&](size_t row) {
    line.clear();
    if (status.ok()) status = lines.append(row, line);
    if (status.ok() && contains_all(line, rest)) passing.set(row);
  });
  rows = std::move(passing);
  return status;
}

}  // namespace

Status match_lines(const ColumnSource& source, const std::vector<std::string>& needles, RowSet& rows) {
  CC_ASSIGN(const ColumnView texts, source.fixed(at_index(LogColumn::body_text)));
  FieldLines lines(source);
  CC_TRY(lines.open());
  RowSet passing(rows.rows()), with_fields(rows.rows());
  std::vector<uint8_t> known(texts.strings.count);  // 0 not looked at, 1 no, 2 yes
  Status status;
  rows.for_each([&](size_t row) {
    if (!status.ok()) return;
    if (const size_t i = texts.find(row); i != ColumnView::npos) {
      uint8_t& verdict = known[texts.ids != nullptr ? texts.ids[i] : i];
      if (verdict == 0) verdict = contains_all(texts.string(i), needles) ? 2 : 1;
      if (verdict == 2) passing.set(row);
    } else if (lines.has(row)) {
      with_fields.set(row);
    } else {
      const Result<std::string> line = read_line(source, row);
      status = line.status();
      if (line.ok() && contains_all(*line, needles)) passing.set(row);
    }
  });
  CC_TRY(status);
  if (!with_fields.none()) {
    CC_TRY(match_fields(lines, needles, with_fields));
    passing |= with_fields;
  }
  rows = std::move(passing);
  return {};
}

int64_t effective_time(const otlp::LogRecord& record) {
  return static_cast<int64_t>(record.time_ns != 0 ? record.time_ns : record.observed_time_ns);
}

LogColumns::LogColumns(Bodies bodies) : bodies_(bodies) {
  fixed_.reserve(kLogColumns);
  for (const FixedColumn& column : kLogFixedColumns) fixed_.emplace_back(column.type);
}

uint32_t LogColumns::append(uint32_t resource, uint32_t scope, uint32_t stream,
                            const otlp::LogRecord& record, const RowMeta& meta) {
  const size_t row = attributes_.rows();
  at(LogColumn::time).append_unless_default(row, record.time_ns);
  at(LogColumn::observed_time).append_unless_default(row, record.observed_time_ns);
  at(LogColumn::severity_number)
      .append_unless_default(row,
                             static_cast<uint64_t>(static_cast<int64_t>(record.severity_number)));
  at(LogColumn::severity_text).append_unless_default(row, record.severity_text);
  if (const auto* text = record.body.as_string()) {
    if (bodies_ == Bodies::whole || !fields_.append(row, *text)) at(LogColumn::body_text).append(row, *text);
  } else if (record.body.is_set()) {
    buffer_.clear();
    encode_value(record.body, buffer_);
    at(LogColumn::body_value).append(row, buffer_);
  }
  at(LogColumn::dropped_attributes).append_unless_default(row, record.dropped_attributes_count);
  at(LogColumn::flags).append_unless_default(row, record.flags);
  if (!record.trace_id.empty()) at(LogColumn::trace_id).append(row, bytes_of(record.trace_id));
  at(LogColumn::span_id).append_unless_default(row, number_of(record.span_id));
  at(LogColumn::event_name).append_unless_default(row, record.event_name);
  at(LogColumn::sequence).append(row, meta.sequence);
  at(LogColumn::revision).append_unless_default(row, static_cast<uint64_t>(meta.revision));
  at(LogColumn::journal).append_unless_default(row, uint64_t{meta.journal});
  at(LogColumn::resource).append_unless_default(row, resource);
  at(LogColumn::scope).append_unless_default(row, scope);
  at(LogColumn::stream).append_unless_default(row, stream);
  attributes_.append(record.attributes);
  zones_.min_time = std::min(zones_.min_time, effective_time(record));
  zones_.max_time = std::max(zones_.max_time, effective_time(record));
  return static_cast<uint32_t>(row);
}

Result<const uint32_t*> LogColumns::child_begins(size_t) const {
  return damaged("log rows have no child tables");
}

Result<ColumnView> LogColumns::fixed(size_t column) const {
  if (column == at_index(LogColumn::shape)) return attributes_.shapes().view();
  if (column == at_index(LogColumn::overflow)) return attributes_.overflow().view();
  if (column == at_index(LogColumn::body_shape)) return fields_.shapes().view();
  return fixed_[column].view();
}

ColumnSource::AttributeInfo LogColumns::attribute_info(size_t table, size_t index) const {
  if (table == kFieldTable) {
    const FieldTable::Column& field = fields_.columns()[index];
    return {field.key, field.values.type()};
  }
  const AttributeTable::Column& column = attributes_.columns()[index];
  return {column.key, column.values.type()};
}

Result<ColumnView> LogColumns::attribute(size_t table, size_t index) const {
  if (table == kFieldTable) return fields_.columns()[index].values.view();
  return attributes_.columns()[index].values.view();
}

Error LogColumns::damaged(const std::string& what) const {
  return {Code::internal, "rows in memory: " + what, {}, {}, {}};
}

uint64_t LogColumns::memory_bytes() const {
  uint64_t bytes = sizeof(*this) + attributes_.memory_bytes() + fields_.memory_bytes();
  for (const ColumnBuilder& column : fixed_) bytes += column.memory_bytes();
  return bytes;
}

// ---- reading
// -------------------------------------------------------------------------------------

Status read_log(const ColumnSource& source, size_t row, otlp::LogRecord& out) {
  FieldLines lines(source);
  CC_TRY(lines.open());
  return read_log(source, row, lines, out);
}

Status read_log(const ColumnSource& source, size_t row, FieldLines& lines, otlp::LogRecord& out) {
  RowReader reader(source, row);
  out.time_ns = reader.number(LogColumn::time);
  out.observed_time_ns = reader.number(LogColumn::observed_time);
  out.severity_number = static_cast<int32_t>(reader.number(LogColumn::severity_number));
  out.severity_text = reader.string(LogColumn::severity_text);
  reader.keep(read_body(source, row, lines, out.body));
  out.dropped_attributes_count =
      static_cast<uint32_t>(reader.number(LogColumn::dropped_attributes));
  out.flags = static_cast<uint32_t>(reader.number(LogColumn::flags));
  out.trace_id = trace_id_of(reader.string(LogColumn::trace_id));
  out.span_id = span_id_of(reader.number(LogColumn::span_id));
  out.event_name = reader.string(LogColumn::event_name);
  CC_ASSIGN(const ColumnView shapes, source.fixed(at_index(LogColumn::shape)));
  reader.keep(
      read_attributes(source, 0, shapes, at_index(LogColumn::overflow), row, out.attributes));
  return reader.status();
}

Result<std::string> read_line(const ColumnSource& source, size_t row) {
  FieldLines lines(source);
  CC_TRY(lines.open());
  return read_line(source, row, lines);
}

Result<std::string> read_line(const ColumnSource& source, size_t row, FieldLines& lines) {
  otlp::LogRecord record;
  CC_TRY(read_body(source, row, lines, record.body));
  return log_line(record);
}

Result<int64_t> read_time(const ColumnSource& source, size_t row) {
  RowReader reader(source, row);
  uint64_t time = reader.number(LogColumn::time);
  if (time == 0) time = reader.number(LogColumn::observed_time);
  CC_TRY(reader.status());
  return static_cast<int64_t>(time);
}

Status match_logs(const ColumnSource& source, int64_t start_ns, int64_t end_ns,
                  const std::vector<bool>& streams_wanted, const std::vector<std::string>& needles,
                  size_t base, RowSet& out) {
  CC_ASSIGN(const ColumnView times, source.fixed(at_index(LogColumn::time)));
  CC_ASSIGN(const ColumnView observed, source.fixed(at_index(LogColumn::observed_time)));
  CC_ASSIGN(const ColumnView streams, source.fixed(at_index(LogColumn::stream)));
  RowSet rows(source.rows(0));
  for (size_t row = 0; row < rows.rows(); ++row) {
    const uint64_t stream = streams.number_of(row);
    if (stream >= streams_wanted.size()) return source.damaged("a stream number that names none");
    if (!streams_wanted[stream]) continue;
    uint64_t time = times.number_of(row);
    if (time == 0) time = observed.number_of(row);
    const auto at = static_cast<int64_t>(time);
    if (at >= start_ns && (at < end_ns || end_ns == INT64_MAX)) rows.set(row);
  }
  if (!needles.empty() && !rows.none()) CC_TRY(match_lines(source, needles, rows));
  rows.for_each([&](size_t row) { out.set(base + row); });
  return {};
}

}  // namespace contextcore::store
