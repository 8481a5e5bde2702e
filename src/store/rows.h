#pragma once
// Columnar rows, in memory and on disk, behind one reading interface. The head is a list of
// SpanBuilders (LogBuilders); a segment file opens as SpanRows (LogRows) that decode columns on
// demand, a row group at a time. Scans evaluate predicates on dictionaries and zone maps first,
// then on rows.

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/result.h"
#include "otlp/model.h"
#include "otlp/span_view.h"
#include "store/fetch.h"
#include "store/tenant.h"

namespace contextcore::store {

class ColumnSource;  // column_attributes.h

// Dense bitset over row numbers.
class RowSet {
 public:
  explicit RowSet(size_t rows = 0, bool value = false);
  size_t rows() const { return rows_; }
  bool test(size_t row) const { return (words_[row / 64] >> (row % 64)) & 1; }
  void set(size_t row) { words_[row / 64] |= uint64_t{1} << (row % 64); }
  void clear(size_t row) { words_[row / 64] &= ~(uint64_t{1} << (row % 64)); }
  RowSet& operator&=(const RowSet& other);
  RowSet& operator|=(const RowSet& other);
  void subtract(const RowSet& other);
  size_t count() const;
  bool none() const;
  // Calls fn(row) for every set row, ascending.
  void for_each(const std::function<void(size_t)>& fn) const;
  std::vector<uint64_t>& words() { return words_; }
  const std::vector<uint64_t>& words() const { return words_; }

