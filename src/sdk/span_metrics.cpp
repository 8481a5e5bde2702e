#include "sdk/span_metrics.h"

#include <charconv>
#include <limits>

#include "base/time.h"
#include "query/common/text.h"
#include "query/traceql/metrics.h"

namespace contextcore::sdk {

namespace {

std::string text_of(const otlp::Value& value) {
  if (const std::string* text = value.as_string()) return *text;
  if (const bool* boolean = value.as_bool()) return *boolean ? "true" : "false";
  if (const int64_t* integer = value.as_int()) return std::to_string(*integer);
  if (const double* real = value.as_double()) return query::format_sample(*real);
  std::string out = "[";
  if (const otlp::Array* array = value.as_array()) {
    for (const otlp::Value& item : *array) out += (out.size() > 1 ? ", " : "") + text_of(item);
  }
  return out + "]";
}

// {"stringValue": …} likewise.
std::string text_of(const Json& value) {
  if (const Json* one = value.find("doubleValue"); one != nullptr && one->is_number()) {
    return query::format_sample(one->number());
  }
  for (const char* name : {"stringValue", "intValue", "boolValue", "doubleValue"}) {
    const Json* one = value.find(name);
    if (one != nullptr) return one->as_string() != nullptr ? *one->as_string() : to_string(*one);
  }
  std::string out = "[";
  if (const Json* array = value.find("arrayValue")) {
    const Json* values = array->find("values");
    if (values != nullptr && values->as_array() != nullptr) {
      for (const Json& item : *values->as_array()) {
        out += (out.size() > 1 ? ", " : "") + text_of(item);
      }
    }
  }
  return out + "]";
}

// A number, or one of those that JSON cannot say; what is not there is 0.
double number_of(const Json* value) {
  if (value == nullptr) return 0;
  if (value->is_number()) return value->number();
  const std::string* text = value->as_string();
  if (text == nullptr || *text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  return text->starts_with('-') ? -kInfinity : kInfinity;
}

int64_t integer_of(const Json* value) {
  if (value == nullptr) return 0;
  if (const int64_t* number = value->as_int()) return *number;
  int64_t number = 0;
  if (const std::string* text = value->as_string()) {
    std::from_chars(text->data(), text->data() + text->size(), number);
  }
  return number;
}

constexpr const char* kTruncated = "there are more series than are shown";

}  // namespace

Result<MetricAnswer> query_span_metrics(const store::Source& source, const std::string& traceql,
                                        const SpanMetricOptions& options) {
  traceql::MetricsOptions wanted;
  const int64_t end_ns = options.end_ns != 0 ? options.end_ns : source.now_ns();
  if (options.instant) {
    CC_ASSIGN(wanted.grid, traceql::instant_grid(options.start_ns, end_ns));
  } else {
    const int64_t step_ns =
        options.step_ns != 0 ? options.step_ns : traceql::default_step(options.start_ns, end_ns);
    CC_ASSIGN(wanted.grid, traceql::range_grid(options.start_ns, end_ns, step_ns));
  }
  CC_ASSIGN(const traceql::MetricsResult result, traceql::query_metrics(source, traceql, wanted));
  MetricAnswer answer;
  answer.type = options.instant ? "vector" : "matrix";
  for (const traceql::MetricsSeries& one : result.series) {
    Series series;
    for (const otlp::KeyValue& label : one.labels) {
      series.labels.emplace_back(label.key, text_of(label.value));
    }
    for (const query::Point& point : one.points) {
      series.samples.emplace_back(wanted.grid.time_of(point.step), point.value);
    }
    answer.series.push_back(std::move(series));
  }
  if (result.truncated) answer.notes.emplace_back(kTruncated);
  return answer;
}

Result<MetricAnswer> parse_span_metrics_answer(std::string_view text, bool instant) {
  CC_ASSIGN(const Json json, parse_json(text));
  MetricAnswer answer;
  answer.type = instant ? "vector" : "matrix";
  if (json.string_or("status") == "PARTIAL") answer.notes.emplace_back(kTruncated);
  const Json* all = json.find("series");
  if (all == nullptr || all->as_array() == nullptr) return answer;
  for (const Json& one : *all->as_array()) {
    Series series;
    if (const Json* labels = one.find("labels");
        labels != nullptr && labels->as_array() != nullptr) {
      for (const Json& label : *labels->as_array()) {
        const Json* value = label.find("value");
        series.labels.emplace_back(label.string_or("key"),
                                   value != nullptr ? text_of(*value) : std::string());
      }
    }
    const Json* samples = one.find("samples");
    if (instant) {
      series.samples.emplace_back(0, number_of(one.find("value")));
    } else if (samples != nullptr && samples->as_array() != nullptr) {
      for (const Json& sample : *samples->as_array()) {
        series.samples.emplace_back(integer_of(sample.find("timestampMs")) * kMillisecondNs,
                                    number_of(sample.find("value")));
      }
    }
    answer.series.push_back(std::move(series));
  }
  return answer;
}

}  // namespace contextcore::sdk
