// What holds for each tenant: its number, how much it may send, how long its data is kept.

#include <algorithm>
#include <map>
#include <utility>

#include "store/store_impl.h"

namespace contextcore::store {

Result<uint32_t> StoreImpl::tenant_number(std::string_view tenant, bool& fresh) const {
  fresh = false;
  if (tenant.empty()) return kDefaultTenant;
  if (const auto known = head_->find_tenant(tenant)) return *known;
  const size_t count = head_->tenant_count();
  if (count >= options_.metric_limits.tenants_max) {
    return {Code::failed_precondition,
            "the store has " + std::to_string(count) + " tenants, which is the limit"};
  }
  fresh = true;
  return static_cast<uint32_t>(count);
}

// Without somebody who drops what is too old all share files: whoever writes makes them, and few.
TenantGroups StoreImpl::tenant_groups(const std::vector<std::string>& tenants) const {
  if (maintenance_ == nullptr) return {};
  std::map<Retention, uint32_t> classes{{options_.retention, 0}};
  std::vector<uint32_t> class_of;
  for (const std::string& tenant : tenants) {
    const auto number = static_cast<uint32_t>(classes.size());
    class_of.push_back(classes.try_emplace(retention_of(tenant, options_.retention, options_.tenants), number).first->second);
  }
  return TenantGroups(std::move(class_of));
}

Status StoreImpl::check_room_for_telemetry(std::string_view tenant, uint32_t number) const {
  if (cut_ == nullptr || maintenance_ == nullptr) return {};
  const uint64_t behind = position_.offset - cut_->start.offset;
  if (head_->sizes().rows() > options_.head_rows_max || behind > options_.head_bytes_max) {
    throttled_.fetch_add(1, std::memory_order_relaxed);
    return Error{Code::resource_exhausted,
                 "telemetry comes faster than the store writes files; " +
                     std::to_string(behind >> 20) + " MiB wait for their turn",
                 "send it again in a second",
                 {},
                 {}};
  }
  double share = options_.head_share;
  if (const auto limits = options_.tenants.find(tenant); limits != options_.tenants.end())
    share = limits->second.head_share.value_or(share);
  const auto rows_max = static_cast<uint64_t>(share * static_cast<double>(options_.head_rows_max));
  if (share >= 1 || head_->rows_of_tenant(number) <= rows_max) return {};
  throttled_.fetch_add(1, std::memory_order_relaxed);
  return Error{Code::resource_exhausted,
               "the store is writing files, and " +
                   (tenant.empty() ? std::string("the default tenant") : "tenant \"" + std::string(tenant) + "\"") +
                   " has its share of what may wait for that",
               "send it again in a second, or raise head_share",
               {},
               {}};
}

Status StoreImpl::check_quota(std::string_view tenant, size_t bytes) {
  bool fresh = false;
  CC_ASSIGN(const uint32_t number, tenant_number(tenant, fresh));
  // What is refused for that reason costs the tenant nothing.
  CC_TRY(check_room_for_telemetry(tenant, number));
  Status status = quota_.take(tenant, bytes, clock_.monotonic_ns());
  if (!status.ok()) throttled_.fetch_add(1, std::memory_order_relaxed);
  return status;
}

}  // namespace contextcore::store
