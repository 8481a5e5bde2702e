// The shape of what is written, over any history: names and types as the registry has them, flat
// lines, one revision for one command (data model 1 to 5).

#include <gmock/gmock.h>

#include <fstream>
#include <set>

#include "random_changes.h"
#include "work/hooks.h"
#include "work/names.h"

namespace contextcore::work::testing {
namespace {

using ::testing::HasSubstr;
namespace attr = names::attr;

// Attribute → type, of every file of the registry.
std::map<std::string, std::string> registered_attributes() {
  std::map<std::string, std::string> types;
  for (const char* name : {"task", "phase", "sprint", "insight", "link", "resource"}) {
    std::ifstream file(std::string(CONTEXTCORE_SOURCE_DIR "/semconv/") + name + ".yaml");
    std::string line;
    while (std::getline(file, line)) {
      static constexpr std::string_view kId = "- { id: ", kType = ", type: ";
      const size_t id = line.find(kId), type = line.find(kType);
      if (id == std::string::npos || type == std::string::npos) continue;
      const size_t name_at = id + kId.size(), type_at = type + kType.size();
      std::string value = line.substr(type_at, line.find(',', type_at) - type_at);
      std::erase(value, '"');
      types[line.substr(name_at, type - name_at)] = value;
    }
  }
  return types;
}

std::string type_of(const otlp::Value& value) {
  if (value.as_string()) return "string";
  if (value.as_bool()) return "boolean";
  if (value.as_int()) return "int";
  if (value.as_double()) return "double";
  const otlp::Array* array = value.as_array();
  if (!array) return "another";
  const bool strings = std::all_of(array->begin(), array->end(),
                                   [](const otlp::Value& one) { return one.as_string(); });
  return strings ? "string[]" : "another[]";
}

bool is_ours(std::string_view key) {
  for (const std::string_view prefix : {"task.", "phase.", "sprint.", "insight.", "contextcore."}) {
    if (key.starts_with(prefix)) return true;
  }
  return false;
}

class ModelTest : public RandomChangeTest {
 protected:
  void any_history(uint64_t seed) {
    SeededRandom random(seed);
    const int64_t start = journal.now;
    journal = MemoryJournal();
    journal.now = start;
    for (int step = 0; step < 80; step++) {
      act_as(pick(random, {"claude", "other"}), pick(random, {"s1", "s2"}));
      journal.now += static_cast<int64_t>(random.below(30)) * kSecondNs;
      (void)run(any_command(random));
    }
  }
  const store::JournalSpan& stored(std::string_view id) {
    return journal.spans[find_task(journal, project, id).value()->span_id];
  }
};

TEST_F(ModelTest, OneAttributeHasOneTypeTheRegistrys) {
  const auto types = registered_attributes();
  ASSERT_GT(types.size(), 60u);
  std::set<std::string> seen;
  for (uint64_t seed = 0; seed < 20; seed++) {
    any_history(seed);
    for (const auto& [id, span] : journal.spans) {
      for (const otlp::KeyValue& one : span.span.attributes) {
        if (one.key.starts_with("insight.context.")) continue;
        const auto known = types.find(one.key);
        if (known == types.end()) {
          EXPECT_FALSE(is_ours(one.key)) << one.key << " of " << span.span.name;
          continue;
        }
        seen.insert(one.key);
        EXPECT_EQ(type_of(one.value), known->second) << one.key;
      }
    }
  }
  EXPECT_GT(seen.size(), 35u);
}

TEST_F(ModelTest, OnlyTaskSpansCarryTaskAttributes) {
  for (uint64_t seed = 0; seed < 20; seed++) {
    any_history(seed);
    for (const auto& [id, span] : journal.spans) {
      const bool is_task = span.span.name.starts_with("contextcore.task.");
      EXPECT_EQ(otlp::find(span.span.attributes, attr::kTaskStatus) != nullptr, is_task)
          << span.span.name;
      for (const otlp::KeyValue& one : span.span.attributes)
        EXPECT_TRUE(is_task || !one.key.starts_with("task.")) << span.span.name << " " << one.key;
    }
  }
}

TEST_F(ModelTest, EverySpanNamesItsProjectItsScopeAndItsService) {
  any_history(3);
  create("x", R"("type":"bug")");
  EXPECT_EQ(stored("x").span.name, "contextcore.task.bug");
  for (const auto& [id, span] : journal.spans) {
    EXPECT_EQ(otlp::find_string(span.span.attributes, attr::kProjectId), "p") << span.span.name;
    EXPECT_EQ(otlp::find_string(span.resource.attributes, attr::kProjectId), "p");
    EXPECT_EQ(otlp::find_string(span.resource.attributes, "service.name"), "contextcore");
    EXPECT_EQ(span.span.kind, otlp::SpanKind::internal);
    const bool insight = span.span.name.starts_with("insight.");
    EXPECT_EQ(span.scope.name, insight ? "contextcore.agent" : "contextcore.tracker");
  }
}

TEST_F(ModelTest, LinesAreFlatAndSayTheirEvent) {
  for (uint64_t seed = 0; seed < 20; seed++) {
    any_history(seed);
    for (const auto& event : journal.events_written) {
      const std::string* body = event.record.body.as_string();
      ASSERT_TRUE(body);
      EXPECT_EQ(body->find('\n'), std::string::npos);
      const Json line = parse(*body);
      EXPECT_EQ(line.string_or("event"), event.record.event_name);
      EXPECT_EQ(to_string(*line.find("schema")), "1");
      for (const auto& [name, value] : *line.as_object()) {
        EXPECT_EQ(name.find('.'), std::string::npos) << name;
        EXPECT_TRUE(value.as_string() || value.as_bool() || value.is_number()) << name;
        // Each name has one home: what is a label or metadata is not in the line too.
        EXPECT_EQ(otlp::find(event.record.attributes, name), nullptr) << name;
        EXPECT_EQ(otlp::find(event.resource.attributes, name), nullptr) << name;
      }
      for (const std::string_view key : {"revision", "event_id", "event_seq", "command_id"})
        EXPECT_TRUE(otlp::find(event.record.attributes, key)) << key;
    }
  }
}

TEST_F(ModelTest, OneCommandIsOneRevisionAtOneTime) {
  for (uint64_t seed = 0; seed < 20; seed++) {
    any_history(seed);
    std::map<std::pair<otlp::SpanId, std::string>, std::pair<int64_t, uint64_t>> of_commands;
    for (const auto& event : journal.events_written) {
      const auto& attributes = event.record.attributes;
      const std::pair now(*otlp::find(attributes, "revision")->as_int(), event.record.time_ns);
      const std::string command(otlp::find_string(attributes, "command_id"));
      const auto [at, is_new] = of_commands.try_emplace({event.record.span_id, command}, now);
      EXPECT_TRUE(is_new || at->second == now) << event.record.event_name;
    }
  }
}

TEST_F(ModelTest, SeverityFollowsTheEvent) {
  create("t");
  ok("task.block", R"({"id":"t","reason":"r"})");
  ok("task.fail", R"({"id":"t"})");
  for (const auto& event : journal.events_written) {
    const std::string& name = event.record.event_name;
    EXPECT_EQ(event.record.severity_text, name == "task.blocked"  ? "WARN"
                                          : name == "task.failed" ? "ERROR"
                                                                  : "INFO")
        << name;
  }
}

TEST_F(ModelTest, LinksNameTheTaskTheyLeadTo) {
  create("a");
  create("b");
  ok("task.link", R"({"id":"a","type":"caused_by","target_task_id":"b"})");
  ok("task.depend", R"({"id":"a","on":"b","when":"ended"})");
  const otlp::Span& span = stored("a").span;
  ASSERT_EQ(span.links.size(), 2u);
  for (const otlp::SpanLink& link : span.links) {
    EXPECT_EQ(link.span_id, stored("b").span.span_id);
    EXPECT_EQ(link.trace_id, stored("b").span.trace_id);
    EXPECT_EQ(otlp::find_string(link.attributes, "task.id"), "b");
    EXPECT_EQ(otlp::find_string(link.attributes, "project.id"), "p");
    EXPECT_EQ(otlp::find_string(link.attributes, "type"),
              otlp::find_string(link.attributes, "link.type"));
  }
}

TEST_F(ModelTest, AReaderOfSpanEventsGets512AtMostStatusChangesLeftOutFirst) {
  create("t");
  otlp::Span span = stored("t").span;
  const auto add = [&](std::string_view name, int count) {
    for (int i = 0; i < count; i++) {
      otlp::SpanEvent event;
      event.name = name;
      event.time_ns = span.events.size();
      span.events.push_back(std::move(event));
    }
  };
  const auto count = [&](std::string_view name) {
    return std::count_if(span.events.begin(), span.events.end(),
                         [&](const otlp::SpanEvent& event) { return event.name == name; });
  };
  const store::WorkRow row = *find_task(journal, "p", "t").value();
  add("task.status_changed", 100);
  add("task.commented", 400);
  add("task.assigned", 60);
  hooks().compute(span, row, journal.now);
  EXPECT_EQ(span.events.size(), 512u);
  EXPECT_EQ(span.dropped_events_count, 48u);
  EXPECT_EQ(count("task.status_changed"), 52);
  EXPECT_EQ(span.events.front().time_ns, 48u);  // the oldest went
  add("task.commented", 100);
  hooks().compute(span, row, journal.now);
  EXPECT_EQ(count("task.status_changed"), 0);
  EXPECT_EQ(count("task.assigned"), 12);
  EXPECT_EQ(count("task.commented"), 500);
  EXPECT_EQ(span.dropped_events_count, 148u);
}

TEST_F(ModelTest, ADescriptionIsWhole) {
  const std::string text(100'000, 'x');
  create("t", "\"description\":\"" + text + "\"");
  EXPECT_EQ(otlp::find_string(stored("t").span.attributes, attr::kTaskDescription), text);
  expect_rebuilds();
}

TEST_F(ModelTest, AChildOfAnEndedParentIsRefusedNamingReopen) {
  create("e");
  ok("task.complete", R"({"id":"e"})");
  const Error error = fails("task.create", R"({"id":"t","title":"t","parent_id":"e"})");
  EXPECT_EQ(error.code, Code::failed_precondition);
  EXPECT_THAT(error.message + error.hint, HasSubstr("reopen"));
}

TEST_F(ModelTest, WhatWasFoundOfDeliverablesGoesWithTheEnd) {
  create("t", R"("deliverables":["a.md",{"type":"test","path":"t.cpp"}])");
  const size_t from = mark();
  const Json done = ok("task.complete",
                       R"({"id":"t","results":[{"path":"a.md","verified":true},
                                               {"path":"t.cpp","verified":false}]})");
  EXPECT_EQ(events_since(from).front(), "task.deliverables_verified");
  EXPECT_THAT(to_string(*done.find("warnings")), HasSubstr("1 of 2 deliverables"));
  EXPECT_EQ(field("t", "status"), "\"done\"");
  EXPECT_EQ(field("t", "deliverables_verified"), "1");
  EXPECT_EQ(field("t", "revision"), "2");
  // Said again it writes nothing.
  EXPECT_FALSE(*ok("task.complete", R"({"id":"t","results":[{"path":"a.md","verified":true}]})")
                    .find("changed")
                    ->as_bool());
  ok("task.undo", R"({"id":"t"})");
  EXPECT_EQ(field("t", "deliverables_verified"), "null");
  EXPECT_EQ(fails("task.complete", R"({"id":"t","results":[{"path":"b","verified":true}]})").code,
            Code::invalid_argument);
  expect_rebuilds();
}

TEST_F(ModelTest, UndoOfAVerificationGivesBackWhatWasFoundBefore) {
  create("t", R"("deliverables":["a.md"])");
  ok("task.verify", R"({"id":"t","results":[{"path":"a.md","verified":true}]})");
  ok("task.verify", R"({"id":"t","results":[{"path":"a.md","verified":false}]})");
  EXPECT_EQ(field("t", "deliverables_verified"), "0");
  ok("task.undo", R"({"id":"t"})");
  EXPECT_EQ(field("t", "deliverables_verified"), "1");
  ok("task.edit", R"({"id":"t","deliverables":["b.md"]})");
  ok("task.undo", R"({"id":"t"})");
  EXPECT_EQ(field("t", "deliverables_verified"), "1");
  expect_rebuilds();
}

TEST_F(ModelTest, AnEventToComeChangesNothingButTheRevision) {
  create("t");
  const auto before = rebuild(journal);
  ASSERT_TRUE(before.ok());
  EXPECT_EQ(before->forwards.size(), 0u);
  store::JournalEvent later = journal.events_written.back();
  otlp::set(later.record.attributes, "revision", otlp::Value(int64_t{2}));
  later.record.event_name = "task.of_tomorrow";
  later.record.body = otlp::Value(R"({"event":"task.of_tomorrow","schema":1,"task_id":"t"})");
  journal.events_written.push_back(later);
  const auto after = rebuild(journal);
  ASSERT_TRUE(after.ok()) << after.error().to_string();
  EXPECT_EQ(after->spans.size(), before->spans.size());
}

}  // namespace
}  // namespace contextcore::work::testing
