// Traces and logs of tenants over HTTP: three of them have sent the same ids and the same streams, and
// each is asked for as if there were no other.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "api/target.h"
#include "otlp/json.h"
#include "otlp/protobuf.h"
#include "service_kit.h"

namespace contextcore::api {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const std::vector<std::string> kTenants = {"", "a", "b"};
const Pairs kJson = {{"content-type", "application/json"}};
constexpr const char* kRange = "&start=1699999000&end=1700000000";

Pairs as(const std::string& tenants) {
  if (tenants.empty()) return {};
  return {{"x-scope-orgid", tenants}};
}

Pairs json_as(const std::string& tenants) {
  Pairs headers = as(tenants);
  headers.insert(headers.end(), kJson.begin(), kJson.end());
  return headers;
}

std::string word(const std::string& tenant) { return tenant.empty() ? "default" : tenant; }

std::string span_json(const std::string& name, const std::string& who, const std::string& span_id) {
  return R"({"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},
    "scopeSpans":[{"spans":[{"traceId":"0000000000000000000000000000a1b2","spanId":")" +
         span_id + R"(","name":")" + name +
         R"(","kind":2,"startTimeUnixNano":"1699999999000000000","endTimeUnixNano":"1699999999500000000",
    "attributes":[{"key":"who","value":{"stringValue":")" +
         who + R"("}},{"key":"only.)" + who + R"(","value":{"intValue":"1"}}]}]}]}]})";
}

std::string log_json(const std::string& line, const std::string& who) {
  return R"({"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},
    "scopeLogs":[{"logRecords":[{"timeUnixNano":"1699999999000000000","body":{"stringValue":")" +
         line + R"("},"attributes":[{"key":"only_)" + who + R"(","value":{"stringValue":"x"}}]}]}]}]})";
}

class TenantsTest : public ServiceTest {
 protected:
  void SetUp() override {
    ServiceTest::SetUp();
    for (const std::string& tenant : kTenants) {
      const std::string who = word(tenant);
      take(send("POST", "/v1/traces", span_json("pay " + who, who, "00000000000000c3"), json_as(tenant)));
      take(send("POST", "/v1/logs", log_json("line of " + who, who), json_as(tenant)));
    }
  }
  static void take(const Response& response) { EXPECT_EQ(response.status, 200) << response.body; }

  std::string body(const std::string& target, const std::string& tenants) {
    const Response response = get(target, as(tenants));
    EXPECT_EQ(response.status, 200) << target << ": " << response.body;
    return response.body;
  }
  // Of "default", "a" and "b", those that an answer speaks of after the words.
  static std::vector<std::string> whose(const std::string& answer, const std::string& before,
                                        const std::string& after = "\"") {
    std::vector<std::string> out;
    for (const std::string who : {"a", "b", "default"}) {
      if (answer.find(before + who + after) != std::string::npos) out.push_back(who);
    }
    return out;
  }
  std::string search(const std::string& traceql, const std::string& tenants) {
    return body("/api/search?limit=100&spss=100&q=" + percent_encode(traceql), tenants);
  }
  std::string range(const std::string& logql, const std::string& tenants, const std::string& of = kRange) {
    return body("/loki/api/v1/query_range?limit=100&query=" + percent_encode(logql) + of, tenants);
  }
  void restart() {
    service_.reset();
    ASSERT_TRUE(store_->close().ok());
    store_.reset();
    open_store();
  }

