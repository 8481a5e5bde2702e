#pragma once
// Several metric sources as one: views over the work log beside what was received, or what several
// tenants have sent. Where two have a series of the same labels the first source's counts.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "store/metric_source.h"

namespace contextcore::store {

class JoinedMetrics final : public MetricSource {
 public:
  explicit JoinedMetrics(std::vector<std::shared_ptr<const MetricSource>> sources)
      : sources_(std::move(sources)) {}
  Result<std::vector<MetricSeries>> select(const MetricRequest& request) const override;
  Result<std::unique_ptr<SeriesSet>> find(const MetricRequest& request) const override;
  std::vector<MetricDescription> describe() const override;
  std::vector<std::string> labels_on_request() const override;

 private:
  std::vector<std::shared_ptr<const MetricSource>> sources_;
};

// The series of a tenant among those of others: the label __tenant_id__ says whose they are, as in
// Mimir, and one of that name which a series has itself becomes original___tenant_id__.
class TenantMetrics final : public MetricSource {
 public:
  TenantMetrics(std::string tenant, std::shared_ptr<const MetricSource> source)
      : tenant_(std::move(tenant)), source_(std::move(source)) {}
  Result<std::vector<MetricSeries>> select(const MetricRequest& request) const override;
  std::vector<MetricDescription> describe() const override { return source_->describe(); }
  std::vector<std::string> labels_on_request() const override { return source_->labels_on_request(); }

 private:
  std::string tenant_;
  std::shared_ptr<const MetricSource> source_;
};

}  // namespace contextcore::store
