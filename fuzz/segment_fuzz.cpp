// Arbitrary bytes as a segment file or a work table: opening and reading all of it gives answers or
// errors. The checksums would turn nearly every input away, so the input is taken as a footer and
// its pages, and the trailer with the right checksum is put behind them.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/hash.h"
#include "base/sim_file_system.h"
#include "store/column_value.h"
#include "store/log_parts.h"
#include "store/rows.h"
#include "store/segment_format.h"
#include "store/segment_page.h"
#include "store/span_order.h"
#include "store/span_writer.h"
#include "store/work_table.h"

namespace {

using namespace contextcore;
using namespace contextcore::store;

constexpr size_t kRowsRead = 64, kRowsOrdered = 4096;

// First two bytes: how many of the rest are pages; then pages, then footer.
std::string segment_of(std::string_view input, uint32_t version) {
  if (input.size() < 2) return std::string(input);
  const size_t split =
      (static_cast<uint8_t>(input[0]) | static_cast<size_t>(static_cast<uint8_t>(input[1])) << 8) %
      (input.size() - 1);
  std::string file(kSegmentMagic);
  append_u32(version, file);
  append_u32(0, file);
  file += input.substr(2, split);
  const std::string_view footer = input.substr(std::min(2 + split, input.size()));
  file += footer;
  append_u64(xxh3_64(footer), file);
  append_u64(footer.size(), file);
  append_u32(version, file);
  file += kSegmentMagic;
  return file;
}

void read_spans(FileSystem& files) {
  const auto segment = open_span_segment(files, "/file");
  if (!segment.ok()) return;
  const SpanRows& rows = **segment;
  for (size_t row = 0; row < std::min(rows.size(), kRowsRead); ++row) {
    rows.meta(row);
    rows.end_ns(row);
    rows.tenant(row);
    (void)rows.rows_of_trace(rows.trace_id(row));
    (void)rows.materialize(row);
  }
  // To another segment, as a merge would take them.
  std::vector<RowRef<SpanRows>> some;
  for (uint32_t row = 0; row < std::min(rows.size(), kRowsRead); ++row) some.push_back({&rows, row});
  (void)write_span_segment(files, "/copy", some);
  SpanOrder order;
  if (rows.size() <= kRowsOrdered && order.add(rows, RowSet(rows.size(), true)).ok()) {
    size_t ordered = 0;
    // The third tenant's data is kept for another time.
    for (const SpanOrder::Window& window : order.windows(2, TenantGroups({0, 0, 1}))) {
      const auto writer = SpanSegmentWriter::create(files, "/merged", window.rows, false);
      if (!writer.ok()) return;
      Status merged = order.for_each(window, [&](const SpanRun& run) {
        ordered += run.count;
        return (*writer)->add(run);
      });
      if (merged.ok()) (void)(*writer)->finish();
    }
    if (ordered > rows.size()) __builtin_trap();
  }
  if (rows.size() <= kRowsOrdered) {
    TenantSet tenants = TenantSet::of(kDefaultTenant);
    tenants.add(1, "one");
    RowSet kept(rows.size(), true);
    (void)rows.keep_tenants(tenants, kept);
  }
  Condition condition;
  condition.op = Op::greater;
  condition.operands = {int64_t{3}};
  for (const SpanField field :
       {SpanField::name, SpanField::duration, SpanField::event_name, SpanField::link_span_id,
        SpanField::trace_id, SpanField::scope_name}) {
    condition.field = field;
    (void)rows.match(condition);
  }
  (void)rows.overlap({1, 2});
}

void read_logs(FileSystem& files) {
  const auto segment = open_log_segment(files, "/file");
  if (!segment.ok()) return;
  const LogRows& rows = **segment;
  for (size_t row = 0; row < std::min(rows.size(), kRowsRead); ++row) {
    rows.meta(row);
    rows.time_ns(row);
    rows.stream(row);
    (void)rows.rows_of_span(rows.span_id(row));
    (void)rows.line(row);
    (void)rows.metadata(row);
  }
  for (size_t stream = 0; stream < rows.streams().size(); ++stream) rows.tenant_of_stream(stream);
  const std::vector<bool> streams(rows.streams().size(), true);
  (void)rows.match(INT64_MIN, INT64_MAX, streams, {"a"});
  LogProjection projection;
  projection.fields = true;
  LogScan scan;
  scan.streams_wanted = streams;
  scan.projection = &projection;
  const LogParts& parts = LogParts::of(rows);
  for (size_t part = 0; part < std::min(parts.parts(), kRowsRead); ++part) {
    LogBatch batch;
    std::vector<uint32_t> numbers;
    if (!parts.read_part(part, scan, batch, numbers).ok() || batch.fields == nullptr) continue;
    for (size_t i = 0; i < std::min(batch.size, kRowsRead); ++i) {
      if (!batch.fields->has(i)) continue;
      (void)batch.fields->is_flat(i);
      (void)batch.fields->line(i);
      const auto column = batch.fields->column("event");
      if (column.ok()) (void)(*column)->at(i);
    }
  }
}

void read_work_table(FileSystem& files) {
  const auto table = WorkTable::open(files, {"/file"});
  if (!table.ok()) return;
  (void)(*table)->verify();
  size_t rows = 0;
  (*table)->scan([&](const WorkRow& row) {
    (*table)->find(row.span_id);
    (*table)->children(row.parent_span_id);
    return ++rows < kRowsRead;
  });
  size_t keys = 0;
  (*table)->scan_keys({WorkFilter::bit(WorkKind::task), true}, [&](const WorkKey& key) {
    if (key.id.size() > (1u << 30)) __builtin_trap();
    return ++keys < kRowsRead;
  });
}

// Pages by themselves get past the checksums.
void read_page(std::string_view input) {
  std::string bytes(input);
  bytes.append(8, '\0');
  for (uint8_t type = 0; type < kColumnTypes; ++type) {
    Page page;
    if (!Page::decode(std::string_view(bytes).substr(0, input.size()),
                      static_cast<ColumnType>(type), 4096, page)) {
      continue;
    }
    const ColumnView view = page.view();
    for (size_t i = 0; i < view.count; ++i) {
      otlp::Value value;
      if (view.row(i) >= 4096) __builtin_trap();
      (void)value_at(view, i, value);
    }
  }
  otlp::Resource resource;
  (void)decode_resource(input, resource);
  otlp::Scope scope;
  (void)decode_scope(input, scope);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if (input.empty()) return 0;
  const std::string_view rest = input.substr(1);
  if (input[0] % 4 == 3) return read_page(rest), 0;
  SimDisk disk;
  const auto files = disk.start_process();
  const std::string file = input[0] % 4 == 0 ? segment_of(rest, 3 + input[0] / 4 % 2) : std::string(rest);
  if (!files->write_file_atomically("/file", file).ok()) return 0;
  read_spans(*files);
  read_logs(*files);
  read_work_table(*files);
  return 0;
}
