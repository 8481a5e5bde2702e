#include "work/metrics/metric_sources.h"

#include <utility>

#include "store/metric_join.h"
#include "store/tenant.h"

namespace contextcore::work {

Result<std::shared_ptr<const store::MetricSource>> all_metrics(MetricViews& views,
                                                               const store::Store::Read& read,
                                                               std::string_view tenant) {
  using Sources = std::vector<std::shared_ptr<const store::MetricSource>>;
  CC_ASSIGN(const std::vector<std::string> names, store::parse_tenants(tenant));
  if (names.size() > 1) {
    Sources all;
    for (const std::string& name : names) {
      all.push_back(std::make_shared<const store::TenantMetrics>(name, read.metrics->tenant(name)));
    }
    return std::shared_ptr<const store::MetricSource>(std::make_shared<const store::JoinedMetrics>(std::move(all)));
  }
  std::shared_ptr<const store::MetricSource> received = read.metrics->tenant(names.front());
  if (!names.front().empty()) return received;
  CC_ASSIGN(std::shared_ptr<const store::MetricSource> work, views.at(*read.source, *read.work, read.sequence));
  return std::shared_ptr<const store::MetricSource>(std::make_shared<const store::JoinedMetrics>(
      Sources{std::move(work), std::move(received)}));
}

}  // namespace contextcore::work
