#include <gtest/gtest.h>

#include "otlp/protobuf.h"
#include "store/frame_work.h"
#include "store/log_parts.h"
#include "store/rows/samples.h"
#include "store/segment_reader.h"

namespace contextcore::store {
namespace {

using samples::all_rows;

class SegmentTest : public testing::Test {
 protected:
  std::unique_ptr<SpanRows> segment_of(const std::vector<RowRef<SpanRows>>& rows,
                                       const std::string& path = "/spans") {
    const Status written = write_span_segment(files(), path, rows);
    EXPECT_TRUE(written.ok()) << written.error().to_string();
    return open_spans(path);
  }
  std::unique_ptr<LogRows> segment_of(const std::vector<RowRef<LogRows>>& rows,
                                      const std::string& path = "/logs") {
    const Status written = write_log_segment(files(), path, rows);
    EXPECT_TRUE(written.ok()) << written.error().to_string();
    Result<std::unique_ptr<LogRows>> segment = open_log_segment(files(), path);
    EXPECT_TRUE(segment.ok()) << segment.error().to_string();
    return segment.ok() ? std::move(segment).value() : nullptr;
  }
  std::unique_ptr<SpanRows> open_spans(const std::string& path) {
    Result<std::unique_ptr<SpanRows>> segment = open_span_segment(files(), path);
    EXPECT_TRUE(segment.ok()) << segment.error().to_string();
    return segment.ok() ? std::move(segment).value() : nullptr;
  }
  FileSystem& files() { return *files_; }

  SimDisk disk_;
  std::unique_ptr<SimFileSystem> files_ = disk_.start_process();
};

TEST_F(SegmentTest, GivesBackEverySpanAsAppended) {
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    const auto spans = samples::spans(seed, 2500);
    const auto builder = samples::build(spans);
    expect_same(*builder, spans);
    const auto segment = segment_of(all_rows<SpanRows>(*builder));
    ASSERT_NE(segment, nullptr);
    expect_same(*segment, spans);
  }
}

// Rows of the journal are written a second time, whole: single ones are read from there.
TEST_F(SegmentTest, GivesBackEveryJournalSpanWithoutReadingColumns) {
  auto spans = samples::spans(4, 2500);
  // What the journal has came out of the log, so it can be written there.
  std::erase_if(spans, [](const samples::SpanSample& sample) {
    std::string bytes;
    otlp::append_span_protobuf(sample.span, bytes);
    return !otlp::decode_span_protobuf(bytes, kStoredLimits).ok();
  });
  ASSERT_GT(spans.size(), 500u);
  for (auto& sample : spans) sample.meta.journal = true;
  const auto segment = segment_of(all_rows<SpanRows>(*samples::build(spans)), "/whole");
  ASSERT_NE(segment, nullptr);
  expect_same(*segment, spans);
  const auto file = SegmentFile::open(files(), "/whole", SegmentKind::spans);
  ASSERT_TRUE(file.ok());
  const uint64_t column = (*file)->footer().groups[0].fixed[0].page.offset;  // trace ids
  std::string bytes = files().read_file("/whole").value_or("");
  bytes[column] = static_cast<char>(bytes[column] ^ 1);
  ASSERT_TRUE(files().write_file_atomically("/whole", bytes).ok());
  const auto damaged = open_spans("/whole");
  const auto first = damaged->materialize(0);
  ASSERT_TRUE(first.ok()) << first.error().to_string();
  EXPECT_EQ(first->span, spans[0].span);
  EXPECT_TRUE(damaged->trace_id(0).empty());
}

TEST_F(SegmentTest, GivesBackEveryLogRecordAsAppended) {
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    const auto logs = samples::logs(seed, 2500);
    const auto builder = samples::build(logs);
    expect_same(*builder, logs);
    const auto segment = segment_of(all_rows<LogRows>(*builder));
    ASSERT_NE(segment, nullptr);
    expect_same(*segment, logs);
  }
}

TEST_F(SegmentTest, TakesRowsFromBuildersAndSegmentsInAnyOrder) {
  const auto first = samples::spans(11, 700);
  const auto second = samples::spans(12, 900);
  const auto builder = samples::build(second);
  const auto segment = segment_of(all_rows<SpanRows>(*samples::build(first)), "/first");
  std::vector<RowRef<SpanRows>> rows;
  std::vector<samples::SpanSample> expected;
  samples::Generator generator(13);
  for (int i = 0; i < 1500; ++i) {
    const bool from_segment = generator.chance(2);
    const auto& source = from_segment ? first : second;
    const auto row = static_cast<uint32_t>(generator.below(source.size()));
    rows.push_back({from_segment ? segment.get() : builder.get(), row});
    expected.push_back(source[row]);
  }
  expect_same(*segment_of(rows, "/mixed"), expected);
}