  // All that one tenant is told, and that it is told of nobody else.
  void expect_only(const std::string& tenant) {
    SCOPED_TRACE(word(tenant));
    const std::vector<std::string> own = {word(tenant)};
    for (const char* version : {"/api/traces/a1b2", "/api/v2/traces/a1b2"}) {
      const std::string trace = body(version, tenant);
      EXPECT_EQ(whose(trace, "pay "), own) << trace;
      EXPECT_EQ(trace.find("pay "), trace.rfind("pay ")) << "one span";
    }
    EXPECT_EQ(whose(search("{}", tenant), "pay "), own);
    EXPECT_EQ(whose(search("{ span.who = \"" + word(tenant) + "\" }", tenant), "pay "), own);
    EXPECT_THAT(whose(search("{ span.who != \"" + word(tenant) + "\" }", tenant), "pay "), IsEmpty());
    for (const char* tags : {"/api/search/tags", "/api/v2/search/tags", "/api/v2/search/tags?scope=span"})
      EXPECT_EQ(whose(body(tags, tenant), "only."), own) << tags;
    for (const char* values : {"/api/search/tag/who/values", "/api/v2/search/tag/span.who/values"})
      EXPECT_EQ(whose(body(values, tenant), "\""), own) << values;
    const std::string by_who = percent_encode("{} | count_over_time() by (span.who)") + kRange;
    for (const std::string path : {"/api/metrics/query?q=", "/api/metrics/query_range?step=1000s&q="})
      EXPECT_EQ(whose(body(path + by_who, tenant), "\""), own) << path;

    EXPECT_EQ(whose(range(R"({service_name="shop"})", tenant), "line of "), own);
    EXPECT_THAT(range(R"({service_name="shop"})", tenant), Not(HasSubstr("__tenant_id__")));
    EXPECT_THAT(range(R"(sum(count_over_time({service_name="shop"}[1h])))", tenant), HasSubstr(",\"1\"]"));
    const std::string count = percent_encode(R"(sum(count_over_time({service_name="shop"}[1h])))");
    EXPECT_THAT(body("/loki/api/v1/query?time=1700000000&query=" + count, tenant), HasSubstr(",\"1\"]"));
    EXPECT_THAT(body("/loki/api/v1/labels?" + std::string(kRange), tenant), HasSubstr("service_name"));
    EXPECT_THAT(body("/loki/api/v1/label/service_name/values?" + std::string(kRange), tenant), HasSubstr("[\"shop\"]"));
    const std::string selector = percent_encode(R"({service_name="shop"})") + kRange;
    const std::string series = body("/loki/api/v1/series?match%5B%5D=" + selector, tenant);
    EXPECT_EQ(series.find("service_name"), series.rfind("service_name")) << series;
    EXPECT_THAT(body("/loki/api/v1/index/stats?query=" + selector, tenant), HasSubstr("\"streams\":1,\"chunks\":1,"));
    EXPECT_THAT(body("/loki/api/v1/index/stats?query=" + selector, tenant), HasSubstr("\"entries\":1"));
    const std::string bytes = "\"" + std::to_string(("line of " + word(tenant)).size()) + "\"]";
    EXPECT_THAT(body("/loki/api/v1/index/volume?query=" + selector, tenant), HasSubstr(bytes));
    EXPECT_THAT(body("/loki/api/v1/index/volume_range?step=1000&query=" + selector, tenant), HasSubstr(bytes));
    EXPECT_THAT(body("/loki/api/v1/detected_labels?query=" + selector, tenant), HasSubstr("service_name"));
    EXPECT_EQ(whose(body("/loki/api/v1/detected_fields?query=" + selector, tenant), "only_"), own);
    const std::string field = "/loki/api/v1/detected_field/only_" + word(tenant) + "/values?query=";
    EXPECT_THAT(body(field + selector, tenant), HasSubstr("\"x\""));
  }
};

TEST_F(TenantsTest, each_sees_its_own_alone_wherever_it_lies) {
  for (const std::string& tenant : kTenants) expect_only(tenant);
  ASSERT_TRUE(store_->cut().ok());
  for (const std::string& tenant : kTenants) expect_only(tenant);
  restart();
  for (const std::string& tenant : kTenants) expect_only(tenant);
}

TEST_F(TenantsTest, a_tenant_that_nobody_has_written_for_is_empty) {
  const std::string nobody = "nobody";
  EXPECT_EQ(get("/api/traces/a1b2", as(nobody)).status, 404);
  EXPECT_EQ(body("/api/v2/traces/a1b2", nobody), body("/api/v2/traces/ffff", "a"));
  EXPECT_THAT(search("{}", nobody), HasSubstr("\"traces\":[]"));
  EXPECT_THAT(body("/api/v2/search/tags?scope=span", nobody), Not(HasSubstr("who")));
  EXPECT_THAT(body("/api/v2/search/tag/span.who/values", nobody), HasSubstr("\"tagValues\":[]"));
  EXPECT_THAT(range(R"({service_name=~".+"})", nobody), HasSubstr("\"result\":[]"));
  EXPECT_THAT(range(R"(sum(count_over_time({service_name=~".+"}[1h])))", nobody), HasSubstr("\"result\":[]"));
  EXPECT_THAT(body("/loki/api/v1/labels?" + std::string(kRange), nobody), Not(HasSubstr("service_name")));
  EXPECT_THAT(body("/loki/api/v1/index/stats?query=" + percent_encode(R"({service_name="shop"})") + kRange, nobody),
              HasSubstr("\"entries\":0"));
  // And asking makes no tenant: beside others it is nobody as well.
  EXPECT_EQ(whose(search("{}", "a|nobody"), "pay "), std::vector<std::string>{"a"});
}

