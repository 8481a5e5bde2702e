// The parts of api/ that are functions of text.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/html.h"
#include "api/parameters.h"
#include "api/responses.h"
#include "api/router.h"
#include "api/target.h"
#include "api/tempo.h"
#include "api/waterfall.h"
#include "base/gzip.h"
#include "base/time.h"
#include "query/traceql/parser.h"

namespace contextcore::api {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Target, decodes) {
  EXPECT_EQ(percent_decode("a%20b+c", true).value(), "a b c");
  EXPECT_EQ(percent_decode("a+b", false).value(), "a+b");
  EXPECT_EQ(percent_decode("%41", false).value(), "A");
  for (const char* bad : {"%", "%4", "%zz", "abc%a", "%ff"}) {
    EXPECT_FALSE(percent_decode(bad, false).ok()) << bad;
  }
}

TEST(Target, encodes_what_it_decodes) {
  std::string all;
  for (int c = 1; c < 128; ++c) all.push_back(static_cast<char>(c));
  all += "ü→";
  EXPECT_EQ(percent_decode(percent_encode(all), false).value(), all);
  EXPECT_EQ(percent_encode("owner/repo#12"), "owner%2Frepo%2312");
}

TEST(Target, reads_origin_and_absolute_form) {
  Request request;
  ASSERT_TRUE(parse_target("http://localhost:4319/a%20b/c?x=1&y=&x=2&&z", request).ok());
  EXPECT_EQ(request.path, "/a b/c");
  EXPECT_EQ(request.raw_path, "/a%20b/c");
  EXPECT_EQ(request.query, (Pairs{{"x", "1"}, {"y", ""}, {"x", "2"}, {"z", ""}}));
  Request bare;
  ASSERT_TRUE(parse_target("http://localhost", bare).ok());
  EXPECT_EQ(bare.path, "/");
  for (const char* bad : {"", "*", "a/b", "?x", "/%", "/?x=%q"}) {
    Request request_of_bad;
    EXPECT_FALSE(parse_target(bad, request_of_bad).ok()) << bad;
  }
}

TEST(Target, bounds_parameters) {
  std::string many;
  for (size_t i = 0; i <= kPairsMax; ++i) many += "a&";
  Pairs out;
  EXPECT_FALSE(parse_form(many, out).ok());
}

TEST(Target, matches_patterns_by_raw_segment) {
  Pairs captures;
  EXPECT_TRUE(match_path("/tasks/{id}/{verb}", "/tasks/owner%2Frepo%2312/claim", captures));
  EXPECT_EQ(captures, (Pairs{{"id", "owner/repo#12"}, {"verb", "claim"}}));
  captures.clear();
  for (const char* other :
       {"/tasks/a", "/tasks/a/b/c", "/tasks//b", "/tasks/a/", "tasks/a/b", "/"}) {
    EXPECT_FALSE(match_path("/tasks/{id}/{verb}", other, captures)) << other;
    EXPECT_TRUE(captures.empty()) << other;
  }
  EXPECT_TRUE(match_path("/", "/", captures));
  EXPECT_FALSE(match_path("/", "", captures));
}

TEST(Router, tells_unknown_paths_from_wrong_methods) {
  Router router;
  auto handler = [](const Call&) { return text_response(200, ""); };
  router.add("GET", "/a/{x}", handler);
  router.add("POST", "/a/{x}", handler);
  router.add("GET", "/a/{x}/why", handler);
  EXPECT_EQ(router.find("POST", "/a/1").route, 1U);
  EXPECT_EQ(router.find("HEAD", "/a/1").route, 0U);
  EXPECT_EQ(router.find("GET", "/a/1/why").route, 2U);
  EXPECT_EQ(router.find("DELETE", "/a/1").route, Router::kNone);
  EXPECT_EQ(router.find("DELETE", "/a/1").allow, "GET, POST");
  EXPECT_EQ(router.find("GET", "/b").allow, "");
}

