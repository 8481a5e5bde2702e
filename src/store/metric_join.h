#pragma once
// Several metric sources as one: views over the work log beside what was received. Where two have a
// series of the same labels the first source's counts.

#include <memory>
#include <vector>

#include "store/metric_source.h"

namespace contextcore::store {

class JoinedMetrics final : public MetricSource {
 public:
  explicit JoinedMetrics(std::vector<std::shared_ptr<const MetricSource>> sources)
      : sources_(std::move(sources)) {}
  Result<std::vector<MetricSeries>> select(const MetricRequest& request) const override;
  std::vector<MetricDescription> describe() const override;
  std::vector<std::string> labels_on_request() const override;

 private:
  std::vector<std::shared_ptr<const MetricSource>> sources_;
};

}  // namespace contextcore::store
