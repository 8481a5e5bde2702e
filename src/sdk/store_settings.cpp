#include "sdk/store_settings.h"

#include "base/time.h"
#include "export/backlog.h"
#include "sdk/export_config.h"

namespace contextcore::sdk {

store::Retention retention_of(const Config& config) {
  const auto kept_ns = [&config](const char* name) -> int64_t {
    return parse_prometheus_duration(config.get(name)).value_or(0);  // checked when it was loaded
  };
  return {kept_ns("retention_spans"), kept_ns("retention_logs"), kept_ns("retention_metrics")};
}

Result<store::ArrivalsWanted> arrivals_wanted_of(const Config& config, FileSystem& files,
                                                 const std::string& store) {
  CC_ASSIGN(const exporter::Settings settings, exporter::parse_settings(export_lookup(config, {})));
  return exporter::stored_backlog(files, store, settings);
}

}  // namespace contextcore::sdk