TEST_F(TenantsTest, the_same_bytes_of_two_tenants_are_no_repeat) {
  for (const std::string tenant : {"", "a", "c"}) {
    for (int i = 0; i < 2; ++i) {
      take(send("POST", "/v1/logs", log_json("the same", "all"), json_as(tenant)));
      take(send("POST", "/v1/traces", span_json("same", "all", "00000000000000c9"), json_as(tenant)));
    }
    const std::string count = R"(sum(count_over_time({service_name="shop"} |= "the same"[1h])))";
    EXPECT_THAT(range(count, tenant), HasSubstr(",\"1\"]"));
    EXPECT_THAT(search("{ name = \"same\" }", tenant), HasSubstr("\"matched\":1"));
  }
  EXPECT_THAT(get("/metrics").body, HasSubstr("contextcore_store_duplicates_total 6\n"));
}

TEST_F(TenantsTest, a_trace_of_several_tenants_is_one) {
  take(send("POST", "/v1/traces", span_json("ship a", "a", "00000000000000c4"), json_as("a")));
  take(send("POST", "/v1/traces", span_json("ship b", "b", "00000000000000c5"), json_as("b")));
  for (const bool cut : {false, true}) {
    if (cut) {
      ASSERT_TRUE(store_->cut().ok());
    }
    for (const char* version : {"/api/traces/a1b2", "/api/v2/traces/a1b2"}) {
      const std::string trace = body(version, "b|a");
      EXPECT_THAT(whose(trace, "ship "), ElementsAre("a", "b")) << trace;
      EXPECT_THAT(whose(trace, "pay "), ElementsAre("a", "b")) << "of one id, and each has sent it: " << trace;
    }
    const std::string found = search("{}", "a|b");
    EXPECT_EQ(found.find("\"traceID\""), found.rfind("\"traceID\"")) << "one trace: " << found;
    EXPECT_THAT(found, HasSubstr("pay "));
    // Spans of both stand in one trace, also for what asks about more than one span.
    EXPECT_THAT(search(R"({ name = "ship a" } && { name = "ship b" })", "a|b"), HasSubstr("\"traceID\""));
    EXPECT_THAT(search(R"({ name = "ship a" } && { name = "ship b" })", "a"), Not(HasSubstr("\"traceID\"")));
    EXPECT_THAT(whose(body("/api/v2/search/tags?scope=span", "a|b"), "only."), ElementsAre("a", "b"));
    EXPECT_THAT(whose(body("/api/v2/search/tag/span.who/values", "a|b"), "\""), ElementsAre("a", "b"));
  }
}