// Of journal records from the whole rows, of others from the columns.
TEST_F(SegmentTest, GivesTheRecordsOfASpanAsAppended) {
  for (const bool journal : {true, false}) {
    auto logs = samples::logs(25, 600);
    // What the journal has came out of the log, so it can be written there.
    std::erase_if(logs, [](const auto& sample) {
      std::string bytes;
      otlp::append_log_record_protobuf(sample.record, bytes);
      return !otlp::decode_log_record_protobuf(bytes, kStoredLimits).ok();
    });
    if (journal) {
      for (auto& row : logs) row.meta.journal = true;
    }
    const auto builder = samples::build(logs);
    const auto segment = segment_of(all_rows<LogRows>(*builder));
    ASSERT_NE(segment, nullptr);
    size_t found = 0;
    for (const auto& one : logs) {
      const otlp::SpanId& span = one.record.span_id;
      if (span.empty()) continue;
      const auto facts = LogParts::of(*segment).records_of_span(span);
      ASSERT_TRUE(facts.ok()) << facts.error().to_string();
      size_t at = 0;
      for (const auto& other : logs) {
        if (!(other.record.span_id == span)) continue;
        ASSERT_LT(at, facts->size());
        EXPECT_EQ((*facts)[at].sequence, other.meta.sequence);
        EXPECT_EQ((*facts)[at++].record, other.record);
      }
      EXPECT_EQ(at, facts->size());
      found += at;
    }
    EXPECT_GT(found, 0u);
  }
}

TEST_F(SegmentTest, FindsTheRowsOfATraceAndOfASpan) {
  const auto spans = samples::spans(21, 3000);
  const auto span_builder = samples::build(spans);
  const auto span_segment = segment_of(all_rows<SpanRows>(*span_builder));
  const auto logs = samples::logs(22, 3000);
  const auto log_builder = samples::build(logs);
  const auto log_segment = segment_of(all_rows<LogRows>(*log_builder));
  samples::Generator generator(23);
  for (int i = 0; i < 30; ++i) {
    const otlp::TraceId trace = generator.trace_id();
    const otlp::SpanId span = generator.log_span_id();
    std::vector<uint32_t> in_trace, of_span;
    for (uint32_t row = 0; row < spans.size(); ++row) {
      if (spans[row].span.trace_id == trace) in_trace.push_back(row);
    }
    for (uint32_t row = 0; row < logs.size() && !span.empty(); ++row) {
      if (logs[row].record.span_id == span) of_span.push_back(row);
    }
    EXPECT_EQ(span_builder->rows_of_trace(trace).value_or({}), in_trace);
    EXPECT_EQ(span_segment->rows_of_trace(trace).value_or({}), in_trace);
    EXPECT_EQ(log_builder->rows_of_span(span).value_or({}), of_span);
    EXPECT_EQ(log_segment->rows_of_span(span).value_or({}), of_span);
  }
  otlp::TraceId unknown;
  unknown.bytes.fill(0xEE);
  EXPECT_TRUE(span_segment->rows_of_trace(unknown).value_or({1}).empty());
}

TEST_F(SegmentTest, KeepsMoreAttributesThanThereAreColumns) {
  std::vector<samples::SpanSample> spans = samples::spans(31, 3);
  for (int i = 0; i < 1500; ++i) {
    spans[0].span.attributes.push_back({"many." + std::to_string(i), i});
    spans[2].span.attributes.push_back({"more." + std::to_string(i), "text"});
  }
  const auto builder = samples::build(spans);
  expect_same(*builder, spans);
  expect_same(*segment_of(all_rows<SpanRows>(*builder)), spans);
  Condition condition;
  condition.column.key = "more.1400";
  condition.op = Op::equal;
  condition.operands = {std::string("text")};
  const Result<RowSet> found = builder->match(condition);
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(samples::rows_of(*found), std::vector<size_t>{2});
}

TEST_F(SegmentTest, WithoutRowsIsAFileToo) {
  const auto spans = segment_of(std::vector<RowRef<SpanRows>>());
  EXPECT_EQ(spans->size(), 0u);
  EXPECT_TRUE(spans->overlap({})->none());
  EXPECT_TRUE(spans->rows_of_trace({})->empty());
  EXPECT_TRUE(
      segment_of(std::vector<RowRef<LogRows>>())->match(INT64_MIN, INT64_MAX, {}, {})->none());
}

