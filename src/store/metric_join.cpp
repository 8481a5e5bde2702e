#include "store/metric_join.h"

#include <algorithm>
#include <set>

#include "store/tenant.h"

namespace contextcore::store {
namespace {

std::vector<MetricSeries> joined(std::vector<std::vector<MetricSeries>> all) {
  if (all.empty()) return {};
  if (all.size() == 1) return std::move(all[0]);
  std::vector<MetricSeries> out;
  std::set<LabelPairs> known;  // of the sources before the last
  for (std::vector<MetricSeries>& found : all) {
    std::set<LabelPairs> of_this;
    for (MetricSeries& series : found) {
      LabelPairs sorted = series.labels;
      std::sort(sorted.begin(), sorted.end());
      if (!known.empty() && known.contains(sorted)) continue;
      if (&found != &all.back()) of_this.insert(std::move(sorted));
      out.push_back(std::move(series));
    }
    known.merge(of_this);
  }
  return out;
}

}  // namespace

Result<std::vector<MetricSeries>> TenantMetrics::select(const MetricRequest& request) const {
  MetricRequest inner = request;
  inner.matchers.clear();
  for (const LabelMatcher& matcher : request.matchers) {
    if (matcher.name == kTenantLabel) {
      if (matcher.equals ? matcher.value != tenant_ : !matcher.accepts(tenant_)) return std::vector<MetricSeries>();
      continue;
    }
    inner.matchers.push_back(matcher);
    if (matcher.name == kOwnTenantLabel) inner.matchers.back().name = kTenantLabel;
  }
  CC_ASSIGN(std::vector<MetricSeries> found, source_->select(inner));
  for (MetricSeries& series : found) add_tenant_label(series.labels, tenant_);
  return found;
}

Result<std::vector<MetricSeries>> JoinedMetrics::select(const MetricRequest& request) const {
  std::vector<std::vector<MetricSeries>> all;
  for (const auto& source : sources_) {
    CC_ASSIGN(std::vector<MetricSeries> found, source->select(request));
    if (!found.empty()) all.push_back(std::move(found));
  }
  return joined(std::move(all));
}

// Nearly always one source alone has series of a name.
Result<std::unique_ptr<SeriesSet>> JoinedMetrics::find(const MetricRequest& request) const {
  std::vector<std::unique_ptr<SeriesSet>> all;
  for (const auto& source : sources_) {
    CC_ASSIGN(std::unique_ptr<SeriesSet> found, source->find(request));
    if (found->size() > 0) all.push_back(std::move(found));
  }
  if (all.size() == 1) return std::move(all[0]);
  std::vector<std::vector<MetricSeries>> whole;
  for (const auto& found : all) {
    std::vector<MetricSeries>& series = whole.emplace_back();
    for (size_t i = 0; i < found->size(); ++i) series.push_back({found->labels(i), found->runs(i)});
  }
  return std::unique_ptr<SeriesSet>(std::make_unique<SeriesAtHand>(joined(std::move(whole))));
}

std::vector<MetricDescription> JoinedMetrics::describe() const {
  std::vector<MetricDescription> out;
  std::set<std::string> known;
  for (const auto& source : sources_) {
    for (MetricDescription& one : source->describe()) {
      if (known.insert(one.name).second) out.push_back(std::move(one));
    }
  }
  return out;
}

std::vector<std::string> JoinedMetrics::labels_on_request() const {
  std::vector<std::string> out;
  for (const auto& source : sources_) {
    for (std::string& name : source->labels_on_request()) out.push_back(std::move(name));
  }
  return out;
}

}  // namespace contextcore::store
