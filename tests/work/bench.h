#pragma once
// Commands and questions as tests write them: an operation and JSON text.

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "base/json.h"
#include "base/time.h"
#include "memory_journal.h"
#include "work/execute.h"
#include "work/fold.h"
#include "work/read.h"

namespace contextcore::work::testing {

inline Json parse(std::string_view text) {
  auto parsed = parse_json(text);
  EXPECT_TRUE(parsed.ok()) << text;
  return parsed.ok() ? *parsed : Json();
}

class WorkTest : public ::testing::Test {
 protected:
  MemoryJournal journal;
  Settings settings;
  Actor actor{.actor = "alice",
              .actor_type = "user",
              .agent_id = "",
              .session_id = "",
              .trigger = "manual"};
  std::string project = "p";
  int commands = 0;

  Command command(std::string_view op, std::string_view args) {
    Command out;
    out.op = op;
    out.project = project;
    out.args = parse(args);
    out.actor = actor;
    out.command_id = "command-" + std::to_string(++commands);
    return out;
  }
  void act_as(std::string agent, std::string session) {
    actor = {.actor = "",
             .actor_type = "agent",
             .agent_id = std::move(agent),
             .session_id = std::move(session),
             .trigger = "agent"};
  }
  void pass(int64_t seconds) { journal.now += seconds * kSecondNs; }

  Result<std::string> run(const Command& what) { return execute(journal, what, settings); }
  // The answer of a command that succeeds.
  Json ok(std::string_view op, std::string_view args) { return ok(command(op, args)); }
  Json ok(const Command& what) {
    const auto result = run(what);
    EXPECT_TRUE(result.ok()) << what.op << " " << to_string(what.args) << ": "
                             << (result.ok() ? "" : result.error().to_string());
    return result.ok() ? parse(*result) : Json();
  }
  // The error of a command that fails; nothing may be written.
  Error fails(std::string_view op, std::string_view args) { return fails(command(op, args)); }
  Error fails(const Command& what) {
    const size_t events = journal.events_written.size();
    const auto rows = journal.rows;
    const auto result = run(what);
    EXPECT_FALSE(result.ok()) << what.op << " " << to_string(what.args)
                              << " succeeded: " << (result.ok() ? *result : "");
    EXPECT_EQ(events, journal.events_written.size());
    EXPECT_EQ(rows, journal.rows);
    return result.ok() ? Error{} : result.error();
  }
  Json ask_ok(std::string_view op, std::string_view args) {
    Question question;
    question.op = op;
    question.project = project;
    question.args = parse(args);
    question.actor = actor;
    const auto answer = ask(journal, journal, question);
    EXPECT_TRUE(answer.ok()) << op << " " << args << ": "
                             << (answer.ok() ? "" : answer.error().to_string());
    return answer.ok() ? *answer : Json();
  }
  Json get(std::string_view id) {
    return ask_ok("task.get", "{\"id\":\"" + std::string(id) + "\"}");
  }
  // A field of the task, as JSON text; "null" when absent.
  std::string field(std::string_view id, std::string_view name) {
    const Json task = get(id);
    const Json* value = task.find(name);
    return value ? to_string(*value) : "null";
  }
  void create(std::string_view id, std::string_view more = "") {
    ok("task.create", "{\"id\":\"" + std::string(id) + "\",\"title\":\"" + std::string(id) + "\"" +
                          (more.empty() ? "" : "," + std::string(more)) + "}");
  }
  // Names of the events of one command, in order, with the task when it is not `id`.
  std::vector<std::string> events_since(size_t from) {
    std::vector<std::string> names;
    for (size_t i = from; i < journal.events_written.size(); i++)
      names.push_back(journal.events_written[i].record.event_name);
    return names;
  }
  size_t mark() const { return journal.events_written.size(); }

  // The stored spans are what the log lines alone say.
  void expect_rebuilds() {
    const auto rebuilt = rebuild(journal);
    ASSERT_TRUE(rebuilt.ok()) << rebuilt.error().to_string();
    EXPECT_EQ(rebuilt->spans.size(), journal.spans.size());
    for (const store::JournalSpan& span : rebuilt->spans) {
      const auto stored = journal.spans.find(span.span.span_id);
      ASSERT_NE(stored, journal.spans.end()) << span.span.name;
      EXPECT_EQ(stored->second.revision, span.revision) << span.span.name;
      EXPECT_EQ(stored->second.resource, span.resource) << span.span.name;
      EXPECT_EQ(stored->second.scope, span.scope) << span.span.name;
      EXPECT_TRUE(stored->second.span == span.span) << difference(stored->second.span, span.span);
    }
  }
  static std::string difference(const otlp::Span& a, const otlp::Span& b) {
    std::string out = a.name + ":";
    const auto shown = [](const otlp::KeyValue& kv) { return kv.key; };
    for (size_t i = 0; i < std::max(a.attributes.size(), b.attributes.size()); i++) {
      if (i >= a.attributes.size() || i >= b.attributes.size() ||
          !(a.attributes[i] == b.attributes[i])) {
        out += " " + (i < a.attributes.size() ? shown(a.attributes[i]) : "-") + "/" +
               (i < b.attributes.size() ? shown(b.attributes[i]) : "-");
      }
    }
    if (a.links != b.links) out += " links";
    if (a.start_ns != b.start_ns || a.end_ns != b.end_ns) out += " times";
    if (a.trace_id != b.trace_id || a.parent_span_id != b.parent_span_id) out += " ids";
    if (a.status_code != b.status_code || a.status_message != b.status_message) out += " status";
    return out;
  }
};

}  // namespace contextcore::work::testing
