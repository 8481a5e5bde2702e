// Row groups of other segments that go over as they are.

#include "store/span_writer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "store/rows/samples.h"
#include "store/segment_reader.h"

namespace contextcore::store {
namespace {

class SpanWriterTest : public testing::Test {
 protected:
  // Traces of one to three spans that start from begin on, one each nanosecond, and last for less than ten.
  std::vector<samples::SpanSample> spans(uint64_t seed, uint64_t begin, size_t traces) {
    samples::Generator generator(seed);
    std::vector<samples::SpanSample> out;
    for (size_t i = 0; i < traces; ++i) {
      const otlp::SpanId trace = generator.span_id();
      for (uint64_t count = 1 + generator.below(3); count > 0; --count) {
        out.push_back({generator.resource(), generator.scope(), generator.span(), {out.size(), 0, false}});
        otlp::Span& span = out.back().span;
        std::copy(trace.bytes.begin(), trace.bytes.end(), span.trace_id.bytes.begin());
        span.start_ns = begin + i + generator.below(10);
        span.end_ns = span.start_ns + generator.below(1000);
      }
    }
    return out;
  }

  // In the order of a segment.
  static std::vector<samples::SpanSample> sorted(std::vector<samples::SpanSample> spans) {
    std::map<otlp::TraceId, uint64_t> starts;
    for (const auto& one : spans) {
      const auto [it, added] = starts.try_emplace(one.span.trace_id, one.span.start_ns);
      it->second = std::min(it->second, one.span.start_ns);
    }
    const auto key = [&](const samples::SpanSample& one) {
      return std::tuple(starts.at(one.span.trace_id), one.span.trace_id, one.span.start_ns, one.span.span_id);
    };
    std::sort(spans.begin(), spans.end(), [&](const auto& a, const auto& b) { return key(a) < key(b); });
    return spans;
  }

  std::unique_ptr<SpanRows> segment_of(const std::vector<samples::SpanSample>& spans, const std::string& path) {
    const auto builder = samples::build(spans);
    EXPECT_TRUE(write_span_segment(*files_, path, samples::all_rows<SpanRows>(*builder)).ok());
    return open_span_segment(*files_, path).value_or(nullptr);
  }

  Status merge(const std::vector<std::pair<const SpanRows*, RowSet>>& sources, const std::string& path) {
    SpanOrder order;
    for (const auto& [rows, wanted] : sources) CC_TRY(order.add(*rows, wanted));
    const auto windows = order.windows(1, {});
    CC_ASSIGN(const auto writer, SpanSegmentWriter::create(*files_, path, windows.at(0).rows, false));
    CC_TRY(order.for_each(windows[0], [&](const SpanRun& run) { return writer->add(run); }));
    return writer->finish();
  }

  // Row groups by the checksum of their span ids, which are written plain.
  std::set<uint64_t> groups_of(const std::string& path) {
    std::set<uint64_t> checksums;
    const auto file = SegmentFile::open(*files_, path, SegmentKind::spans);
    EXPECT_TRUE(file.ok());
    for (const GroupEntry& group : (*file)->footer().groups) {
      for (const auto& page : group.fixed) {
        if (page.column == static_cast<uint8_t>(SpanColumn::span_id)) checksums.insert(page.page.checksum);
      }
    }
    return checksums;
  }

  size_t groups_taken_over(const std::string& from, const std::string& to) {
    const std::set<uint64_t> before = groups_of(from), after = groups_of(to);
    return static_cast<size_t>(
        std::count_if(before.begin(), before.end(), [&](uint64_t one) { return after.contains(one); }));
  }

  void expect_index(const SpanRows& rows) {
    std::map<otlp::TraceId, std::vector<uint32_t>> expected;
    for (uint32_t row = 0; row < rows.size(); ++row) expected[rows.trace_id(row)].push_back(row);
    for (const auto& [trace, numbers] : expected) {
      ASSERT_EQ(rows.rows_of_trace(trace).value_or({}), numbers);
    }
  }

