#include "api/prometheus.h"
#include "api/responses.h"
#include "base/json.h"
#include "query/common/text.h"

namespace contextcore::api {

namespace {

void write_labels(const query::LabelPairs& labels, JsonWriter& writer) {
  writer.begin_object();
  for (const auto& [name, value] : labels) writer.field(name, value);
  writer.end_object();
}

void write_sample(const promql::Sample& sample, JsonWriter& writer) {
  writer.begin_array();
  writer.number(static_cast<double>(sample.time_ms) / 1000.0);
  writer.string(query::format_sample(sample.value));
  writer.end_array();
}

void write_list(std::string_view name, const std::vector<std::string>& texts, JsonWriter& writer) {
  if (texts.empty()) return;
  writer.key(name);
  writer.begin_array();
  for (const std::string& text : texts) writer.string(text);
  writer.end_array();
}

struct ResultWriter {
  JsonWriter& writer;
  size_t limit;
  bool truncated = false;

  void type(std::string_view name) {
    writer.field("resultType", name);
    writer.key("result");
  }
  size_t count(size_t all) {
    truncated = limit != 0 && all > limit;
    return truncated ? limit : all;
  }
  void operator()(const promql::Matrix& matrix) {
    type("matrix");
    writer.begin_array();
    const size_t series = count(matrix.series.size());
    for (size_t i = 0; i < series; ++i) {
      writer.begin_object();
      writer.key("metric");
      write_labels(matrix.series[i].labels, writer);
      writer.key("values");
      writer.begin_array();
      for (const promql::Sample& sample : matrix.series[i].samples) write_sample(sample, writer);
      writer.end_array();
      writer.end_object();
    }
    writer.end_array();
  }
  void operator()(const promql::Vector& vector) {
    type("vector");
    writer.begin_array();
    const size_t series = count(vector.series.size());
    for (size_t i = 0; i < series; ++i) {
      writer.begin_object();
      writer.key("metric");
      write_labels(vector.series[i].labels, writer);
      writer.key("value");
      write_sample(vector.series[i].samples.front(), writer);
      writer.end_object();
    }
    writer.end_array();
  }
  void operator()(const promql::Scalar& scalar) {
    type("scalar");
    write_sample(scalar.sample, writer);
  }
  void operator()(const promql::String& string) {
    type("string");
    writer.begin_array();
    writer.number(static_cast<double>(string.time_ms) / 1000.0);
    writer.string(string.value);
    writer.end_array();
  }
};

struct ErrorKind {
  std::string_view type;
  int status;
};
ErrorKind kind_of(Code code) {
  switch (code) {
    case Code::invalid_argument:
    case Code::unsupported:
      return {"bad_data", 400};
    case Code::failed_precondition:
    case Code::resource_exhausted:
      return {"execution", 422};
    case Code::deadline_exceeded:
      return {"timeout", 503};
    case Code::cancelled:
      return {"canceled", 499};
    case Code::not_found:
      return {"not_found", 404};
    case Code::unavailable:
      return {"unavailable", 503};
    default:
      return {"internal", 500};
  }
}

}  // namespace

std::string encode_prometheus_result(promql::QueryResult result, size_t limit) {
  std::string out;
  JsonWriter writer(out);
  writer.begin_object();
  writer.field("status", "success");
  writer.key("data");
  writer.begin_object();
  ResultWriter data{writer, limit};
  std::visit(data, result.data);
  writer.end_object();
  if (data.truncated) result.warnings.emplace_back("results truncated due to limit");
  write_list("warnings", result.warnings, writer);
  write_list("infos", result.infos, writer);
  writer.end_object();
  return out;
}

Response prometheus_error(const Error& error) {
  const ErrorKind kind = kind_of(error.code);
  std::string out;
  JsonWriter writer(out);
  writer.begin_object();
  writer.field("status", "error");
  writer.field("errorType", kind.type);
  writer.field("error", error.to_string());
  writer.end_object();
  return raw_json_response(kind.status, std::move(out));
}

}  // namespace contextcore::api
