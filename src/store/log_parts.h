#pragma once
// The second face of LogRows: rows read in bulk, part after part (the row groups of a file, stretches of a builder), and
// the few records of one span.

#include <cstdint>
#include <string>
#include <vector>

#include "store/log_batch.h"
#include "store/rows.h"

namespace contextcore::store {

// Which rows of a source a bulk read gives, and what of them.
struct LogScan {
  int64_t start_ns = INT64_MIN, end_ns = INT64_MAX;  // as in LogFetchRequest
  std::vector<bool> streams_wanted;
  std::vector<std::string> line_contains;
  uint64_t after = 0, until = UINT64_MAX;  // after < sequence ≤ until; after 0: every one
  const LogProjection* projection = nullptr;
};

// A record and the transaction it came with.
struct LogFact {
  uint64_t sequence = 0;
  otlp::LogRecord record;
};

class LogParts {
 public:
  virtual ~LogParts() = default;
  virtual size_t parts() const = 0;
  // Of the oldest row, as far as that is known without reading: 0 otherwise.
  virtual uint64_t first_sequence() const = 0;
  // Into an empty batch; streams come as numbers. Texts of files borrow from batch.pinned, those of a builder are copied.
  virtual Status read_part(size_t part, const LogScan& scan, LogBatch& batch, std::vector<uint32_t>& streams) const = 0;
  // The records of a span, in the order of rows.
  virtual Result<std::vector<LogFact>> records_of_span(const otlp::SpanId& id) const = 0;
  // Every LogRows that this room makes has it.
  static const LogParts& of(const LogRows& rows) { return dynamic_cast<const LogParts&>(rows); }
};

// The parts of a record's labels (log_model.cpp): the name of an attribute as a label, a value as the text of one, and
// whether a label of that name says a level.
std::string label_name(std::string_view key);
std::string label_text(const otlp::Value& value);
bool names_level(std::string_view label);

}  // namespace contextcore::store
