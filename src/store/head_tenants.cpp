// Tenants of the head: their names, and what it has received of each.

#include <algorithm>

#include "store/head.h"

namespace contextcore::store {

void Head::add_tenant(std::string name) {
  const std::unique_lock lock(mutex_);
  tenants_.push_back(std::move(name));
}

std::optional<uint32_t> Head::find_tenant(std::string_view name) const {
  const std::shared_lock lock(mutex_);
  const auto found = std::find(tenants_.begin(), tenants_.end(), name);
  if (found == tenants_.end()) return std::nullopt;
  return static_cast<uint32_t>(found - tenants_.begin());
}

size_t Head::tenant_count() const {
  const std::shared_lock lock(mutex_);
  return tenants_.size();
}

std::string Head::tenant_name(uint32_t number) const {
  const std::shared_lock lock(mutex_);
  return number < tenants_.size() ? tenants_[number] : std::string();
}

TenantSet Head::find_tenants(const std::vector<std::string>& names) const {
  TenantSet found;
  for (const std::string& name : names) {
    if (const auto number = find_tenant(name)) found.add(*number, name);
  }
  if (names.size() > 1) found.set_federated();
  return found;
}

std::vector<std::string> Head::tenants() const {
  const std::shared_lock lock(mutex_);
  return tenants_;
}

uint64_t Head::rows_of_tenant(uint32_t tenant) const {
  const auto count = [tenant](const TenantRows& rows) {
    const auto known = rows.find(tenant);
    return known == rows.end() ? 0 : known->second;
  };
  const std::shared_lock lock(mutex_);
  Sizes sizes;
  sizes.span_rows = count(span_rows_);
  sizes.log_rows = count(log_rows_);
  sizes.metric_samples = count(metric_samples_);
  return sizes.rows();
}

std::vector<uint32_t> Head::span_tenants() const {
  const std::shared_lock lock(mutex_);
  return tenants_of(span_rows_);
}

std::vector<uint32_t> Head::log_tenants() const {
  const std::shared_lock lock(mutex_);
  return tenants_of(log_rows_);
}

}  // namespace contextcore::store
