#include "api/loki.h"
#include "base/json.h"
#include "query/common/text.h"

namespace contextcore::api {

namespace {

void write_labels(const logql::LabelPairs& labels, JsonWriter& writer) {
  writer.begin_object();
  for (const auto& [name, value] : labels) writer.field(name, value);
  writer.end_object();
}

void write_sample(const logql::Sample& sample, JsonWriter& writer) {
  writer.begin_array();
  int64_t milliseconds = sample.time_ns / 1'000'000;
  writer.number(static_cast<double>(milliseconds) / 1000.0);
  writer.string(query::format_sample(sample.value));
  writer.end_array();
}

void write_entry(const logql::ResultEntry& entry, bool categorize_labels, JsonWriter& writer) {
  writer.begin_array();
  writer.string(std::to_string(entry.time_ns));
  writer.string(entry.line);
  if (categorize_labels) {
    writer.begin_object();
    if (!entry.metadata.empty()) {
      writer.key("structuredMetadata");
      write_labels(entry.metadata, writer);
    }
    if (!entry.parsed.empty()) {
      writer.key("parsed");
      write_labels(entry.parsed, writer);
    }
    writer.end_object();
  }
  writer.end_array();
}

struct ResultWriter {
  JsonWriter& writer;
  bool categorize_labels;
  uint64_t entries = 0;

  void type(std::string_view name) {
    writer.field("resultType", name);
    writer.key("result");
  }
  void operator()(const logql::Streams& streams) {
    type("streams");
    writer.begin_array();
    for (const logql::ResultStream& stream : streams) {
      writer.begin_object();
      writer.key("stream");
      write_labels(stream.labels, writer);
      writer.key("values");
      writer.begin_array();
      for (const auto& entry : stream.entries) write_entry(entry, categorize_labels, writer);
      writer.end_array();
      writer.end_object();
      entries += stream.entries.size();
    }
    writer.end_array();
  }
  void operator()(const logql::Matrix& matrix) {
    type("matrix");
    writer.begin_array();
    for (const logql::Series& series : matrix.series) {
      writer.begin_object();
      writer.key("metric");
      write_labels(series.labels, writer);
      writer.key("values");
      writer.begin_array();
      for (const logql::Sample& sample : series.samples) write_sample(sample, writer);
      writer.end_array();
      writer.end_object();
      entries += series.samples.size();
    }
    writer.end_array();
  }
  void operator()(const logql::Vector& vector) {
    type("vector");
    writer.begin_array();
    for (const logql::Series& series : vector.series) {
      if (series.samples.empty()) continue;
      writer.begin_object();
      writer.key("metric");
      write_labels(series.labels, writer);
      writer.key("value");
      write_sample(series.samples.front(), writer);
      writer.end_object();
      ++entries;
    }
    writer.end_array();
  }
  void operator()(const logql::Scalar& scalar) {
    type("scalar");
    write_sample(scalar.sample, writer);
    entries = 1;
  }
};

// The keys that Grafana and logcli read. This server has no ingesters, queue or shards: those are
// 0.
void write_statistics(const logql::Statistics& statistics, uint64_t entries, int64_t duration_ns,
                      JsonWriter& writer) {
  double seconds = static_cast<double>(duration_ns) / 1e9;
  auto per_second = [&](uint64_t n) {
    return seconds > 0 ? static_cast<int64_t>(static_cast<double>(n) / seconds) : int64_t{0};
  };
  writer.begin_object();
  writer.key("summary");
  writer.begin_object();
  writer.field("bytesProcessedPerSecond", per_second(statistics.bytes_read));
  writer.field("linesProcessedPerSecond", per_second(statistics.entries_read));
  writer.field("totalBytesProcessed", statistics.bytes_read);
  writer.field("totalLinesProcessed", statistics.entries_read);
  writer.field("execTime", seconds);
  writer.field("queueTime", 0);
  writer.field("subqueries", 0);
  writer.field("totalEntriesReturned", entries);
  writer.field("splits", 0);
  writer.field("shards", 0);
  writer.end_object();
  for (std::string_view part : {"querier", "ingester", "cache"}) {
    writer.key(part);
    writer.begin_object();
    writer.end_object();
  }
  writer.end_object();
}

}  // namespace

std::string encode_loki_result(const logql::QueryResult& result, bool categorize_labels,
                               int64_t duration_ns) {
  std::string out;
  JsonWriter writer(out);
  writer.begin_object();
  writer.field("status", "success");
  writer.key("data");
  writer.begin_object();
  ResultWriter data{writer, categorize_labels};
  std::visit(data, result.data);
  if (categorize_labels && std::holds_alternative<logql::Streams>(result.data)) {
    writer.key("encodingFlags");
    writer.begin_array();
    writer.string("categorize-labels");
    writer.end_array();
  }
  writer.key("stats");
  write_statistics(result.statistics, data.entries, duration_ns, writer);
  writer.end_object();
  writer.end_object();
  return out;
}

}  // namespace contextcore::api