TEST_F(TenantsTest, streams_of_several_tenants_say_whose_they_are) {
  for (const bool cut : {false, true}) {
    if (cut) {
      ASSERT_TRUE(store_->cut().ok());
    }
    const std::string both = range(R"({service_name="shop"})", "a|b");
    EXPECT_THAT(whose(both, "line of "), ElementsAre("a", "b"));
    EXPECT_THAT(whose(both, "\"__tenant_id__\":\""), ElementsAre("a", "b"));
    EXPECT_THAT(whose(range(R"({service_name="shop", __tenant_id__="b"})", "a|b"), "line of "), ElementsAre("b"));
    EXPECT_THAT(whose(range(R"({service_name="shop", __tenant_id__!="b"})", "a|b"), "line of "), ElementsAre("a"));
    EXPECT_THAT(range(R"(sum(count_over_time({service_name="shop"}[1h])))", "a|b"), HasSubstr(",\"2\"]"));
    EXPECT_THAT(whose(range(R"(sum by (__tenant_id__) (count_over_time({service_name="shop"}[1h])))", "a|b"), "\""),
                ElementsAre("a", "b"));
    EXPECT_THAT(body("/loki/api/v1/labels?" + std::string(kRange), "a|b"), HasSubstr("\"__tenant_id__\""));
    EXPECT_THAT(body("/loki/api/v1/label/__tenant_id__/values?" + std::string(kRange), "a|b"),
                HasSubstr(R"(["a","b"])"));
    const std::string selector = percent_encode(R"({service_name="shop"})") + kRange;
    EXPECT_THAT(whose(body("/loki/api/v1/series?match%5B%5D=" + selector, "a|b"), "\"__tenant_id__\":\""),
                ElementsAre("a", "b"));
    EXPECT_THAT(body("/loki/api/v1/index/stats?query=" + selector, "a|b"), HasSubstr("\"entries\":2"));
    // Volumes are by the labels of the selector, as in Loki: no word of tenants.
    EXPECT_THAT(body("/loki/api/v1/index/volume?query=" + selector, "a|b"), Not(HasSubstr("__tenant_id__")));
    EXPECT_THAT(whose(body("/loki/api/v1/detected_fields?query=" + selector, "a|b"), "only_"), ElementsAre("a", "b"));
  }
  // One tenant twice is one tenant.
  EXPECT_EQ(range(R"({service_name="shop"})", "a|a"), range(R"({service_name="shop"})", "a"));
}

TEST_F(TenantsTest, a_label_of_the_senders_own_keeps_its_value_beside_the_tenants) {
  const std::string push = R"({"streams":[{"stream":{"app":"x","__tenant_id__":"mine"},
    "values":[["1699999999000000000","hello"]]}]})";
  ASSERT_EQ(send("POST", "/loki/api/v1/push", push, json_as("a")).status, 204);
  EXPECT_THAT(range(R"({app="x"})", "a"), HasSubstr(R"("__tenant_id__":"mine")"));
  const std::string both = range(R"({app="x"})", "a|b");
  EXPECT_THAT(both, HasSubstr(R"("__tenant_id__":"a")"));
  EXPECT_THAT(both, HasSubstr(R"("original___tenant_id__":"mine")"));
  EXPECT_THAT(range(R"({app="x", __tenant_id__="mine"})", "a|b"), HasSubstr("\"result\":[]"));
}

TEST_F(TenantsTest, pushed_lines_and_protobuf_belong_to_the_tenant_of_the_header) {
  const std::string push = R"({"streams":[{"stream":{"app":"x"},"values":[["1699999999000000000","hello"]]}]})";
  EXPECT_EQ(send("POST", "/loki/api/v1/push", push, json_as("a")).status, 204);
  EXPECT_THAT(range(R"({app="x"})", "a"), HasSubstr("hello"));
  for (const std::string other : {"", "b"})
    EXPECT_THAT(range(R"({app="x"})", other), HasSubstr("\"result\":[]"));

  Pairs headers = as("a");
  headers.emplace_back("content-type", "application/x-protobuf");
  const auto spans = otlp::decode_traces_json(span_json("packed", "a", "00000000000000d1"));
  const auto logs = otlp::decode_logs_json(log_json("packed line", "a"));
  ASSERT_TRUE(spans.ok() && logs.ok());
  take(send("POST", "/v1/traces", otlp::encode_protobuf(*spans), headers));
  take(send("POST", "/v1/logs", otlp::encode_protobuf(*logs), headers));
  EXPECT_THAT(search("{}", "a"), HasSubstr("packed"));
  EXPECT_THAT(search("{}", ""), Not(HasSubstr("packed")));
  EXPECT_THAT(range(R"({service_name="shop"})", "a"), HasSubstr("packed line"));
  EXPECT_THAT(range(R"({service_name="shop"})", "b"), Not(HasSubstr("packed line")));
}

