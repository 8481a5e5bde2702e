#pragma once
// What every command of the command line gets: configuration, the backend, how to print.
//
// cli/ turns words into work::Command and work::Question, and answers into text. It decides nothing
// about work. Start in app.cpp (the command tree), then commands_*.cpp.

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "cli/output.h"
#include "sdk/backend.h"
#include "sdk/config.h"

namespace CLI {
class App;
}

namespace contextcore::cli {

struct GlobalFlags {
  sdk::ConfigFlags config;
  bool json = false;
};

class Context {
 public:
  GlobalFlags flags;
  Terminal terminal;

  // Loads configuration on first use; errors are printed by the caller through finish().
  Result<const sdk::Config*> config();
  Result<sdk::Backend*> backend(bool create = true);
  // Who acts, from the configuration.
  Result<work::Actor> actor();

  // Sends a command with the configured project and actor.
  Result<Json> command(const std::string& op, JsonObject args, const std::string& at = {},
                       std::optional<int64_t> expected_revision = {});
  // shown: the members of listed tasks that are looked at; none: all.
  Result<Json> question(const std::string& op, JsonObject args, std::span<const std::string_view> shown = {});
  // Prints the answer as one line of JSON of that kind.
  Status print_answer(const std::string& op, JsonObject args, std::string_view kind);

  // The whole of a file, or of standard input for "-".
  Result<std::string> read_input(const std::string& path);
  void print(std::string_view text);
  void print_error(std::string_view text);
  // Prints an error in the form asked for and gives its exit code.
  int fail(const Error& error);

 private:
  Result<work::Question> make_question(const std::string& op, JsonObject args);

  std::optional<sdk::Config> config_;
  std::unique_ptr<sdk::Backend> backend_;
  std::string session_;
};

// A command's body; the return value is the exit code.
using Action = std::function<int(Context&)>;

// Each adds its subcommands to the tree; the one that is used stores itself in `chosen`.
void add_task_commands(CLI::App& app, Action& chosen);
void add_sprint_commands(CLI::App& app, Action& chosen);
// Questions, at the top level and below `task`.
void add_view_commands(CLI::App& app, CLI::App& task, Action& chosen);
void add_project_changes(CLI::App& project, Action& chosen);
void add_adopt_command(CLI::App& task, Action& chosen);
void add_insight_commands(CLI::App& app, Action& chosen);
void add_query_commands(CLI::App& app, Action& chosen);
void add_metrics_command(CLI::App& app, Action& chosen);
void add_report_commands(CLI::App& app, Action& chosen);
void add_transfer_commands(CLI::App& app, Action& chosen);
void add_admin_commands(CLI::App& app, Action& chosen);
void add_store_commands(CLI::App& app, Action& chosen);
// run, traceparent, trace task; traces below `task`.
void add_run_commands(CLI::App& app, Action& chosen);
void add_traces_command(CLI::App& task, Action& chosen);
void add_demo_command(CLI::App& app, Action& chosen);
void add_watch_command(CLI::App& app, Action& chosen);
int show_overview(Context& context);
// Becomes the server program; `rest` are its own arguments.
int serve(Context& context, const std::vector<std::string>& rest);

// The whole program.
int run(int argc, const char* const* argv);

}  // namespace contextcore::cli
