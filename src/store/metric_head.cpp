#include "store/metric_head.h"

#include <algorithm>

#include "store/column_value.h"

namespace contextcore::store {
namespace {

std::string key_of(const otlp::SampleSeries& series) {
  std::string key(1, series.delta ? 'd' : 'v');
  for (const otlp::RemoteWriteLabel& label : series.labels) {
    append_string(label.name, key);
    append_string(label.value, key);
  }
  return key;
}

}  // namespace

void MetricHead::apply(uint32_t tenant, const otlp::MetricBatch& batch, uint64_t sequence) {
  Tenant& known = tenants_[tenant];
  for (const otlp::SampleSeries& series : batch.series) {
    const auto [at, added] = known.index.try_emplace(key_of(series), known.series.size());
    if (added) {
      Series& fresh = known.series.emplace_back();
      fresh.since = sequence;
      fresh.id.delta = series.delta;
      for (const otlp::RemoteWriteLabel& label : series.labels) {
        fresh.id.labels.emplace_back(label.name, label.value);
      }
      known.by_name[std::string(name_of(fresh.id.labels))].push_back(at->second);
    }
    Series& to = known.series[at->second];
    for (const otlp::SeriesSample& sample : series.samples) {
      to.samples.push_back({sample.timestamp_ms, sample.value, sequence});
    }
    samples_ += series.samples.size();
  }
  for (const otlp::MetricFamily& family : batch.families) {
    families_[{tenant, family.name}] = {tenant, family, sequence};
  }
}

bool MetricHead::knows(uint32_t tenant, const otlp::SampleSeries& series) const {
  const auto known = tenants_.find(tenant);
  return known != tenants_.end() && known->second.index.contains(key_of(series));
}

size_t MetricHead::series_count(uint32_t tenant) const {
  const auto known = tenants_.find(tenant);
  return known != tenants_.end() ? known->second.series.size() : 0;
}

uint64_t MetricHead::series() const {
  uint64_t count = 0;
  for (const auto& [number, tenant] : tenants_) count += tenant.series.size();
  return count;
}

std::vector<const MetricHead::Series*> MetricHead::find(uint32_t tenant,
                                                        std::string_view name) const {
  std::vector<const Series*> out;
  const auto known = tenants_.find(tenant);
  if (known == tenants_.end()) return out;
  if (name.empty()) {
    for (const Series& series : known->second.series) out.push_back(&series);
    return out;
  }
  const auto of_name = known->second.by_name.find(name);
  if (of_name == known->second.by_name.end()) return out;
  for (const size_t at : of_name->second) out.push_back(&known->second.series[at]);
  return out;
}

std::vector<const MetricHead::Series*> MetricHead::sorted(uint32_t tenant) const {
  std::vector<const Series*> out = find(tenant, {});
  std::sort(out.begin(), out.end(), [](const Series* a, const Series* b) { return a->id < b->id; });
  return out;
}

std::vector<uint32_t> MetricHead::tenants() const {
  std::vector<uint32_t> out;
  for (const auto& [number, tenant] : tenants_) out.push_back(number);
  return out;
}

}  // namespace contextcore::store
