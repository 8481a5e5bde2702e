#pragma once
// Which tenants share a segment. Many small ones do, so that a cut makes no file for each; who has
// many rows gets files of its own; and only those share one whose data is kept for the same time, since
// retention drops whole files.

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "store/manifest.h"

namespace contextcore::store {

class TenantGroups {
 public:
  // Rows of one tenant that make files of its own.
  static constexpr uint64_t kOwnRowsMin = 64 * 1024;

  // All share one group.
  TenantGroups() = default;
  // class_of: by tenant number; those of one class may share a segment.
  explicit TenantGroups(std::vector<uint32_t> class_of) : class_of_(std::move(class_of)), apart_(true) {}

  // Own or shared, and the tenant or the class.
  using Group = std::pair<bool, uint32_t>;
  // rows: of this tenant, among those that are dealt out.
  Group of(uint32_t tenant, uint64_t rows) const {
    if (!apart_) return {false, 0};
    if (rows >= kOwnRowsMin) return {true, tenant};
    return {false, tenant < class_of_.size() ? class_of_[tenant] : 0};
  }
  // Of a segment, so that merging brings together what may stay together.
  Group of(const SegmentInfo& info) const {
    const uint32_t tenant = info.tenants.empty() ? kDefault : info.tenants.front();
    // Nobody else is there to share a file with.
    if (class_of_.size() < 2 && info.tenants.size() < 2) return {true, tenant};
    return of(tenant, info.tenants.size() < 2 ? info.rows : 0);
  }

 private:
  static constexpr uint32_t kDefault = 0;
  std::vector<uint32_t> class_of_;
  bool apart_ = false;
};

// Tenants with the number of rows that each has.
using TenantRows = std::map<uint32_t, uint64_t>;
// As SegmentInfo has them.
inline std::vector<uint32_t> tenants_of(const TenantRows& rows) {
  std::vector<uint32_t> tenants;
  for (const auto& [tenant, count] : rows) tenants.push_back(tenant);
  if (tenants.size() == 1 && tenants.front() == 0) tenants.clear();
  return tenants;
}

}  // namespace contextcore::store
