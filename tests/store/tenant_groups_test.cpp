#include "store/tenant_groups.h"

#include <gtest/gtest.h>

#include "store/compaction.h"
#include "store/rows/samples.h"
#include "store/segment_order.h"
#include "store/span_order.h"

namespace contextcore::store {
namespace {

using Group = TenantGroups::Group;

SegmentInfo info_of(uint64_t number, std::vector<uint32_t> tenants, uint64_t rows) {
  SegmentInfo info;
  info.number = number;
  info.segment_class = SegmentClass::runtime;
  info.rows = rows;
  info.bounds = {0, 1};
  info.tenants = std::move(tenants);
  return info;
}

TEST(TenantGroups, ManyRowsMakeAGroupOfTheirOwnAndTheRestSharesByClass) {
  const TenantGroups groups({0, 0, 1, 1});
  EXPECT_EQ(groups.of(0, 10), groups.of(1, 10));
  EXPECT_EQ(groups.of(2, 10), groups.of(3, 10));
  EXPECT_NE(groups.of(0, 10), groups.of(2, 10));
  EXPECT_EQ(groups.of(1, TenantGroups::kOwnRowsMin), (Group{true, 1}));
  EXPECT_NE(groups.of(0, TenantGroups::kOwnRowsMin), groups.of(1, TenantGroups::kOwnRowsMin));
  EXPECT_EQ(groups.of(99, 10), groups.of(0, 10)) << "one that came later is of the common class";
  EXPECT_EQ(TenantGroups().of(1, 1'000'000), TenantGroups().of(2, 1)) << "without classes all are one";
}

TEST(TenantGroups, SmallFilesOfOneTenantAreMergedWithOthersAndLargeOnesAreNot) {
  const TenantGroups groups({0, 0, 0});
  EXPECT_EQ(groups.of(info_of(1, {}, 100)), groups.of(info_of(2, {0, 2}, 100)));
  EXPECT_EQ(groups.of(info_of(1, {1}, 100)), groups.of(info_of(2, {}, 100)));
  EXPECT_NE(groups.of(info_of(1, {1}, 100'000)), groups.of(info_of(2, {2}, 100'000)));
  EXPECT_EQ(groups.of(info_of(1, {1, 2}, 100'000)), groups.of(info_of(2, {0, 1}, 100))) << "several never own a file";
  const TenantGroups alone({0});
  EXPECT_EQ(alone.of(info_of(1, {}, 100)), alone.of(info_of(2, {}, 1'000'000))) << "there is nobody to share with";
}

TEST(TenantGroups, AFileGoesWhenTheLastOfItsTenantsDoesNotKeepItAnyLonger) {
  RetentionRules rules({.spans_ns = 10, .logs_ns = 20, .metrics_ns = 30});
  rules.of_tenant[1] = {.spans_ns = 5, .logs_ns = 50, .metrics_ns = 30};
  rules.of_tenant[2] = {.spans_ns = 0, .logs_ns = 20, .metrics_ns = 30};
  EXPECT_EQ(rules.kept_ns(RowsKind::spans, {}), 10);
  EXPECT_EQ(rules.kept_ns(RowsKind::spans, {1}), 5);
  EXPECT_EQ(rules.kept_ns(RowsKind::logs, {1}), 50);
  EXPECT_EQ(rules.kept_ns(RowsKind::spans, {0, 1}), 10);
  EXPECT_EQ(rules.kept_ns(RowsKind::spans, {0, 1, 2}), 0) << "for ever";
  EXPECT_EQ(rules.kept_ns(RowsKind::metrics, {1}), 30);
  std::vector<SegmentInfo> segments{info_of(1, {1}, 1), info_of(2, {0, 1}, 1), info_of(3, {2}, 1), info_of(4, {}, 1)};
  EXPECT_EQ(choose_expired(segments, rules, 8), std::set<uint64_t>{1});
  EXPECT_EQ(choose_expired(segments, rules, 100), (std::set<uint64_t>{1, 2, 4}));
}

std::unique_ptr<SpanBuilder> spans_of(const std::vector<std::pair<uint32_t, uint32_t>>& tenants_and_traces) {
  auto rows = SpanBuilder::make();
  const auto resource = std::make_shared<const otlp::Resource>();
  const auto scope = std::make_shared<const otlp::Scope>();
  uint64_t time = 1000;
  for (const auto& [tenant, trace] : tenants_and_traces) {
    otlp::Span span;
    span.trace_id.bytes[15] = static_cast<uint8_t>(trace);
    span.span_id.bytes[7] = static_cast<uint8_t>(time);
    span.start_ns = time++;
    span.end_ns = span.start_ns + 1;
    RowMeta meta;
    meta.sequence = time;
    meta.tenant = tenant;
    rows->append(resource, scope, span, meta);
  }
  return rows;
}

TEST(TenantGroups, TheTenantIsTheFirstOfWhatSpansAreSortedBy) {
  // One trace id in three tenants, the rows of one apart from each other.
  const auto rows = spans_of({{2, 1}, {0, 1}, {2, 2}, {1, 1}, {0, 1}, {2, 1}});
  const auto tenants_in_order = [&](const TenantGroups& groups) {
    SpanOrder order;
    EXPECT_TRUE(order.add(*rows, RowSet(rows->size(), true)).ok());
    std::vector<std::vector<uint32_t>> out;
    for (const SpanOrder::Window& window : order.windows(1, groups)) {
      std::vector<uint32_t> tenants;
      EXPECT_TRUE(order.for_each(window, [&](const SpanRun& run) {
        for (uint32_t i = 0; i < run.count; ++i) tenants.push_back(rows->tenant(run.first + i));
        return Status();
      }).ok());
      std::vector<uint32_t> distinct = tenants;
      distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
      EXPECT_EQ(window.tenants, distinct == std::vector<uint32_t>{0} ? std::vector<uint32_t>() : distinct);
      out.push_back(tenants);
    }
    return out;
  };
  EXPECT_EQ(tenants_in_order({}), (std::vector<std::vector<uint32_t>>{{0, 0, 1, 2, 2, 2}}));
  EXPECT_EQ(tenants_in_order(TenantGroups({0, 1, 0})), (std::vector<std::vector<uint32_t>>{{0, 0, 2, 2, 2}, {1}}));
  EXPECT_EQ(tenants_in_order(TenantGroups({1, 0, 0})), (std::vector<std::vector<uint32_t>>{{1, 2, 2, 2}, {0, 0}}));
}

TEST(TenantGroups, RowsOfOtherTenantsAreLeftOut) {
  const auto rows = spans_of({{0, 1}, {2, 1}, {2, 2}, {0, 3}, {1, 1}, {0, 4}});
  const auto kept = [&](std::initializer_list<uint32_t> tenants) {
    TenantSet set;
    for (const uint32_t tenant : tenants) set.add(tenant, "t");
    RowSet out(rows->size(), true);
    EXPECT_TRUE(rows->keep_tenants(set, out).ok());
    std::string text;
    for (size_t row = 0; row < out.rows(); ++row) text += out.test(row) ? '1' : '0';
    return text;
  };
  EXPECT_EQ(kept({0}), "100101");
  EXPECT_EQ(kept({1}), "000010");
  EXPECT_EQ(kept({2}), "011000");
  EXPECT_EQ(kept({0, 2}), "111101");
  EXPECT_EQ(kept({3}), "000000");
  EXPECT_EQ(kept({}), "000000");
}

}  // namespace
}  // namespace contextcore::store
