#include "sdk/store_settings.h"

#include "base/time.h"

namespace contextcore::sdk {

store::Retention retention_of(const Config& config) {
  const auto kept_ns = [&config](const char* name) -> int64_t {
    return parse_prometheus_duration(config.get(name)).value_or(0);  // checked when it was loaded
  };
  return {kept_ns("retention_spans"), kept_ns("retention_logs"), kept_ns("retention_metrics")};
}

}  // namespace contextcore::sdk
