#pragma once
// Chooses the spans that stand for the others: one of a trace, at most two of each of the equal
// parts that the range is divided into, so that they lie all over it. Not for use outside of the
// metrics files.

#include <algorithm>
#include <cstdint>
#include <vector>

#include "otlp/model.h"
#include "query/traceql/metrics_grid.h"

namespace contextcore::traceql {

class ExemplarPicker {
 public:
  ExemplarPicker(const MetricsGrid& grid, size_t exemplars_max)
      : grid_(grid), left_(grid.instant ? 0 : exemplars_max) {
    parts_.resize(std::max<size_t>(1, left_ / kOfEachPart));
  }

  // A trace may come in pieces.
  void begin_trace(const otlp::TraceId& id) { id_ = id; }

  // Whether a span at this time of the trace at hand is to be one. REQUIRES: the time is within the
  // grid
  bool take(int64_t time_ns) {
    if (left_ == 0 || std::find(taken_.begin(), taken_.end(), id_) != taken_.end()) return false;
    const double whole = static_cast<double>(grid_.end_ns) - static_cast<double>(grid_.start_ns);
    const double share =
        (static_cast<double>(time_ns) - static_cast<double>(grid_.start_ns)) / whole;
    const auto part = static_cast<size_t>(share * static_cast<double>(parts_.size()));
    size_t& count = parts_[std::min(part, parts_.size() - 1)];
    if (count == kOfEachPart) return false;
    ++count;
    --left_;
    taken_.push_back(id_);
    return true;
  }

 private:
  static constexpr size_t kOfEachPart = 2;
  const MetricsGrid& grid_;
  size_t left_;
  otlp::TraceId id_;
  std::vector<otlp::TraceId> taken_;
  std::vector<size_t> parts_;
};

}  // namespace contextcore::traceql
