#include "store/rows/samples.h"

#include <gtest/gtest.h>

#include <bit>
#include <limits>

namespace contextcore::store::samples {

std::string Generator::text() {
  switch (below(6)) {
    case 0:
      return {};
    case 1:
      return "GET";
    case 2:
      return "text " + std::to_string(below(20));
    case 3:
      return "unique " + std::to_string(below(UINT64_MAX));
    case 4:
      return std::string("with \0 zero and \xC3\xA9", 17);
    default:
      return std::string(below(300), 'x');
  }
}

otlp::Value Generator::value(int depth) {
  switch (below(depth > 0 ? 9 : 6)) {
    case 0:
      return chance(2);
    case 1:
      return static_cast<int64_t>(below(100)) - 50;
    case 2:
      return static_cast<int64_t>(below(UINT64_MAX));
    case 3:
      return chance(8) ? std::numeric_limits<double>::quiet_NaN()
                       : static_cast<double>(below(1000)) / 7;
    case 4:
      return otlp::Bytes{text()};
    case 5:
      return chance(10) ? otlp::Value() : otlp::Value(text());
    case 6:
      return attributes(3);
    case 7: {
      otlp::Array array;
      for (uint64_t i = below(4); i > 0; --i) array.push_back(value(depth - 1));
      return array;
    }
    default:
      return text();
  }
}

otlp::Attributes Generator::attributes(size_t max) {
  otlp::Attributes attributes;
  // Few keys, so that types mix under one key and keys repeat within one list.
  for (uint64_t i = below(max + 1); i > 0; --i) {
    attributes.push_back({"key." + std::to_string(below(8)), value(2)});
  }
  if (chance(200)) attributes.push_back({"rare." + std::to_string(below(1'000'000)), text()});
  return attributes;
}

otlp::TraceId Generator::trace_id() {
  otlp::TraceId id;
  id.bytes[0] = 7;
  id.bytes[15] = static_cast<uint8_t>(below(100));
  return id;
}

otlp::SpanId Generator::span_id() {
  otlp::SpanId id;
  random_.fill(id.bytes.data(), id.bytes.size());
  return id;
}

otlp::SpanId Generator::log_span_id() {
  otlp::SpanId id;
  if (!chance(4)) id.bytes = {1, 2, 3, 4, 5, 6, 7, static_cast<uint8_t>(below(50))};
  return id;
}

std::shared_ptr<const otlp::Resource> Generator::resource() {
  otlp::Resource resource;
  resource.attributes.push_back({"service.name", "service " + std::to_string(below(5))});
  if (chance(3)) resource.attributes.push_back({"host.number", static_cast<int64_t>(below(40))});
  if (chance(10))
    resource.entity_refs.push_back({"schema", "host", {"host.id"}, {"host.name", "os"}});
  if (chance(10)) resource.schema_url = "https://example.com/schema";
  resource.dropped_attributes_count = static_cast<uint32_t>(chance(10) ? 3 : 0);
  return std::make_shared<const otlp::Resource>(std::move(resource));
}

std::shared_ptr<const otlp::Scope> Generator::scope() {
  otlp::Scope scope;
  scope.name = "scope " + std::to_string(below(3));
  if (chance(2)) scope.version = "1." + std::to_string(below(3));
  if (chance(4)) scope.attributes.push_back({"scope.kind", text()});
  return std::make_shared<const otlp::Scope>(std::move(scope));
}

otlp::Span Generator::span() {
  otlp::Span span;
  span.trace_id = trace_id();
  span.span_id = span_id();
  if (!chance(5)) span.parent_span_id = span_id();
  if (chance(8)) span.trace_state = "vendor=" + text();
  span.flags = chance(3) ? 0x101 : 0;
  span.name = chance(10) ? text() : "operation " + std::to_string(below(12));
  span.kind = static_cast<otlp::SpanKind>(chance(50) ? -7 : static_cast<int32_t>(below(6)));
  span.start_ns = 1'700'000'000'000'000'000 + below(1'000'000'000'000);
  span.end_ns = chance(8)    ? 0
                : chance(20) ? span.start_ns - 5
                             : span.start_ns + below(1'000'000'000);
  span.attributes = attributes();
  span.dropped_attributes_count = static_cast<uint32_t>(chance(20) ? below(UINT32_MAX) : 0);
  for (uint64_t i = chance(3) ? below(4) : 0; i > 0; --i) {
    span.events.push_back(
        {span.start_ns + i, text(), attributes(3), static_cast<uint32_t>(chance(9) ? 2 : 0)});
  }
  for (uint64_t i = chance(4) ? below(3) : 0; i > 0; --i) {
    span.links.push_back(
        {trace_id(), span_id(), chance(2) ? text() : "", attributes(2), 0, chance(2) ? 1u : 0u});
  }
  span.dropped_events_count = static_cast<uint32_t>(chance(30) ? 4 : 0);
  span.dropped_links_count = static_cast<uint32_t>(chance(30) ? 5 : 0);
  span.status_code = static_cast<otlp::StatusCode>(below(3));
  if (chance(5)) span.status_message = text();
  return span;
}

otlp::LogRecord Generator::record() {
  otlp::LogRecord record;
  record.time_ns = chance(10) ? 0 : 1'700'000'000'000'000'000 + below(1'000'000'000'000);
  record.observed_time_ns = chance(3) ? 0 : 1'700'000'000'000'000'000 + below(1'000'000'000'000);
  record.severity_number = chance(3) ? 0 : static_cast<int32_t>(below(25));
  if (chance(3)) record.severity_text = "WARN";
  if (!chance(20)) record.body = chance(5) ? value() : otlp::Value("line " + text());
  record.attributes = attributes();
  record.dropped_attributes_count = static_cast<uint32_t>(chance(20) ? 9 : 0);
  record.flags = chance(4) ? 1 : 0;
  if (!chance(3)) record.trace_id = trace_id();
  record.span_id = log_span_id();
  if (chance(3)) record.event_name = "event." + std::to_string(below(4));
  return record;
}

RowMeta Generator::meta(uint64_t sequence) {
  const bool journal = chance(3);
  return {sequence, journal ? static_cast<int64_t>(below(9)) : 0, journal};
}

std::vector<SpanSample> spans(uint64_t seed, size_t count) {
  Generator generator(seed);
  std::vector<SpanSample> samples;
  for (size_t i = 0; i < count; ++i) {
    samples.push_back(
        {generator.resource(), generator.scope(), generator.span(), generator.meta(i)});
    if (i > 0 && generator.chance(40))
      samples.back() = samples[i - 1];  // duplicates stay duplicates
  }
  return samples;
}

std::vector<LogSample> logs(uint64_t seed, size_t count) {
  Generator generator(seed);
  std::vector<LogSample> samples;
  for (size_t i = 0; i < count; ++i) {
    samples.push_back(
        {generator.resource(), generator.scope(), generator.record(), generator.meta(i)});
  }
  return samples;
}

std::unique_ptr<SpanBuilder> build(const std::vector<SpanSample>& samples) {
  auto builder = SpanBuilder::make();
  for (const SpanSample& sample : samples)
    builder->append(sample.resource, sample.scope, sample.span, sample.meta);
  return builder;
}

std::unique_ptr<LogBuilder> build(const std::vector<LogSample>& samples) {
  auto builder = LogBuilder::make();
  for (const LogSample& sample : samples)
    builder->append(sample.resource, sample.scope, sample.record, sample.meta);
  return builder;
}

namespace {

void expect_same_meta(const RowMeta& meta, const RowMeta& expected) {
  EXPECT_EQ(meta.sequence, expected.sequence);
  EXPECT_EQ(meta.revision, expected.revision);
  EXPECT_EQ(meta.journal, expected.journal);
}

}  // namespace

void expect_same(const SpanRows& rows, const std::vector<SpanSample>& samples) {
  ASSERT_EQ(rows.size(), samples.size());
  for (size_t row = 0; row < samples.size(); ++row) {
    SCOPED_TRACE("row " + std::to_string(row));
    const otlp::Span& expected = samples[row].span;
    const Result<SpanRows::Whole> whole = rows.materialize(row);
    ASSERT_TRUE(whole.ok()) << whole.error().to_string();
    ASSERT_EQ(whole->span, expected);
    ASSERT_EQ(*whole->resource, *samples[row].resource);
    ASSERT_EQ(*whole->scope, *samples[row].scope);
    expect_same_meta(rows.meta(row), samples[row].meta);
    EXPECT_EQ(rows.trace_id(row), expected.trace_id);
    EXPECT_EQ(rows.span_id(row), expected.span_id);
    EXPECT_EQ(rows.start_ns(row), static_cast<int64_t>(expected.start_ns));
    EXPECT_EQ(rows.end_ns(row), static_cast<int64_t>(expected.end_ns));
    EXPECT_EQ(rows.kind(row), expected.kind);
  }
  EXPECT_TRUE(rows.status().ok());
}

void expect_same(const LogRows& rows, const std::vector<LogSample>& samples) {
  ASSERT_EQ(rows.size(), samples.size());
  for (size_t row = 0; row < samples.size(); ++row) {
    SCOPED_TRACE("row " + std::to_string(row));
    const otlp::LogRecord& expected = samples[row].record;
    const Result<LogRows::Whole> whole = rows.materialize(row);
    ASSERT_TRUE(whole.ok()) << whole.error().to_string();
    ASSERT_EQ(whole->record, expected);
    ASSERT_EQ(*whole->resource, *samples[row].resource);
    ASSERT_EQ(*whole->scope, *samples[row].scope);
    expect_same_meta(rows.meta(row), samples[row].meta);
    EXPECT_EQ(rows.span_id(row), expected.span_id);
    EXPECT_EQ(
        rows.time_ns(row),
        static_cast<int64_t>(expected.time_ns != 0 ? expected.time_ns : expected.observed_time_ns));
    ASSERT_LT(rows.stream(row), rows.streams().size());
    EXPECT_EQ(rows.streams()[rows.stream(row)], stream_labels(*samples[row].resource));
    EXPECT_EQ(rows.line(row).value_or("?"), log_line(expected));
    EXPECT_EQ(rows.metadata(row).value_or({}),
              structured_metadata(*samples[row].resource, *samples[row].scope, expected));
  }
  EXPECT_TRUE(rows.status().ok());
}

std::vector<size_t> rows_of(const RowSet& rows) {
  std::vector<size_t> out;
  rows.for_each([&](size_t row) { out.push_back(row); });
  return out;
}

}  // namespace contextcore::store::samples
