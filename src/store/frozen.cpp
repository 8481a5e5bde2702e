#include "store/frozen.h"

#include <utility>

namespace contextcore::store {
namespace {

SegmentInfo info_of(RowsKind kind, bool journal, uint64_t rows, uint64_t sequence) {
  SegmentInfo info;
  info.number = memory_segment_number(sequence, journal);
  info.kind = kind;
  info.segment_class = journal ? SegmentClass::work : SegmentClass::runtime;
  info.rows = rows;
  return info;
}

SpanSegment span_segment(const std::shared_ptr<const Head>& head, bool journal, uint64_t sequence) {
  const SpanRows& rows = head->spans(journal);
  RowSet gone(rows.size());
  for (uint32_t row = 0; row < rows.size(); ++row) {
    if (!head->visible(journal, row, sequence)) gone.set(row);
  }
  SpanSegment segment;
  segment.info = info_of(RowsKind::spans, journal, rows.size(), sequence);
  if (!journal) segment.info.tenants = head->span_tenants();
  segment.rows = std::shared_ptr<const SpanRows>(head, &rows);
  if (!gone.none()) segment.mask = std::make_shared<const RowSet>(std::move(gone));
  return segment;
}

}  // namespace

uint64_t memory_segment_number(uint64_t sequence, bool journal) {
  return uint64_t{1} << 63 | sequence << 1 | (journal ? 1 : 0);
}

std::shared_ptr<const Version> freeze(const std::shared_ptr<const Head>& head, uint64_t sequence) {
  auto version = std::make_shared<Version>(*head->shared_version());
  for (SpanSegment& segment : version->spans) {
    RowSet live(segment.info.rows, true);
    head->hide_superseded(segment.info.number, sequence, live);
    RowSet gone(segment.info.rows, true);
    gone.subtract(live);
    if (gone.none()) continue;
    if (segment.mask != nullptr) gone |= *segment.mask;
    segment.mask = std::make_shared<const RowSet>(std::move(gone));
  }
  for (const bool journal : {true, false}) {
    if (head->spans(journal).size() > 0) {
      if (!journal) version->traces.add_unlisted(version->spans.size());
      version->spans.push_back(span_segment(head, journal, sequence));
    }
    const LogRows& logs = head->logs(journal);
    if (logs.size() == 0) continue;
    SegmentInfo info = info_of(RowsKind::logs, journal, logs.size(), sequence);
    if (!journal) info.tenants = head->log_tenants();
    version->logs.push_back({std::move(info), std::shared_ptr<const LogRows>(head, &logs)});
  }
  version->work = head->table(sequence);
  version->forwards = std::make_shared<const Forwards>(head->all_forwards());
  version->manifest.tenants = head->tenants();
  version->manifest.sequence = sequence;
  version->frozen = head;
  return version;
}

}  // namespace contextcore::store
