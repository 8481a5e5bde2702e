#include "query/logql/parser.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "query/logql/golden.h"
#include "query/logql/print.h"
#include "query/logql/random_query.h"

namespace contextcore::logql {
namespace {

// data/valid.txt: the query (one line or more), then "=> canonical form" or "=>" when it is the
// query.
TEST(LogqlParser, ValidQueriesHaveOneCanonicalForm) {
  const auto blocks = read_blocks("valid.txt");
  ASSERT_GT(blocks.size(), 100u);
  for (const Block& block : blocks) {
    SCOPED_TRACE(block.where());
    std::string query;
    std::string canonical;
    for (const std::string& line : block.lines) {
      if (line.starts_with("=>")) {
        canonical = line.size() > 3 ? line.substr(3) : query;
      } else {
        query += query.empty() ? line : "\n" + line;
      }
    }
    ASSERT_FALSE(canonical.empty()) << "no => line";
    auto expr = parse(query);
    ASSERT_TRUE(expr.ok()) << query << "\n" << expr.error().message;
    EXPECT_EQ(print(*expr), canonical) << query;
    auto again = parse(print(*expr));
    ASSERT_TRUE(again.ok()) << print(*expr) << "\n" << again.error().message;
    EXPECT_TRUE(*again == *expr) << "printed form parses to another tree: " << print(*again);
    EXPECT_EQ(print(*again), canonical);
  }
}

// data/invalid.txt: the query, then "!> " and a part of the message.
TEST(LogqlParser, InvalidQueriesSayWhy) {
  const auto blocks = read_blocks("invalid.txt");
  ASSERT_GT(blocks.size(), 60u);
  for (const Block& block : blocks) {
    SCOPED_TRACE(block.where());
    std::string query;
    std::vector<std::string> expected;
    for (const std::string& line : block.lines) {
      if (line.starts_with("!> ")) {
        expected.push_back(line.substr(3));
      } else {
        query += query.empty() ? line : "\n" + line;
      }
    }
    ASSERT_FALSE(expected.empty()) << "no !> line";
    auto expr = parse(query);
    ASSERT_FALSE(expr.ok()) << query << "\nparsed as " << print(*expr);
    EXPECT_EQ(expr.error().code, Code::invalid_argument);
    EXPECT_TRUE(expr.error().message.starts_with("parse error")) << expr.error().message;
    for (const std::string& part : expected) {
      EXPECT_NE(expr.error().message.find(part), std::string::npos) << query << "\n"
                                                                    << expr.error().message;
    }
  }
}

TEST(LogqlParser, ErrorPositionIsTheByteOffset) {
  auto expr = parse("{a=\"ä\"}\n|= \"x\" | 5");
  ASSERT_FALSE(expr.ok());
  EXPECT_EQ(expr.error().message, "parse error at line 2, col 10: syntax error: unexpected NUMBER");
  EXPECT_EQ(expr.error().position, 18);
}

TEST(LogqlParser, RefusesInputThatIsTooLong) {
  std::string query = "{a=\"b\"} |= \"";
  query.append(kQueryBytesMax, 'x');
  query += '"';
  auto expr = parse(query);
  ASSERT_FALSE(expr.ok());
  EXPECT_NE(expr.error().message.find("input size too long (131085 > 131072)"), std::string::npos)
      << expr.error().message;
}

TEST(LogqlParser, RefusesDeepNesting) {
  const std::string open(60'000, '(');
  for (const std::string& query :
       {open + "1", "{a=\"b\"} | " + open + "c=\"d\"", "rate(" + open + "{a=\"b\"}[5m])",
        "sum(" + open + "rate({a=\"b\"}[5m])"}) {
    auto expr = parse(query);
    ASSERT_FALSE(expr.ok());
    EXPECT_NE(expr.error().message.find("nests too deeply"), std::string::npos)
        << expr.error().message;
  }
}

TEST(LogqlParser, RefusesLongChainsOfOperations) {
  std::string query = "rate({a=\"b\"}[5m])";
  for (int i = 0; i < 1000; ++i) query += " + 1";
  auto expr = parse(query);
  ASSERT_FALSE(expr.ok());
  EXPECT_NE(expr.error().message.find("operations inside each other"), std::string::npos)
      << expr.error().message;
}

TEST(LogqlParser, TheHighestTreesSurviveARoundTrip) {
  std::string left = "rate({a=\"b\"}[5m])";
  std::string right = left;
  std::string filter = "{a=\"b\"} | c=\"0\"";
  for (int i = 1; i < kExprHeightMax; ++i) {
    left += " + 1";
    right = "vector(1) ^ " + right;
    if (i + 1 < kExprHeightMax) filter += i % 2 == 0 ? ", c=\"1\"" : " or c=\"2\"";
  }
  for (const std::string& query : {left, right, filter}) {
    auto expr = parse(query);
    ASSERT_TRUE(expr.ok()) << expr.error().message;
    auto again = parse(print(*expr));
    ASSERT_TRUE(again.ok()) << again.error().message;
    EXPECT_TRUE(*again == *expr);
  }
}

TEST(LogqlParser, ManyFiltersInARowAreNoDepth) {
  for (const std::string separator : {" and ", ", ", " ", " or "}) {
    std::string query = "{a=\"b\"} | c=\"0\"";
    for (int i = 0; i < 5000; ++i) query += separator + "c=\"1\"";
    auto expr = parse(query);
    ASSERT_TRUE(expr.ok()) << expr.error().message;
    auto again = parse(print(*expr));
    ASSERT_TRUE(again.ok()) << again.error().message;
    EXPECT_TRUE(*again == *expr);
  }
}

TEST(LogqlParser, LongChainsOfLiteralsFold) {
  std::string query = "1";
  for (int i = 0; i < 10'000; ++i) query += " + 1";
  auto expr = parse(query);
  ASSERT_TRUE(expr.ok()) << expr.error().message;
  EXPECT_EQ(print(*expr), "10001");
}

TEST(LogqlParser, MatchersAlone) {
  auto all = parse_matchers("{}");
  ASSERT_TRUE(all.ok());
  EXPECT_TRUE(all->empty());
  auto two = parse_matchers(R"({ a = "b", c !~ "d|e" })");
  ASSERT_TRUE(two.ok());
  EXPECT_EQ(print(*two), R"({a="b", c!~"d|e"})");
  auto pipeline = parse_matchers(R"({a="b"} |= "c")");
  ASSERT_FALSE(pipeline.ok());
  EXPECT_EQ(pipeline.error().message, "parse error : only label matchers is supported");
  EXPECT_FALSE(parse_matchers("{a=\"b\"} x").ok());
  EXPECT_FALSE(parse_matchers("rate({a=\"b\"}[5m])").ok());
}

// Any tree that is valid prints to text that parses to it.
TEST(LogqlParser, RandomTreesSurviveARoundTrip) {
  for (uint64_t seed = 1; seed <= 3000; ++seed) {
    RandomQuery random(seed);
    const Expr expr = random.expr();
    const std::string text = print(expr);
    auto parsed = parse(text);
    ASSERT_TRUE(parsed.ok()) << "seed " << seed << "\n" << text << "\n" << parsed.error().message;
    ASSERT_EQ(print(*parsed), text) << "seed " << seed;
    ASSERT_TRUE(*parsed == expr) << "seed " << seed << "\n" << text;
    const std::string lines = pretty(expr);
    auto again = parse(lines);
    ASSERT_TRUE(again.ok()) << "seed " << seed << "\n" << lines << "\n" << again.error().message;
    ASSERT_TRUE(*again == expr) << "seed " << seed << "\n" << lines;
  }
}

// What fits into a line stays on one; the rest is broken into its parts, as Loki breaks it.
TEST(LogqlParser, LongQueriesAreLaidOut) {
  const auto laid_out = [](std::string_view query) {
    auto expr = parse(query);
    return expr.ok() ? pretty(*expr) : expr.error().message;
  };
  const std::string a(40, 'a');
  EXPECT_EQ(laid_out("sum by(x)(rate({a=\"b\"}[5m]))"), "sum by (x)(rate({a=\"b\"}[5m]))");
  EXPECT_EQ(laid_out("{a=\"b\"} |= \"" + a + "\" |= \"" + a + "\" != \"c\" | json | x=\"y\""),
            "{a=\"b\"}\n  |= \"" + a + "\" |= \"" + a + "\" != \"c\"\n  | json\n  | x=\"y\"");
  EXPECT_EQ(laid_out("topk(3, sum by (x, y) (quantile_over_time(0.9, {a=\"" + a + "\"} | json | unwrap "
                     "duration(z) | __error__=\"\" [5m] offset 1h) by (x, y)))"),
            "topk(\n  3,\n  sum by (x, y)(\n    quantile_over_time(\n      0.9,\n      {a=\"" + a +
                "\"} | json\n        | unwrap duration(z)\n        | __error__=\"\" [5m] offset 1h\n"
                "    ) by (x, y)\n  )\n)");
  EXPECT_EQ(laid_out("(rate({a=\"" + a + "\"}[5m]) + rate({a=\"" + a + "\"}[5m]) + 1) / on (x) group_left 2"),
            "  (\n      (\n          rate({a=\"" + a + "\"}[5m])\n        +\n          rate({a=\"" + a +
                "\"}[5m])\n      )\n    +\n      1\n  )\n/ on (x) group_left\n  2");
}

// Mutilated queries give an error or a tree that survives a round trip; nothing else happens.
TEST(LogqlParser, MutilatedQueriesDoNoHarm) {
  constexpr std::string_view kBytes = "{}()[]|=~!<>\"`,.+-*/%^# \n05ambyk\\\xc3\xff";
  for (uint64_t seed = 1; seed <= 3000; ++seed) {
    SeededRandom random(seed);
    std::string text = print(RandomQuery(seed).expr());
    for (uint64_t edits = random.below(4) + 1; edits > 0; --edits) {
      const size_t at = random.below(text.size() + 1);
      switch (random.below(3)) {
        case 0:
          text.insert(at, 1, kBytes[random.below(kBytes.size())]);
          break;
        case 1:
          text.erase(at, random.below(5));
          break;
        default:
          text = text.substr(0, at) + text.substr(random.below(text.size() + 1));
          break;
      }
    }
    auto parsed = parse(text);
    if (!parsed.ok()) continue;
    auto again = parse(print(*parsed));
    ASSERT_TRUE(again.ok()) << text << "\n" << print(*parsed) << "\n" << again.error().message;
    ASSERT_TRUE(*again == *parsed) << text;
  }
}

}  // namespace
}  // namespace contextcore::logql
