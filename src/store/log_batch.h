#pragma once
// Log entries in bulk, beside fetch.h: for answers that look at many entries and at little of each. Columns instead of
// entries, a batch at a time; the store again knows no query language.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "store/fetch.h"

namespace contextcore::store {

// What of the entries is wanted besides time, stream and sequence.
struct LogProjection {
  bool line = false;
  bool ids = false;                   // trace and span ids, observed times
  std::vector<std::string> metadata;  // names of structured metadata
  std::vector<std::string> integers;  // keys of attributes of the records, where these are integers
};

// A text for each entry, by its number among the values. Value 0 is "": there is none.
struct TextColumn {
  std::vector<uint32_t> ids;
  std::vector<std::string_view> values;  // the same text may stand here twice
  std::string_view at(size_t entry) const { return values[ids[entry]]; }
};

struct LogBatch {
  size_t size = 0;
  std::vector<int64_t> times_ns;  // LogEntry::time_ns
  std::vector<uint64_t> sequences;
  std::vector<const LabelPairs*> streams;      // same pointer for the same stream within one iterator
  std::vector<std::string_view> lines;         // with line
  std::vector<TextColumn> metadata;            // one for each name
  std::vector<std::vector<int64_t>> integers;  // one for each key; 0: there is none
  std::vector<otlp::TraceId> trace_ids;        // with ids, like the next two
  std::vector<otlp::SpanId> span_ids;
  std::vector<int64_t> observed_ns;  // 0: none
  // What the views above borrow from.
  std::shared_ptr<const void> pinned;
  std::vector<std::unique_ptr<std::string>> owned;
  std::string_view own(std::string text) {
    return *owned.emplace_back(std::make_unique<std::string>(std::move(text)));
  }
};

class LogBatchIterator {
 public:
  virtual ~LogBatchIterator() = default;
  // False at the end; a batch may be empty. What it points to is valid until the next call (streams: of the iterator).
  virtual Result<bool> next(LogBatch& batch) = 0;
};

// The entries of fetch_logs in batches, whatever order the request asks for: in no order, but entries of one stream, time
// and sequence as they arrived. A snapshot of a store reads columns; of any other source the batches are made of its entries.
// The iterator must not outlive the source.
Result<std::unique_ptr<LogBatchIterator>> scan_logs(const Source& source, const LogFetchRequest& request,
                                                    const LogProjection& projection);
// Always of entries: what scan_logs gives has to equal it.
Result<std::unique_ptr<LogBatchIterator>> batches_of_entries(const Source& source, const LogFetchRequest& request,
                                                             const LogProjection& projection);

}  // namespace contextcore::store
