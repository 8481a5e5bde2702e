#pragma once
// Settings of a configuration as the store's options have them.

#include "sdk/config.h"
#include "store/store.h"

namespace contextcore::sdk {

// retention_spans, retention_logs, retention_metrics. REQUIRES: a loaded configuration
store::Retention retention_of(const Config& config);

}  // namespace contextcore::sdk