  SimDisk disk_;
  std::unique_ptr<SimFileSystem> files_ = disk_.start_process();
};

TEST_F(SpanWriterTest, GroupsGoOverWholeWhereSourcesDoNotOverlap) {
  const auto early = sorted(spans(1, 1'000'000, 2300)), late = sorted(spans(2, 1'002'200, 2300));
  ASSERT_GT(early.size(), 4096u);
  const auto first = segment_of(early, "/early"), second = segment_of(late, "/late");
  // The later one first: resources and scopes have other numbers than where they come from.
  const RowSet all_first(first->size(), true), all_second(second->size(), true);
  ASSERT_TRUE(merge({{second.get(), all_second}, {first.get(), all_first}}, "/merged").ok());
  auto all = early;
  all.insert(all.end(), late.begin(), late.end());
  const auto merged = open_span_segment(*files_, "/merged").value_or(nullptr);
  ASSERT_NE(merged, nullptr);
  samples::expect_same(*merged, sorted(all));
  expect_index(*merged);
  // Of about nine groups those where they meet are made anew.
  EXPECT_GE(groups_taken_over("/early", "/merged"), 3u);
  EXPECT_LT(groups_taken_over("/early", "/merged"), groups_of("/early").size());
  EXPECT_GE(groups_taken_over("/late", "/merged"), 2u);
}

TEST_F(SpanWriterTest, AGroupThatLostARowIsMadeAnew) {
  const auto before = sorted(spans(3, 1'000'000, 2300));
  const auto source = segment_of(before, "/source");
  RowSet wanted(source->size(), true);
  wanted.clear(1500);
  ASSERT_TRUE(merge({{source.get(), wanted}}, "/merged").ok());
  auto after = before;
  after.erase(after.begin() + 1500);
  const auto merged = open_span_segment(*files_, "/merged").value_or(nullptr);
  ASSERT_NE(merged, nullptr);
  samples::expect_same(*merged, after);
  expect_index(*merged);
  EXPECT_GE(groups_taken_over("/source", "/merged"), 2u);
  const auto file = SegmentFile::open(*files_, "/merged", SegmentKind::spans);
  ASSERT_TRUE(file.ok());
  for (const GroupEntry& group : (*file)->footer().groups) {
    EXPECT_LE(group.rows[0], 2048u);
  }
}

TEST_F(SpanWriterTest, SmallGroupsBecomeLargerOnes) {
  // Files of up to 32,768 rows have groups of 1,024, those of more than 131,072 groups of 4,096.
  std::vector<std::unique_ptr<SpanRows>> sources;
  std::vector<std::pair<const SpanRows*, RowSet>> inputs;
  std::vector<samples::SpanSample> all;
  const auto resource = std::make_shared<const otlp::Resource>();
  const auto scope = std::make_shared<const otlp::Scope>();
  for (uint32_t i = 0; i < 9; ++i) {
    std::vector<samples::SpanSample> some;
    for (uint32_t j = 0; j < 15'000; ++j) {
      otlp::Span span;
      span.trace_id.bytes = {1, static_cast<uint8_t>(i), static_cast<uint8_t>(j >> 8), static_cast<uint8_t>(j)};
      span.span_id.bytes = {2, static_cast<uint8_t>(i), static_cast<uint8_t>(j >> 8), static_cast<uint8_t>(j)};
      span.start_ns = 1'000'000 + i * 15'000 + j;
      some.push_back({resource, scope, span, {j, 0, false}});
    }
    sources.push_back(segment_of(some, "/source" + std::to_string(i)));
    inputs.emplace_back(sources.back().get(), RowSet(some.size(), true));
    all.insert(all.end(), some.begin(), some.end());
  }
  ASSERT_TRUE(merge(inputs, "/merged").ok());
  const auto merged = open_span_segment(*files_, "/merged").value_or(nullptr);
  ASSERT_NE(merged, nullptr);
  samples::expect_same(*merged, all);
  EXPECT_EQ(groups_of("/merged").size(), (all.size() + 4095) / 4096);
}

TEST_F(SpanWriterTest, DamageIsNotTakenOver) {
  const auto before = sorted(spans(4, 1'000'000, 1500));
  segment_of(before, "/source");
  const auto file = SegmentFile::open(*files_, "/source", SegmentKind::spans);
  ASSERT_TRUE(file.ok());
  uint64_t at = 0;
  for (const auto& page : (*file)->footer().groups[1].fixed) {
    if (page.column == static_cast<uint8_t>(SpanColumn::name)) at = page.page.offset;
  }
  std::string bytes = files_->read_file("/source").value_or("");
  bytes[at] = static_cast<char>(bytes[at] ^ 1);
  ASSERT_TRUE(files_->write_file_atomically("/source", bytes).ok());
  const auto source = open_span_segment(*files_, "/source").value_or(nullptr);
  const Status merged = merge({{source.get(), RowSet(source->size(), true)}}, "/merged");
  ASSERT_FALSE(merged.ok());
  EXPECT_EQ(merged.error().code, Code::corruption);
  EXPECT_NE(merged.error().message.find("row group 1"), std::string::npos) << merged.error().message;
}

}  // namespace
}  // namespace contextcore::store
