#pragma once
// Received metrics after the last cut: part of the head, under its mutex (head.h). Samples keep the
// sequence that brought them; a reader passes the sequence up to which it sees.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "otlp/metric_batch.h"
#include "store/metric_samples.h"
#include "store/metric_segment.h"

namespace contextcore::store {

class MetricHead {
 public:
  struct Series {
    SeriesId id;
    uint64_t since = 0;                 // sequence that brought the first sample
    std::vector<StoredSample> samples;  // as they came
  };

  void apply(uint32_t tenant, const otlp::MetricBatch& batch, uint64_t sequence);

  bool knows(uint32_t tenant, const otlp::SampleSeries& series) const;
  size_t series_count(uint32_t tenant) const;
  uint64_t samples() const { return samples_; }
  uint64_t series() const;

  // Series of a tenant, those of one metric or ("") all, in no order.
  std::vector<const Series*> find(uint32_t tenant, std::string_view name) const;
  // All series of a tenant in the order of segments.
  std::vector<const Series*> sorted(uint32_t tenant) const;
  std::vector<uint32_t> tenants() const;
  const std::map<std::pair<uint32_t, std::string>, StoredFamily>& families() const {
    return families_;
  }

 private:
  struct Tenant {
    std::vector<Series> series;
    std::unordered_map<std::string, size_t> index;  // key to place in series
    std::map<std::string, std::vector<size_t>, std::less<>> by_name;
  };
  std::map<uint32_t, Tenant> tenants_;
  std::map<std::pair<uint32_t, std::string>, StoredFamily> families_;
  uint64_t samples_ = 0;
};

}  // namespace contextcore::store
