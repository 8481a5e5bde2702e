// Insights (data model 6).

#include <gmock/gmock.h>

#include "bench.h"
#include "work/hooks.h"
#include "work/names.h"

namespace contextcore::work::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class InsightTest : public WorkTest {
 protected:
  void SetUp() override { act_as("claude", "s1"); }
  std::string emit(std::string_view args) {
    return std::string(ok("insight.emit", args).find("insight")->string_or("id"));
  }
  const store::JournalSpan& span_of(const std::string& id) {
    return journal.spans[find_insight(journal, "p", id).value()->span_id];
  }
  std::vector<std::string> query(std::string_view args) {
    std::vector<std::string> summaries;
    const Json answer = ask_ok("insight.query", args);
    for (const Json& one : *answer.find("items")->as_array())
      summaries.emplace_back(one.string_or("summary"));
    return summaries;
  }
};

TEST_F(InsightTest, AnInsightIsAnInstantWithItsContext) {
  const std::string id =
      emit(R"({"type":"decision","summary":"Selected event-driven architecture","confidence":0.92,
    "context":{"alternatives_considered":["REST","GraphQL"],"cost":1.0,"deep":{"a":[1]}}})");
  const store::JournalSpan& span = span_of(id);
  EXPECT_EQ(span.span.name, "insight.decision");
  EXPECT_EQ(span.scope.name, "contextcore.agent");
  EXPECT_EQ(span.span.kind, otlp::SpanKind::internal);
  EXPECT_EQ(span.span.start_ns, span.span.end_ns);
  const otlp::Attributes& a = span.span.attributes;
  EXPECT_EQ(*otlp::find(a, "insight.confidence")->as_double(), 0.92);
  EXPECT_EQ(otlp::find(a, "insight.context.alternatives_considered")->as_array()->size(), 2u);
  EXPECT_EQ(*otlp::find(a, "insight.context.cost")->as_double(), 1.0);
  EXPECT_EQ(otlp::find_string(a, "insight.context.deep"), R"({"a":[1]})");
  for (const auto& [key, value] :
       std::vector<std::pair<std::string, std::string>>{{"insight.audience", "both"},
                                                        {"project.id", "p"},
                                                        {"agent.id", "claude"},
                                                        {"agent.session_id", "s1"},
                                                        {"gen_ai.agent.id", "claude"},
                                                        {"gen_ai.conversation.id", "s1"}}) {
    EXPECT_EQ(otlp::find_string(a, key), value) << key;
  }
  EXPECT_FALSE(otlp::find(a, "insight.status"));
  expect_rebuilds();
}

TEST_F(InsightTest, AWholeConfidenceStaysADouble) {
  const std::string id = emit(R"({"type":"blocker","summary":"s","confidence":1})");
  ASSERT_TRUE(otlp::find(span_of(id).span.attributes, "insight.confidence")->as_double());
  expect_rebuilds();
}

TEST_F(InsightTest, EmitModesChooseTheNames) {
  settings.emit_mode = "legacy";
  const std::string legacy = emit(R"({"type":"risk","summary":"l"})");
  settings.emit_mode = "otel";
  const std::string otel = emit(R"({"type":"risk","summary":"o"})");
  EXPECT_TRUE(otlp::find(span_of(legacy).span.attributes, "agent.id"));
  EXPECT_FALSE(otlp::find(span_of(legacy).span.attributes, "gen_ai.agent.id"));
  EXPECT_FALSE(otlp::find(span_of(otel).span.attributes, "agent.id"));
  EXPECT_TRUE(otlp::find(span_of(otel).span.attributes, "gen_ai.agent.id"));
  EXPECT_EQ(query(R"({"agent":"claude"})").size(), 2u);
  expect_rebuilds();
}

TEST_F(InsightTest, WithATaskItIsAChildOfTheTasksSpan) {
  create("e");
  create("t", R"("parent_id":"e")");
  const std::string id = emit(R"({"type":"lesson","summary":"s","task_id":"t"})");
  const store::WorkRow& task = *find_task(journal, "p", "t").value();
  EXPECT_EQ(span_of(id).span.parent_span_id, task.span_id);
  EXPECT_EQ(span_of(id).span.trace_id, task.trace_id);
  EXPECT_EQ(query(R"({"task_id":"t"})").size(), 1u);
  EXPECT_EQ(field("t", "subtask_count"), "0");
  EXPECT_EQ(fails("insight.emit", R"({"type":"lesson","summary":"s","task_id":"nope"})").code,
            Code::not_found);
  expect_rebuilds();
}

