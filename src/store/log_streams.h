#pragma once
// The streams of log records that are being written: numbered as they come, one for each pair of
// tenant and labels.

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "store/rows.h"

namespace contextcore::store {

class LogStreams {
 public:
  LogStreams() = default;
  LogStreams(const LogStreams&) = delete;
  LogStreams& operator=(const LogStreams&) = delete;
  // resource_number: of the resource among those that are being written; looked at once for each.
  uint32_t number_of(uint32_t tenant, uint32_t resource_number, const otlp::Resource& resource) {
    if (last_ == nullptr || tenant != last_tenant_) last_ = &of_resource_[last_tenant_ = tenant];
    if (resource_number >= last_->size()) last_->resize(resource_number + 1, kUnknown);
    uint32_t& known = (*last_)[resource_number];
    if (known == kUnknown) known = add(tenant, stream_labels(resource));
    return known;
  }
  const std::vector<LabelPairs>& labels() const { return labels_; }
  // Empty: all are of the default tenant.
  const std::vector<uint32_t>& tenants() const { return tenants_; }

 private:
  uint32_t add(uint32_t tenant, LabelPairs labels) {
    const auto [known, is_new] =
        numbers_.try_emplace({tenant, labels}, static_cast<uint32_t>(labels_.size()));
    if (!is_new) return known->second;
    if (tenant != kDefaultTenant) tenants_.resize(labels_.size(), kDefaultTenant);
    labels_.push_back(std::move(labels));
    if (tenant != kDefaultTenant || !tenants_.empty()) tenants_.push_back(tenant);
    return known->second;
  }

  static constexpr uint32_t kUnknown = UINT32_MAX;
  std::map<uint32_t, std::vector<uint32_t>> of_resource_;  // by tenant, then by number of the resource
  uint32_t last_tenant_ = kDefaultTenant;
  std::vector<uint32_t>* last_ = nullptr;
  std::map<std::pair<uint32_t, LabelPairs>, uint32_t> numbers_;
  std::vector<LabelPairs> labels_;
  std::vector<uint32_t> tenants_;
};

}  // namespace contextcore::store
