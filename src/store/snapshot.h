#pragma once
// A snapshot: one version, its head, the sequence up to which both are seen, and now. What queries
// and plans read; it stays the same whatever is written or cut meanwhile. Holds the head's lock
// only for the short moments in which rows of the head are looked at or copied.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "store/fetch.h"
#include "store/head.h"
#include "store/journal.h"

namespace contextcore::store {

// One visible row of a trace.
struct TraceRow {
  const SpanRows* rows = nullptr;
  uint32_t row = 0;
  bool journal = false;
  bool in_head = false;
};

class Snapshot final : public Source, public WorkView {
 public:
  // tenants: whose received data is seen; work is seen with the default tenant's.
  Snapshot(std::shared_ptr<const Head> head, uint64_t visible, int64_t now_ns,
           TenantSet tenants = TenantSet::of(kDefaultTenant));
  // The same state of other tenants.
  Snapshot(const Snapshot& other, TenantSet tenants);

  // ---- Source and WorkView ----
  int64_t now_ns() const override { return now_ns_; }
  Result<std::unique_ptr<TraceIterator>> fetch(const FetchRequest& request) const override;
  Result<std::unique_ptr<TraceIterator>> fetch_spans(const FetchRequest& request) const override;
  Result<std::vector<Column>> attributes(const SpanSelection& selection) const override;
  Status values(const SpanSelection& selection, SpanField field, const Column& column,
                const std::function<bool(const Cell&)>& each) const override;
  Result<std::unique_ptr<LogIterator>> fetch_logs(const LogFetchRequest& request) const override;
  Result<std::vector<LabelPairs>> streams(int64_t start_ns, int64_t end_ns) const override;
  Result<std::optional<otlp::TracesData>> trace(const otlp::TraceId& id) const override;
  std::optional<otlp::TraceId> forward(const otlp::TraceId& id) const override;
  const WorkIndexView& index() const override { return *table_; }
  Result<std::optional<JournalSpan>> span(const otlp::SpanId& id) const override;
  Result<std::vector<otlp::LogRecord>> events(const otlp::SpanId& id) const override;

  // ---- for the parts of this room ----
  const Head& head() const { return *head_; }
  const Version& version() const { return *version_; }
  const std::shared_ptr<const Head>& shared_head() const { return head_; }
  uint64_t visible() const { return visible_; }
  const WorkTable& table() const { return *table_; }
  const TenantSet& tenants() const { return tenants_; }
  // False: nothing of a segment, or of that half of the head, is seen.
  bool sees(const SegmentInfo& info) const {
    return info.segment_class == SegmentClass::work ? tenants_.has_default() : tenants_.contains_any(info.tenants);
  }
  bool sees(bool journal) const { return journal ? tenants_.has_default() : !tenants_.empty(); }
  // Leaves of the rows of a segment that it sees those that are visible.
  Status keep_visible(const SpanSegment& segment, RowSet& rows) const;
  // The same of the head. REQUIRES: its read lock is held, and all is settled
  Status keep_visible_in_head(bool journal, RowSet& rows) const;
  // Visible rows of a trace, in no order.
  Result<std::vector<TraceRow>> rows_of(const otlp::TraceId& id) const;

 private:
  std::shared_ptr<const Head> head_;
  std::shared_ptr<const Version> version_;
  uint64_t visible_;
  int64_t now_ns_;
  std::shared_ptr<const WorkTable> table_;
  TenantSet tenants_;
};

}  // namespace contextcore::store
