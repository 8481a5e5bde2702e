#pragma once
// The fetch contract over traces in memory, read from data/traces.json. Conditions are honoured as
// strictly as the contract allows (a value matches operands of its own type only), so that what the
// engine pushes down must not rely on the store being generous; or not at all, for comparison.

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "base/json.h"
#include "otlp/model.h"
#include "store/fetch.h"

namespace contextcore::traceql::testing {

struct MemorySpan {
  otlp::Span span;
  otlp::Resource resource;
  otlp::Scope scope;
};
struct MemoryTrace {
  otlp::TraceId id;
  std::vector<MemorySpan> spans;
};

std::vector<MemoryTrace> load_traces(const std::string& path);

class MemorySource : public store::Source {
 public:
  explicit MemorySource(std::vector<MemoryTrace> traces, bool use_conditions = true);
  int64_t now_ns() const override { return 0; }
  Result<std::unique_ptr<store::TraceIterator>> fetch(
      const store::FetchRequest& request) const override;
  Result<std::unique_ptr<store::LogIterator>> fetch_logs(
      const store::LogFetchRequest&) const override {
    return Error{Code::unsupported, "no logs here", {}, {}, {}};
  }
  Result<std::vector<store::LabelPairs>> streams(int64_t, int64_t) const override {
    return std::vector<store::LabelPairs>{};
  }
  Result<std::optional<otlp::TracesData>> trace(const otlp::TraceId&) const override {
    return std::optional<otlp::TracesData>{};
  }
  Result<std::vector<store::Column>> attributes(
      const store::SpanSelection& selection) const override;
  Status values(const store::SpanSelection& selection, store::SpanField field,
                const store::Column& column,
                const std::function<bool(const store::Cell&)>& each) const override;
  // Traces handed out by all fetches so far.
  size_t fetched() const { return fetched_; }

 private:
  std::vector<MemoryTrace> traces_;
  bool use_conditions_;
  mutable size_t fetched_ = 0;
};

}  // namespace contextcore::traceql::testing
