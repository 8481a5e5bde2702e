#pragma once
// Received metrics of one state for readers: the metric source over segments and head. A query
// reads the index pages of its tenant, metric and range, and of these the blocks that overlap the
// range; of deltas before the range only the sums that the index has.

#include <memory>

#include "store/head.h"
#include "store/metric_source.h"
#include "store/store.h"

namespace contextcore::store {

std::shared_ptr<const ReceivedMetrics> received_metrics(std::shared_ptr<const Head> head,
                                                        uint64_t visible);

}  // namespace contextcore::store
