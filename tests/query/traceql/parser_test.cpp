#include "query/traceql/parser.h"

#include <gtest/gtest.h>

#include "golden.h"
#include "query/traceql/printer.h"

namespace contextcore::traceql {
namespace {

using testing::GoldenCase;
using testing::read_golden;

TEST(TraceqlParser, GoldenValid) {
  const auto cases = read_golden("valid.txt", "=> ");
  ASSERT_GT(cases.size(), 100u);
  for (const GoldenCase& c : cases) {
    SCOPED_TRACE("valid.txt:" + std::to_string(c.line) + ": " + c.query);
    const auto query = parse_and_validate(c.query);
    ASSERT_TRUE(query.ok()) << query.error().to_string();
    const std::string printed = to_string(*query);
    EXPECT_EQ(printed, c.expected.empty() ? c.query : c.expected);
    const auto again = parse_and_validate(printed);
    ASSERT_TRUE(again.ok()) << printed << ": " << again.error().to_string();
    EXPECT_EQ(*again, *query);
    EXPECT_EQ(to_string(*again), printed);
  }
}

TEST(TraceqlParser, GoldenInvalid) {
  const auto cases = read_golden("invalid.txt", "!! ");
  ASSERT_GT(cases.size(), 80u);
  for (const GoldenCase& c : cases) {
    SCOPED_TRACE("invalid.txt:" + std::to_string(c.line) + ": " + c.query);
    ASSERT_FALSE(c.expected.empty());
    const auto query = parse_and_validate(c.query);
    ASSERT_FALSE(query.ok()) << to_string(*query);
    EXPECT_EQ(query.error().code, Code::invalid_argument);
    EXPECT_NE(query.error().to_string().find(c.expected), std::string::npos)
        << query.error().to_string();
    ASSERT_TRUE(query.error().position.has_value());
    EXPECT_LE(*query.error().position, static_cast<int64_t>(c.query.size()));
  }
}

TEST(TraceqlParser, GoldenUnsupported) {
  const auto cases = read_golden("unsupported.txt", "!! ");
  ASSERT_GE(cases.size(), 4u);
  for (const GoldenCase& c : cases) {
    SCOPED_TRACE("unsupported.txt:" + std::to_string(c.line) + ": " + c.query);
    const auto parsed = parse(c.query);
    ASSERT_TRUE(parsed.ok()) << parsed.error().to_string();
    EXPECT_EQ(*parse(to_string(*parsed)), *parsed) << to_string(*parsed);
    const auto query = parse_and_validate(c.query);
    ASSERT_FALSE(query.ok());
    EXPECT_EQ(query.error().code, Code::unsupported) << query.error().to_string();
    EXPECT_NE(query.error().message.find(c.expected), std::string::npos) << query.error().message;
  }
}

TEST(TraceqlParser, PositionsCountLinesAndCharacters) {
  const auto error = parse("{ .größe = 1 &&\n  .b = }").error();
  EXPECT_EQ(error.message, "parse error at line 2, col 8: syntax error: unexpected }");
  EXPECT_EQ(parse("{ .ö = ) }").error().message,
            "parse error at line 1, col 8: syntax error: unexpected )");
  EXPECT_EQ(parse("{ .a }\n// note\n| ?").error().message,
            "parse error at line 3, col 3: syntax error: unexpected ?");
}

TEST(TraceqlParser, CommentsAndLineBreaksSeparate) {
  const auto query = parse("{ .a // one\n && /* two\n */ .b }\r\n\t| count() > 1 // end");
  ASSERT_TRUE(query.ok()) << query.error().message;
  EXPECT_EQ(to_string(*query), "{ .a && .b } | count() > 1");
}

TEST(TraceqlParser, ControlCharactersInQuotedNamesRoundTrip) {
  const std::string text = "{ .\"a\tb\nc\" = 1 }";
  const auto query = parse(text);
  ASSERT_TRUE(query.ok());
  EXPECT_EQ(to_string(*query), text);
}

TEST(TraceqlParser, BrokenUtf8IsRefused) {
  const auto query = parse("{ .a = \"\xff\" }");
  ASSERT_FALSE(query.ok());
  EXPECT_EQ(query.error().message, "parse error at line 1, col 9: invalid UTF-8 encoding");
  EXPECT_FALSE(parse(std::string("{ .a = 1 }\0", 11)).ok());
}

TEST(TraceqlParser, ExtensionsAreListedAndRefusedWhenPortable) {
  const auto query = parse("{ task.status = \"blocked\" && .x } | count()");
  ASSERT_TRUE(query.ok());
  ASSERT_EQ(query->extensions.size(), 2u);
  EXPECT_EQ(query->extensions[0].text, "task.status");
  EXPECT_EQ(query->extensions[0].standard, ".task.status");
  EXPECT_EQ(query->extensions[0].position.value, 2u);
  EXPECT_EQ(query->extensions[1].standard, "");
  EXPECT_TRUE(parse("{ .task.status = 1 }")->extensions.empty());

  ParseOptions portable;
  portable.portable = true;
  const auto bare = parse("{ task.status = 1 }", portable);
  ASSERT_FALSE(bare.ok());
  EXPECT_EQ(bare.error().to_string(),
            "parse error at line 1, col 3: 'task.status' is not standard TraceQL "
            "(write .task.status)");
  EXPECT_FALSE(parse("{ .a } | count()", portable).ok());
  EXPECT_TRUE(parse("{ .a } | count() > 1", portable).ok());
}

TEST(TraceqlParser, PrecedenceOfLogicalOperatorsIsEqual) {
  const auto query = parse("{ true || false && false }");
  ASSERT_TRUE(query.ok());
  const FieldExpr& filter = *std::get<SpansetExpr>(query->pipeline().stages[0]).filter;
  EXPECT_EQ(filter.op, Operator::logical_and);
  EXPECT_EQ(filter.operands[0].op, Operator::logical_or);
}

std::string repeat(const std::string& text, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += text;
  return out;
}

TEST(TraceqlParser, DeepInputFailsInsteadOfOverflowing) {
  constexpr int kMany = 20'000;
  for (const std::string& text : {
           "{ " + repeat("(", kMany) + ".a" + repeat(")", kMany) + " }",
           "{ " + repeat("!", kMany) + ".a }",
           "{ " + repeat("-", kMany) + "1 = 1 }",
           "{ 1" + repeat("^1", kMany) + " = 1 }",
           "{ 1" + repeat("+1", kMany) + " = 1 }",
           "{ .a" + repeat(" = nil", kMany) + " }",
           "{ .a" + repeat("&&.a||.a", kMany / 2) + " }",
           "{}" + repeat(">{}", kMany),
           repeat("(", kMany) + "{}" + repeat(")", kMany),
           "{}|count()" + repeat("+max(.a)", kMany / 2) + ">1",
           repeat("-", kMany) + "1 * ({} | rate())",
           "({}|rate())" + repeat("+1", kMany),
           repeat("((", kMany / 2) + "{}|{}",
       }) {
    SCOPED_TRACE(text.substr(0, 40));
    const auto query = parse(text);
    ASSERT_FALSE(query.ok());
    EXPECT_EQ(query.error().code, Code::invalid_argument);
  }
}

TEST(TraceqlParser, LongChainsOfOneLogicalOperatorAreFine) {
  const auto query = parse_and_validate("{ .a = 0" + repeat(" || .a = 1", 5000) + " }");
  ASSERT_TRUE(query.ok()) << query.error().message;
  const FieldExpr& filter = *std::get<SpansetExpr>(query->pipeline().stages[0]).filter;
  EXPECT_EQ(filter.operands.size(), 5001u);
  EXPECT_EQ(filter.height.value, 3);
}

TEST(TraceqlParser, LengthIsBounded) {
  const auto query = parse("{ .a = \"" + std::string(200'000, 'x') + "\" }");
  ASSERT_FALSE(query.ok());
  EXPECT_NE(query.error().message.find("longer than the allowed 131072"), std::string::npos);
}

TEST(TraceqlParser, EmptyQueryIsAnError) {
  EXPECT_FALSE(parse("").ok());
  EXPECT_FALSE(parse("  // only a comment").ok());
}

TEST(TraceqlParser, AttributeAlone) {
  EXPECT_EQ(to_string(*parse_attribute("span.http.url")), "span.http.url");
  EXPECT_EQ(to_string(*parse_attribute(".\"a b\"")), ".\"a b\"");
  EXPECT_EQ(parse_attribute("span:name")->intrinsic, Intrinsic::name);
  EXPECT_FALSE(parse_attribute("foo").ok());
  EXPECT_FALSE(parse_attribute(".foo bar").ok());
  EXPECT_FALSE(parse_attribute("").ok());
}

}  // namespace
}  // namespace contextcore::traceql
