#include <algorithm>
#include <unordered_map>

#include "store/log_scan.h"
#include "store/log_streams.h"
#include "store/rows_shared.h"

namespace contextcore::store {
namespace {

class LogBuilderImpl : public LogBuilder, public LogParts {
 public:
  uint32_t append(const std::shared_ptr<const otlp::Resource>& resource,
                  const std::shared_ptr<const otlp::Scope>& scope, const otlp::LogRecord& record,
                  const RowMeta& meta) override {
    const uint32_t resource_number = resources_.add(resource);
    const uint32_t stream = streams_.number_of(meta.tenant, resource_number, *resource);
    const uint32_t row = columns_.append(resource_number, scopes_.add(scope), stream, record, meta);
    next_of_span_.push_back(kLast);
    if (!record.span_id.empty()) add_to_span(number_of(record.span_id), row);
    return row;
  }

  size_t size() const override { return columns_.rows(0); }
  RowMeta meta(size_t row) const override {
    return {view(LogColumn::sequence).number_of(row),
            static_cast<int64_t>(view(LogColumn::revision).number_of(row)),
            view(LogColumn::journal).number_of(row) != 0, tenant(row)};
  }
  int64_t time_ns(size_t row) const override {
    const uint64_t time = view(LogColumn::time).number_of(row);
    return static_cast<int64_t>(time != 0 ? time : view(LogColumn::observed_time).number_of(row));
  }
  uint32_t stream(size_t row) const override {
    return static_cast<uint32_t>(view(LogColumn::stream).number_of(row));
  }
  const std::vector<LabelPairs>& streams() const override { return streams_.labels(); }
  const std::vector<uint32_t>& stream_tenants() const override { return streams_.tenants(); }
  otlp::SpanId span_id(size_t row) const override {
    return span_id_of(view(LogColumn::span_id).number_of(row));
  }

  Result<RowSet> match(int64_t start_ns, int64_t end_ns, const std::vector<bool>& streams_wanted,
                       const std::vector<std::string>& needles) const override {
    RowSet rows(size());
    CC_TRY(match_logs(columns_, start_ns, end_ns, streams_wanted, needles, 0, rows));
    return rows;
  }

  uint64_t first_sequence() const override { return size() == 0 ? 0 : view(LogColumn::sequence).number_of(0); }
  size_t parts() const override { return (size() + kPartRows - 1) / kPartRows; }
  Status read_part(size_t part, const LogScan& scan, LogBatch& batch, std::vector<uint32_t>& streams) const override {
    const LogObjects objects{
        [this](uint64_t number) { return Result<std::shared_ptr<const otlp::Resource>>(resources_.at(number)); },
        [this](uint64_t number) { return Result<std::shared_ptr<const otlp::Scope>>(scopes_.at(number)); }};
    const size_t first = part * kPartRows;
    return scan_log_rows(columns_, first, std::min(size(), first + kPartRows), scan, objects, false, batch, streams);
  }

  Result<std::vector<LogFact>> records_of_span(const otlp::SpanId& id) const override {
    std::vector<LogFact> facts;
    CC_ASSIGN(const std::vector<uint32_t> rows, rows_of_span(id));
    for (const uint32_t row : rows) {
      CC_ASSIGN(Whole whole, materialize(row));
      facts.push_back({meta(row).sequence, std::move(whole.record)});
    }
    return facts;
  }

  Result<std::vector<uint32_t>> rows_of_span(const otlp::SpanId& id) const override {
    std::vector<uint32_t> rows;
    const auto span = by_span_.find(number_of(id));
    if (span == by_span_.end()) return rows;
    for (uint32_t row = span->second.first; row != kLast; row = next_of_span_[row])
      rows.push_back(row);
    return rows;
  }

  Result<std::string> line(size_t row) const override { return read_line(columns_, row); }
  Result<LabelPairs> metadata(size_t row) const override {
    CC_ASSIGN(const Whole whole, materialize(row));
    return structured_metadata(*whole.resource, *whole.scope, whole.record);
  }
  Result<Whole> materialize(size_t row) const override {
    Whole whole;
    whole.resource = resources_.at(view(LogColumn::resource).number_of(row));
    whole.scope = scopes_.at(view(LogColumn::scope).number_of(row));
    CC_TRY(read_log(columns_, row, whole.record));
    return whole;
  }
  uint64_t memory_bytes() const override {
    return columns_.memory_bytes() + resources_.memory_bytes() + scopes_.memory_bytes() +
           4 * next_of_span_.capacity() + 48 * by_span_.size() + 256 * streams().size();
  }

 private:
  static constexpr uint32_t kLast = UINT32_MAX;
  static constexpr size_t kPartRows = 4096;
  struct Ends {
    uint32_t first, last;
  };
  ColumnView view(LogColumn column) const { return columns_.column(column).view(); }

  void add_to_span(uint64_t span, uint32_t row) {
    const auto [at, is_new] = by_span_.try_emplace(span, Ends{row, row});
    if (is_new) return;
    next_of_span_[at->second.last] = row;
    at->second.last = row;
  }

  LogColumns columns_;
  SharedObjects<otlp::Resource> resources_;
  SharedObjects<otlp::Scope> scopes_;
  LogStreams streams_;
  std::unordered_map<uint64_t, Ends> by_span_;
  std::vector<uint32_t> next_of_span_;
};

}  // namespace

std::unique_ptr<LogBuilder> LogBuilder::make() { return std::make_unique<LogBuilderImpl>(); }

}  // namespace contextcore::store