TEST(Gzip, gives_back_what_it_took) {
  for (const std::string& text : {std::string(), std::string("x"), std::string(300'000, 'a')}) {
    EXPECT_EQ(gunzip(gzip(text), 1 << 20).value(), text);
  }
  EXPECT_EQ(gunzip(gzip("one ") + gzip("two"), 100).value(), "one two");
}

TEST(Gzip, refuses_bombs_and_damage) {
  std::string bomb = gzip(std::string(50 << 20, '\0'));
  ASSERT_LT(bomb.size(), 300'000U);
  Result<std::string> refused = gunzip(bomb, 1 << 20);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Code::resource_exhausted);
  EXPECT_TRUE(gunzip(gzip("12345"), 5).ok());
  EXPECT_FALSE(gunzip(gzip("123456"), 5).ok());
  std::string good = gzip("hello hello hello");
  for (size_t n = 0; n < good.size(); ++n) {
    EXPECT_FALSE(gunzip(good.substr(0, n), 100).ok()) << n;
  }
  EXPECT_FALSE(gunzip("not gzip at all", 100).ok());
  EXPECT_FALSE(gunzip(good + "rest", 100).ok());
}

TEST(Accept, reads_lists_and_weights) {
  EXPECT_TRUE(accepts("text/html, application/protobuf;q=0.9", "application/protobuf"));
  EXPECT_TRUE(accepts("gzip, deflate, br", "gzip"));
  EXPECT_TRUE(accepts("GZIP", "gzip"));
  EXPECT_FALSE(accepts("gzip;q=0", "gzip"));
  EXPECT_FALSE(accepts("gzip; q=0.0", "gzip"));
  EXPECT_TRUE(accepts("gzip;q=0.01", "gzip"));
  EXPECT_FALSE(accepts("", "gzip"));
  EXPECT_FALSE(accepts("x-gzip", "gzip"));
  EXPECT_EQ(media_type("Application/JSON; charset=utf-8"), "application/json");
}

TEST(LokiTime, takes_its_three_forms) {
  EXPECT_EQ(parse_loki_time("1700000000").value(), 1'700'000'000'000'000'000);
  EXPECT_EQ(parse_loki_time("1700000000000000001").value(), 1'700'000'000'000'000'001);
  EXPECT_EQ(parse_loki_time("1700000000.5").value(), 1'700'000'000'500'000'000);
  EXPECT_EQ(parse_loki_time("2023-11-14T22:13:20Z").value(), 1'700'000'000'000'000'000);
  EXPECT_EQ(parse_loki_time("0").value(), 0);
  for (const char* bad : {"", "yesterday", "1e400.0", "99999999999999999999", "1.2.3"}) {
    EXPECT_FALSE(parse_loki_time(bad).ok()) << bad;
  }
}

TEST(LokiTime, finds_the_range) {
  constexpr int64_t kNow = 1'700'000'000'000'000'000;
  auto bounds = [&](Pairs query) {
    Request request;
    request.query = std::move(query);
    return loki_bounds(request, kNow);
  };
  EXPECT_EQ(bounds({})->start_ns, kNow - kHourNs);
  EXPECT_EQ(bounds({})->end_ns, kNow);
  EXPECT_EQ(bounds({{"since", "2d"}})->start_ns, kNow - 2 * kDayNs);
  EXPECT_EQ(bounds({{"end", "1000"}})->start_ns, 1000 * kSecondNs - kHourNs);
  EXPECT_EQ(bounds({{"since", "2d"}, {"start", "5"}})->start_ns, 5 * kSecondNs);
  EXPECT_THAT(bounds({{"start", "soon"}}).error().message,
              HasSubstr("could not parse 'start' parameter"));
}

TEST(TagSearch, becomes_traceql) {
  EXPECT_EQ(tags_to_traceql("", "", "").value(), "{}");
  EXPECT_EQ(tags_to_traceql("a=b  name=x", "", "").value(), "{ .\"a\" = \"b\" && name = \"x\" }");
  EXPECT_EQ(tags_to_traceql("k2=\"v 2\"", "100ms", "1.5s").value(),
            "{ .\"k2\" = \"v 2\" && traceDuration >= 100ms && traceDuration <= 1.5s }");
  for (const char* bad : {"a", "=b", "a b=c", "a=\"open"}) {
    EXPECT_FALSE(tags_to_traceql(bad, "", "").ok()) << bad;
  }
  EXPECT_FALSE(tags_to_traceql("", "fast", "").ok());
}

TEST(TagSearch, always_parses) {
  for (const char* tags : {"a\"b=c", "a\\=c", "x={}", "root.name=\"\\\"\"", "ü=→ error=true"}) {
    Result<std::string> query = tags_to_traceql(tags, "1h", "");
    ASSERT_TRUE(query.ok()) << tags;
    EXPECT_TRUE(traceql::parse_and_validate(*query).ok()) << *query;
  }
}

TEST(Html, escapes) {
  EXPECT_EQ(escape_html("<a href=\"x\" b='y'>&"),
            "&lt;a href=&quot;x&quot; b=&#39;y&#39;&gt;&amp;");
  EXPECT_EQ(escape_html(std::string_view("a\0b", 3)), "ab");
  EXPECT_EQ(escape_html("\xff"), "\xEF\xBF\xBD");
}

TEST(Html, allows_its_style_sheet_only) {
  Response page = html_page(200, "<T>", "<p>body</p>", true);
  EXPECT_THAT(page.body, HasSubstr("<title>&lt;T&gt;</title>"));
  EXPECT_THAT(page.body, HasSubstr("DEMO"));
  EXPECT_THAT(page.body, Not(HasSubstr("<script")));
  EXPECT_THAT(page.body, Not(HasSubstr("style=")));
  EXPECT_EQ(page.headers[0].first, "Content-Security-Policy");
  EXPECT_THAT(page.headers[0].second, HasSubstr("default-src 'none'; style-src 'sha256-"));
  EXPECT_THAT(html_page(200, "", "", false).body, Not(HasSubstr("DEMO")));
}

WaterfallSpan bar(uint8_t id, uint8_t parent, int64_t start, int64_t end, std::string label) {
  WaterfallSpan span;
  span.id.bytes[7] = id;
  span.parent_id.bytes[7] = parent;
  span.start_ns = start;
  span.end_ns = end;
  span.label = std::move(label);
  span.css = "done";
  return span;
}

// Labels with their depth, in the order drawn.
std::string drawn(const std::string& html) {
  std::string out;
  size_t at = 0;
  while ((at = html.find("class=\"label d", at)) != std::string::npos) {
    size_t title = html.find("title=\"", at) + 7;
    out += html.substr(at + 14, 1) + html.substr(title, html.find('"', title) - title) + " ";
    ++at;
  }
  return out;
}

TEST(Waterfall, draws_trees_by_start) {
  EXPECT_EQ(drawn(render_waterfall(
                {bar(3, 1, 5, 9, "late"), bar(2, 1, 1, 4, "early"), bar(1, 0, 0, 10, "root"),
                 bar(4, 2, 2, 3, "leaf"), bar(5, 77, 0, 1, "orphan")},
                {bar(9, 0, 0, 1, "run")})),
            "0root 1early 2leaf 1late 0orphan 0run ");
}

TEST(Waterfall, draws_circles_and_equal_ids_once_each) {
  std::string html =
      drawn(render_waterfall({bar(1, 2, 0, 1, "a"), bar(2, 1, 0, 1, "b"), bar(3, 3, 0, 1, "self"),
                              bar(4, 0, 0, 1, "x"), bar(4, 0, 0, 1, "y")},
                             {}));
  for (const char* label : {"a ", "b ", "self ", "x ", "y "}) {
    EXPECT_NE(html.find(label), std::string::npos) << label;
    EXPECT_EQ(html.find(label), html.rfind(label)) << label;
  }
}

TEST(Waterfall, copes_with_no_width_and_deep_trees) {
  EXPECT_THAT(render_waterfall({}, {}), HasSubstr("No spans"));
  EXPECT_THAT(render_waterfall({bar(1, 0, 5, 5, "instant")}, {}), HasSubstr("instant"));
  std::vector<WaterfallSpan> chain;
  for (int i = 0; i < 100'000; ++i) {
    WaterfallSpan span = bar(0, 0, i, i + 1, "n");
    for (int b = 0; b < 4; ++b) {
      span.id.bytes[static_cast<size_t>(b)] = static_cast<uint8_t>((i + 1) >> (8 * b));
      span.parent_id.bytes[static_cast<size_t>(b)] = static_cast<uint8_t>(i >> (8 * b));
    }
    chain.push_back(span);
  }
  EXPECT_GT(render_waterfall(chain, {}).size(), 1'000'000U);
}

TEST(Waterfall, escapes_labels_and_takes_no_class_from_data) {
  WaterfallSpan evil = bar(1, 0, 0, 1, "<b>\"");
  evil.css = "x\" onload=\"y";
  std::string html = render_waterfall({evil}, {});
  EXPECT_THAT(html, Not(HasSubstr("<b>")));
  EXPECT_THAT(html, Not(HasSubstr("onload")));
}

}  // namespace
}  // namespace contextcore::api
