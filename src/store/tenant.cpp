#include "store/tenant.h"

#include <algorithm>
#include <string>
#include <utility>

namespace contextcore::store {

Status check_tenant(std::string_view name, size_t bytes_max) {
  if (name.size() > bytes_max) {
    return {Code::invalid_argument,
            "tenant ID is too long: max " + std::to_string(bytes_max) + " characters"};
  }
  const auto is_allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("!-_.*'()").find(c) != std::string_view::npos;
  };
  if (!std::all_of(name.begin(), name.end(), is_allowed) || name == "." || name == "..") {
    return {Code::invalid_argument,
            "tenant ID '" + std::string(name) + "' contains unsupported characters"};
  }
  return {};
}

Result<std::vector<std::string>> parse_tenants(std::string_view header) {
  std::vector<std::string> names;
  if (header.find('|') == std::string_view::npos) {
    CC_TRY(check_tenant(header));
    names.emplace_back(header);
    return names;
  }
  for (size_t begin = 0; begin <= header.size();) {
    const size_t end = std::min(header.find('|', begin), header.size());
    const std::string_view name = header.substr(begin, end - begin);
    if (name.empty()) {
      return {Code::invalid_argument, "X-Scope-OrgID '" + std::string(header) + "' has an empty tenant ID in it"};
    }
    CC_TRY(check_tenant(name));
    names.emplace_back(name);
    begin = end + 1;
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

void TenantSet::add(uint32_t number, std::string name) {
  const auto at = std::lower_bound(members_.begin(), members_.end(), number,
                                   [](const Member& member, uint32_t wanted) { return member.number < wanted; });
  if (at == members_.end() || at->number != number) members_.insert(at, {number, std::move(name)});
}

const TenantSet::Member* TenantSet::find(uint32_t number) const {
  const auto at = std::lower_bound(members_.begin(), members_.end(), number,
                                   [](const Member& member, uint32_t wanted) { return member.number < wanted; });
  return at != members_.end() && at->number == number ? &*at : nullptr;
}

bool TenantSet::contains(uint32_t number) const { return find(number) != nullptr; }

const std::string& TenantSet::name(uint32_t number) const { return find(number)->name; }

bool TenantSet::contains_any(const std::vector<uint32_t>& tenants) const {
  if (tenants.empty()) return has_default();
  return std::any_of(members_.begin(), members_.end(), [&](const Member& member) {
    return std::binary_search(tenants.begin(), tenants.end(), member.number);
  });
}

bool TenantSet::contains_all(const std::vector<uint32_t>& tenants) const {
  if (tenants.empty()) return has_default();
  return std::all_of(tenants.begin(), tenants.end(), [this](uint32_t number) { return contains(number); });
}

void add_tenant_label(std::vector<std::pair<std::string, std::string>>& labels, const std::string& tenant) {
  for (auto& [name, value] : labels) {
    if (name == kTenantLabel) name = kOwnTenantLabel;
  }
  labels.emplace_back(kTenantLabel, tenant);
  std::sort(labels.begin(), labels.end());
}

}  // namespace contextcore::store
