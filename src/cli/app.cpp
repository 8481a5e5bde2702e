// The command tree.

#include <string_view>

#include "cli/arguments.h"
#include "cli/usage.h"

namespace contextcore::cli {
namespace {

constexpr char kVersion[] = "contextcore 0.1.0";

void add_global_flags(CLI::App& app, GlobalFlags& flags) {
  app.add_option("--store", flags.config.store, "folder of the store");
  app.add_option("--project", flags.config.project, "project");
  app.add_option("--agent", flags.config.agent, "agent that acts");
  app.add_option("--session", flags.config.session, "its session");
  app.add_option("--server", flags.config.server, "address of a server to use");
  app.add_flag("--json", flags.json, "JSON for programs");
  app.set_version_flag("--version", std::string(kVersion));
  app.fallthrough();
}

// `contextcore [--store S] serve …`: our own flags are taken wherever they stand, everything else
// behind the word is the server's. False: another command.
bool take_serve(int argc, const char* const* argv, GlobalFlags& flags,
                std::vector<std::string>& rest) {
  const std::pair<std::string_view, std::string*> own[] = {{"--store", &flags.config.store},
                                                           {"--project", &flags.config.project}};
  bool serving = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    std::string* value = nullptr;
    for (const auto& [name, target] : own) {
      if (word == name) value = target;
      if (word.starts_with(name) && word.substr(name.size()).starts_with('=')) {
        *target = std::string(word.substr(name.size() + 1));
        value = target;
      }
    }
    if (value != nullptr) {
      if (word.find('=') == std::string_view::npos && i + 1 < argc) *value = argv[++i];
    } else if (word == "--json") {
      flags.json = true;
    } else if (serving) {
      rest.emplace_back(word);
    } else if (word == "serve") {
      serving = true;
    } else {
      return false;
    }
  }
  return serving;
}

}  // namespace

int run(int argc, const char* const* argv) {
  Context context;
  context.terminal = detect_terminal();
  std::vector<std::string> server_arguments;
  if (GlobalFlags flags; take_serve(argc, argv, flags, server_arguments)) {
    context.flags = flags;
    return serve(context, server_arguments);
  }
  CLI::App app("Tasks as OpenTelemetry spans: one program for work and telemetry", "contextcore");
  app.require_subcommand(0, 1);
  add_global_flags(app, context.flags);
  set_command_words(argc, argv);
  Action chosen;
  add_task_commands(app, chosen);
  add_sprint_commands(app, chosen);
  add_insight_commands(app, chosen);
  add_query_commands(app, chosen);
  add_metrics_command(app, chosen);
  add_report_commands(app, chosen);
  add_transfer_commands(app, chosen);
  add_admin_commands(app, chosen);
  add_store_commands(app, chosen);
  add_run_commands(app, chosen);
  add_demo_command(app, chosen);
  add_watch_command(app, chosen);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    const CLI::App* deepest = &app;
    while (!deepest->get_subcommands().empty()) deepest = deepest->get_subcommands().front();
    context.print(deepest->help());
    return kDone;
  } catch (const CLI::CallForAllHelp&) {
    context.print(app.help("", CLI::AppFormatMode::All));
    return kDone;
  } catch (const CLI::CallForVersion&) {
    context.print(std::string(kVersion) + "\n");
    return kDone;
  } catch (const CLI::ParseError& error) {
    for (int i = 1; i < argc; ++i)
      context.flags.json = context.flags.json || std::string_view(argv[i]) == "--json";
    return context.fail(usage_error(app, error, argc, argv));
  }
  if (!chosen) return show_overview(context);
  return chosen(context);
}

}  // namespace contextcore::cli
