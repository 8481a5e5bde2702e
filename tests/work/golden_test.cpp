// Golden event lines: tests/work/data/*.txt. A file holds commands (lines that start with '>', JSON
// as in command.h; `> pass N` lets N seconds go by) and below each the events that it writes: name,
// task or insight, revision.ordinal, severity, line. An error is one line `! code message`.
// UPDATE_GOLDEN=1 writes the files anew; read the difference.

#include <cstdlib>
#include <filesystem>
#include <fstream>
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
    if (entry.path().extension() != ".txt") continue;
    SCOPED_TRACE(entry.path().string());
    files++;
    std::ifstream file(entry.path());
    std::stringstream text;
    text << file.rdbuf();
    journal = MemoryJournal();
    commands = 0;
    const std::string got = run_file(text.str());
    if (std::getenv("UPDATE_GOLDEN")) {
      std::ofstream(entry.path()) << got;
    } else {
      EXPECT_EQ(got, text.str());
    }
  }
  EXPECT_GE(files, 3);
}

}  // namespace
}  // namespace contextcore::work::testing
