#include "store/ingest_quota.h"

#include <algorithm>

#include <fmt/format.h>

namespace contextcore::store {
namespace {

constexpr double kSavedSeconds = 2;
constexpr double kNsPerSecond = 1e9;

}  // namespace

Status IngestQuota::take(std::string_view tenant, uint64_t bytes, int64_t now_ns) {
  const auto own = rates_.find(tenant);
  const uint64_t bytes_per_second = own == rates_.end() ? rate_ : own->second;
  if (bytes_per_second == 0) return {};
  const auto rate = static_cast<double>(bytes_per_second);
  const double full = rate * kSavedSeconds;
  auto known = buckets_.find(tenant);
  if (known == buckets_.end())
    known = buckets_.emplace(std::string(tenant), Bucket{full, now_ns}).first;
  Bucket& bucket = known->second;
  const double passed_s = static_cast<double>(std::max<int64_t>(now_ns - bucket.at_ns, 0)) / kNsPerSecond;
  bucket.bytes = std::min(bucket.bytes + passed_s * rate, full);
  bucket.at_ns = now_ns;
  if (bucket.bytes < 0) {
    const std::string who =
        tenant.empty() ? std::string() : fmt::format(" by tenant \"{}\"", tenant);
    return Error{Code::resource_exhausted,
                 fmt::format("more than {:.0f} bytes of telemetry a second were sent{}", rate, who),
                 fmt::format("send it again in {:.1f} s, or raise ingest_rate", -bucket.bytes / rate),
                 {},
                 {}};
  }
  bucket.bytes -= static_cast<double>(bytes);
  return {};
}

}  // namespace contextcore::store
