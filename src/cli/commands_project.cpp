// contextcore project delete and task adopt: commands made of what a question found.

#include <algorithm>

#include "base/time.h"
#include "cli/arguments.h"
#include "cli/task_view.h"

namespace contextcore::cli {
namespace {

constexpr int64_t kEveryTask = 1'000'000;
constexpr size_t kBatchMax = 10'000;  // commands of one transaction

// Children before their parents.
JsonArray delete_commands(const Json& tree, const std::string& project) {
  JsonArray commands;
  for (const Json& task : items_of(tree)) {
    commands.push_back(JsonObject{
        {"op", "task.delete"},
        {"project", project},
        {"args", JsonObject{{"id", text_of(task, "id")}, {"reason", "project deleted"}}}});
  }
  std::reverse(commands.begin(), commands.end());
  return commands;
}

int delete_project(Context& context, const Arguments& arguments) {
  const std::string project = arguments.text_of("project_name");
  auto tree = context.question("task.tree", {{"project", project}, {"limit", kEveryTask}});
  if (!tree.ok()) return context.fail(tree.error());
  const JsonArray commands = delete_commands(*tree, project);
  if (commands.empty()) {
    return context.fail(Error{Code::not_found,
                              "project " + project + " has no tasks",
                              "contextcore project list shows the projects",
                              {},
                              {}});
  }
  const std::string count = std::to_string(commands.size());
  if (!arguments.given("yes")) {
    return context.fail(
        Error{Code::failed_precondition,
              "project " + project + " has " + count + " tasks; nothing was deleted",
              "say --yes to delete them (their history stays in the log)",
              {},
              {}});
  }
  for (size_t at = 0; at < commands.size(); at += kBatchMax) {
    const auto first = commands.begin() + static_cast<ptrdiff_t>(at);
    const auto last =
        commands.begin() + static_cast<ptrdiff_t>(std::min(commands.size(), at + kBatchMax));
    auto answer = context.command("batch", {{"commands", JsonArray(first, last)}});
    if (!answer.ok()) return context.fail(answer.error());
  }
  if (context.flags.json) {
    context.print(json_line(
        "project_deleted",
        JsonObject{{"project", project}, {"deleted", static_cast<int64_t>(commands.size())}}));
  } else {
    context.print("Deleted " + count + " tasks of " + project + ".\n");
  }
  return kDone;
}

// The one span that was meant.
Result<Json> foreign_span(Context& context, const std::string& id) {
  CC_ASSIGN(const Json found, context.question("task.foreign", {{"id", id}, {"limit", 6}}));
  const JsonArray& items = items_of(found);
  if (items.empty()) {
    return Error{Code::not_found,
                 "no received span of task \"" + id + "\"",
                 "contextcore list --foreign shows what was received",
                 {},
                 {}};
  }
  if (items.size() > 1) {
    Error error{Code::invalid_argument,
                std::to_string(items.size()) + " received spans are of task \"" + id + "\"",
                "say which one by its span id",
                {},
                {}};
    for (const Json& item : items) error.candidates.push_back(text_of(item, "span_id"));
    return error;
  }
  return items.front();
}

void copy_text(const Json& from, std::string_view name, JsonObject& to) {
  if (const std::string value = text_of(from, name); !value.empty()) to.emplace_back(name, value);
}

// The task as it was when the span began, and then what became of it.
JsonArray adopt_commands(const Json& span, const std::string& project) {
  const std::string id = text_of(span, "id"), status = text_of(span, "status");
  const bool ended = status == "done" || status == "failed" || status == "cancelled";
  JsonObject args{{"id", id}};
  const std::string title = text_of(span, "title");
  args.emplace_back("title", title.empty() ? id : title);
  copy_text(span, "type", args);
  if (!status.empty() && !ended && status != "blocked") args.emplace_back("status", status);
  args.emplace_back("source",
                    "span " + text_of(span, "span_id") + " of " + text_of(span, "service"));
  args.emplace_back("source_time", text_of(span, "end"));
  JsonArray commands{JsonObject{{"op", "task.import"},
                                {"project", project},
                                {"args", std::move(args)},
                                {"time", text_of(span, "start")}}};
  if (ended || status == "blocked") {
    commands.push_back(JsonObject{{"op", "task.status"},
                                  {"project", project},
                                  {"args", JsonObject{{"id", id}, {"status", status}}},
                                  {"time", text_of(span, "end")}});
  }
  return commands;
}

int adopt(Context& context, const Arguments& arguments) {
  auto span = foreign_span(context, arguments.text_of("id"));
  if (!span.ok()) return context.fail(span.error());
  std::string project = text_of(*span, "project");
  if (project.empty()) {
    auto config = context.config();
    if (!config.ok()) return context.fail(config.error());
    project = (*config)->get("project");
  }
  auto answer = context.command("batch", {{"commands", adopt_commands(*span, project)}});
  if (!answer.ok()) return context.fail(answer.error());
  auto task = context.question("task.get", {{"id", text_of(*span, "id")}});
  if (!task.ok()) return context.fail(task.error());
  const Json result(JsonObject{{"changed", true}, {"task", std::move(*task)}});
  context.print(context.flags.json ? json_line("task_result", result)
                                   : task_change_text("task.import", result, context.terminal));
  return kDone;
}

}  // namespace

void add_project_changes(CLI::App& project, Action& chosen) {
  add_command(
      project, "delete", "Delete every task of a project", chosen,
      [](Arguments& a) {
        a.positional("project_name", "the project").flag("--yes,-y", "yes", "do it");
      },
      delete_project);
}

void add_adopt_command(CLI::App& task, Action& chosen) {
  add_command(
      task, "adopt", "Make a received span that looks like a task a task of ours", chosen,
      [](Arguments& a) { a.id("task id, or id of the span (list --foreign)"); }, adopt);
}

}  // namespace contextcore::cli
