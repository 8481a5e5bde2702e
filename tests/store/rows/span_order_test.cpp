// The order of received spans in a segment, and their way there column by column.

#include "store/span_order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "store/rows/samples.h"

namespace contextcore::store {
namespace {

class SpanOrderTest : public testing::Test {
 protected:
  std::unique_ptr<SpanRows> segment_of(const std::vector<RowRef<SpanRows>>& rows, const std::string& path) {
    EXPECT_TRUE(write_span_segment(*files_, path, rows).ok());
    return open_span_segment(*files_, path).value_or(nullptr);
  }
  SimDisk disk_;
  std::unique_ptr<SimFileSystem> files_ = disk_.start_process();
};

using Key = std::tuple<int64_t, otlp::TraceId, int64_t, otlp::SpanId>;

Key key_of(const RowRef<SpanRows>& ref, const std::map<otlp::TraceId, int64_t>& starts) {
  const otlp::TraceId trace = ref.rows->trace_id(ref.row);
  return {starts.at(trace), trace, ref.rows->start_ns(ref.row), ref.rows->span_id(ref.row)};
}

// Against a plain sort of all rows, from a builder and from segments that are in order and that are
// not, with some rows left out.
TEST_F(SpanOrderTest, IsThatOfTheFirstStartOfTheTrace) {
  const auto builder = samples::build(samples::spans(1, 1200));
  const auto unordered = segment_of(samples::all_rows<SpanRows>(*samples::build(samples::spans(2, 900))), "/unordered");
  const auto other = samples::build(samples::spans(3, 1500));
  SpanOrder first;
  ASSERT_TRUE(first.add(*other, RowSet(other->size(), true)).ok());
  std::vector<RowRef<SpanRows>> sorted;
  for (const auto& window : first.windows(1, {})) {
    ASSERT_TRUE(first.for_each(window, [&](const SpanRun& run) {
      for (uint32_t i = 0; i < run.count; ++i) sorted.push_back({run.rows, run.first + i});
      return Status();
    }).ok());
  }
  const auto ordered = segment_of(sorted, "/ordered");

  SpanOrder order;
  std::vector<RowRef<SpanRows>> expected;
  samples::Generator generator(4);
  for (const SpanRows* rows : {static_cast<const SpanRows*>(builder.get()), static_cast<const SpanRows*>(unordered.get()),
                               static_cast<const SpanRows*>(ordered.get())}) {
    RowSet wanted(rows->size(), true);
    for (uint32_t row = 0; row < rows->size(); ++row) {
      if (generator.chance(10)) {
        wanted.clear(row);
      } else {
        expected.push_back({rows, row});
      }
    }
    ASSERT_TRUE(order.add(*rows, wanted).ok());
  }
  std::map<otlp::TraceId, int64_t> starts;
  for (const auto& ref : expected) {
    const auto [it, added] = starts.try_emplace(ref.rows->trace_id(ref.row), ref.rows->start_ns(ref.row));
    it->second = std::min(it->second, ref.rows->start_ns(ref.row));
  }
  std::sort(expected.begin(), expected.end(),
            [&](const auto& a, const auto& b) { return key_of(a, starts) < key_of(b, starts); });
  size_t at = 0;
  const auto windows = order.windows(1, {});
  ASSERT_EQ(windows.size(), 1u);
  EXPECT_EQ(windows[0].rows, expected.size());
  ASSERT_TRUE(order.for_each(windows[0], [&](const SpanRun& run) {
    for (uint32_t i = 0; i < run.count; ++i) {
      EXPECT_EQ(run.trace, run.rows->trace_id(run.first + i));
      EXPECT_EQ(key_of({run.rows, run.first + i}, starts), key_of(expected.at(at++), starts));
    }
    return Status();
  }).ok());
  EXPECT_EQ(at, expected.size());
}

TEST_F(SpanOrderTest, KeepsTracesWholeWhenItDealsThemOutToDays) {
  constexpr int64_t kDayNs = 86'400'000'000'000;
  std::vector<samples::SpanSample> spans;
  const auto resource = std::make_shared<const otlp::Resource>();
  const auto scope = std::make_shared<const otlp::Scope>();
  for (uint32_t i = 0; i < 60'000; ++i) {
    otlp::Span span;
    span.trace_id.bytes = {1, static_cast<uint8_t>(i / 3 >> 16), static_cast<uint8_t>(i / 3 >> 8), static_cast<uint8_t>(i / 3)};
    span.span_id.bytes[0] = static_cast<uint8_t>(1 + i % 3);
    span.start_ns = static_cast<uint64_t>((i / 3 % 2) * kDayNs + (i % 3) * (kDayNs - 1));
    spans.push_back({resource, scope, span, {i + 1, 0, false}});
  }
  const auto builder = samples::build(spans);
  SpanOrder order;
  ASSERT_TRUE(order.add(*builder, RowSet(builder->size(), true)).ok());
  const auto windows = order.windows(3, {});
  ASSERT_EQ(windows.size(), 2u);
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(windows[i].rows, 30'000u);
    EXPECT_EQ(windows[i].bounds.least_ns, static_cast<int64_t>(i) * kDayNs);
    EXPECT_EQ(windows[i].bounds.greatest_ns, static_cast<int64_t>(i) * kDayNs + 2 * (kDayNs - 1));
    EXPECT_EQ(order.fingerprints(windows[i]).size(), 10'000u);
  }
}

// Together two sources have more kinds of attributes than a row group has columns for.
TEST_F(SpanOrderTest, SourcesWithManyKindsOfAttributesFitTogether) {
  std::vector<samples::SpanSample> spans[2] = {samples::spans(5, 40), samples::spans(6, 40)};
  for (int source = 0; source < 2; ++source) {
    for (int i = 0; i < 700; ++i) {
      spans[source][static_cast<size_t>(i) % 40].span.attributes.push_back(
          {"many." + std::to_string(source) + "." + std::to_string(i), i});
    }
  }
  const auto first = samples::build(spans[0]), second = samples::build(spans[1]);
  std::vector<RowRef<SpanRows>> rows;
  std::vector<samples::SpanSample> expected;
  for (uint32_t row = 0; row < 40; ++row) {
    rows.push_back({first.get(), row});
    rows.push_back({second.get(), row});
    expected.push_back(spans[0][row]);
    expected.push_back(spans[1][row]);
  }
  samples::expect_same(*segment_of(rows, "/mixed"), expected);
}

}  // namespace
}  // namespace contextcore::store
