#include "otlp/metric_batch.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <unordered_map>

#include "base/sort.h"
#include "base/utf8.h"

namespace contextcore::otlp {
namespace {

constexpr size_t kReasonsMax = 3;
constexpr size_t kDescriptionBytesMax = 200;
constexpr uint64_t kNsPerMs = 1'000'000;
// A data point of many buckets repeats its labels in each: what one request may become.
constexpr size_t kLabelBytesMax = size_t{256} << 20;
constexpr size_t kBytesPerLabel = 64;
constexpr size_t kHelpBytesMax = 1024;
constexpr size_t kFamilyNameBytesMax = 2048;
// Half of the time that an instant query looks back: so target_info is found between two points.
constexpr int64_t kTargetInfoStepMs = 150'000;
constexpr size_t kTargetInfoSamplesMax = 10'000;
constexpr uint64_t kStaleMarkerBits = 0x7ff0000000000002;

// Attributes of resources that become labels of every series besides job and instance: what a
// process works on (contextcore run sets them).
constexpr std::array<std::string_view, 2> kPromotedAttributes = {"project.id", "task.id"};
constexpr std::array<std::string_view, 3> kIdentifyingAttributes = {
    "service.instance.id", "service.name", "service.namespace"};

double stale_value() { return std::bit_cast<double>(kStaleMarkerBits); }

bool by_name(const RemoteWriteLabel& a, const RemoteWriteLabel& b) { return a.name < b.name; }

std::string series_key(const SampleLabels& labels, bool delta) {
  std::string key(1, delta ? 'd' : 'v');
  for (const RemoteWriteLabel& label : labels) {
    for (const std::string* text : {&label.name, &label.value}) {
      const auto size = static_cast<uint32_t>(text->size());
      for (int i = 0; i < 4; ++i)
        key.push_back(static_cast<char>(static_cast<uint8_t>(size >> (8 * i))));
      key += *text;
    }
  }
  return key;
}

// A label's text as a query would write it.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out.push_back('\\');
    if (c == '\n') {
      out += "\\n";
    } else {
      out.push_back(c);
    }
  }
  return out + "\"";
}

// Collects accepted points.
class Collector {
 public:
  explicit Collector(const SeriesCheck& check) : check_(check) {}

  struct Item {
    SampleLabels labels;
    bool delta = false;
    std::vector<SeriesSample> samples;
  };

  // All of them or none, as one data point (of so many samples, for remote-write).
  void point(std::vector<Item> items, int64_t count = 1) {
    for (const Item& item : items) {
      if (std::optional<std::string> reason = refusal(item))
        return refuse(std::move(*reason), count);
    }
    out_.accepted += count;
    for (Item& item : items) add(std::move(item));
  }

  // False when so many more bytes of labels are too many.
  bool take_room(size_t bytes) {
    if (bytes > kLabelBytesMax - label_bytes_) return false;
    label_bytes_ += bytes;
    return true;
  }

  void add(Item item) {
    const auto [known, added] =
        index_.try_emplace(series_key(item.labels, item.delta), out_.batch.series.size());
    if (added) {
      out_.batch.series.push_back({std::move(item.labels), item.delta, std::move(item.samples)});
      return;
    }
    auto& samples = out_.batch.series[known->second].samples;
    samples.insert(samples.end(), item.samples.begin(), item.samples.end());
  }

  std::optional<std::string> refusal(const Item& item) const {
    for (const SeriesSample& sample : item.samples) {
      if (sample.timestamp_ms < -kSampleTimeMaxMs || sample.timestamp_ms > kSampleTimeMaxMs) {
        return "out of bounds: timestamp " + std::to_string(sample.timestamp_ms) + " of " +
               describe(item.labels);
      }
    }
    return check_ ? check_(item.labels) : std::nullopt;
  }

