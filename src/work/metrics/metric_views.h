#pragma once
// Metrics as views over the event log (semconv/metrics.yaml), for queries. One per store: it keeps what it has read of
// the log and what it has built from it, and follows the log when asked again. Built series are kept by the version of
// their project, so that a write into the past changes exactly what it should. Thread-safe.

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <tuple>
#include <vector>

#include "base/result.h"
#include "store/metric_source.h"
#include "work/metrics/metric_build.h"
#include "work/metrics/metric_log.h"

namespace contextcore::work {

class MetricViews {
 public:
  // The metrics at a state, up to its now; source and view: of the same state, at sequence. Holds them still for as
  // long as it lives: keep it for one query, in one thread.
  Result<std::unique_ptr<store::MetricSource>> at(const store::Source& source, const store::WorkView& view,
                                                  uint64_t sequence);

 private:
  friend class MetricViewSource;
  using Built = std::shared_ptr<const std::vector<StepSeries>>;
  Built built(const ProjectLog& project, std::string_view metric, bool with_project);

  std::shared_mutex mutex_;  // of log_
  MetricLog log_;
  std::mutex cache_mutex_;
  struct Entry {
    uint64_t version = 0;
    Built series;
  };
  std::map<std::tuple<std::string, std::string_view, bool>, Entry> cache_;
};

}  // namespace contextcore::work
