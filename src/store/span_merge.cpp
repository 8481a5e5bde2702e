#include "store/span_merge.h"

#include <utility>

#include "store/segment_order.h"

namespace contextcore::store {

Status SpanMerge::write(const std::vector<SpanInput>& inputs, size_t windows_max, const TenantGroups& groups) {
  for (const SpanInput& input : inputs) {
    sources_.push_back(input.rows);
    moves_.push_back({input.number, {}, std::vector<RowMoves::Place>(input.rows->size())});
  }
  return index_ != nullptr ? write_journal(inputs) : write_received(inputs, windows_max, groups);
}

Status SpanMerge::write_journal(const std::vector<SpanInput>& inputs) {
  std::vector<RowRef<SpanRows>> rows;
  for (const SpanInput& input : inputs) {
    input.wanted.for_each(
        [&](size_t row) { rows.push_back({input.rows, static_cast<uint32_t>(row)}); });
  }
  if (rows.empty()) return {};
  const TimeBounds bounds = sort_journal_spans(rows, *index_);
  for (const SpanInput& input : inputs) CC_TRY(input.rows->status());
  CC_TRY(begin(rows.size()));
  for (const RowRef<SpanRows>& row : rows) CC_TRY(add(row));
  return end(bounds, {});
}

Status SpanMerge::write_received(const std::vector<SpanInput>& inputs, size_t windows_max,
                                 const TenantGroups& groups) {
  SpanOrder order;
  for (const SpanInput& input : inputs) CC_TRY(order.add(*input.rows, input.wanted));
  for (const SpanOrder::Window& window : order.windows(windows_max, groups)) {
    CC_TRY(begin(window.rows));
    CC_TRY(order.for_each(window, [this](const SpanRun& run) { return add(run); }));
    CC_TRY(end(window.bounds, window.tenants));
    traces_.add(number_, order.fingerprints(window));
  }
  return {};
}

Status SpanMerge::begin(uint64_t rows) {
  number_ = next_number_.fetch_add(1, std::memory_order_relaxed);
  row_ = 0;
  CC_ASSIGN(writer_, SpanSegmentWriter::create(
                         files_, data_path(directory_, number_, extension_of(RowsKind::spans)),
                         rows, index_ != nullptr));
  return {};
}

RowMoves& SpanMerge::moves_of(const SpanRows* source) {
  while (sources_[source_] != source) source_ = (source_ + 1) % sources_.size();
  return moves_[source_];
}

Status SpanMerge::add(const RowRef<SpanRows>& row) {
  moves_of(row.rows).set(row.row, number_, row_++);
  return writer_->add(row);
}

Status SpanMerge::add(const SpanRun& run) {
  RowMoves& moves = moves_of(run.rows);
  for (uint32_t i = 0; i < run.count; ++i) moves.set(run.first + i, number_, row_++);
  return writer_->add(run);
}

Status SpanMerge::end(const TimeBounds& bounds, std::vector<uint32_t> tenants) {
  CC_TRY(writer_->finish());
  writer_ = nullptr;
  CC_ASSIGN(SegmentInfo info,
            written_segment(files_, directory_, RowsKind::spans, segment_class_, number_));
  info.rows = row_;
  info.bounds = bounds;
  info.tenants = std::move(tenants);
  outputs_.push_back(info);
  return {};
}

}  // namespace contextcore::store