  void refuse(std::string reason, int64_t count) {
    if (count == 0) return;
    out_.rejected += count;
    const bool told =
        std::find(out_.reasons.begin(), out_.reasons.end(), reason) != out_.reasons.end();
    if (!told && out_.reasons.size() < kReasonsMax) out_.reasons.push_back(std::move(reason));
  }

  void family(MetricFamily family) {
    if (family.name.size() > kFamilyNameBytesMax) return;
    for (std::string* text : {&family.help, &family.unit}) {
      if (text->size() > kHelpBytesMax) *text = std::string(utf8_prefix(*text, kHelpBytesMax));
    }
    const auto [known, added] = families_.try_emplace(family.name, out_.batch.families.size());
    if (added) {
      out_.batch.families.push_back(std::move(family));
    } else {
      out_.batch.families[known->second] = std::move(family);
    }
  }

  Translation take() { return std::move(out_); }

 private:
  const SeriesCheck& check_;
  Translation out_;
  size_t label_bytes_ = 0;
  std::unordered_map<std::string, size_t> index_, families_;
};

// ---- remote-write ----

// Sorted, without empty values; an error when they are no series.
std::optional<std::string> canonical(SampleLabels& labels) {
  std::erase_if(labels, [](const RemoteWriteLabel& label) { return label.value.empty(); });
  std::sort(labels.begin(), labels.end(), by_name);
  for (size_t i = 0; i < labels.size(); ++i) {
    if (labels[i].name.empty()) return "invalid labels: an empty label name in " + describe(labels);
    if (i > 0 && labels[i].name == labels[i - 1].name) {
      return "duplicate label name \"" + labels[i].name + "\" in " + describe(labels);
    }
  }
  if (metric_name(labels).empty()) return "received a series that has no name: " + describe(labels);
  return std::nullopt;
}

// ---- OTLP ----

std::string shortest(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  std::array<char, 400> digits{};
  const auto end =
      std::to_chars(digits.data(), digits.data() + digits.size(), value, std::chars_format::fixed)
          .ptr;
  return {digits.data(), end};
}

class OtlpTranslator {
 public:
  explicit OtlpTranslator(const SeriesCheck& check) : collector_(check) {}

  void resource(const ResourceMetrics& resource_metrics) {
    resource_ = &resource_metrics.resource;
    earliest_ = std::numeric_limits<int64_t>::max();
    latest_ = std::numeric_limits<int64_t>::min();
    for (const ScopeMetrics& scope : resource_metrics.scope_metrics) {
      for (const Metric& one : scope.metrics) metric(one);
    }
    if (latest_ >= earliest_) target_info();
  }

  Translation take() { return collector_.take(); }

 private:
  using Item = Collector::Item;

  void refuse(const Metric& metric, const std::string& why) {
    collector_.refuse("metric \"" + metric.name + "\" " + why,
                      static_cast<int64_t>(metric.point_count()));
  }

  void metric(const Metric& metric) {
    if (std::holds_alternative<ExponentialHistogram>(metric.data)) {
      return refuse(
          metric,
          "is an exponential histogram, which is not yet supported; use explicit buckets "
          "(OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION=explicit_bucket_histogram)");
    }
    const auto* gauge = std::get_if<Gauge>(&metric.data);
    const auto* sum = std::get_if<Sum>(&metric.data);
    const auto* histogram = std::get_if<Histogram>(&metric.data);
    const auto* summary = std::get_if<Summary>(&metric.data);
    Temporality temporality = Temporality::cumulative;
    if (sum != nullptr) temporality = sum->temporality;
    if (histogram != nullptr) temporality = histogram->temporality;
    if (temporality != Temporality::cumulative && temporality != Temporality::delta) {
      return refuse(metric, "has neither delta nor cumulative temporality");
    }
    delta_ = temporality == Temporality::delta;
    const bool counter = sum != nullptr && sum->monotonic;
    const NameType type =
        gauge != nullptr ? NameType::gauge : (counter ? NameType::counter : NameType::other);
    name_ = prometheus_metric_name(metric.name, metric.unit, type);
    if (name_.find_first_not_of('_') == std::string::npos) {
      return refuse(metric, "has a name of which nothing is left as a Prometheus name");
    }
    const bool level = gauge != nullptr || (sum != nullptr && !counter);
    const char* type_text = level                  ? "gauge"
                            : counter              ? "counter"
                            : histogram != nullptr ? "histogram"
                                                   : "summary";
    const int64_t before = accepted_;
    if (gauge != nullptr) {
      for (const NumberPoint& one : gauge->points) point(metric, one);
    } else if (sum != nullptr) {
      for (const NumberPoint& one : sum->points) point(metric, one);
    } else if (histogram != nullptr) {
      for (const HistogramPoint& one : histogram->points) point(metric, one);
    } else if (summary != nullptr) {
      for (const SummaryPoint& one : summary->points) point(metric, one);
    }
    if (accepted_ > before) {
      collector_.family({name_, type_text, metric.unit, metric.description});
    }
  }

