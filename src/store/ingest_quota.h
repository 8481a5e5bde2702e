#pragma once
// How much telemetry a tenant may send: a token bucket each. A request passes while its tenant is
// not in debt, whatever its own size, so that a quota below the size of one request slows it down
// and does not shut it out. Not thread-safe.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace contextcore::store {

class IngestQuota {
 public:
  // Of a tenant by name, those that have a rate of their own.
  using Rates = std::map<std::string, uint64_t, std::less<>>;
  // bytes_per_second 0: no quota. What was not used is saved up for two seconds.
  explicit IngestQuota(uint64_t bytes_per_second, Rates rates = {})
      : rate_(bytes_per_second), rates_(std::move(rates)) {}
  // Takes bytes at a time (monotonic). resource_exhausted: nothing is taken, the message says when
  // to come again.
  Status take(std::string_view tenant, uint64_t bytes, int64_t now_ns);

 private:
  struct Bucket {
    double bytes = 0;  // below zero: debt
    int64_t at_ns = 0;
  };
  const uint64_t rate_;
  const Rates rates_;
  std::map<std::string, Bucket, std::less<>> buckets_;
};

}  // namespace contextcore::store