TEST_F(TenantsTest, what_is_no_name_is_refused_everywhere) {
  const std::string selector = percent_encode(R"({service_name="shop"})");
  const std::string count = percent_encode(R"(count_over_time({service_name="shop"}[1h]))");
  const std::vector<std::string> reads = {
      "/api/traces/a1b2", "/api/v2/traces/a1b2", "/api/search?q=%7B%7D", "/api/search?tags=who%3Da", "/api/search/tags",
      "/api/search/tags?scope=intrinsic", "/api/v2/search/tags", "/api/v2/search/tags?scope=intrinsic",
      "/api/search/tag/who/values", "/api/v2/search/tag/span.who/values", "/api/v2/search/tag/status/values",
      "/api/metrics/query?q=%7B%7D%7Crate()", "/api/metrics/query_range?q=%7B%7D%7Crate()",
      "/loki/api/v1/query?query=" + count, "/loki/api/v1/query_range?query=" + selector, "/loki/api/v1/labels",
      "/loki/api/v1/label", "/loki/api/v1/label/service_name/values", "/loki/api/v1/series?match%5B%5D=" + selector,
      "/loki/api/v1/index/stats?query=" + selector, "/loki/api/v1/index/volume?query=" + selector,
      "/loki/api/v1/index/volume_range?query=" + selector, "/loki/api/v1/detected_labels?query=" + selector,
      "/loki/api/v1/detected_fields?query=" + selector, "/loki/api/v1/detected_field/x/values?query=" + selector};
  const Pairs bad = {{"a b", "contains unsupported characters"},
                     {"..", "contains unsupported characters"},
                     {"a/b", "contains unsupported characters"},
                     {std::string(151, 'x'), "tenant ID is too long: max 150 characters"}};
  Pairs bad_reads = bad;
  bad_reads.emplace_back("a|", "has an empty tenant ID in it");
  bad_reads.emplace_back("|", "has an empty tenant ID in it");
  bad_reads.emplace_back("a|b c", "tenant ID 'b c' contains unsupported characters");
  for (const std::string& target : reads) {
    for (const auto& [tenants, words] : bad_reads) {
      const Response response = get(target, as(tenants));
      EXPECT_EQ(response.status, 400) << target << " of " << tenants;
      EXPECT_THAT(response.body, HasSubstr(words)) << target;
    }
    EXPECT_EQ(get(target, as(std::string(150, 'x'))).status / 100, target == reads[0] ? 4 : 2) << target;
  }
  Pairs bad_writes = bad;
  bad_writes.emplace_back("a|b", "contains unsupported characters");
  const std::string push = R"({"streams":[{"stream":{"app":"x"},"values":[["1699999999000000000","x"]]}]})";
  const Pairs writes = {{"/v1/traces", span_json("x", "x", "00000000000000c9")},
                        {"/v1/logs", log_json("x", "x")},
                        {"/loki/api/v1/push", push}};
  for (const auto& [tenant, words] : bad_writes) {
    for (const auto& [target, body] : writes) {
      const Response response = send("POST", target, body, json_as(tenant));
      EXPECT_EQ(response.status, 400) << target << " of " << tenant;
      EXPECT_THAT(response.body, HasSubstr(words)) << target;
    }
  }
  // A request of nothing says so, too: nobody writes to a name that is none and is told that all is well.
  EXPECT_EQ(send("POST", "/v1/traces", "{}", json_as("a b")).status, 400);
  EXPECT_EQ(send("POST", "/v1/logs", "{}", json_as("a b")).status, 400);
  const std::string no_lines = R"({"streams":[{"stream":{"app":"x"},"values":[]}]})";
  EXPECT_EQ(send("POST", "/loki/api/v1/push", no_lines, json_as("a b")).status, 400);
  EXPECT_EQ(send("POST", "/loki/api/v1/push", no_lines, json_as("a")).status, 204);
}

TEST_F(TenantsTest, work_is_the_default_tenants) {
  const Json task = post("/tracker/v1/tasks?project=p", R"({"id":"T-1","title":"Real"})");
  const std::string trace_id = *task.find("trace_id")->as_string();
  const std::string logs = R"({service="contextcore"})", and_now = "&start=1699999000&end=1700000001";
  EXPECT_EQ(get("/api/traces/" + trace_id).status, 200);
  EXPECT_THAT(search("{ span.task.id = \"T-1\" }", ""), HasSubstr("\"traceID\""));
  EXPECT_THAT(range(logs, "", and_now), HasSubstr("task.created"));
  for (const bool cut : {false, true}) {
    if (cut) {
      ASSERT_TRUE(store_->cut().ok());
    }
    for (const std::string tenants : {"a", "a|b", "nobody"}) {
      EXPECT_EQ(get("/api/traces/" + trace_id, as(tenants)).status, 404) << tenants;
      EXPECT_THAT(search("{ span.task.id != nil }", tenants), Not(HasSubstr("\"traceID\""))) << tenants;
      EXPECT_THAT(range(logs, tenants, and_now), HasSubstr("\"result\":[]")) << tenants;
      EXPECT_THAT(body("/api/v2/search/tags", tenants), Not(HasSubstr("task.id"))) << tenants;
      EXPECT_THAT(body("/loki/api/v1/labels?" + std::string(kRange), tenants), Not(HasSubstr("project_id"))) << tenants;
    }
  }
  // The work API has no tenants: the header changes nothing.
  EXPECT_EQ(get("/tracker/v1/tasks/T-1", as("a")).body, get("/tracker/v1/tasks/T-1").body);
}