  // Labels of a point without __name__, unsorted names merged as Prometheus does.
  std::map<std::string, std::string> labels_of(const Attributes& attributes) const {
    std::vector<std::pair<std::string_view, const Value*>> sorted;
    for (const KeyValue& attribute : attributes)
      sorted.emplace_back(attribute.key, &attribute.value);
    sort_stably(sorted, [](const auto& a, const auto& b) { return a.first < b.first; });
    std::map<std::string, std::string> labels;
    for (const auto& [key, value] : sorted) {
      const auto [known, added] =
          labels.try_emplace(prometheus_label_name(key), label_text(*value));
      if (!added) known->second += ";" + label_text(*value);
    }
    for (const std::string_view key : kPromotedAttributes) {
      if (const Value* value = find(resource_->attributes, key)) {
        labels.try_emplace(prometheus_label_name(key), label_text(*value));
      }
    }
    identify(labels);
    return labels;
  }

  void identify(std::map<std::string, std::string>& labels) const {
    if (const Value* service = find(resource_->attributes, "service.name")) {
      const Value* space = find(resource_->attributes, "service.namespace");
      labels["job"] =
          space != nullptr ? label_text(*space) + "/" + label_text(*service) : label_text(*service);
    }
    if (const Value* instance = find(resource_->attributes, "service.instance.id")) {
      labels["instance"] = label_text(*instance);
    }
  }

  static SampleLabels finished(
      const std::map<std::string, std::string>& labels, std::string name,
      const std::optional<std::pair<std::string, std::string>>& extra = {}) {
    SampleLabels out;
    for (const auto& [key, value] : labels) {
      if (key.empty() || value.empty() || key == "__name__" || (extra && key == extra->first))
        continue;
      out.push_back({key, value});
    }
    if (extra) out.push_back({extra->first, extra->second});
    out.push_back({"__name__", std::move(name)});
    std::sort(out.begin(), out.end(), by_name);
    return out;
  }

  // The samples of one series of a point.
  template <typename Point>
  std::vector<SeriesSample> samples(const Point& point, double value) const {
    const auto time_ms = static_cast<int64_t>(point.time_ns / kNsPerMs);
    std::vector<SeriesSample> out;
    if (!delta_) {
      out.push_back({(point.flags & kNoRecordedValue) != 0 ? stale_value() : value, time_ms});
      return out;
    }
    const auto start_ms = static_cast<int64_t>(point.start_ns / kNsPerMs);
    if (point.start_ns != 0 && start_ms < time_ms) out.push_back({-0.0, start_ms});
    out.push_back({value == 0 ? 0.0 : value, time_ms});
    return out;
  }

