#include "query/promql/parser.h"

#include <gtest/gtest.h>

#include "query/promql/golden.h"
#include "query/promql/print.h"

namespace contextcore::promql {
namespace {

TEST(PromqlParser, ValidQueriesHaveOneCanonicalForm) {
  const auto blocks = read_blocks("valid.txt");
  ASSERT_GT(blocks.size(), 100u);
  for (const Block& block : blocks) {
    SCOPED_TRACE(block.where());
    std::string query, canonical;
    for (const std::string& line : block.lines) {
      if (line.starts_with("=>")) {
        canonical = line.size() > 3 ? line.substr(3) : query;
      } else {
        query += query.empty() ? line : "\n" + line;
      }
    }
    ASSERT_FALSE(canonical.empty()) << "no => line";
    const auto expr = parse(query);
    ASSERT_TRUE(expr.ok()) << query << "\n" << expr.error().message;
    EXPECT_EQ(print(*expr), canonical) << query;
    const auto again = parse(print(*expr));
    ASSERT_TRUE(again.ok()) << print(*expr) << "\n" << again.error().message;
    EXPECT_TRUE(*again == *expr) << "printed form parses to another tree: " << print(*again);
    const auto pretty = parse(print_pretty(*expr));
    ASSERT_TRUE(pretty.ok()) << print_pretty(*expr);
    EXPECT_TRUE(*pretty == *expr) << print_pretty(*expr);
  }
}

TEST(PromqlParser, InvalidQueriesSayWhyAndWhere) {
  const auto blocks = read_blocks("invalid.txt");
  ASSERT_GT(blocks.size(), 80u);
  for (const Block& block : blocks) {
    SCOPED_TRACE(block.where());
    std::string query, expected;
    for (const std::string& line : block.lines) {
      if (line.starts_with("!> ")) {
        expected = line.substr(3);
      } else {
        query += query.empty() ? line : "\n" + line;
      }
    }
    const auto expr = parse(query);
    ASSERT_FALSE(expr.ok()) << query << "\nparsed as " << print(*expr);
    EXPECT_EQ(expr.error().code, Code::invalid_argument);
    EXPECT_EQ(expr.error().message, expected) << query;
    EXPECT_TRUE(expr.error().position.has_value());
  }
}

TEST(PromqlParser, LongQueriesAreSplitIntoLines) {
  const auto expr = parse(
      "sum by (project_id) (rate(task_completed_total{project_id=\"alpha\",task_type=\"story\"}[30d])) / on "
      "(project_id) "
      "group_left () max(task_count_by_status{project_id=\"alpha\",status=\"in_progress\"} offset 1w)");
  ASSERT_TRUE(expr.ok()) << expr.error().message;
  EXPECT_EQ(print_pretty(*expr),
            "  sum by (project_id) (rate(task_completed_total{project_id=\"alpha\",task_type=\"story\"}[30d]))\n"
            "/ on (project_id) group_left ()\n"
            "  max(task_count_by_status{project_id=\"alpha\",status=\"in_progress\"} offset 1w)");
}

TEST(PromqlParser, RefusesDeepNestingAndLongInput) {
  for (const std::string& query : {std::string(60'000, '(') + "1", std::string(60'000, '-') + "1",
                                   std::string(400, '(') + "1" + std::string(400, ')')}) {
    const auto expr = parse(query);
    ASSERT_FALSE(expr.ok());
    EXPECT_NE(expr.error().message.find("nests too deeply"), std::string::npos) << expr.error().message;
  }
  std::string chain = "a";
  for (int i = 0; i < 1000; ++i) chain += " + 1";
  EXPECT_FALSE(parse(chain).ok());
  const auto expr = parse("foo{a=\"" + std::string(kQueryBytesMax, 'x') + "\"}");
  ASSERT_FALSE(expr.ok());
  EXPECT_NE(expr.error().message.find("too long"), std::string::npos);
}

TEST(PromqlParser, SelectorsAlone) {
  const auto matchers = parse_matchers("foo{a=\"b\"}");
  ASSERT_TRUE(matchers.ok());
  EXPECT_EQ(*matchers, (std::vector<Matcher>{{"a", MatchOp::equal, "b"}, {"__name__", MatchOp::equal, "foo"}}));
  for (const char* text : {"", "foo[5m]", "foo + bar", "sum(foo)", "{}", "1", "foo offset 5m"}) {
    EXPECT_FALSE(parse_matchers(text).ok()) << text;
  }
}

}  // namespace
}  // namespace contextcore::promql
