#pragma once
// The part of a frame that holds metrics: a request as received, or, when not all of it was taken,
// what was (encoding batch_1). docs/store-format.md, "Log".

#include <string>
#include <string_view>

#include "base/result.h"
#include "otlp/metric_batch.h"
#include "store/frame.h"

namespace contextcore::store {

std::string encode_batch(const otlp::MetricBatch& batch);
Result<otlp::MetricBatch> decode_batch(std::string_view bytes);

// Any of the encodings, as the series that come of it.
Result<otlp::MetricBatch> decode_metrics(PartEncoding encoding, std::string_view bytes);

}  // namespace contextcore::store