TEST_F(TenantsTest, what_looks_like_work_is_telemetry_of_another_tenant) {
  const Json task = post("/tracker/v1/tasks?project=p", R"({"id":"T-1","title":"Real"})");
  const std::string trace_id = *task.find("trace_id")->as_string();
  const std::string span_id = *task.find("span_id")->as_string();
  std::string forged = span_json("contextcore.task.task", "a", span_id);
  forged.replace(forged.find("0000000000000000000000000000a1b2"), 32, trace_id);
  EXPECT_THAT(send("POST", "/v1/traces", forged, kJson).body, HasSubstr("task state changes through the work API"));
  EXPECT_EQ(send("POST", "/v1/traces", forged, json_as("a")).body, "{}");
  const std::string push = R"({"streams":[{"stream":{"service":"contextcore"},
    "values":[["1699999999000000000","forged"]]}]})";
  EXPECT_EQ(send("POST", "/loki/api/v1/push", push, kJson).status, 400);
  EXPECT_EQ(send("POST", "/loki/api/v1/push", push, json_as("a")).status, 204);
  for (const bool cut : {false, true}) {
    if (cut) {
      ASSERT_TRUE(store_->cut().ok());
    }
    EXPECT_THAT(body("/api/traces/" + trace_id, "a"), HasSubstr("\"only.a\""));
    EXPECT_THAT(body("/api/traces/" + trace_id, ""), Not(HasSubstr("\"only.a\"")));
    EXPECT_THAT(range(R"({service="contextcore"})", "a"), HasSubstr("forged"));
    EXPECT_THAT(range(R"({service="contextcore"})", ""), Not(HasSubstr("forged")));
    EXPECT_THAT(get("/tracker/v1/tasks/T-1").body, HasSubstr("\"status\":\"todo\""));
  }
  // Nor does it come back when spans are made anew from the log.
  post("/tracker/v1/rebuild", "{}");
  EXPECT_THAT(body("/api/traces/" + trace_id, ""), Not(HasSubstr("\"only.a\"")));
  EXPECT_THAT(body("/api/traces/" + trace_id, "a"), HasSubstr("\"only.a\""));
}

class FewTenantsTest : public ServiceTest {
 protected:
  void SetUp() override {
    tenants_max_ = 2;  // the default one, and
    ServiceTest::SetUp();
  }
};

TEST_F(FewTenantsTest, one_too_many_is_refused_and_the_others_write_on) {
  const std::string push = R"({"streams":[{"stream":{"app":"x"},"values":[["1699999999000000000","x"]]}]})";
  const auto write = [&](const std::string& tenant) {
    return std::vector<Response>{
        send("POST", "/v1/traces", span_json("x", "x", "00000000000000c9"), json_as(tenant)),
        send("POST", "/v1/logs", log_json("x", "x"), json_as(tenant)),
        send("POST", "/loki/api/v1/push", push, json_as(tenant)),
    };
  };
  for (const std::string tenant : {"a", "", "a"}) {
    for (const Response& response : write(tenant)) EXPECT_EQ(response.status / 100, 2) << response.body;
  }
  for (const Response& response : write("b")) {
    EXPECT_EQ(response.status, 412);
    EXPECT_THAT(response.body, HasSubstr("the store has 2 tenants, which is the limit"));
  }
  // Reading makes none.
  EXPECT_EQ(get("/api/search?q=%7B%7D", as("b")).status, 200);
  EXPECT_THAT(get("/api/search?q=%7B%7D", as("b")).body, HasSubstr("\"traces\":[]"));
}

}  // namespace
}  // namespace contextcore::api