TEST_F(SegmentTest, RefusesWhatIsNoSegmentOfItsKind) {
  const auto logs = segment_of(all_rows<LogRows>(*samples::build(samples::logs(41, 5))), "/logs");
  const auto as_spans = open_span_segment(files(), "/logs");
  ASSERT_FALSE(as_spans.ok());
  EXPECT_EQ(as_spans.error().code, Code::corruption);
  ASSERT_TRUE(files().write_file_atomically("/short", "CCSEG").ok());
  const auto too_short = open_span_segment(files(), "/short");
  ASSERT_FALSE(too_short.ok());
  EXPECT_EQ(too_short.error().code, Code::corruption);
  EXPECT_EQ(open_span_segment(files(), "/absent").status().error().code, Code::not_found);
}

TEST_F(SegmentTest, SaysThatAFileOfANewerFormatNeedsANewerProgram) {
  segment_of(all_rows<SpanRows>(*samples::build(samples::spans(42, 5))), "/spans");
  std::string bytes = files().read_file("/spans").value_or("");
  bytes[bytes.size() - 12] = 9;  // the version in the trailer
  ASSERT_TRUE(files().write_file_atomically("/newer", bytes).ok());
  const auto newer = open_span_segment(files(), "/newer");
  ASSERT_FALSE(newer.ok());
  EXPECT_EQ(newer.error().code, Code::unsupported);
}

// Every byte of the file is covered by some checksum or check: a changed one is noticed or
// harmless.
TEST_F(SegmentTest, NoticesEveryChangedByte) {
  const auto spans = samples::spans(51, 60);
  segment_of(all_rows<SpanRows>(*samples::build(spans)), "/good");
  const std::string good = files().read_file("/good").value_or("");
  ASSERT_GT(good.size(), 1000u);
  size_t noticed = 0;
  for (size_t at = 16; at < good.size(); at += 7) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x40);
    ASSERT_TRUE(files().write_file_atomically("/bad", bad).ok());
    const auto segment = open_span_segment(files(), "/bad");
    bool failed = !segment.ok();
    for (size_t row = 0; !failed && row < spans.size(); ++row) {
      const auto whole = (*segment)->materialize(row);
      if (!whole.ok()) {
        EXPECT_EQ(whole.error().code, Code::corruption);
        EXPECT_NE(whole.error().message.find("/bad"), std::string::npos);
        failed = true;
      } else {
        ASSERT_EQ(whole->span, spans[row].span) << "byte " << at;
      }
      (*segment)->meta(row);
    }
    // The index and the columns of meta() do not show in a span.
    if (!failed) failed = !(*segment)->status().ok();
    for (size_t row = 0; !failed && row < spans.size(); ++row) {
      failed = !(*segment)->rows_of_trace(spans[row].span.trace_id).ok();
    }
    EXPECT_TRUE(failed) << "byte " << at << " of " << good.size();
    noticed += failed ? 1 : 0;
  }
  EXPECT_GT(noticed, 100u);
}

TEST_F(SegmentTest, NamesTheDamagedColumnAndReadsTheRest) {
  auto spans = samples::spans(61, 3000);
  for (auto& sample : spans)
    sample.span.status_message = "message " + std::to_string(sample.span.start_ns);
  segment_of(all_rows<SpanRows>(*samples::build(spans)), "/spans");
  std::string bytes = files().read_file("/spans").value_or("");
  bytes[40] = static_cast<char>(bytes[40] ^ 1);  // the first page: trace ids of row group 0
  ASSERT_TRUE(files().write_file_atomically("/spans", bytes).ok());
  const auto segment = open_spans("/spans");
  const auto first = segment->materialize(0);
  ASSERT_FALSE(first.ok());
  EXPECT_NE(first.error().message.find("row group 0"), std::string::npos) << first.error().message;
  EXPECT_NE(first.error().message.find("column trace_id"), std::string::npos)
      << first.error().message;
  const auto last = segment->materialize(2999);
  ASSERT_TRUE(last.ok());
  EXPECT_EQ(last->span, spans[2999].span);
  EXPECT_TRUE(segment->status().ok());
  EXPECT_TRUE(segment->trace_id(0).empty());
  EXPECT_EQ(segment->status().error().code, Code::corruption);
}

TEST_F(SegmentTest, ReportsAFullDisk) {
  const auto builder = samples::build(samples::spans(71, 500));
  disk_.set_free_bytes(10'000);
  const Status written = write_span_segment(files(), "/spans", all_rows<SpanRows>(*builder));
  ASSERT_FALSE(written.ok());
  EXPECT_EQ(written.error().code, Code::resource_exhausted);
}

TEST_F(SegmentTest, IsOnTheDiskWhenItHasBeenWritten) {
  const auto spans = samples::spans(72, 500);
  ASSERT_TRUE(
      write_span_segment(files(), "/spans", all_rows<SpanRows>(*samples::build(spans))).ok());
  ASSERT_TRUE(files().sync_directory("/").ok());
  disk_.crash(3);
  disk_.reboot();
  expect_same(*open_spans("/spans"), spans);
}

}  // namespace
}  // namespace contextcore::store
