#pragma once
// Tenants: who has sent what was received. The default tenant has no name ("") and number 0; work is
// always its own.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace contextcore::store {

constexpr size_t kTenantBytesMax = 150;
constexpr uint32_t kDefaultTenant = 0;

// As Mimir names tenants: letters, digits and a few signs; no path can be made of one.
Status check_tenant(std::string_view name, size_t bytes_max = kTenantBytesMax);

// The names in a header X-Scope-OrgID of a query: "" is the default tenant, "a|b" asks for both of
// two. Ascending, each once. invalid_argument: one of them is no name.
Result<std::vector<std::string>> parse_tenants(std::string_view header);

// Tenants whose received data somebody asks for.
class TenantSet {
 public:
  TenantSet() = default;  // nobody's
  static TenantSet of(uint32_t number) {
    TenantSet set;
    set.add(number, {});
    return set;
  }
  void add(uint32_t number, std::string name);
  bool contains(uint32_t number) const;
  bool has_default() const { return contains(kDefaultTenant); }
  // tenants: ascending; none stand for the default tenant alone
  bool contains_any(const std::vector<uint32_t>& tenants) const;
  bool contains_all(const std::vector<uint32_t>& tenants) const;
  bool empty() const { return members_.empty(); }
  // Answers say whose what is (label __tenant_id__), since several were asked for.
  bool federated() const { return federated_; }
  void set_federated() { federated_ = true; }
  // REQUIRES: contains(number)
  const std::string& name(uint32_t number) const;

 private:
  struct Member {
    uint32_t number = 0;
    std::string name;
  };
  const Member* find(uint32_t number) const;
  std::vector<Member> members_;  // ascending
  bool federated_ = false;
};

// Label of streams and series in answers to a query over several tenants, as Loki and Mimir name it.
inline constexpr std::string_view kTenantLabel = "__tenant_id__";
// And of what a stream or series itself calls so.
inline constexpr std::string_view kOwnTenantLabel = "original___tenant_id__";
// Says whose they are. labels: sorted by name, and so they stay
void add_tenant_label(std::vector<std::pair<std::string, std::string>>& labels, const std::string& tenant);

}  // namespace contextcore::store