 private:
  size_t rows_;
  std::vector<uint64_t> words_;
};

struct RowMeta {
  uint64_t sequence = 0;
  int64_t revision = 0;  // journal rows only
  bool journal = false;
  uint32_t tenant = kDefaultTenant;  // of the journal: always that
};

// Some rows side by side, with the columns at hand that a reader wants. For one thread. What it gives is borrowed from it,
// and from the rows it is of.
class SpanGroup {
 public:
  virtual ~SpanGroup() = default;
  virtual size_t first() const = 0;
  virtual size_t end() const = 0;
  // REQUIRES, here and below: first() <= row < end()
  virtual otlp::TraceId trace_id(size_t row) const = 0;
  virtual Result<SpanCore> core(size_t row) const = 0;  // the end as stored; open and journal are not set
  // column: of those that were asked for, of scope span, resource or instrumentation. The cell may borrow from values.
  virtual Result<Cell> cell(size_t row, size_t column, std::deque<otlp::Value>& values) const = 0;
};

// A batch of span rows, immutable or append-only. const methods are thread-safe against each other;
// a builder's append needs external exclusion.
class SpanRows {
 public:
  virtual ~SpanRows() = default;
  virtual size_t size() const = 0;
  // Rows (a superset) that satisfy one condition / overlap the range. An open journal span overlaps
  // everything after its start.
  virtual Result<RowSet> match(const Condition& condition) const = 0;
  virtual Result<RowSet> overlap(const TimeRange& range) const = 0;
  // Attributes of the given rows, their events and links; some of them more than once.
  virtual Status attributes(const RowSet& rows, const std::function<void(const Column&)>& each) const = 0;
  // Values that the given rows have of a field (Source::values), some of them more than once, until each returns
  // false. False: it did.
  virtual Result<bool> values(SpanField field, const Column& column, const RowSet& rows,
                              const std::function<bool(const Cell&)>& each) const = 0;
  virtual RowMeta meta(size_t row) const = 0;
  virtual uint32_t tenant(size_t row) const = 0;
  // Clears the rows of other tenants.
  virtual Status keep_tenants(const TenantSet& tenants, RowSet& rows) const = 0;
  virtual otlp::TraceId trace_id(size_t row) const = 0;
  virtual otlp::SpanId span_id(size_t row) const = 0;
  virtual int64_t start_ns(size_t row) const = 0;
  virtual int64_t end_ns(size_t row) const = 0;  // as stored; 0 = none
  virtual otlp::SpanKind kind(size_t row) const = 0;
  // Rows of a trace of all tenants, ascending.
  virtual Result<std::vector<uint32_t>> rows_of_trace(const otlp::TraceId& id) const = 0;
  // Everything of a row, exactly as it was appended. Borrowed until the rows object goes.
  struct Whole {
    std::shared_ptr<const otlp::Resource> resource;
    std::shared_ptr<const otlp::Scope> scope;
    otlp::Span span;
  };
  virtual Result<Whole> materialize(size_t row) const = 0;
  // The columns that rows [first, end) lie in, for who copies rows without putting them together: their row 0 is first.
  // Appending to a builder changes what its columns give out.
  struct InColumns {
    std::shared_ptr<const ColumnSource> source;
    uint32_t first = 0, end = 0;
  };
  // REQUIRES: row < size()
  virtual InColumns columns_at(size_t row) const = 0;
  // What the numbers in the columns of resources and scopes mean.
  virtual Result<std::shared_ptr<const otlp::Resource>> resource(uint64_t number) const = 0;
  virtual Result<std::shared_ptr<const otlp::Scope>> scope(uint64_t number) const = 0;
  // A row and those around it, to be read without putting them together; nullptr for rows in memory. The columns must
  // outlive it. REQUIRES: row < size()
  virtual Result<std::shared_ptr<const SpanGroup>> group(size_t, const std::vector<Column>&) const {
    return std::shared_ptr<const SpanGroup>();
  }
  virtual uint64_t memory_bytes() const = 0;
  // The first error of an accessor that cannot return one and gave zeros instead (a damaged page).
  virtual Status status() const { return {}; }
};

class SpanBuilder : public SpanRows {
 public:
  static std::unique_ptr<SpanBuilder> make();
  // Returns the row number. resource and scope objects are shared by pointer identity first, then
  // by value.
  virtual uint32_t append(const std::shared_ptr<const otlp::Resource>& resource,
                          const std::shared_ptr<const otlp::Scope>& scope,
                          const otlp::SpanView& span, const RowMeta& meta) = 0;
  uint32_t append(const std::shared_ptr<const otlp::Resource>& resource,
                  const std::shared_ptr<const otlp::Scope>& scope, const otlp::Span& span,
                  const RowMeta& meta) {
    return append(resource, scope, otlp::SingleSpanView(span).view(), meta);
  }
};

class LogRows {
 public:
  virtual ~LogRows() = default;
  virtual size_t size() const = 0;
  virtual RowMeta meta(size_t row) const = 0;
  virtual int64_t time_ns(size_t row) const = 0;  // effective time (LogEntry::time_ns)
  virtual uint32_t stream(size_t row) const = 0;  // index into streams()
  // Streams of two tenants are two, whatever their labels.
  virtual const std::vector<LabelPairs>& streams() const = 0;
  // By stream; empty: all are of the default tenant.
  virtual const std::vector<uint32_t>& stream_tenants() const = 0;
  uint32_t tenant_of_stream(size_t stream) const {
    const std::vector<uint32_t>& tenants = stream_tenants();
    return stream < tenants.size() ? tenants[stream] : kDefaultTenant;
  }
  uint32_t tenant(size_t row) const {
    return stream_tenants().empty() ? kDefaultTenant : tenant_of_stream(stream(row));
  }
  virtual otlp::SpanId span_id(size_t row) const = 0;
  // Rows in [start, end) of the accepted streams whose line may contain all needles.
  virtual Result<RowSet> match(int64_t start_ns, int64_t end_ns,
                               const std::vector<bool>& streams_wanted,
                               const std::vector<std::string>& needles) const = 0;
  virtual Result<std::vector<uint32_t>> rows_of_span(const otlp::SpanId& id) const = 0;
  virtual Result<std::string> line(size_t row) const = 0;
  virtual Result<LabelPairs> metadata(size_t row) const = 0;
  struct Whole {
    std::shared_ptr<const otlp::Resource> resource;
    std::shared_ptr<const otlp::Scope> scope;
    otlp::LogRecord record;
  };
  virtual Result<Whole> materialize(size_t row) const = 0;
  virtual uint64_t memory_bytes() const = 0;
  // The first error of an accessor that cannot return one and gave zeros instead (a damaged page).
  virtual Status status() const { return {}; }
};

class LogBuilder : public LogRows {
 public:
  static std::unique_ptr<LogBuilder> make();
  virtual uint32_t append(const std::shared_ptr<const otlp::Resource>& resource,
                          const std::shared_ptr<const otlp::Scope>& scope,
                          const otlp::LogRecord& record, const RowMeta& meta) = 0;
};

// Segment files: versioned, checksummed per page, zone maps per row group, dictionaries, sorted
// index on trace id (spans) or span id (logs). `rows` are written in the order given (sources may
// be builders or other segments: that is compaction).
template <typename Rows>
struct RowRef {
  const Rows* rows = nullptr;
  uint32_t row = 0;
};
Status write_span_segment(FileSystem& files, const std::string& path,
                          const std::vector<RowRef<SpanRows>>& rows);
Status write_log_segment(FileSystem& files, const std::string& path,
                         const std::vector<RowRef<LogRows>>& rows);
Result<std::unique_ptr<SpanRows>> open_span_segment(FileSystem& files, const std::string& path);
Result<std::unique_ptr<LogRows>> open_log_segment(FileSystem& files, const std::string& path);
// Of a file that is open already; path: for messages.
Result<std::unique_ptr<SpanRows>> open_span_segment(std::unique_ptr<File> file, const std::string& path);
Result<std::unique_ptr<LogRows>> open_log_segment(std::unique_ptr<File> file, const std::string& path);

// The LogQL view of a record (rules in fetch.h).
LabelPairs stream_labels(const otlp::Resource& resource);
LabelPairs structured_metadata(const otlp::Resource& resource, const otlp::Scope& scope,
                               const otlp::LogRecord& record);
std::string log_line(const otlp::LogRecord& record);

}  // namespace contextcore::store
