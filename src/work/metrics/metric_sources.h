#pragma once
// All metrics of a state as one source: the views over the work log beside what the tenant has sent.

#include <memory>
#include <string_view>

#include "base/result.h"
#include "store/store.h"
#include "work/metrics/metric_views.h"

namespace contextcore::work {

// tenant: as X-Scope-OrgID names it (store/tenant.h); with several, "a|b", the label __tenant_id__ says
// whose a series is. Views belong to the default tenant (""). Keep it for one query, in one thread
// (MetricViews::at).
Result<std::shared_ptr<const store::MetricSource>> all_metrics(MetricViews& views,
                                                               const store::Store::Read& read,
                                                               std::string_view tenant = {});

}  // namespace contextcore::work
