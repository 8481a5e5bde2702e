#pragma once
// Settings of a configuration as the store's options have them.

#include "base/file_system.h"
#include "base/result.h"
#include "sdk/config.h"
#include "store/store.h"

namespace contextcore::sdk {

// retention_spans, retention_logs, retention_metrics. REQUIRES: a loaded configuration
store::Retention retention_of(const Config& config);
// What the destinations of export.* have not got yet of a store that no server has open.
Result<store::ArrivalsWanted> arrivals_wanted_of(const Config& config, FileSystem& files,
                                                 const std::string& store);

}  // namespace contextcore::sdk
