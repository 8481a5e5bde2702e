#include "store/span_writer.h"

#include <algorithm>
#include <utility>

#include "otlp/protobuf.h"
#include "store/segment_rows.h"

namespace contextcore::store {
namespace {

// Rows that are copied at once; what a group has grown to is looked at in between.
constexpr size_t kSliceRows = 128;

// Received spans of all but small files have groups as those of the largest: what is merged goes over in whole groups.
constexpr size_t kLargestGroupsFrom = 128u << 10;

size_t group_rows_of(size_t rows, bool journal) {
  return !journal && rows > kLargestGroupsFrom ? group_rows_for(SIZE_MAX) : group_rows_for(rows);
}

std::array<int64_t, 5> numbers_of(const SpanZones& zones) {
  return {zones.min_start, zones.max_start, zones.max_end, zones.max_duration, zones.open ? 1 : 0};
}

}  // namespace

SpanSegmentWriter::SpanSegmentWriter(SegmentWriter writer, size_t rows_expected, bool whole_rows)
    : writer_(std::move(writer)),
      group_rows_(group_rows_of(rows_expected, whole_rows)),
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

// ---- whole row groups of other segments
// ----------------------------------------------------------------------------------------

// Groups that are far smaller than those of this file are put together to larger ones.
bool SpanSegmentWriter::may_be_copied(const SpanRows::InColumns& in) const {
  const SegmentGroup* const group = in.source->in_segment();
  return group != nullptr && group->file().footer().version == segment_version(SegmentKind::spans) &&
         (in.end - in.first) * 2 >= group_rows_ && !whole_rows_;
}

const SpanRows::InColumns& SpanSegmentWriter::columns_of(const SpanRun& run) {
  if (asked_rows_ != run.rows || run.first < asked_.first || run.first >= asked_.end) {
    asked_ = run.rows->columns_at(run.first);
    asked_rows_ = run.rows;
  }
  return asked_;
}

Status SpanSegmentWriter::add(const SpanRun& run) {
  SpanRun rest = run;
  while (rest.count > 0) {
    SpanRun part = rest;
    if (whole_.rows != rest.rows || whole_.next != rest.first) {
      CC_TRY(end_whole());
      const SpanRows::InColumns& in = columns_of(rest);
      part.count = std::min(rest.count, in.end - rest.first);
      if (in.first == rest.first && may_be_copied(in)) whole_ = {rest.rows, in, rest.first, {}};
    }
    if (whole_.rows != nullptr) {
      part.count = std::min(part.count, whole_.in.end - whole_.next);
      whole_.runs.push_back(part);
      whole_.next += part.count;
      if (whole_.next == whole_.in.end) CC_TRY(copy_whole());
    } else {
      CC_TRY(gather(part));
    }
    rest.first += part.count;
    rest.count -= part.count;
  }
  return {};
}

Status SpanSegmentWriter::gather(const SpanRun& run) {
  for (uint32_t i = 0; i < run.count; ++i) CC_TRY(add(RowRef<SpanRows>{run.rows, run.first + i}));
  return {};
}

// Its rows do not go on as they did.
Status SpanSegmentWriter::end_whole() {
  const WholeGroup whole = std::exchange(whole_, {});
  for (const SpanRun& run : whole.runs) CC_TRY(gather(run));
  return {};
}

// Not behind a handful of rows, which would have to make a group of their own.
Status SpanSegmentWriter::copy_whole() {
  if (!rows_.empty() && rows_.size() * 2 < group_rows_) return end_whole();
  if (copied_ < rows_.size()) CC_TRY(copy_slice());
  CC_TRY(end_group());
  const WholeGroup whole = std::exchange(whole_, {});
  const uint32_t first = whole.in.first;
  SegmentWriter::InsteadOf instead;
  CC_ASSIGN(const ColumnBuilder resources, gather_.objects_of(*whole.rows, first, SpanColumn::resource));
  CC_ASSIGN(const ColumnBuilder scopes, gather_.objects_of(*whole.rows, first, SpanColumn::scope));
  instead.emplace(static_cast<size_t>(SpanColumn::resource), resources.view());
  instead.emplace(static_cast<size_t>(SpanColumn::scope), scopes.view());
  CC_TRY(writer_.copy_group(*whole.in.source->in_segment(), instead));
  for (const SpanRun& run : whole.runs) {
    add_to_index(index_, bytes_of(run.trace), group_first_ + run.first - first, run.count);
  }
  group_first_ += whole.in.end - first;
  return {};
}

// ---- rows
// ------------------------------------------------------------------------------------------

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
  CC_TRY(end_whole());
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
