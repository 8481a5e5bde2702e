#include "store/rows_spans.h"

#include <algorithm>
#include <cstring>

namespace contextcore::store {

using otlp::SpanId;
using otlp::TraceId;

const std::array<FixedColumn, kSpanColumns> kSpanFixedColumns = {{
    {"trace_id", ColumnType::string, kSpanTable},
    {"span_id", ColumnType::integer, kSpanTable},
    {"parent_span_id", ColumnType::integer, kSpanTable},
    {"start", ColumnType::integer, kSpanTable},
    {"duration", ColumnType::integer, kSpanTable},
    {"kind", ColumnType::integer, kSpanTable},
    {"status_code", ColumnType::integer, kSpanTable},
    {"name", ColumnType::string, kSpanTable},
    {"status_message", ColumnType::string, kSpanTable},
    {"trace_state", ColumnType::string, kSpanTable},
    {"flags", ColumnType::integer, kSpanTable},
    {"dropped_attributes", ColumnType::integer, kSpanTable},
    {"dropped_events", ColumnType::integer, kSpanTable},
    {"dropped_links", ColumnType::integer, kSpanTable},
    {"sequence", ColumnType::integer, kSpanTable},
    {"revision", ColumnType::integer, kSpanTable},
    {"journal", ColumnType::integer, kSpanTable},
    {"resource", ColumnType::integer, kSpanTable},
    {"scope", ColumnType::integer, kSpanTable},
    {"event_count", ColumnType::integer, kSpanTable},
    {"link_count", ColumnType::integer, kSpanTable},
    {"shape", ColumnType::string, kSpanTable},
    {"overflow", ColumnType::encoded, kSpanTable},
    {"event_time", ColumnType::integer, kEventTable},
    {"event_name", ColumnType::string, kEventTable},
    {"event_dropped_attributes", ColumnType::integer, kEventTable},
    {"event_shape", ColumnType::string, kEventTable},
    {"event_overflow", ColumnType::encoded, kEventTable},
    {"link_trace_id", ColumnType::string, kLinkTable},
    {"link_span_id", ColumnType::integer, kLinkTable},
    {"link_trace_state", ColumnType::string, kLinkTable},
    {"link_flags", ColumnType::integer, kLinkTable},
    {"link_dropped_attributes", ColumnType::integer, kLinkTable},
    {"link_shape", ColumnType::string, kLinkTable},
    {"link_overflow", ColumnType::encoded, kLinkTable},
    {"tenant", ColumnType::integer, kSpanTable},
}};

namespace {

constexpr size_t at_index(SpanColumn column) { return static_cast<size_t>(column); }

constexpr SpanColumn kShapes[kSpanTables] = {SpanColumn::shape, SpanColumn::event_shape,
                                             SpanColumn::link_shape};
constexpr SpanColumn kOverflows[kSpanTables] = {SpanColumn::overflow, SpanColumn::event_overflow,
                                                SpanColumn::link_overflow};

uint64_t number_of_enum(int32_t value) {
  return static_cast<uint64_t>(static_cast<int64_t>(value));
}

}  // namespace

uint64_t number_of(const SpanId& id) {
  uint64_t number = 0;
  for (const uint8_t byte : id.bytes) number = number << 8 | byte;
  return number;
}

SpanId span_id_of(uint64_t number) {
  const uint64_t big_endian = __builtin_bswap64(number);
  SpanId id;
  std::memcpy(id.bytes.data(), &big_endian, sizeof(big_endian));
  return id;
}

std::string_view bytes_of(const TraceId& id) {
  return {reinterpret_cast<const char*>(id.bytes.data()), 16};
}

TraceId trace_id_of(std::string_view bytes) {
  TraceId id;
  if (bytes.size() == 16) std::memcpy(id.bytes.data(), bytes.data(), 16);
  return id;
}

int64_t effective_end(int64_t start, int64_t end, bool journal) {
  if (end == 0 && journal) return INT64_MAX;
  return std::max(start, end);
}

void SpanZones::add(int64_t start, int64_t end, bool open_span) {
  min_start = std::min(min_start, start);
  max_start = std::max(max_start, start);
  max_end = std::max(max_end, end);
  if (open_span) {
    open = true;
  } else {
    // The difference of two int64 may not fit one.
    const uint64_t duration = static_cast<uint64_t>(end) - static_cast<uint64_t>(start);
    max_duration =
        std::max(max_duration, static_cast<int64_t>(std::min<uint64_t>(duration, INT64_MAX)));
  }
}

// ---- SpanColumns
// ---------------------------------------------------------------------------------

SpanColumns::SpanColumns() {
  fixed_.reserve(kSpanColumns);
  for (const FixedColumn& column : kSpanFixedColumns) fixed_.emplace_back(column.type);
  for (auto& begins : begins_) begins.push_back(0);
}

uint32_t SpanColumns::append(uint32_t resource, uint32_t scope, const otlp::SpanView& span,
                             const RowMeta& meta) {
  const uint32_t row = rows_++;
  at(SpanColumn::trace_id).append(row, bytes_of(span.trace_id));
  at(SpanColumn::span_id).append(row, number_of(span.span_id));
  at(SpanColumn::parent_span_id).append_unless_default(row, number_of(span.parent_span_id));
  at(SpanColumn::start).append(row, span.start_ns);
  if (span.end_ns != 0) at(SpanColumn::duration).append(row, span.end_ns - span.start_ns);
  at(SpanColumn::kind).append_unless_default(row, number_of_enum(static_cast<int32_t>(span.kind)));
  at(SpanColumn::status_code)
      .append_unless_default(row, number_of_enum(static_cast<int32_t>(span.status_code)));
  at(SpanColumn::name).append_unless_default(row, span.name);
  at(SpanColumn::status_message).append_unless_default(row, span.status_message);
  at(SpanColumn::trace_state).append_unless_default(row, span.trace_state);
  at(SpanColumn::flags).append_unless_default(row, span.flags);
  at(SpanColumn::dropped_attributes).append_unless_default(row, span.dropped_attributes_count);
  at(SpanColumn::dropped_events).append_unless_default(row, span.dropped_events_count);
  at(SpanColumn::dropped_links).append_unless_default(row, span.dropped_links_count);
  at(SpanColumn::sequence).append(row, meta.sequence);
  at(SpanColumn::revision).append_unless_default(row, static_cast<uint64_t>(meta.revision));
  at(SpanColumn::journal).append_unless_default(row, uint64_t{meta.journal});
  at(SpanColumn::tenant).append_unless_default(row, meta.tenant);
  at(SpanColumn::resource).append_unless_default(row, resource);
  at(SpanColumn::scope).append_unless_default(row, scope);
  at(SpanColumn::event_count).append_unless_default(row, span.events.size());
  at(SpanColumn::link_count).append_unless_default(row, span.links.size());
  attributes_[kSpanTable].append(span.attributes);
  append_events(span);
  append_links(span);
  const auto start = static_cast<int64_t>(span.start_ns);
  const auto end = static_cast<int64_t>(span.end_ns);
  zones_.add(start, effective_end(start, end, meta.journal), end == 0 && meta.journal);
  return row;
}

void SpanColumns::append_events(const otlp::SpanView& span) {
  AttributeTable& attributes = attributes_[kEventTable];
  for (const otlp::EventView& event : span.events) {
    const size_t row = attributes.rows();
    at(SpanColumn::event_time).append_unless_default(row, event.time_ns);
    at(SpanColumn::event_name).append_unless_default(row, event.name);
    at(SpanColumn::event_dropped_attributes)
        .append_unless_default(row, event.dropped_attributes_count);
    attributes.append(event.attributes);
  }
  begins_[kEventTable].push_back(static_cast<uint32_t>(attributes.rows()));
}

void SpanColumns::append_links(const otlp::SpanView& span) {
  AttributeTable& attributes = attributes_[kLinkTable];
  for (const otlp::LinkView& link : span.links) {
    const size_t row = attributes.rows();
    at(SpanColumn::link_trace_id).append(row, bytes_of(link.trace_id));
    at(SpanColumn::link_span_id).append_unless_default(row, number_of(link.span_id));
    at(SpanColumn::link_trace_state).append_unless_default(row, link.trace_state);
    at(SpanColumn::link_flags).append_unless_default(row, link.flags);
    at(SpanColumn::link_dropped_attributes)
        .append_unless_default(row, link.dropped_attributes_count);
    attributes.append(link.attributes);
  }
  begins_[kLinkTable].push_back(static_cast<uint32_t>(attributes.rows()));
}

size_t SpanColumns::rows(size_t table) const { return attributes_[table].rows(); }

Result<const uint32_t*> SpanColumns::child_begins(size_t table) const {
  return begins_[table].data();
}

Result<ColumnView> SpanColumns::fixed(size_t column) const {
  for (size_t table = 0; table < kSpanTables; ++table) {
    if (column == at_index(kShapes[table])) return attributes_[table].shapes().view();
    if (column == at_index(kOverflows[table])) return attributes_[table].overflow().view();
  }
  return fixed_[column].view();
}

ColumnSource::AttributeInfo SpanColumns::attribute_info(size_t table, size_t index) const {
  const AttributeTable::Column& column = attributes_[table].columns()[index];
  return {column.key, column.values.type()};
}

Result<ColumnView> SpanColumns::attribute(size_t table, size_t index) const {
  return attributes_[table].columns()[index].values.view();
}

Error SpanColumns::damaged(const std::string& what) const {
  return {Code::internal, "rows in memory: " + what, {}, {}, {}};
}

uint64_t SpanColumns::memory_bytes() const {
  uint64_t bytes = sizeof(*this);
  for (const ColumnBuilder& column : fixed_) bytes += column.memory_bytes();
  for (const AttributeTable& table : attributes_) bytes += table.memory_bytes();
  for (const auto& begins : begins_) bytes += begins.capacity() * sizeof(uint32_t);
  return bytes;
}

// ---- reading
// -------------------------------------------------------------------------------------

namespace {

// Fixed columns of one row. The first error stays; reads after it give defaults.
class RowReader {
 public:
  RowReader(const ColumnSource& source, size_t row) : source_(source), row_(row) {}
  void move_to(size_t row) { row_ = row; }
  uint64_t number(SpanColumn column) {
    const Result<ColumnView> view = source_.fixed(at_index(column));
    if (!view.ok()) return keep(view.error()), 0;
    return view->number_of(row_);
  }
  std::string_view string(SpanColumn column) {
    const Result<ColumnView> view = source_.fixed(at_index(column));
    if (!view.ok()) return keep(view.error()), std::string_view();
    return view->string_of(row_);
  }
  uint32_t u32(SpanColumn column) { return static_cast<uint32_t>(number(column)); }
  void attributes(size_t table, otlp::Attributes& out) {
    const Result<ColumnView> shapes = source_.fixed(at_index(kShapes[table]));
    if (!shapes.ok()) return keep(shapes.error());
    Status status =
        read_attributes(source_, table, *shapes, at_index(kOverflows[table]), row_, out);
    if (!status.ok()) keep(status.error());
  }
  void keep(const Error& error) {
    if (status_.ok()) status_ = error;
  }
  const Status& status() const { return status_; }

