// Metrics: JSON tree → model and back (json_reader.h, json_encoder.h).

#include <cmath>
#include <type_traits>

#include "otlp/enum_names.h"
#include "otlp/json_encoder.h"
#include "otlp/json_reader.h"

namespace contextcore::otlp {
namespace {

class Decoder : public JsonReader {
 public:
  using JsonReader::JsonReader;

  bool metrics(const Json& json, MetricsData& out) {
    return each_member(json, {}, [&](std::string_view name, const Json& member, const Path& at) {
      if (!is_field(name, "resourceMetrics")) return true;
      return list(member, at, out.resource_metrics,
                  [this](const Json& item, const Path& path, ResourceMetrics& element) {
                    return resource_metrics(item, path, element);
                  });
    });
  }

 private:
  bool resource_metrics(const Json& json, const Path& path, ResourceMetrics& out);
  bool scope_metrics(const Json& json, const Path& path, ScopeMetrics& out);
  bool metric(const Json& json, const Path& path, Metric& out);
  bool point(const Json& json, const Path& path, NumberPoint& out);
  bool point(const Json& json, const Path& path, HistogramPoint& out);
  bool point(const Json& json, const Path& path, SummaryPoint& out);
  bool quantile(const Json& json, const Path& path, Quantile& out);
  bool exemplar(const Json& json, const Path& path, Exemplar& out);

  bool number(const Json& json, const Path& path, Real& out) { return real(json, path, out.value); }
  bool exemplars(const Json& json, const Path& path, std::vector<Exemplar>& out) {
    return list(json, path, out, [this](const Json& item, const Path& at, Exemplar& element) {
      return exemplar(item, at, element);
    });
  }
  bool flag(const Json& json, const Path& path, bool& out) {
    const bool* value = json.as_bool();
    if (value == nullptr) return expected(path, "true or false", json);
    out = *value;
    return true;
  }

  // Gauge, Sum, Histogram, Summary.
  template <typename Data>
  bool data(const Json& json, const Path& path, Data& out) {
    return each_member(json, path, [&](std::string_view name, const Json& member, const Path& at) {
      if (is_field(name, "dataPoints")) {
        return list(member, at, out.points,
                    [this](const Json& item, const Path& item_path, auto& element) {
                      return this->point(item, item_path, element);
                    });
      }
      if constexpr (std::is_same_v<Data, Sum> || std::is_same_v<Data, Histogram>) {
        if (is_field(name, "aggregationTemporality")) {
          return enumeration(member, at, temporality_number, out.temporality);
        }
      }
      if constexpr (std::is_same_v<Data, Sum>) {
        if (is_field(name, "isMonotonic")) return flag(member, at, out.monotonic);
      }
      return true;
    });
  }

