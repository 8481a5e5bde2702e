#include "work/metrics/metric_sources.h"

#include <utility>

#include "store/metric_join.h"
#include "store/tenant.h"

namespace contextcore::work {

Result<std::shared_ptr<const store::MetricSource>> all_metrics(MetricViews& views,
                                                               const store::Store::Read& read,
                                                               std::string_view tenant) {
  if (tenant.find('|') != std::string_view::npos) {
    return {Code::unsupported, "queries over several tenants are not yet supported"};
  }
  CC_TRY(store::check_tenant(tenant));
  std::shared_ptr<const store::MetricSource> received = read.metrics->tenant(tenant);
  if (!tenant.empty()) return received;
  CC_ASSIGN(std::shared_ptr<const store::MetricSource> work, views.at(*read.source, *read.work, read.sequence));
  return std::shared_ptr<const store::MetricSource>(std::make_shared<const store::JoinedMetrics>(
      std::vector<std::shared_ptr<const store::MetricSource>>{std::move(work), std::move(received)}));
}

}  // namespace contextcore::work
