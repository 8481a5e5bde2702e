#pragma once
// The settings tenants.NAME.* among those of the configuration (config.h): what holds for one tenant of
// a server instead of what holds for all, from the tables [tenants.NAME] of the project file.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "sdk/config.h"
#include "store/store.h"

namespace contextcore::sdk {

class TomlFile;

// invalid_argument: a name that is none, a bad value.
Status add_tenant_settings(const TomlFile& file, const std::string& file_path, Config& config);

// By name of the tenant. REQUIRES: a loaded configuration
store::TenantLimitsByName tenant_limits_of(const Config& config);
std::map<std::string, uint64_t, std::less<>> query_slots_of_tenants(const Config& config);
// A share as a number above 0 and at most 1; nullopt: it is none.
std::optional<double> parse_share(std::string_view text);

}  // namespace contextcore::sdk