  template <typename Point>
  void done(const Metric& metric, const Point& point, std::vector<Item> items) {
    if (delta_ && (point.flags & kNoRecordedValue) != 0)
      return collector_.point({});  // nothing was counted
    for (const Item& item : items) {
      if (delta_ && !std::isfinite(item.samples.back().value)) {
        return collector_.refuse(
            "metric \"" + metric.name + "\" has a delta that is no finite number", 1);
      }
      if (std::optional<std::string> reason = collector_.refusal(item)) {
        return collector_.refuse(std::move(*reason), 1);
      }
    }
    const auto time_ms = static_cast<int64_t>(point.time_ns / kNsPerMs);
    earliest_ = std::min(earliest_, time_ms);
    latest_ = std::max(latest_, time_ms);
    ++accepted_;
    collector_.point(std::move(items));
  }

  void point(const Metric& metric, const NumberPoint& point) {
    const bool recorded = (point.flags & kNoRecordedValue) == 0;
    if (recorded && std::holds_alternative<std::monostate>(point.value)) {
      return collector_.refuse("metric \"" + metric.name + "\" has a data point without a value",
                               1);
    }
    std::vector<Item> items;
    items.push_back({finished(labels_of(point.attributes), name_), delta_,
                     samples(point, to_double(point.value))});
    done(metric, point, std::move(items));
  }

  void point(const Metric& metric, const HistogramPoint& point) {
    const size_t buckets = point.bucket_counts.size();
    if (buckets != 0 && buckets != point.explicit_bounds.size() + 1) {
      return collector_.refuse("metric \"" + metric.name + "\" has " + std::to_string(buckets) +
                                   " buckets and " + std::to_string(point.explicit_bounds.size()) +
                                   " bounds",
                               1);
    }
    const auto labels = labels_of(point.attributes);
    size_t bytes = name_.size() + kBytesPerLabel;
    for (const auto& [key, value] : labels) bytes += key.size() + value.size() + kBytesPerLabel;
    if (!collector_.take_room(bytes * (buckets + 3))) {
      return collector_.refuse(
          "metric \"" + metric.name + "\" has more buckets than one request may have", 1);
    }
    std::vector<Item> items;
    const auto add = [&](std::string_view suffix, double value,
                         const std::optional<std::pair<std::string, std::string>>& extra = {}) {
      items.push_back(
          {finished(labels, name_ + std::string(suffix), extra), delta_, samples(point, value)});
    };
    if (point.sum) add("_sum", *point.sum);
    const auto count = static_cast<double>(point.count);
    add("_count", count);
    uint64_t below = 0;
    for (size_t i = 0; i + 1 < buckets; ++i) {
      below += point.bucket_counts[i];
      const double bound = point.explicit_bounds[i];
      // An infinite bound is the last bucket itself.
      if (std::isinf(bound) && bound > 0) continue;
      add("_bucket", static_cast<double>(below),
          std::pair<std::string, std::string>("le", shortest(bound)));
    }
    add("_bucket", count, std::pair<std::string, std::string>("le", "+Inf"));
    done(metric, point, std::move(items));
  }

  void point(const Metric& metric, const SummaryPoint& point) {
    const auto labels = labels_of(point.attributes);
    size_t bytes = name_.size() + kBytesPerLabel;
    for (const auto& [key, value] : labels) bytes += key.size() + value.size() + kBytesPerLabel;
    if (!collector_.take_room(bytes * (point.quantiles.size() + 2))) {
      return collector_.refuse(
          "metric \"" + metric.name + "\" has more quantiles than one request may have", 1);
    }
    std::vector<Item> items;
    items.push_back({finished(labels, name_ + "_sum"), false, samples(point, point.sum)});
    items.push_back({finished(labels, name_ + "_count"), false,
                     samples(point, static_cast<double>(point.count))});
    for (const Quantile& quantile : point.quantiles) {
      items.push_back(
          {finished(labels, name_,
                    std::pair<std::string, std::string>("quantile", shortest(quantile.quantile))),
           false, samples(point, quantile.value)});
    }
    done(metric, point, std::move(items));
  }

