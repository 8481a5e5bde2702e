// Golden event lines: tests/work/data/*.txt. A file holds commands (lines that start with '>', JSON
// as in command.h; `> pass N` lets N seconds go by) and below each the events that it writes: name,
// task or insight, revision.ordinal, severity, line. An error is one line `! code message`.
// `> mode M` sets the emit mode.
// UPDATE_GOLDEN=1 writes the files anew; read the difference.

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "bench.h"

namespace contextcore::work::testing {
namespace {

class GoldenTest : public WorkTest {
 protected:
  std::string run_file(const std::string& text) {
    std::istringstream in(text);
    std::string out, line;
    while (std::getline(in, line)) {
      if (line.starts_with("#")) out += line + "\n";
      if (!line.starts_with("> ")) continue;
      out += (out.empty() || out.ends_with("\n\n") ? "" : "\n") + line + "\n";
      if (line.starts_with("> pass ")) {
        pass(std::stoll(line.substr(7)));
        continue;
      }
      if (line.starts_with("> mode ")) {
        settings.emit_mode = line.substr(7);
        continue;
      }
      auto what = command_from_json(parse(line.substr(2)));
      if (!what.ok()) {
        out += "! " + what.error().to_string() + "\n";
        continue;
      }
      if (what->project.empty()) what->project = "checkout";
      what->vocabulary.types = {"chore"};
      what->vocabulary.statuses = {{"qa", "in_review"}};
      if (what->actor.actor.empty() && what->actor.agent_id.empty()) what->actor.actor = "alice";
      what->command_id = "c" + std::to_string(++commands);
      const size_t from = mark();
      const auto result = run(*what);
      if (!result.ok())
        out += "! " + std::string(code_name(result.error().code)) + " " + result.error().message +
               "\n";
      for (size_t i = from; i < mark(); i++) out += render(journal.events_written[i].record);
    }
    return out;
  }
  static std::string render(const otlp::LogRecord& record) {
    const auto number = [&](std::string_view key) {
      return std::to_string(*otlp::find(record.attributes, key)->as_int());
    };
    return number("revision") + "." + number("event_seq") + " " + record.severity_text + " " +
           *record.body.as_string() + "\n";
  }
};

TEST_F(GoldenTest, EventLines) {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(CONTEXTCORE_TEST_DATA)) {
    if (entry.path().extension() != ".txt" || entry.path().filename() == "rules.txt") continue;
    SCOPED_TRACE(entry.path().string());
    files++;
    std::ifstream file(entry.path());
    std::stringstream text;
    text << file.rdbuf();
    journal = MemoryJournal();
    commands = 0;
    settings = Settings();
    const std::string got = run_file(text.str());
    if (std::getenv("UPDATE_GOLDEN")) {
      std::ofstream(entry.path()) << got;
    } else {
      EXPECT_EQ(got, text.str());
    }
  }
  EXPECT_GE(files, 3);
}

// Events that are written by none of the work model's commands so far.
bool is_of_agents(std::string_view event) {
  return event.starts_with("handoff.") || event.starts_with("guidance.") ||
         event.starts_with("agent.session");
}

// "- { id: task.created, …, fields: [status, …] }" of the registry → event, fields.
std::map<std::string, std::vector<std::string>> registered_events() {
  std::ifstream file(CONTEXTCORE_SOURCE_DIR "/semconv/events.yaml");
  std::map<std::string, std::vector<std::string>> events;
  std::string line;
  while (std::getline(file, line) && line != "events:") continue;
  while (std::getline(file, line)) {
    static constexpr std::string_view kId = "- { id: ", kFields = "fields: [";
    const size_t id = line.find(kId);
    if (id == std::string::npos) continue;
    const size_t name = id + kId.size();
    std::vector<std::string>& fields = events[line.substr(name, line.find(',', name) - name)];
    const size_t list = line.find(kFields);
    if (list == std::string::npos) continue;
    std::istringstream words(
        line.substr(list + kFields.size(), line.find(']', list) - list - kFields.size()));
    std::string field;
    while (std::getline(words >> std::ws, field, ',')) fields.push_back(field);
  }
  return events;
}

// A new event or field in the registry needs a golden line that shows it.
TEST_F(GoldenTest, EveryEventAndFieldOfTheRegistryHasALine) {
  std::map<std::string, std::set<std::string>> shown;
  for (const auto& entry : std::filesystem::directory_iterator(CONTEXTCORE_TEST_DATA)) {
    std::ifstream file(entry.path());
    std::string line;
    while (std::getline(file, line)) {
      const size_t json = line.find(" {\"event\":");
      if (json == std::string::npos || line.starts_with(">")) continue;
      const Json event = parse(line.substr(json + 1));
      for (const auto& [name, value] : *event.as_object())
        shown[std::string(event.string_or("event"))].insert(name);
    }
  }
  const auto events = registered_events();
  EXPECT_GT(events.size(), 30u);
  for (const auto& [event, fields] : events) {
    if (is_of_agents(event)) continue;
    EXPECT_TRUE(shown.contains(event)) << event;
    for (const std::string& field : fields)
      EXPECT_TRUE(shown[event].contains(field)) << event << " " << field;
  }
}

}  // namespace
}  // namespace contextcore::work::testing