TEST_F(InsightTest, WrongValuesAreRefused) {
  for (const char* args :
       {R"({"type":"decision","summary":"s","confidence":7.5})",
        R"({"type":"decision","summary":"s","confidence":-0.1})",
        R"({"type":"decision","summary":"s","confidence":"high"})",
        R"({"type":"Decision","summary":"s"})", R"({"summary":"s"})", R"({"type":"decision"})",
        R"({"type":"decision","summary":"s","audience":"robot"})",
        R"({"type":"decision","summary":"s","evidence":[{"type":"file"}]})",
        R"({"type":"decision","summary":"s","attributes":{"insight.id":"x"}})",
        R"({"type":"decision","summary":"s","valid_until":"later"})"}) {
    EXPECT_EQ(fails("insight.emit", args).code, Code::invalid_argument) << args;
  }
  EXPECT_EQ(query("{}").size(), 0u);
}

TEST_F(InsightTest, TheSubjectComesFromCategoryAndFirstPath) {
  const std::string id =
      emit(R"({"type":"lesson","summary":"s","category":"auth","applies_to":["src/auth/**","x"]})");
  EXPECT_EQ(otlp::find_string(span_of(id).span.attributes, "insight.subject"), "auth:src/auth/**");
}

TEST_F(InsightTest, EvidenceIsASpanEventAndATraceALinkToo) {
  const std::string id = emit(R"({"type":"analysis","summary":"s","evidence":[
    {"type":"file","ref":"a.cpp:1","description":"here"},{"type":"trace","ref":"0102030405060708090a0b0c0d0e0f10"}]})");
  ASSERT_EQ(span_of(id).span.links.size(), 1u);
  EXPECT_EQ(otlp::find_string(span_of(id).span.links[0].attributes, "link.type"), "evidence");
  const store::WorkHooks h = hooks();
  const auto event = h.event(journal.events_written[1].record);
  ASSERT_TRUE(event);
  EXPECT_EQ(event->name, "evidence.added");
  EXPECT_EQ(otlp::find_string(event->attributes, "evidence.ref"), "a.cpp:1");
  EXPECT_EQ(event->attributes.size(), 3u);
  EXPECT_THAT(to_string(ask_ok("insight.get", "{\"id\":\"" + id + "\"}")),
              HasSubstr("\"description\":\"here\""));
  expect_rebuilds();
}

TEST_F(InsightTest, SupersededRetractedResolvedAndExpiredAreNotShownUnlessAsked) {
  const std::string old = emit(R"({"type":"decision","summary":"old"})");
  pass(1);
  emit("{\"type\":\"decision\",\"summary\":\"new\",\"supersedes\":\"" + old + "\"}");
  const std::string wrong = emit(R"({"type":"decision","summary":"wrong"})");
  ok("insight.retract", "{\"id\":\"" + wrong + "\",\"reason\":\"misread\"}");
  const std::string stuck = emit(R"({"type":"blocker","summary":"stuck"})");
  EXPECT_THAT(query(R"({"type":"blocker"})"), ElementsAre("stuck"));
  ok("insight.resolve", "{\"id\":\"" + stuck + "\",\"resolution\":\"fixed\"}");
  EXPECT_THAT(query(R"({"type":"blocker"})"), ElementsAre());
  emit("{\"type\":\"decision\",\"summary\":\"short\",\"valid_until\":\"" +
       format_rfc3339(journal.now + 10 * kSecondNs) + "\"}");
  EXPECT_EQ(query("{}").size(), 2u);
  pass(10);
  EXPECT_THAT(query("{}"), ElementsAre("new"));
  EXPECT_THAT(query(R"({"status":"superseded"})"), ElementsAre("old"));
  EXPECT_THAT(query(R"({"status":"retracted"})"), ElementsAre("wrong"));
  EXPECT_THAT(query(R"({"status":"resolved"})"), ElementsAre("stuck"));
  EXPECT_THAT(query(R"({"status":"expired"})"), ElementsAre("short"));
  EXPECT_EQ(query(R"({"status":"all"})").size(), 5u);
  expect_rebuilds();
}

TEST_F(InsightTest, ALaterFactIsASmallSpanLinkedToTheFirst) {
  const std::string old = emit(R"({"type":"decision","summary":"old"})");
  const size_t before = journal.spans.size();
  const std::string by =
      emit("{\"type\":\"decision\",\"summary\":\"new\",\"supersedes\":\"" + old + "\"}");
  EXPECT_EQ(journal.spans.size(), before + 2);
  int facts = 0;
  for (const auto& [id, span] : journal.spans) {
    if (span.span.name != "contextcore.insight.superseded") continue;
    facts++;
    EXPECT_EQ(span.span.links.at(0).span_id, span_of(old).span.span_id);
    EXPECT_EQ(otlp::find_string(span.span.attributes, "insight.by_insight_id"), by);
  }
  EXPECT_EQ(facts, 1);
  EXPECT_EQ(
      *ask_ok("project.list", "{}").find("items")->as_array()->at(0).find("insights")->as_int(), 2);
}

TEST_F(InsightTest, OnlyOneOfTwoSupersedesAnInsight) {
  const std::string old = emit(R"({"type":"decision","summary":"old"})");
  const std::string first =
      emit("{\"type\":\"decision\",\"summary\":\"1\",\"supersedes\":\"" + old + "\"}");
  const Error error = fails(
      "insight.emit", "{\"type\":\"decision\",\"summary\":\"2\",\"supersedes\":\"" + old + "\"}");
  EXPECT_EQ(error.code, Code::failed_precondition);
  EXPECT_THAT(error.message, HasSubstr(first));
  EXPECT_FALSE(*ok("insight.supersede", "{\"id\":\"" + old + "\",\"by\":\"" + first + "\"}")
                    .find("changed")
                    ->as_bool());
  EXPECT_EQ(fails("insight.retract", "{\"id\":\"" + old + "\"}").code, Code::failed_precondition);
  EXPECT_EQ(fails("insight.supersede", "{\"id\":\"" + old + "\",\"by\":\"nope\"}").code,
            Code::not_found);
}

TEST_F(InsightTest, QueriesFilter) {
  emit(
      R"({"type":"lesson","summary":"Retry with jitter","confidence":0.5,"category":"net","applies_to":["src/net/**"],"audience":"agent"})");
  pass(100);
  emit(
      R"({"type":"decision","summary":"Use QUIC","confidence":0.9,"category":"net","subject":"transport"})");
  EXPECT_THAT(query("{}"), ElementsAre("Use QUIC", "Retry with jitter"));
  EXPECT_THAT(query(R"({"type":"lesson"})"), ElementsAre("Retry with jitter"));
  EXPECT_THAT(query(R"({"min_confidence":0.8})"), ElementsAre("Use QUIC"));
  EXPECT_THAT(query(R"({"subject":"transport"})"), ElementsAre("Use QUIC"));
  EXPECT_THAT(query(R"({"text":"JITTER"})"), ElementsAre("Retry with jitter"));
  EXPECT_THAT(query(R"({"audience":"human"})"), ElementsAre("Use QUIC"));
  EXPECT_THAT(query(R"({"applies_to":"src/net/http/client.cpp"})"),
              ElementsAre("Retry with jitter"));
  EXPECT_THAT(query(R"({"applies_to":"src/api/x.cpp"})"), ElementsAre());
  EXPECT_THAT(query("{\"since\":\"" + format_rfc3339(journal.now) + "\"}"),
              ElementsAre("Use QUIC"));
  EXPECT_THAT(query(R"({"agent":"nobody"})"), ElementsAre());
  const Json one = ask_ok("insight.query", R"({"limit":1})");
  EXPECT_EQ(*one.find("total")->as_int(), 2);
}

TEST_F(InsightTest, QueriesOfTheStoreSeeTheStatusAtTheirNow) {
  const std::string id = emit("{\"type\":\"decision\",\"summary\":\"s\",\"valid_until\":\"" +
                              format_rfc3339(journal.now + kSecondNs) + "\"}");
  const store::WorkHooks h = hooks();
  otlp::Span a = span_of(id).span, b = a;
  const store::WorkRow row = *find_insight(journal, "p", id).value();
  h.compute(a, row, journal.now);
  h.compute(b, row, journal.now + kSecondNs);
  EXPECT_EQ(otlp::find_string(a.attributes, "insight.status"), "active");
  EXPECT_EQ(otlp::find_string(b.attributes, "insight.status"), "expired");
}

TEST_F(InsightTest, ForgedTelemetryIsRefusedWithTheWayToGo) {
  create("t");
  const store::WorkHooks h = hooks();
  otlp::Span forged = journal.spans[find_task(journal, "p", "t").value()->span_id].span;
  const otlp::SingleSpanView view(forged);
  EXPECT_THAT(h.refuse_span({}, {}, view.view(), true).value_or(""), HasSubstr("work API"));
  EXPECT_FALSE(h.refuse_span({}, {}, view.view(), false));
  for (const char* key : {"service.name", "service", "job"}) {
    otlp::Resource resource;
    otlp::set(resource.attributes, key, otlp::Value("contextcore"));
    EXPECT_TRUE(h.refuse_log(resource, {}, {}, false)) << key;
  }
  otlp::Resource other;
  otlp::set(other.attributes, "service.name", otlp::Value("checkout"));
  otlp::LogRecord record;
  record.event_name = "task.completed";
  EXPECT_TRUE(h.refuse_log(other, {}, record, true));
  EXPECT_FALSE(h.refuse_log(other, {}, record, false));
  record.event_name = "";
  EXPECT_FALSE(h.refuse_log(other, {}, record, true));
}

}  // namespace
}  // namespace contextcore::work::testing
