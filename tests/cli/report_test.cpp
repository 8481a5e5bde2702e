#include "cli/report.h"

#include <gtest/gtest.h>

#include <limits>

#include "cli/chart.h"

namespace contextcore::cli {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

Report two_sprints() {
  return {"velocity",
          "p",
          {},
          "points",
          "sprint",
          "SPRINT",
          {{"planned", "PLANNED"}, {"completed", "COMPLETED"}},
          {{1'000'000'000, "S,1", {10, 8.5}}, {2'000'000'000, "say \"S2\"", {12, kNan}}}};
}

TEST(Report, AsTable) {
  EXPECT_EQ(report_table(two_sprints(), Terminal{}),
            "velocity, in points\n"
            "SPRINT    PLANNED  COMPLETED\n"
            "S,1       10       8.5\n"
            "say \"S2\"  12       –\n");
  Report empty = two_sprints();
  empty.rows.clear();
  EXPECT_EQ(report_table(empty, Terminal{}), "velocity, in points\nNothing yet.\n");
}

TEST(Report, AsCsvWithQuotesWhereTheyAreNeeded) {
  EXPECT_EQ(report_csv(two_sprints()), "sprint,planned,completed\r\n\"S,1\",10,8.5\r\n\"say \"\"S2\"\"\",12,\r\n");
}

TEST(Report, AsJson) {
  EXPECT_EQ(
      to_string(report_json(two_sprints())),
      R"({"report":"velocity","project":"p","unit":"points","rows":[{"sprint":"S,1","planned":10,"completed":8.5},)"
      R"({"sprint":"say \"S2\"","planned":12,"completed":null}]})");
}

TEST(Report, DurationsAreSpelledOut) {
  Report report{"cycle-time",        "p", "cycle time", "seconds", "until", "UNTIL", {{"p50", "MEDIAN", true}},
                {{0, "x", {90'000}}}};
  EXPECT_NE(report_table(report, Terminal{}).find("1d 1h"), std::string::npos) << report_table(report, Terminal{});
}

TEST(Chart, DrawsWhatItIsGiven) {
  Terminal terminal;
  terminal.columns = 30;
  const std::string chart = render_chart(
      {{"up", {{0, 0}, {60'000'000'000, 5}, {120'000'000'000, 10}}}, {"gap", {{0, 2}, {60'000'000'000, kNan}}}},
      terminal);
  std::vector<std::string> lines;
  for (size_t at = 0; at < chart.size();) {
    const size_t end = chart.find('\n', at);
    lines.push_back(chart.substr(at, end - at));
    at = end + 1;
  }
  ASSERT_EQ(lines.size(), 16u) << chart;
  EXPECT_EQ(lines[0], "      10 │" + std::string(19, ' ') + "•");
  EXPECT_EQ(lines[11], "       0 │•");
  EXPECT_EQ(lines[9], "         │+");
  EXPECT_EQ(lines[14], "• up  10");
  EXPECT_EQ(lines[15], "+ gap  NaN");
  EXPECT_EQ(render_chart({}, terminal), "");
  EXPECT_EQ(render_chart({{"none", {{0, kNan}}}}, terminal), "");
}

TEST(Chart, ManySeriesAreNamedAsMany) {
  std::vector<ChartSeries> series;
  for (int i = 0; i < 12; ++i) series.push_back({"s" + std::to_string(i), {{0, 1}}});
  EXPECT_NE(render_chart(series, Terminal{}).find("and 4 more series"), std::string::npos);
}

TEST(Chart, NumbersAreShort) {
  EXPECT_EQ(short_number(12), "12");
  EXPECT_EQ(short_number(3.14159), "3.142");
  EXPECT_EQ(short_number(9999), "9999");
  EXPECT_EQ(short_number(12345), "12.35k");
  EXPECT_EQ(short_number(-2.5e6), "-2.5M");
  EXPECT_EQ(short_number(kNan), "NaN");
}

}  // namespace
}  // namespace contextcore::cli