 private:
  const ColumnSource& source_;
  size_t row_;
  Status status_;
};

Status read_events(const ColumnSource& source, size_t row, std::vector<otlp::SpanEvent>& out) {
  CC_ASSIGN(const uint32_t* begins, source.child_begins(kEventTable));
  out.resize(begins[row + 1] - begins[row]);
  for (size_t i = 0; i < out.size(); ++i) {
    RowReader reader(source, begins[row] + i);
    out[i].time_ns = reader.number(SpanColumn::event_time);
    out[i].name = reader.string(SpanColumn::event_name);
    out[i].dropped_attributes_count = reader.u32(SpanColumn::event_dropped_attributes);
    reader.attributes(kEventTable, out[i].attributes);
    CC_TRY(reader.status());
  }
  return {};
}

Status read_links(const ColumnSource& source, size_t row, std::vector<otlp::SpanLink>& out) {
  CC_ASSIGN(const uint32_t* begins, source.child_begins(kLinkTable));
  out.resize(begins[row + 1] - begins[row]);
  for (size_t i = 0; i < out.size(); ++i) {
    RowReader reader(source, begins[row] + i);
    out[i].trace_id = trace_id_of(reader.string(SpanColumn::link_trace_id));
    out[i].span_id = span_id_of(reader.number(SpanColumn::link_span_id));
    out[i].trace_state = reader.string(SpanColumn::link_trace_state);
    out[i].flags = reader.u32(SpanColumn::link_flags);
    out[i].dropped_attributes_count = reader.u32(SpanColumn::link_dropped_attributes);
    reader.attributes(kLinkTable, out[i].attributes);
    CC_TRY(reader.status());
  }
  return {};
}

}  // namespace

Status read_span(const ColumnSource& source, size_t row, otlp::Span& out) {
  RowReader reader(source, row);
  out.trace_id = trace_id_of(reader.string(SpanColumn::trace_id));
  out.span_id = span_id_of(reader.number(SpanColumn::span_id));
  out.parent_span_id = span_id_of(reader.number(SpanColumn::parent_span_id));
  out.start_ns = reader.number(SpanColumn::start);
  CC_ASSIGN(const ColumnView durations, source.fixed(at_index(SpanColumn::duration)));
  const size_t duration = durations.find(row);
  out.end_ns = duration == ColumnView::npos ? 0 : out.start_ns + durations.numbers[duration];
  out.kind = static_cast<otlp::SpanKind>(reader.u32(SpanColumn::kind));
  out.status_code = static_cast<otlp::StatusCode>(reader.u32(SpanColumn::status_code));
  out.name = reader.string(SpanColumn::name);
  out.status_message = reader.string(SpanColumn::status_message);
  out.trace_state = reader.string(SpanColumn::trace_state);
  out.flags = reader.u32(SpanColumn::flags);
  out.dropped_attributes_count = reader.u32(SpanColumn::dropped_attributes);
  out.dropped_events_count = reader.u32(SpanColumn::dropped_events);
  out.dropped_links_count = reader.u32(SpanColumn::dropped_links);
  reader.attributes(kSpanTable, out.attributes);
  CC_TRY(reader.status());
  out.events.clear();
  out.links.clear();
  if (source.rows(kEventTable) > 0) CC_TRY(read_events(source, row, out.events));
  if (source.rows(kLinkTable) > 0) CC_TRY(read_links(source, row, out.links));
  return {};
}

}  // namespace contextcore::store
