#pragma once
// How long something takes, counted in buckets as Prometheus' classic histograms have them.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace contextcore {

// Upper bounds of the buckets in nanoseconds; what is longer goes to one more.
inline constexpr std::array<int64_t, 14> kLatencyBoundsNs = {
    100'000,    250'000,     500'000,     1'000'000,   2'500'000,     5'000'000,     10'000'000,
    25'000'000, 100'000'000, 250'000'000, 500'000'000, 1'000'000'000, 2'500'000'000, 10'000'000'000};

struct LatencyCounts {
  std::array<uint64_t, kLatencyBoundsNs.size() + 1> buckets{};  // each by itself, not added up
  uint64_t sum_ns = 0;
};

// Thread-safe; a reader may see a count without its part of the sum.
class LatencyHistogram {
 public:
  void record(int64_t ns) {
    size_t bucket = 0;
    while (bucket < kLatencyBoundsNs.size() && ns > kLatencyBoundsNs[bucket]) ++bucket;
    buckets_[bucket].fetch_add(1, std::memory_order_relaxed);
    sum_ns_.fetch_add(ns > 0 ? static_cast<uint64_t>(ns) : 0, std::memory_order_relaxed);
  }
  LatencyCounts counts() const {
    LatencyCounts counts;
    for (size_t i = 0; i < buckets_.size(); ++i)
      counts.buckets[i] = buckets_[i].load(std::memory_order_relaxed);
    counts.sum_ns = sum_ns_.load(std::memory_order_relaxed);
    return counts;
  }

 private:
  std::array<std::atomic<uint64_t>, kLatencyBoundsNs.size() + 1> buckets_{};
  std::atomic<uint64_t> sum_ns_{0};
};

}  // namespace contextcore
