#include "store/segment_handle.h"

#include <fmt/format.h>

#include "store/log_parts.h"
#include "store/read_failures.h"
#include "store/rows_spans.h"
#include "store/segment_reader.h"

namespace contextcore::store {
namespace {

class UnreadableColumns : public ColumnSource {
 public:
  explicit UnreadableColumns(Error error) : error_(std::move(error)) {}

  size_t rows(size_t) const override { return 0; }
  Result<const uint32_t*> child_begins(size_t) const override { return error_; }
  Result<ColumnView> fixed(size_t) const override { return error_; }
  Zone fixed_zone(size_t) const override { return {}; }
  size_t attribute_count(size_t) const override { return 0; }
  AttributeInfo attribute_info(size_t, size_t) const override { return {}; }
  Result<ColumnView> attribute(size_t, size_t) const override { return error_; }
  Zone attribute_zone(size_t, size_t) const override { return {}; }
  Error damaged(const std::string&) const override { return error_; }

 private:
  Error error_;
};

// Rows of a file whose footer could not be read.
class UnreadableSpans : public SpanRows {
 public:
  UnreadableSpans(Error error, uint64_t rows) : error_(std::move(error)), rows_(rows) {}

  size_t size() const override { return rows_; }
  Result<RowSet> match(const Condition&) const override { return error_; }
  Result<RowSet> overlap(const TimeRange&) const override { return error_; }
  Status attributes(const RowSet&, const std::function<void(const Column&)>&) const override { return error_; }
  Result<bool> values(SpanField, const Column&, const RowSet&, const std::function<bool(const Cell&)>&) const override {
    return error_;
  }
  RowMeta meta(size_t) const override { return {}; }
  uint32_t tenant(size_t) const override { return kDefaultTenant; }
  Status keep_tenants(const TenantSet&, RowSet&) const override { return error_; }
  otlp::TraceId trace_id(size_t) const override { return {}; }
  otlp::SpanId span_id(size_t) const override { return {}; }
  int64_t start_ns(size_t) const override { return 0; }
  int64_t end_ns(size_t) const override { return 0; }
  otlp::SpanKind kind(size_t) const override { return otlp::SpanKind::unspecified; }
  Result<std::vector<uint32_t>> rows_of_trace(const otlp::TraceId&) const override { return error_; }
  Result<Whole> materialize(size_t) const override { return error_; }
  InColumns columns_at(size_t) const override {
    return {std::make_shared<const UnreadableColumns>(error_), 0, static_cast<uint32_t>(rows_)};
  }
  Result<std::shared_ptr<const otlp::Resource>> resource(uint64_t) const override { return error_; }
  Result<std::shared_ptr<const otlp::Scope>> scope(uint64_t) const override { return error_; }
  Result<std::shared_ptr<const SpanGroup>> group(size_t, const std::vector<Column>&) const override { return error_; }
  uint64_t memory_bytes() const override { return sizeof(*this); }
  Status status() const override { return error_; }

 private:
  Error error_;
  uint64_t rows_;
};

class UnreadableLogs : public LogRows, public LogParts {
 public:
  UnreadableLogs(Error error, uint64_t rows) : error_(std::move(error)), rows_(rows) {}

  size_t size() const override { return rows_; }
  RowMeta meta(size_t) const override { return {}; }
  int64_t time_ns(size_t) const override { return 0; }
  uint32_t stream(size_t) const override { return 0; }
  const std::vector<LabelPairs>& streams() const override { return streams_; }
  const std::vector<uint32_t>& stream_tenants() const override { return stream_tenants_; }
  otlp::SpanId span_id(size_t) const override { return {}; }
  Result<RowSet> match(int64_t, int64_t, const std::vector<bool>&, const std::vector<std::string>&) const override {
    return error_;
  }
  Result<std::vector<uint32_t>> rows_of_span(const otlp::SpanId&) const override { return error_; }
  Result<std::string> line(size_t) const override { return error_; }
  Result<LabelPairs> metadata(size_t) const override { return error_; }
  Result<Whole> materialize(size_t) const override { return error_; }
  uint64_t memory_bytes() const override { return sizeof(*this); }
  Status status() const override { return error_; }

  size_t parts() const override { return 1; }
  uint64_t first_sequence() const override { return 0; }
  Status read_part(size_t, const LogScan&, LogBatch&, std::vector<uint32_t>&) const override { return error_; }
  Result<std::vector<LogFact>> records_of_span(const otlp::SpanId&) const override { return error_; }

 private:
  Error error_;
  uint64_t rows_;
  std::vector<LabelPairs> streams_{1};
  std::vector<uint32_t> stream_tenants_;
};

std::shared_ptr<const SpanRows> unreadable(const SpanRows*, Error error, uint64_t rows) {
  return std::make_shared<const UnreadableSpans>(std::move(error), rows);
}
std::shared_ptr<const LogRows> unreadable(const LogRows*, Error error, uint64_t rows) {
  return std::make_shared<const UnreadableLogs>(std::move(error), rows);
}

Result<std::shared_ptr<const SpanRows>> open_rows(const SpanRows*, std::unique_ptr<File> file, const std::string& path) {
  CC_ASSIGN(std::unique_ptr<SpanRows> rows, open_span_segment(std::move(file), path));
  return std::shared_ptr<const SpanRows>(std::move(rows));
}
Result<std::shared_ptr<const LogRows>> open_rows(const LogRows*, std::unique_ptr<File> file, const std::string& path) {
  CC_ASSIGN(std::unique_ptr<LogRows> rows, open_log_segment(std::move(file), path));
  return std::shared_ptr<const LogRows>(std::move(rows));
}

}  // namespace

template <typename Rows>
const Rows* SegmentHandle<Rows>::State::load() {
  const std::lock_guard lock(mutex);
  if (loaded != nullptr) return loaded.get();
  constexpr const Rows* kKind = nullptr;
  auto read = open_rows(kKind, std::move(file), path);
  opened = read.status();
  if (opened.ok() && (*read)->size() != rows) {
    opened = {Code::corruption, fmt::format("{} has {} rows instead of {}", path, (*read)->size(), rows)};
  }
  ReadFailures::note(opened);
  loaded = opened.ok() ? std::move(*read) : unreadable(kKind, opened.error(), rows);
  ready.store(loaded.get(), std::memory_order_release);
  return loaded.get();
}

template class SegmentHandle<SpanRows>;
template class SegmentHandle<LogRows>;

}  // namespace contextcore::store