  // What all points have; nullopt: the member is another one.
  template <typename Point>
  std::optional<bool> common(std::string_view name, const Json& member, const Path& at,
                             Point& out) {
    if (is_field(name, "attributes")) return attributes(member, at, out.attributes);
    if (is_field(name, "startTimeUnixNano")) return integer(member, at, out.start_ns);
    if (is_field(name, "timeUnixNano")) return integer(member, at, out.time_ns);
    if (is_field(name, "flags")) return integer(member, at, out.flags);
    return std::nullopt;
  }
};

bool Decoder::resource_metrics(const Json& json, const Path& path, ResourceMetrics& out) {
  return each_member(json, path, [&](std::string_view name, const Json& member, const Path& at) {
    if (is_field(name, "resource")) return resource(member, at, out.resource);
    if (is_field(name, "schemaUrl")) return string(member, at, out.resource.schema_url);
    if (!is_field(name, "scopeMetrics")) return true;
    return list(member, at, out.scope_metrics,
                [this](const Json& item, const Path& item_path, ScopeMetrics& element) {
                  return scope_metrics(item, item_path, element);
                });
  });
}

bool Decoder::scope_metrics(const Json& json, const Path& path, ScopeMetrics& out) {
  return each_member(json, path, [&](std::string_view name, const Json& member, const Path& at) {
    if (is_field(name, "scope")) return scope(member, at, out.scope);
    if (is_field(name, "schemaUrl")) return string(member, at, out.scope.schema_url);
    if (!is_field(name, "metrics")) return true;
    return list(member, at, out.metrics,
                [this](const Json& item, const Path& item_path, Metric& element) {
                  return metric(item, item_path, element);
                });
  });
}

bool Decoder::metric(const Json& json, const Path& path, Metric& out) {
  return each_member(json, path, [&](std::string_view name, const Json& member, const Path& at) {
    if (is_field(name, "name")) return string(member, at, out.name);
    if (is_field(name, "description")) return string(member, at, out.description);
    if (is_field(name, "unit")) return string(member, at, out.unit);
    if (is_field(name, "metadata")) return attributes(member, at, out.metadata);
    if (is_field(name, "gauge")) return data(member, at, out.data.emplace<Gauge>());
    if (is_field(name, "sum")) return data(member, at, out.data.emplace<Sum>());
    if (is_field(name, "histogram")) return data(member, at, out.data.emplace<Histogram>());
    if (is_field(name, "summary")) return data(member, at, out.data.emplace<Summary>());
    if (is_field(name, "exponentialHistogram")) {
      auto& to = out.data.emplace<ExponentialHistogram>();
      return each_member(member, at,
                         [&](std::string_view inner, const Json& points, const Path& inner_at) {
                           if (!is_field(inner, "dataPoints")) return true;
                           const JsonArray* array = points.as_array();
                           if (array == nullptr) return expected(inner_at, "an array", points);
                           to.points = array->size();
                           return true;
                         });
    }
    return true;
  });
}

bool Decoder::point(const Json& json, const Path& path, NumberPoint& out) {
  return each_member(json, path, [&](std::string_view name, const Json& member, const Path& at) {
    if (const auto done = common(name, member, at, out)) return *done;
    if (is_field(name, "asDouble")) return number(member, at, out.value.emplace<Real>());
    if (is_field(name, "asInt")) return integer(member, at, out.value.emplace<int64_t>());
    if (is_field(name, "exemplars")) return exemplars(member, at, out.exemplars);
    return true;
  });
}

bool Decoder::point(const Json& json, const Path& path, HistogramPoint& out) {
  return each_member(json, path, [&](std::string_view name, const Json& member, const Path& at) {
    if (const auto done = common(name, member, at, out)) return *done;
    if (is_field(name, "count")) return integer(member, at, out.count);
    if (is_field(name, "sum")) return number(member, at, out.sum.emplace());
    if (is_field(name, "min")) return number(member, at, out.min.emplace());
    if (is_field(name, "max")) return number(member, at, out.max.emplace());
    if (is_field(name, "exemplars")) return exemplars(member, at, out.exemplars);
    if (is_field(name, "bucketCounts")) {
      return list(member, at, out.bucket_counts,
                  [this](const Json& item, const Path& item_path, uint64_t& element) {
                    return integer(item, item_path, element);
                  });
    }
    if (is_field(name, "explicitBounds")) {
      return list(member, at, out.explicit_bounds,
                  [this](const Json& item, const Path& item_path, Real& element) {
                    return number(item, item_path, element);
                  });
    }
    return true;
  });
}

bool Decoder::point(const Json& json, const Path& path, SummaryPoint& out) {
  return each_member(json, path, [&](std::string_view name, const Json& member, const Path& at) {
    if (const auto done = common(name, member, at, out)) return *done;
    if (is_field(name, "count")) return integer(member, at, out.count);
    if (is_field(name, "sum")) return number(member, at, out.sum);
    if (!is_field(name, "quantileValues")) return true;
    return list(member, at, out.quantiles,
                [this](const Json& item, const Path& item_path, Quantile& element) {
                  return quantile(item, item_path, element);
                });
  });
}

bool Decoder::quantile(const Json& json, const Path& path, Quantile& out) {
  return each_member(json, path, [&](std::string_view name, const Json& member, const Path& at) {
    if (is_field(name, "quantile")) return number(member, at, out.quantile);
    if (is_field(name, "value")) return number(member, at, out.value);
    return true;
  });
}

bool Decoder::exemplar(const Json& json, const Path& path, Exemplar& out) {
  return each_member(json, path, [&](std::string_view name, const Json& member, const Path& at) {
    if (is_field(name, "filteredAttributes"))
      return attributes(member, at, out.filtered_attributes);
    if (is_field(name, "timeUnixNano")) return integer(member, at, out.time_ns);
    if (is_field(name, "asDouble")) return number(member, at, out.value.emplace<Real>());
    if (is_field(name, "asInt")) return integer(member, at, out.value.emplace<int64_t>());
    if (is_field(name, "spanId")) return id(member, at, out.span_id);
    if (is_field(name, "traceId")) return id(member, at, out.trace_id);
    return true;
  });
}

// --- encoding ---

class Encoder : public JsonEncoder {
 public:
  explicit Encoder(JsonWriter& writer) : JsonEncoder(JsonDialect::otlp, writer) {}

  void resource_metrics(const ResourceMetrics& resource_metrics) {
    writer_.begin_object();
    writer_.key("resource");
    resource(resource_metrics.resource);
    writer_.key("scopeMetrics");
    writer_.begin_array();
    for (const ScopeMetrics& scope_metrics : resource_metrics.scope_metrics) {
      writer_.begin_object();
      writer_.key("scope");
      scope(scope_metrics.scope);
      writer_.key("metrics");
      writer_.begin_array();
      for (const Metric& item : scope_metrics.metrics) metric(item);
      writer_.end_array();
      text("schemaUrl", scope_metrics.scope.schema_url);
      writer_.end_object();
    }
    writer_.end_array();
    text("schemaUrl", resource_metrics.resource.schema_url);
    writer_.end_object();
  }

