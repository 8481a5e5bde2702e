#include "store/log_batch.h"

#include <charconv>
#include <set>

namespace contextcore::store {
namespace {

constexpr size_t kBatchEntries = 1024;

std::string_view find_label(const LabelPairs* labels, std::string_view name) {
  if (labels == nullptr) return {};
  for (const auto& [key, value] : *labels) {
    if (key == name) return value;
  }
  return {};
}

int64_t integer_of(std::string_view text) {
  int64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  return read.ec == std::errc() && read.ptr == text.data() + text.size() ? number : 0;
}

// Entries one by one, put together as columns.
class BatchesOfEntries : public LogBatchIterator {
 public:
  BatchesOfEntries(std::unique_ptr<LogIterator> entries, LogProjection projection)
      : entries_(std::move(entries)), projection_(std::move(projection)) {}

  Result<bool> next(LogBatch& batch) override {
    batch = {};
    batch.metadata.resize(projection_.metadata.size());
    batch.integers.resize(projection_.integers.size());
    for (TextColumn& column : batch.metadata) column.values.emplace_back();
    LogEntry entry;
    while (batch.size < kBatchEntries) {
      CC_ASSIGN(const bool more, entries_->next(entry));
      if (!more) break;
      add(entry, batch);
    }
    return batch.size > 0;
  }

 private:
  void add(const LogEntry& entry, LogBatch& batch) {
    ++batch.size;
    batch.times_ns.push_back(entry.time_ns);
    batch.sequences.push_back(entry.sequence);
    // Not the entry's own: it may be gone with the next one.
    batch.streams.push_back(&*streams_.insert(*entry.stream).first);
    if (projection_.line || projection_.fields) batch.lines.push_back(batch.own(std::string(entry.line)));
    for (size_t i = 0; i < projection_.metadata.size(); ++i) {
      TextColumn& column = batch.metadata[i];
      const std::string_view text = find_label(entry.metadata, projection_.metadata[i]);
      column.ids.push_back(text.empty() ? 0 : static_cast<uint32_t>(column.values.size()));
      if (!text.empty()) column.values.push_back(batch.own(std::string(text)));
    }
    for (size_t i = 0; i < projection_.integers.size(); ++i) {
      batch.integers[i].push_back(integer_of(find_label(entry.metadata, projection_.integers[i])));
    }
    if (!projection_.ids) return;
    // A text that is no id leaves it empty.
    otlp::parse_hex(find_label(entry.metadata, "trace_id"), batch.trace_ids.emplace_back());
    otlp::parse_hex(find_label(entry.metadata, "span_id"), batch.span_ids.emplace_back());
    batch.observed_ns.push_back(integer_of(find_label(entry.metadata, "observed_timestamp")));
  }

  std::unique_ptr<LogIterator> entries_;
  const LogProjection projection_;
  std::set<LabelPairs> streams_;  // node-based: pointers stay
};

}  // namespace

Result<std::unique_ptr<LogBatchIterator>> batches_of_entries(const Source& source, const LogFetchRequest& request,
                                                             const LogProjection& projection) {
  LogFetchRequest forward = request;
  forward.backward = false;
  CC_ASSIGN(std::unique_ptr<LogIterator> entries, source.fetch_logs(forward));
  return std::unique_ptr<LogBatchIterator>(std::make_unique<BatchesOfEntries>(std::move(entries), projection));
}

}  // namespace contextcore::store
