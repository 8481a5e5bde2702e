#pragma once
// Log entries in bulk, beside fetch.h: for answers that look at many entries and at little of each. Columns instead of
// entries, a batch at a time; the store again knows no query language.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/fetch.h"

namespace contextcore::store {

// A field of a line, a text.
struct LogFieldText {
  std::string field, text;
};

// What of the entries is wanted besides time, stream and sequence.
struct LogProjection {
  bool line = false;
  bool fields = false;                // lines, but for those that come as fields (LogBatch::fields)
  bool ids = false;                   // trace and span ids, observed times
  std::vector<std::string> metadata;  // names of structured metadata
  std::vector<std::string> integers;  // keys of attributes of the records, where these are integers
  bool once = false;                  // what is read of files for this is not kept for others
  // Entries whose field has another text are not wanted. Prunes; a superset comes.
  std::optional<LogFieldText> holding = {};
};

// A text for each entry, by its number among the values. Value 0 is "": there is none.
struct TextColumn {
  std::vector<uint32_t> ids;
  std::vector<std::string_view> values;  // the same text may stand here twice
  std::string_view at(size_t entry) const { return values[ids[entry]]; }
};

// A member of a JSON object.
struct FieldValue {
  enum class Type : uint8_t { none, string, boolean, integer, real, json };
  Type type = Type::none;
  std::string_view text;  // of a string its content; of json the value's own text: nested, null, or spelled unusually
  uint64_t number = 0;    // boolean, integer, real (its bits)
};

// A value for each entry, by its number among the values. Value 0: there is none.
struct FieldColumn {
  std::vector<uint32_t> ids;
  std::vector<FieldValue> values;  // the same value may stand here twice
  const FieldValue& at(size_t entry) const { return values[ids[entry]]; }
};

// Lines of a batch that the store has as fields. What they are is what parse_json reads of the line; no name comes twice.
class LogFields {
 public:
  virtual ~LogFields() = default;
  // The entry comes as fields, and its line is empty.
  virtual bool has(size_t entry) const = 0;
  // Every name of the entry is a word ([A-Za-z_][A-Za-z0-9_]*), and no value is an object. REQUIRES: has(entry)
  virtual Result<bool> is_flat(size_t entry) = 0;
  // Entries without fields have none. Valid as long as the batch.
  virtual Result<const FieldColumn*> column(std::string_view name) = 0;
  // REQUIRES: has(entry)
  virtual Result<std::string> line(size_t entry) = 0;
};

struct LogBatch {
  size_t size = 0;
  std::vector<int64_t> times_ns;  // LogEntry::time_ns
  std::vector<uint64_t> sequences;
  std::vector<const LabelPairs*> streams;      // same pointer for the same stream within one iterator
  std::vector<std::string_view> lines;         // with line or fields
  std::unique_ptr<LogFields> fields;           // with fields, when some entry has them
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
// The same entries in parts: one for each file, the oldest first, in which those of a stream lie together in order of time
// and sequence, the streams in order of their labels; and one for what lies in memory, as it arrived. A source that is no
// snapshot of a store has one part, in order of time.
Result<std::vector<std::unique_ptr<LogBatchIterator>>> scan_log_parts(const Source& source,
                                                                      const LogFetchRequest& request,
                                                                      const LogProjection& projection);
// Always of entries: what scan_logs gives has to equal it.
Result<std::unique_ptr<LogBatchIterator>> batches_of_entries(const Source& source, const LogFetchRequest& request,
                                                             const LogProjection& projection);

}  // namespace contextcore::store
