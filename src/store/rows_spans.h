#pragma once
// Spans as columns: which fixed columns there are, how a span is taken apart, put together again,
// and matched. The same code serves the builder (one row group) and segments (many).
//
// Three tables: spans (0), events (1), links (2). Resources and scopes are numbers into tables of
// distinct ones (rows_shared.h).

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "store/column_attributes.h"
#include "store/column_match.h"
#include "store/rows.h"

namespace contextcore::store {

// Numbers are written to files: append only.
enum class SpanColumn : uint8_t {
  trace_id,
  span_id,
  parent_span_id,
  start,
  duration,
  kind,
  status_code,
  name,
  status_message,
  trace_state,
  flags,
  dropped_attributes,
  dropped_events,
  dropped_links,
  sequence,
  revision,
  journal,
  resource,
  scope,
  event_count,
  link_count,
  shape,
  overflow,
  event_time,
  event_name,
  event_dropped_attributes,
  event_shape,
  event_overflow,
  link_trace_id,
  link_span_id,
  link_trace_state,
  link_flags,
  link_dropped_attributes,
  link_shape,
  link_overflow,
  tenant,
};
constexpr size_t kSpanColumns = 36;
constexpr size_t kSpanTable = 0, kEventTable = 1, kLinkTable = 2, kSpanTables = 3;

struct FixedColumn {
  const char* name;
  ColumnType type;
  uint8_t table;
};
extern const std::array<FixedColumn, kSpanColumns> kSpanFixedColumns;

// What a row group's spans have in common, for pruning. Times as int64; an open journal span ends
// at INT64_MAX and has no duration.
struct SpanZones {
  int64_t min_start = INT64_MAX, max_start = INT64_MIN, max_end = INT64_MIN;
  int64_t max_duration = 0;
  bool open = false;
  void add(int64_t start, int64_t end, bool open_span);
};

// The columns of appended spans; no index. Memory of a builder, and a row group on its way to a
// file.
class SpanColumns : public ColumnSource {
 public:
  SpanColumns();
  uint32_t append(uint32_t resource, uint32_t scope, const otlp::SpanView& span,
                  const RowMeta& meta);
  size_t rows(size_t table) const override;
  Result<const uint32_t*> child_begins(size_t table) const override;
  Result<ColumnView> fixed(size_t column) const override;
  Zone fixed_zone(size_t) const override { return {}; }
  size_t attribute_count(size_t table) const override {
    return attributes_[table].columns().size();
  }
  AttributeInfo attribute_info(size_t table, size_t index) const override;
  Result<ColumnView> attribute(size_t table, size_t index) const override;
  Zone attribute_zone(size_t, size_t) const override { return {}; }
  Error damaged(const std::string& what) const override;

  const ColumnBuilder& column(SpanColumn column) const {
    return fixed_[static_cast<size_t>(column)];
  }
  const SpanZones& zones() const { return zones_; }
  uint64_t memory_bytes() const;

 private:
  friend class SpanGather;  // appends rows column by column
  ColumnBuilder& at(SpanColumn column) { return fixed_[static_cast<size_t>(column)]; }
  void append_events(const otlp::SpanView& span);
  void append_links(const otlp::SpanView& span);
  std::vector<ColumnBuilder> fixed_;
  // Shapes and overflow of these lie beside fixed_ and are given out as fixed columns.
  std::array<AttributeTable, kSpanTables> attributes_;
  std::array<std::vector<uint32_t>, kSpanTables> begins_;
  uint32_t rows_ = 0;
  SpanZones zones_;
};

// Ids as column values.
uint64_t number_of(const otlp::SpanId& id);
otlp::SpanId span_id_of(uint64_t number);
std::string_view bytes_of(const otlp::TraceId& id);
// An empty id for bytes that are not 16.
otlp::TraceId trace_id_of(std::string_view bytes);

// The end as TimeRange sees it: INT64_MAX for an open journal span, never before the start.
int64_t effective_end(int64_t start, int64_t end, bool journal);

// Everything of a row but its resource and scope.
Status read_span(const ColumnSource& source, size_t row, otlp::Span& out);
// Sets base + row for every row that may satisfy the condition. For conditions on resources and
// scopes use shared_ids: which numbers of the resource (scope) column satisfy it.
Status match_spans(const ColumnSource& source, const Condition& condition,
                   const Predicate& predicate, const std::vector<bool>& shared_ids, size_t base,
                   RowSet& out);
// The fixed column that conditions on resources or scopes go through, or nullopt for other
// conditions.
std::optional<SpanColumn> shared_column(const Condition& condition);
bool resource_passes(const otlp::Resource& resource, const Condition& condition,
                     const Predicate& predicate);
bool scope_passes(const otlp::Scope& scope, const Condition& condition, const Predicate& predicate);
Status overlap_spans(const ColumnSource& source, const TimeRange& range, size_t base, RowSet& out);
// Clears base + row for every row of another tenant.
Status keep_tenants(const ColumnSource& source, const TenantSet& tenants, size_t base, RowSet& rows);

}  // namespace contextcore::store
