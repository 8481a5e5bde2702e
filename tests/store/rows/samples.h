#pragma once
// Random spans and log records with everything in them that the model can hold, from a seed.

#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/sim_file_system.h"
#include "otlp/model.h"
#include "store/rows.h"

namespace contextcore::store::samples {

class Generator {
 public:
  explicit Generator(uint64_t seed) : random_(seed) {}
  uint64_t below(uint64_t bound) { return random_.below(bound); }
  bool chance(uint64_t one_in) { return below(one_in) == 0; }
  std::string text();
  otlp::Value value(int depth = 3);
  otlp::Attributes attributes(size_t max = 6);
  otlp::TraceId trace_id();  // one of a hundred
  otlp::SpanId span_id();
  otlp::SpanId log_span_id();  // one of fifty, or empty
  std::shared_ptr<const otlp::Resource> resource();
  std::shared_ptr<const otlp::Scope> scope();
  otlp::Span span();
  otlp::LogRecord record();
  RowMeta meta(uint64_t sequence);

 private:
  SeededRandom random_;
};

struct SpanSample {
  std::shared_ptr<const otlp::Resource> resource;
  std::shared_ptr<const otlp::Scope> scope;
  otlp::Span span;
  RowMeta meta;
};
struct LogSample {
  std::shared_ptr<const otlp::Resource> resource;
  std::shared_ptr<const otlp::Scope> scope;
  otlp::LogRecord record;
  RowMeta meta;
};
std::vector<SpanSample> spans(uint64_t seed, size_t count);
std::vector<LogSample> logs(uint64_t seed, size_t count);
std::unique_ptr<SpanBuilder> build(const std::vector<SpanSample>& samples);
std::unique_ptr<LogBuilder> build(const std::vector<LogSample>& samples);

// Checks every row of rows against the samples, field for field.
void expect_same(const SpanRows& rows, const std::vector<SpanSample>& samples);
void expect_same(const LogRows& rows, const std::vector<LogSample>& samples);

template <typename Rows>
std::vector<RowRef<Rows>> all_rows(const Rows& rows) {
  std::vector<RowRef<Rows>> refs;
  for (uint32_t row = 0; row < rows.size(); ++row) refs.push_back({&rows, row});
  return refs;
}

std::vector<size_t> rows_of(const RowSet& rows);

}  // namespace contextcore::store::samples