  // One more series per resource: what else is known of who sends.
  void target_info() {
    const auto identifying = [](std::string_view key) {
      return std::find(kIdentifyingAttributes.begin(), kIdentifyingAttributes.end(), key) !=
             kIdentifyingAttributes.end();
    };
    Attributes others;
    for (const KeyValue& attribute : resource_->attributes) {
      if (!identifying(attribute.key)) others.push_back(attribute);
    }
    if (others.empty()) return;
    const auto labels = labels_of(others);
    if (!labels.contains("job") && !labels.contains("instance")) return;
    Item item{finished(labels, "target_info"), false, {}};
    int64_t at = earliest_;
    while (at < latest_ && item.samples.size() < kTargetInfoSamplesMax) {
      item.samples.push_back({1, at});
      at += kTargetInfoStepMs;
    }
    item.samples.push_back({1, latest_});
    collector_.family({"target_info", "gauge", "", "Target metadata"});
    if (!collector_.refusal(item)) collector_.add(std::move(item));
  }

  Collector collector_;
  const Resource* resource_ = nullptr;
  std::string name_;
  bool delta_ = false;
  int64_t accepted_ = 0;
  int64_t earliest_ = 0, latest_ = 0;
};

}  // namespace

size_t MetricBatch::sample_count() const {
  size_t count = 0;
  for (const SampleSeries& one : series) count += one.samples.size();
  return count;
}

std::string_view metric_name(const SampleLabels& labels) {
  for (const RemoteWriteLabel& label : labels) {
    if (label.name == "__name__") return label.value;
  }
  return {};
}

std::string describe(const SampleLabels& labels) {
  std::string out(metric_name(labels));
  out.push_back('{');
  bool first = true;
  for (const RemoteWriteLabel& label : labels) {
    if (label.name == "__name__") continue;
    if (!first) out += ", ";
    first = false;
    out += label.name + "=" + quoted(label.value);
    if (out.size() > kDescriptionBytesMax) break;
  }
  if (out.size() > kDescriptionBytesMax)
    return std::string(utf8_prefix(out, kDescriptionBytesMax)) + "…";
  out.push_back('}');
  return out;
}

Translation translate(const MetricsData& data, const SeriesCheck& check) {
  OtlpTranslator translator(check);
  for (const ResourceMetrics& resource : data.resource_metrics) translator.resource(resource);
  return translator.take();
}

Translation translate(const RemoteWriteRequest& request, const SeriesCheck& check) {
  Collector collector(check);
  for (const RemoteWriteSeries& series : request.series) {
    SampleLabels labels = series.labels;
    if (std::optional<std::string> wrong = canonical(labels)) {
      collector.refuse(std::move(*wrong),
                       static_cast<int64_t>(std::max<size_t>(series.samples.size(), 1)));
      continue;
    }
    if (series.histograms > 0) {
      collector.refuse("native histograms are not yet supported: " + describe(labels),
                       static_cast<int64_t>(series.histograms));
    }
    if (series.samples.empty()) continue;
    // Samples out of bounds fall alone.
    Collector::Item item{std::move(labels), false, {}};
    for (const SeriesSample& sample : series.samples) {
      if (sample.timestamp_ms < -kSampleTimeMaxMs || sample.timestamp_ms > kSampleTimeMaxMs) {
        collector.refuse("out of bounds: timestamp " + std::to_string(sample.timestamp_ms) +
                             " of " + describe(item.labels),
                         1);
      } else {
        item.samples.push_back(sample);
      }
    }
    const auto count = static_cast<int64_t>(item.samples.size());
    if (count == 0) continue;
    std::vector<Collector::Item> items;
    items.push_back(std::move(item));
    collector.point(std::move(items), count);
  }
  for (const RemoteWriteMetadata& metadata : request.metadata) {
    if (metadata.metric_family_name.empty()) continue;
    collector.family({metadata.metric_family_name,
                      std::string(remote_write_type_name(metadata.type)), metadata.unit,
                      metadata.help});
  }
  return collector.take();
}

}  // namespace contextcore::otlp
