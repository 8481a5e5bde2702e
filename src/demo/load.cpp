#include "demo/load.h"

#include "base/hash.h"
#include "demo/commands.h"

namespace contextcore::demo {
namespace {

// Larger transactions save little more, and each is planned as a whole.
constexpr size_t kBatchCommands = 100;

std::string command_id(const DemoOptions& options, uint32_t project, size_t place) {
  const std::string text = "contextcore.demo " + std::to_string(options.seed) + " " +
                           std::to_string(options.months) + " " + std::to_string(options.tasks) +
                           " " + std::to_string(options.until_ns) + " " + std::to_string(project) +
                           " " + std::to_string(place);
  const auto digest = sha256(text);
  return to_hex(std::string_view(reinterpret_cast<const char*>(digest.data()), 16));
}

void count(const Step& step, LoadReport& report) {
  if (step.kind == StepKind::create) ++report.tasks;
  if (step.kind == StepKind::sprint_start) ++report.sprints;
  if (step.kind == StepKind::insight) ++report.insights;
}

}  // namespace

Result<LoadReport> load(sdk::Backend& backend, const DemoOptions& options,
                        const Progress& progress) {
  LoadReport report;
  for (uint32_t number = 0; number < options.projects; ++number) {
    const History history = plan_history(options, number);
    ++report.projects;
    for (size_t at = 0; at < history.steps.size();) {
      work::Command command;
      command.op = "batch";
      command.project = history.project;
      command.command_id = command_id(options, number, at);
      command.actor.actor = "demo";
      command.actor.actor_type = "system";
      JsonArray commands;
      while (at < history.steps.size() && commands.size() < kBatchCommands) {
        const Step& step = history.steps[at++];
        append_commands(history, step, commands);
        count(step, report);
      }
      report.commands += static_cast<int64_t>(commands.size());
      command.args = JsonObject{{"commands", std::move(commands)}};
      CC_TRY(backend.command(std::move(command)).status());
      const double done = static_cast<double>(at) / static_cast<double>(history.steps.size());
      progress((number + done) / static_cast<double>(options.projects), report);
    }
  }
  return report;
}

}  // namespace contextcore::demo
