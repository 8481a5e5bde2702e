#include "store/span_writer.h"

#include <algorithm>
#include <utility>

#include "otlp/protobuf.h"
#include "store/segment_rows.h"

namespace contextcore::store {
namespace {

// Rows that are copied at once; what a group has grown to is looked at in between.
constexpr size_t kSliceRows = 128;

std::array<int64_t, 5> numbers_of(const SpanZones& zones) {
  return {zones.min_start, zones.max_start, zones.max_end, zones.max_duration, zones.open ? 1 : 0};
}

}  // namespace

SpanSegmentWriter::SpanSegmentWriter(SegmentWriter writer, size_t rows_expected, bool whole_rows)
    : writer_(std::move(writer)),
      group_rows_(group_rows_for(rows_expected)),
      whole_rows_(whole_rows),
      gather_(resources_, scopes_),
      group_(std::make_unique<SpanColumns>()) {
  gather_.begin_group(group_rows_);
}

Result<std::unique_ptr<SpanSegmentWriter>> SpanSegmentWriter::create(FileSystem& files,
                                                                     const std::string& path,
                                                                     size_t rows_expected,
                                                                     bool whole_rows) {
  CC_ASSIGN(SegmentWriter writer, SegmentWriter::create(files, path, SegmentKind::spans));
  return std::unique_ptr<SpanSegmentWriter>(
      new SpanSegmentWriter(std::move(writer), rows_expected, whole_rows));
}

Status SpanSegmentWriter::add(const RowRef<SpanRows>& row) {
  rows_.push_back(row);
  if (rows_.size() - copied_ < kSliceRows && rows_.size() < group_rows_) return {};
  CC_TRY(copy_slice());
  const bool full = rows_.size() >= group_rows_ || group_->rows(kEventTable) >= kGroupChildRows ||
                    group_->rows(kLinkTable) >= kGroupChildRows ||
                    group_->memory_bytes() >= kGroupBytesMax;
  return full ? end_group() : Status();
}

Status SpanSegmentWriter::copy_slice() {
  const size_t from = std::exchange(copied_, rows_.size());
  CC_ASSIGN(const bool fits, gather_.append(rows_.data() + from, rows_.size() - from, *group_));
  return fits ? Status() : put_together();
}

// More kinds of attributes than a group has columns for come from several sources: the spans
// themselves say which go to the overflow.
Status SpanSegmentWriter::put_together() {
  group_ = std::make_unique<SpanColumns>();
  for (const RowRef<SpanRows>& row : rows_) {
    CC_ASSIGN(const SpanRows::Whole whole, row.rows->materialize(row.row));
    const RowMeta meta = row.rows->meta(row.row);
    CC_TRY(row.rows->status());
    const otlp::SingleSpanView span(whole.span);
    group_->append(resources_.add(whole.resource), scopes_.add(whole.scope), span.view(), meta);
  }
  return end_group();
}

Status SpanSegmentWriter::write_whole(const RowRef<SpanRows>& row) {
  CC_ASSIGN(const SpanRows::Whole whole, row.rows->materialize(row.row));
  std::string encoded;
  append_varint(resources_.add(whole.resource), encoded);
  append_varint(scopes_.add(whole.scope), encoded);
  otlp::append_span_protobuf(whole.span, encoded);
  return writer_.add_whole(encoded);
}

Status SpanSegmentWriter::end_group() {
  if (rows_.empty()) return {};
  const ColumnView traces = group_->column(SpanColumn::trace_id).view();
  for (uint32_t i = 0; i < rows_.size(); ++i) {
    const otlp::TraceId trace = trace_id_of(traces.string_of(i));
    add_to_index(index_, bytes_of(trace), group_first_ + i);
    if (whole_rows_) CC_TRY(write_whole(rows_[i]));
  }
  CC_TRY(writer_.write_group(*group_, numbers_of(group_->zones())));
  group_first_ += static_cast<uint32_t>(rows_.size());
  group_ = std::make_unique<SpanColumns>();
  gather_.begin_group(group_rows_);
  rows_.clear();
  copied_ = 0;
  return {};
}

Status SpanSegmentWriter::finish() {
  if (copied_ < rows_.size()) CC_TRY(copy_slice());
  CC_TRY(end_group());
  CC_TRY(writer_.write_resources(resources_));
  CC_TRY(writer_.write_scopes(scopes_));
  CC_TRY(writer_.write_index(index_));
  return writer_.finish();
}

Status write_span_segment(FileSystem& files, const std::string& path,
                          const std::vector<RowRef<SpanRows>>& rows) {
  const bool whole_rows = std::all_of(rows.begin(), rows.end(), [](const RowRef<SpanRows>& ref) {
    return ref.rows->meta(ref.row).journal;
  });
  CC_ASSIGN(const auto writer, SpanSegmentWriter::create(files, path, rows.size(), whole_rows));
  for (const RowRef<SpanRows>& row : rows) CC_TRY(writer->add(row));
  return writer->finish();
}

}  // namespace contextcore::store