 private:
  void metric(const Metric& metric) {
    writer_.begin_object();
    text("name", metric.name);
    text("description", metric.description);
    text("unit", metric.unit);
    if (const auto* gauge = std::get_if<Gauge>(&metric.data)) data("gauge", *gauge);
    if (const auto* sum = std::get_if<Sum>(&metric.data)) data("sum", *sum);
    if (const auto* histogram = std::get_if<Histogram>(&metric.data)) data("histogram", *histogram);
    if (const auto* summary = std::get_if<Summary>(&metric.data)) data("summary", *summary);
    if (const auto* other = std::get_if<ExponentialHistogram>(&metric.data)) {
      writer_.key("exponentialHistogram");
      writer_.begin_object();
      writer_.key("dataPoints");
      writer_.begin_array();
      for (uint64_t i = 0; i < other->points; ++i) {
        writer_.begin_object();
        writer_.end_object();
      }
      writer_.end_array();
      writer_.end_object();
    }
    key_values("metadata", metric.metadata);
    writer_.end_object();
  }

  template <typename Data>
  void data(std::string_view name, const Data& data) {
    writer_.key(name);
    writer_.begin_object();
    writer_.key("dataPoints");
    writer_.begin_array();
    for (const auto& item : data.points) point(item);
    writer_.end_array();
    if constexpr (std::is_same_v<Data, Sum> || std::is_same_v<Data, Histogram>) {
      if (data.temporality != Temporality::unspecified) {
        writer_.field("aggregationTemporality", int64_t{static_cast<int32_t>(data.temporality)});
      }
    }
    if constexpr (std::is_same_v<Data, Sum>) {
      if (data.monotonic) writer_.field("isMonotonic", true);
    }
    writer_.end_object();
  }

  template <typename Point>
  void common(const Point& point) {
    key_values("attributes", point.attributes);
    number64("startTimeUnixNano", point.start_ns);
    number64("timeUnixNano", point.time_ns);
  }
  void number(std::string_view name, const std::optional<Real>& value) {
    if (!value) return;
    writer_.key(name);
    real(value->value);
  }
  void member(const NumberValue& value) {
    if (const auto* number = std::get_if<Real>(&value)) {
      writer_.key("asDouble");
      real(number->value);
    } else if (const auto* integer = std::get_if<int64_t>(&value)) {
      writer_.field("asInt", std::to_string(*integer));
    }
  }
  void exemplars(const std::vector<Exemplar>& list) {
    if (list.empty()) return;
    writer_.key("exemplars");
    writer_.begin_array();
    for (const Exemplar& exemplar : list) {
      writer_.begin_object();
      key_values("filteredAttributes", exemplar.filtered_attributes);
      number64("timeUnixNano", exemplar.time_ns);
      member(exemplar.value);
      id("spanId", exemplar.span_id);
      id("traceId", exemplar.trace_id);
      writer_.end_object();
    }
    writer_.end_array();
  }

  void point(const NumberPoint& point) {
    writer_.begin_object();
    common(point);
    member(point.value);
    exemplars(point.exemplars);
    number32("flags", point.flags);
    writer_.end_object();
  }
  void point(const HistogramPoint& point) {
    writer_.begin_object();
    common(point);
    number64("count", point.count);
    number("sum", point.sum);
    if (!point.bucket_counts.empty()) {
      writer_.key("bucketCounts");
      writer_.begin_array();
      for (const uint64_t count : point.bucket_counts) writer_.string(std::to_string(count));
      writer_.end_array();
    }
    if (!point.explicit_bounds.empty()) {
      writer_.key("explicitBounds");
      writer_.begin_array();
      for (const Real& bound : point.explicit_bounds) real(bound.value);
      writer_.end_array();
    }
    exemplars(point.exemplars);
    number32("flags", point.flags);
    number("min", point.min);
    number("max", point.max);
    writer_.end_object();
  }
  void point(const SummaryPoint& point) {
    writer_.begin_object();
    common(point);
    number64("count", point.count);
    number("sum", point.sum);
    if (!point.quantiles.empty()) {
      writer_.key("quantileValues");
      writer_.begin_array();
      for (const Quantile& quantile : point.quantiles) {
        writer_.begin_object();
        number("quantile", quantile.quantile);
        number("value", quantile.value);
        writer_.end_object();
      }
      writer_.end_array();
    }
    number32("flags", point.flags);
    writer_.end_object();
  }
};

}  // namespace

Result<MetricsData> decode_metrics_json(std::string_view text, const DecodeLimits& limits) {
  return read_json<Decoder, MetricsData>(text, limits,
                                         [](Decoder& decoder, const Json& json, MetricsData& out) {
                                           return decoder.metrics(json, out);
                                         });
}

std::string encode_json(const MetricsData& data) {
  std::string out;
  JsonWriter writer(out);
  Encoder encoder(writer);
  writer.begin_object();
  writer.key("resourceMetrics");
  writer.begin_array();
  for (const ResourceMetrics& item : data.resource_metrics) encoder.resource_metrics(item);
  writer.end_array();
  writer.end_object();
  return out;
}

}  // namespace contextcore::otlp
