// Work commands: JSON lines as they come over HTTP, run one after the other against a small state
// in memory. Nothing may crash; an error writes nothing; what was written folds to what is stored.
// Only so many lines of an input are run: many small inputs find more than few large ones.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "../tests/work/memory_journal.h"
#include "work/execute.h"
#include "work/fold.h"
#include "work/read.h"

namespace {

using contextcore::work::testing::MemoryJournal;

constexpr int kLinesMax = 8;
constexpr size_t kLineBytesMax = 1024;

[[noreturn]] void fail(std::string_view what, std::string_view text) {
  std::fprintf(stderr, "%.*s\n  %.*s\n", static_cast<int>(what.size()), what.data(),
               static_cast<int>(text.size()), text.data());
  std::abort();
}

void run_line(MemoryJournal& journal, std::string_view line) {
  using namespace contextcore;
  const auto json = parse_json(line);
  if (!json.ok()) return;
  if (const auto question = work::question_from_json(*json); question.ok()) {
    const auto answer = work::ask(journal, journal, *question);
    if (!answer.ok() && answer.error().code == Code::corruption)
      fail("a question found corruption", line);
  }
  const auto command = work::command_from_json(*json);
  if (!command.ok()) return;
  const size_t events = journal.events_written.size();
  const auto result = work::execute(journal, *command, work::Settings{});
  if (result.ok()) {
    if (!parse_json(*result).ok()) fail("the answer is not JSON", *result);
    return;
  }
  if (events != journal.events_written.size()) fail("an error wrote something", line);
  const Code code = result.error().code;
  if (code == Code::corruption || code == Code::internal) fail(result.error().message, line);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  MemoryJournal journal;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  for (int lines = 0; !text.empty() && lines < kLinesMax; ++lines) {
    const size_t end = std::min(text.find('\n'), text.size());
    if (end <= kLineBytesMax) run_line(journal, text.substr(0, end));
    journal.now += 7'000'000'000;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  const auto rebuilt = contextcore::work::rebuild(journal);
  if (!rebuilt.ok()) fail("the log does not fold: " + rebuilt.error().message, "");
  if (rebuilt->spans.size() != journal.spans.size())
    fail("the fold has another number of spans", "");
  for (const auto& span : rebuilt->spans) {
    const auto stored = journal.spans.find(span.span.span_id);
    if (stored == journal.spans.end() || !(stored->second.span == span.span) ||
        stored->second.revision != span.revision) {
      fail("the fold differs from the stored span", span.span.name);
    }
  }
  return 0;
}
