#pragma once
// Names of tenants. The default tenant has none ("").

#include <string_view>

#include "base/result.h"

namespace contextcore::store {

constexpr size_t kTenantBytesMax = 150;

// As Mimir names tenants: letters, digits and a few signs; no path can be made of one.
Status check_tenant(std::string_view name, size_t bytes_max = kTenantBytesMax);

}  // namespace contextcore::store
