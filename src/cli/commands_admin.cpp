// contextcore init, where, config, rebuild, serve.

#include <unistd.h>

#include "base/file_system.h"
#include "base/process.h"
#include "cli/arguments.h"
#include "demo/demo_store.h"
#include "sdk/export_config.h"
#include "store/store.h"
#include "work/hooks.h"

namespace contextcore::cli {
namespace {

int init(Context& context, const Arguments& arguments) {
  auto directory = current_directory();
  if (!directory.ok()) return context.fail(directory.error());
  FileSystem& files = real_file_system();
  const std::string path = join_path(*directory, ".contextcore.toml");
  if (files.exists(path)) {
    return context.fail(
        Error{Code::already_exists, path + " exists", "edit it, or remove it first", {}, {}});
  }
  std::string project = arguments.text_of("project_name");
  if (project.empty()) project = directory->substr(directory->rfind('/') + 1);
  std::string prefix = arguments.text_of("prefix");
  if (prefix.empty()) {
    for (const char c : project) {
      const bool letter =
          (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
      if (letter && prefix.size() < 8) prefix += c;
    }
    if (prefix.empty()) prefix = "task";
  }
  const std::string common = sdk::git_common_directory(files, *directory);
  std::string local_store;
  if (arguments.given("local")) {
    if (common.empty()) {
      return context.fail(Error{Code::failed_precondition,
                                "--local needs a git repository: there is none at " + *directory,
                                "run git init first, or leave --local out",
                                {},
                                {}});
    }
    local_store = join_path(common, "contextcore");
    store::StoreOptions options;
    options.path = local_store;
    options.hooks = work::hooks();
    auto made = store::Store::open(std::move(options));
    if (!made.ok()) return context.fail(made.error());
    if (auto closed = (*made)->close(); !closed.ok()) return context.fail(closed.error());
  }
  if (auto written = files.write_file_atomically(path, sdk::project_file_text(project, prefix, ""));
      !written.ok()) {
    return context.fail(written.error());
  }
  if (context.flags.json) {
    JsonObject out{{"file", path}, {"project", project}, {"prefix", prefix}};
    if (!local_store.empty()) out.emplace_back("store", local_store);
    context.print(json_line("init", out));
  } else {
    context.print("Wrote " + path + ": project " + project + ", task ids " + prefix + "-….\n");
    if (!local_store.empty()) context.print("Made the store " + local_store + ".\n");
    context.print("Next: contextcore task create \"First task\"\n");
  }
  return kDone;
}

int where(Context& context, const Arguments&) {
  auto config = context.config();
  if (!config.ok()) return context.fail(config.error());
  const sdk::Setting& store = (*config)->setting("store");
  const sdk::Setting& project = (*config)->setting("project");
  FileSystem& files = real_file_system();
  const bool exists = files.exists(join_path(store.value, "CURRENT"));
  auto server = store::find_server(files, real_clock(), store.value);
  std::string serving;
  if (server.ok() && *server)
    serving = (*server)->address + " (pid " + std::to_string((*server)->pid) + ")";
  if (context.flags.json) {
    JsonObject out{{"store", store.value},
                   {"store_origin", store.origin},
                   {"store_exists", exists},
                   {"demo", demo::is_demo_store(files, store.value)},
                   {"project", project.value},
                   {"project_origin", project.origin},
                   {"project_file", (*config)->project_file}};
    out.emplace_back("server", serving.empty() ? Json() : Json(serving));
    context.print(json_line("where", out));
    return kDone;
  }
  context.print("store    " + store.value + (exists ? "" : "  (not made yet)") +
                (demo::is_demo_store(files, store.value) ? "  (DEMO: nothing in it is real)" : "") +
                "\n");
  context.print("         from " + store.origin + "\n");
  if (project.value.empty()) {
    context.print("project  not set: run `contextcore init`, or give --project\n");
  } else {
    context.print("project  " + project.value + "\n         from " + project.origin + "\n");
  }
  context.print("server   " +
                (serving.empty() ? "none; commands open the store themselves" : serving) + "\n");
  return kDone;
}

int show_config(Context& context, const Arguments&) {
  auto config = context.config();
  if (!config.ok()) return context.fail(config.error());
  if (context.flags.json) {
    JsonArray items;
    for (const sdk::Setting& setting : (*config)->settings) {
      items.push_back(JsonObject{{"name", setting.name},
                                 {"value", sdk::shown_setting(setting)},
                                 {"origin", setting.origin},
                                 {"environment", setting.environment},
                                 {"brief", setting.brief}});
    }
    context.print(json_line("config", JsonObject{{"items", std::move(items)}}));
    return kDone;
  }
  Table table({"SETTING", "VALUE", "FROM", "VARIABLE", "WHAT"});
  for (const sdk::Setting& setting : (*config)->settings) {
    table.row({setting.name, sdk::shown_setting(setting), setting.origin, setting.environment,
               setting.brief});
  }
  context.print(table.render(context.terminal));
  return kDone;
}

int rebuild(Context& context, const Arguments&) {
  auto backend = context.backend(false);
  if (!backend.ok()) return context.fail(backend.error());
  auto answer = (*backend)->rebuild();
  if (!answer.ok()) return context.fail(answer.error());
  if (context.flags.json) {
    context.print(json_line("rebuild", *answer));
    return kDone;
  }
  const Json* spans = answer->find("spans");
  const Json* changed = answer->find("changed");
  context.print("Rebuilt " + (spans ? to_string(*spans) : "all") + " spans from the log; " +
                (changed ? to_string(*changed) : "0") + " differed.\n");
  return kDone;
}

// The server program lies in libexec beside bin; $CONTEXTCORE_SERVER_PROGRAM overrides.
std::string server_program() {
  if (auto given = environment("CONTEXTCORE_SERVER_PROGRAM")) return *given;
  return parent_path(executable_directory()) + "/libexec/contextcore-server";
}

}  // namespace

int serve(Context& context, const std::vector<std::string>& rest) {
  auto config = context.config();
  if (!config.ok()) return context.fail(config.error());
  std::vector<std::string> arguments{"--store", (*config)->get("store"), "--durability",
                                     (*config)->get("durability")};
  if (context.flags.json) arguments.push_back("--json");
  arguments.insert(arguments.end(), rest.begin(), rest.end());
  auto failed = exec_program(server_program(), arguments);
  return context.fail(failed.error());
}

void add_admin_commands(CLI::App& app, Action& chosen) {
  add_command(
      app, "init", "Write .contextcore.toml: which project this folder's work belongs to", chosen,
      [](Arguments& a) {
        a.positional("project_name", "project (default: the folder's name)", false)
            .text("--prefix", "prefix", "what made-up task ids start with")
            .flag("--local", "local",
                  "keep the store inside git's common directory (for sandboxes)");
      },
      init);
  add_command(
      app, "where", "Which store, project and server are used, and why", chosen, [](Arguments&) {},
      where);
  add_command(
      app, "config", "Effective settings with their origin", chosen, [](Arguments&) {},
      show_config);
  add_command(
      app, "rebuild", "Write every span anew from the log lines", chosen, [](Arguments&) {},
      rebuild);
  // Its own words are the server program's: run() hands them over before anything is parsed here.
  app.add_subcommand("serve", "Serve this store: OTLP, Tempo, Loki and work APIs, and the page");
}

}  // namespace contextcore::cli
