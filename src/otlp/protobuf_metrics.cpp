// Metrics: wire bytes → model and back (wire_reader.h, wire_writer.h). Merging follows proto3, as
// in protobuf_decode.cpp; repeated numbers are taken packed or one by one.

#include <bit>

#include "otlp/protobuf_common.h"
#include "otlp/protobuf_fields.h"

namespace contextcore::otlp {
namespace {

// The member of a oneof: the one that is there already, or a new one in place of another.
template <typename T, typename Variant>
T& member(Variant& data) {
  T* known = std::get_if<T>(&data);
  return known != nullptr ? *known : data.template emplace<T>();
}

class Decoder : public CommonDecoder {
 public:
  using CommonDecoder::CommonDecoder;

  bool metrics(std::string_view all, MetricsData& out) {
    return each_field(all, "MetricsData", [&](pbf_reader& reader) {
      if (reader.tag() != 1) return skip(reader);
      return message(reader, "MetricsData.resource_metrics", [&](std::string_view view) {
        return resource_metrics(view, out.resource_metrics.emplace_back());
      });
    });
  }

 private:
  bool resource_metrics(std::string_view all, ResourceMetrics& out);
  bool scope_metrics(std::string_view all, ScopeMetrics& out);
  bool metric(std::string_view all, Metric& out);
  bool sum(std::string_view all, Sum& out);
  bool histogram(std::string_view all, Histogram& out);
  bool number_point(std::string_view all, NumberPoint& out);
  bool histogram_point(std::string_view all, HistogramPoint& out);
  bool summary_point(std::string_view all, SummaryPoint& out);
  bool quantile(std::string_view all, Quantile& out);
  bool exemplar(std::string_view all, Exemplar& out);

  bool real(pbf_reader& reader, const char* name, Real& out) {
    uint64_t bits = 0;
    if (!fixed64(reader, name, bits)) return false;
    out = std::bit_cast<double>(bits);
    return true;
  }
  bool signed_fixed64(pbf_reader& reader, const char* name, int64_t& out) {
    uint64_t bits = 0;
    if (!fixed64(reader, name, bits)) return false;
    out = static_cast<int64_t>(bits);
    return true;
  }
  // Appends numbers of 8 bytes by add(bits).
  template <typename Add>
  bool fixed64_list(pbf_reader& reader, const char* name, Add&& add) {
    if (reader.wire_type() == pbf_wire_type::fixed64) {
      add(reader.get_fixed64());
      return true;
    }
    std::string_view view;
    if (!bytes(reader, name, view)) return false;
    if (view.size() % 8 != 0) {
      return fail(view.data(),
                  fmt::format("{} has {} bytes, a multiple of 8 expected", name, view.size()));
    }
    for (size_t at = 0; at < view.size(); at += 8) {
      uint64_t bits = 0;
      for (size_t i = 8; i-- > 0;) bits = bits << 8 | static_cast<uint8_t>(view[at + i]);
      add(bits);
    }
    return true;
  }
  template <typename Point, typename Decode>
  bool points(std::string_view all, const char* name, std::vector<Point>& out, Decode&& decode) {
    out.reserve(out.size() + count_fields(all, 1));
    return each_field(all, name, [&](pbf_reader& reader) {
      if (reader.tag() != 1) return skip(reader);
      return message(reader, name,
                     [&](std::string_view view) { return decode(view, out.emplace_back()); });
    });
  }
};

bool Decoder::resource_metrics(std::string_view all, ResourceMetrics& out) {
  return each_field(all, "ResourceMetrics", [&](pbf_reader& reader) {
    switch (reader.tag()) {
      case 1:
        return message(reader, "ResourceMetrics.resource",
                       [&](std::string_view view) { return resource(view, out.resource); });
      case 2:
        return message(reader, "ResourceMetrics.scope_metrics", [&](std::string_view view) {
          return scope_metrics(view, out.scope_metrics.emplace_back());
        });
      case 3:
        return string(reader, "ResourceMetrics.schema_url", out.resource.schema_url);
      default:
        return skip(reader);
    }
  });
}

bool Decoder::scope_metrics(std::string_view all, ScopeMetrics& out) {
  out.metrics.reserve(count_fields(all, 2));
  return each_field(all, "ScopeMetrics", [&](pbf_reader& reader) {
    switch (reader.tag()) {
      case 1:
        return message(reader, "ScopeMetrics.scope",
                       [&](std::string_view view) { return scope(view, out.scope); });
      case 2:
        return message(reader, "ScopeMetrics.metrics", [&](std::string_view view) {
          return metric(view, out.metrics.emplace_back());
        });
      case 3:
        return string(reader, "ScopeMetrics.schema_url", out.scope.schema_url);
      default:
        return skip(reader);
    }
  });
}

bool Decoder::metric(std::string_view all, Metric& out) {
  return each_field(all, "Metric", [&](pbf_reader& reader) {
    switch (reader.tag()) {
      case 1:
        return string(reader, "Metric.name", out.name);
      case 2:
        return string(reader, "Metric.description", out.description);
      case 3:
        return string(reader, "Metric.unit", out.unit);
      case 5:
        return message(reader, "Metric.gauge", [&](std::string_view view) {
          return points(
              view, "Gauge", member<Gauge>(out.data).points,
              [&](std::string_view point, NumberPoint& to) { return number_point(point, to); });
        });
      case 7:
        return message(reader, "Metric.sum",
                       [&](std::string_view view) { return sum(view, member<Sum>(out.data)); });
      case 9:
        return message(reader, "Metric.histogram", [&](std::string_view view) {
          return histogram(view, member<Histogram>(out.data));
        });
      case 10:
        return message(reader, "Metric.exponential_histogram", [&](std::string_view view) {
          auto& to = member<ExponentialHistogram>(out.data);
          return each_field(view, "ExponentialHistogram", [&](pbf_reader& inner) {
            if (inner.tag() == 1) ++to.points;
            return skip(inner);
          });
        });
      case 11:
        return message(reader, "Metric.summary", [&](std::string_view view) {
          return points(
              view, "Summary", member<Summary>(out.data).points,
              [&](std::string_view point, SummaryPoint& to) { return summary_point(point, to); });
        });
      case 12:
        return attribute(reader, "Metric.metadata", out.metadata);
      default:
        return skip(reader);
    }
  });
}

bool Decoder::sum(std::string_view all, Sum& out) {
  return each_field(all, "Sum", [&](pbf_reader& reader) {
    switch (reader.tag()) {
      case 1:
        return message(reader, "Sum.data_points", [&](std::string_view view) {
          return number_point(view, out.points.emplace_back());
        });
      case 2:
        return varint(reader, "Sum.aggregation_temporality", out.temporality);
      case 3: {
        uint64_t flag = 0;
        if (!varint(reader, "Sum.is_monotonic", flag)) return false;
        out.monotonic = flag != 0;
        return true;
      }
      default:
        return skip(reader);
    }
  });
}

bool Decoder::histogram(std::string_view all, Histogram& out) {
  return each_field(all, "Histogram", [&](pbf_reader& reader) {
    switch (reader.tag()) {
      case 1:
        return message(reader, "Histogram.data_points", [&](std::string_view view) {
          return histogram_point(view, out.points.emplace_back());
        });
      case 2:
        return varint(reader, "Histogram.aggregation_temporality", out.temporality);
      default:
        return skip(reader);
    }
  });
}

bool Decoder::number_point(std::string_view all, NumberPoint& out) {
  return each_field(all, "NumberDataPoint", [&](pbf_reader& reader) {
    switch (reader.tag()) {
      case 2:
        return fixed64(reader, "NumberDataPoint.start_time_unix_nano", out.start_ns);
      case 3:
        return fixed64(reader, "NumberDataPoint.time_unix_nano", out.time_ns);
      case 4:
        return real(reader, "NumberDataPoint.as_double", out.value.emplace<Real>());
      case 5:
        return message(reader, "NumberDataPoint.exemplars", [&](std::string_view view) {
          return exemplar(view, out.exemplars.emplace_back());
        });
      case 6:
        return signed_fixed64(reader, "NumberDataPoint.as_int", out.value.emplace<int64_t>());
      case 7:
        return attribute(reader, "NumberDataPoint.attributes", out.attributes);
      case 8:
        return varint(reader, "NumberDataPoint.flags", out.flags);
      default:
        return skip(reader);
    }
  });
}

bool Decoder::histogram_point(std::string_view all, HistogramPoint& out) {
  return each_field(all, "HistogramDataPoint", [&](pbf_reader& reader) {
    switch (reader.tag()) {
      case 2:
        return fixed64(reader, "HistogramDataPoint.start_time_unix_nano", out.start_ns);
      case 3:
        return fixed64(reader, "HistogramDataPoint.time_unix_nano", out.time_ns);
      case 4:
        return fixed64(reader, "HistogramDataPoint.count", out.count);
      case 5:
        return real(reader, "HistogramDataPoint.sum", out.sum.emplace());
      case 6:
        return fixed64_list(reader, "HistogramDataPoint.bucket_counts",
                            [&](uint64_t bits) { out.bucket_counts.push_back(bits); });
      case 7:
        return fixed64_list(reader, "HistogramDataPoint.explicit_bounds", [&](uint64_t bits) {
          out.explicit_bounds.emplace_back(std::bit_cast<double>(bits));
        });
      case 8:
        return message(reader, "HistogramDataPoint.exemplars", [&](std::string_view view) {
          return exemplar(view, out.exemplars.emplace_back());
        });
      case 9:
        return attribute(reader, "HistogramDataPoint.attributes", out.attributes);
      case 10:
        return varint(reader, "HistogramDataPoint.flags", out.flags);
      case 11:
        return real(reader, "HistogramDataPoint.min", out.min.emplace());
      case 12:
        return real(reader, "HistogramDataPoint.max", out.max.emplace());
      default:
        return skip(reader);
    }
  });
}

bool Decoder::summary_point(std::string_view all, SummaryPoint& out) {
  return each_field(all, "SummaryDataPoint", [&](pbf_reader& reader) {
    switch (reader.tag()) {
      case 2:
        return fixed64(reader, "SummaryDataPoint.start_time_unix_nano", out.start_ns);
      case 3:
        return fixed64(reader, "SummaryDataPoint.time_unix_nano", out.time_ns);
      case 4:
        return fixed64(reader, "SummaryDataPoint.count", out.count);
      case 5:
        return real(reader, "SummaryDataPoint.sum", out.sum);
      case 6:
        return message(reader, "SummaryDataPoint.quantile_values", [&](std::string_view view) {
          return quantile(view, out.quantiles.emplace_back());
        });
      case 7:
        return attribute(reader, "SummaryDataPoint.attributes", out.attributes);
      case 8:
        return varint(reader, "SummaryDataPoint.flags", out.flags);
      default:
        return skip(reader);
    }
  });
}

bool Decoder::quantile(std::string_view all, Quantile& out) {
  return each_field(all, "ValueAtQuantile", [&](pbf_reader& reader) {
    switch (reader.tag()) {
      case 1:
        return real(reader, "ValueAtQuantile.quantile", out.quantile);
      case 2:
        return real(reader, "ValueAtQuantile.value", out.value);
      default:
        return skip(reader);
    }
  });
}

bool Decoder::exemplar(std::string_view all, Exemplar& out) {
  return each_field(all, "Exemplar", [&](pbf_reader& reader) {
    switch (reader.tag()) {
      case 2:
        return fixed64(reader, "Exemplar.time_unix_nano", out.time_ns);
      case 3:
        return real(reader, "Exemplar.as_double", out.value.emplace<Real>());
      case 4:
        return id(reader, "Exemplar.span_id", out.span_id);
      case 5:
        return id(reader, "Exemplar.trace_id", out.trace_id);
      case 6:
        return signed_fixed64(reader, "Exemplar.as_int", out.value.emplace<int64_t>());
      case 7:
        return attribute(reader, "Exemplar.filtered_attributes", out.filtered_attributes);
      default:
        return skip(reader);
    }
  });
}

// --- encoding ---

template <typename Sink>
void put_real(Sink& sink, uint32_t field, double value) {
  put_fixed64(sink, field, std::bit_cast<uint64_t>(value));
}
template <typename Sink>
void put_optional(Sink& sink, uint32_t field, const std::optional<Real>& value) {
  if (value) sink.fixed64(field, std::bit_cast<uint64_t>(value->value));
}
// The members of a oneof are written even when they are 0.
template <typename Sink>
void put_real_member(Sink& sink, uint32_t field, const NumberValue& value) {
  if (const auto* real = std::get_if<Real>(&value)) {
    sink.fixed64(field, std::bit_cast<uint64_t>(real->value));
  }
}
template <typename Sink>
void put_integer_member(Sink& sink, uint32_t field, const NumberValue& value) {
  if (const auto* integer = std::get_if<int64_t>(&value)) {
    sink.fixed64(field, static_cast<uint64_t>(*integer));
  }
}

template <typename Number>
std::string packed(const std::vector<Number>& numbers) {
  std::string out;
  out.reserve(numbers.size() * 8);
  for (const Number& number : numbers) {
    const auto bits = std::bit_cast<uint64_t>(number);
    for (int i = 0; i < 8; ++i)
      out.push_back(static_cast<char>(static_cast<uint8_t>(bits >> (8 * i))));
  }
  return out;
}

template <typename Sink>
void exemplar_fields(Sink& sink, const Exemplar& exemplar) {
  put_fixed64(sink, 2, exemplar.time_ns);
  put_real_member(sink, 3, exemplar.value);
  put_id(sink, 4, exemplar.span_id);
  put_id(sink, 5, exemplar.trace_id);
  put_integer_member(sink, 6, exemplar.value);
  put_key_values(sink, 7, exemplar.filtered_attributes);
}

template <typename Sink>
void put_exemplars(Sink& sink, uint32_t field, const std::vector<Exemplar>& exemplars) {
  for (const Exemplar& exemplar : exemplars) {
    sink.message(field, [&](Sink& inner) { exemplar_fields(inner, exemplar); });
  }
}

template <typename Sink>
void point_fields(Sink& sink, const NumberPoint& point) {
  put_fixed64(sink, 2, point.start_ns);
  put_fixed64(sink, 3, point.time_ns);
  put_real_member(sink, 4, point.value);
  put_exemplars(sink, 5, point.exemplars);
  put_integer_member(sink, 6, point.value);
  put_key_values(sink, 7, point.attributes);
  put_varint(sink, 8, point.flags);
}

template <typename Sink>
void point_fields(Sink& sink, const HistogramPoint& point) {
  put_fixed64(sink, 2, point.start_ns);
  put_fixed64(sink, 3, point.time_ns);
  put_fixed64(sink, 4, point.count);
  put_optional(sink, 5, point.sum);
  put_string(sink, 6, packed(point.bucket_counts));
  put_string(sink, 7, packed(point.explicit_bounds));
  put_exemplars(sink, 8, point.exemplars);
  put_key_values(sink, 9, point.attributes);
  put_varint(sink, 10, point.flags);
  put_optional(sink, 11, point.min);
  put_optional(sink, 12, point.max);
}

template <typename Sink>
void point_fields(Sink& sink, const SummaryPoint& point) {
  put_fixed64(sink, 2, point.start_ns);
  put_fixed64(sink, 3, point.time_ns);
  put_fixed64(sink, 4, point.count);
  put_real(sink, 5, point.sum);
  for (const Quantile& quantile : point.quantiles) {
    sink.message(6, [&](Sink& inner) {
      put_real(inner, 1, quantile.quantile);
      put_real(inner, 2, quantile.value);
    });
  }
  put_key_values(sink, 7, point.attributes);
  put_varint(sink, 8, point.flags);
}

template <typename Sink, typename Point>
void put_points(Sink& sink, const std::vector<Point>& points) {
  for (const Point& point : points) {
    sink.message(1, [&](Sink& inner) { point_fields(inner, point); });
  }
}

template <typename Sink>
void metric_fields(Sink& sink, const Metric& metric) {
  put_string(sink, 1, metric.name);
  put_string(sink, 2, metric.description);
  put_string(sink, 3, metric.unit);
  if (const auto* gauge = std::get_if<Gauge>(&metric.data)) {
    sink.message(5, [&](Sink& inner) { put_points(inner, gauge->points); });
  } else if (const auto* sum = std::get_if<Sum>(&metric.data)) {
    sink.message(7, [&](Sink& inner) {
      put_points(inner, sum->points);
      put_varint(inner, 2, enum_bits(sum->temporality));
      put_varint(inner, 3, sum->monotonic ? 1 : 0);
    });
  } else if (const auto* histogram = std::get_if<Histogram>(&metric.data)) {
    sink.message(9, [&](Sink& inner) {
      put_points(inner, histogram->points);
      put_varint(inner, 2, enum_bits(histogram->temporality));
    });
  } else if (const auto* other = std::get_if<ExponentialHistogram>(&metric.data)) {
    sink.message(10, [&](Sink& inner) {
      for (uint64_t i = 0; i < other->points; ++i) inner.bytes(1, {});
    });
  } else if (const auto* summary = std::get_if<Summary>(&metric.data)) {
    sink.message(11, [&](Sink& inner) { put_points(inner, summary->points); });
  }
  put_key_values(sink, 12, metric.metadata);
}

template <typename Sink>
void metrics_fields(Sink& sink, const MetricsData& data) {
  for (const ResourceMetrics& resource_metrics : data.resource_metrics) {
    sink.message(1, [&](Sink& outer) {
      outer.message(1, [&](Sink& inner) { resource_fields(inner, resource_metrics.resource); });
      for (const ScopeMetrics& scope_metrics : resource_metrics.scope_metrics) {
        outer.message(2, [&](Sink& middle) {
          middle.message(1, [&](Sink& inner) { scope_fields(inner, scope_metrics.scope); });
          for (const Metric& metric : scope_metrics.metrics) {
            middle.message(2, [&](Sink& inner) { metric_fields(inner, metric); });
          }
          put_string(middle, 3, scope_metrics.scope.schema_url);
        });
      }
      put_string(outer, 3, resource_metrics.resource.schema_url);
    });
  }
}

}  // namespace

Result<MetricsData> decode_metrics_protobuf(std::string_view bytes, const DecodeLimits& limits) {
  Decoder decoder(bytes, limits);
  MetricsData out;
  if (!decoder.metrics(bytes, out)) return decoder.take_error();
  return out;
}

std::string encode_protobuf(const MetricsData& data) {
  std::string out;
  append(out, [&](auto& sink) { metrics_fields(sink, data); });
  return out;
}

}  // namespace contextcore::otlp
