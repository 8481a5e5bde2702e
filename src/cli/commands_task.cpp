// contextcore task …: what changes tasks. Questions: commands_views.cpp.

#include "cli/arguments.h"
#include "cli/task_commands.h"
#include "cli/task_view.h"

namespace contextcore::cli {

int run_task_command(Context& context, const Arguments& arguments, const std::string& op) {
  auto args = arguments.object();
  if (!args.ok()) return context.fail(args.error());
  return run_task_command(context, arguments, op, std::move(*args));
}

int run_task_command(Context& context, const Arguments& arguments, const std::string& op,
                     JsonObject given) {
  Result<JsonObject> args = std::move(given);
  std::optional<int64_t> expected;
  for (size_t i = 0; i < args->size(); ++i) {
    if ((*args)[i].first != "expected_revision") continue;
    expected = *(*args)[i].second.as_int();
    args->erase(args->begin() + static_cast<ptrdiff_t>(i));
    break;
  }
  // Ids are read as people type them: a unique prefix will do.
  if (op != "task.create") args->emplace_back("resolve", true);
  if (op == "task.create" && !arguments.given("id")) {
    auto config = context.config();
    if (!config.ok()) return context.fail(config.error());
    args->emplace_back("id_prefix", (*config)->get("prefix"));
  }
  auto answer = context.command(op, std::move(*args), arguments.at(), expected);
  if (!answer.ok()) return context.fail(answer.error());
  if (context.flags.json) {
    context.print(json_line("task_result", *answer));
  } else {
    context.print(task_change_text(op, *answer, context.terminal));
  }
  return kDone;
}

void add_simple(CLI::App& task, Action& chosen, const std::string& name, const std::string& op,
                const std::string& help, const std::function<void(Arguments&)>& describe,
                const std::vector<std::string>& aliases) {
  add_command(
      task, name, help, chosen,
      [&](Arguments& arguments) {
        describe(arguments);
        arguments.backdating().integer("--expect-revision", "expected_revision",
                                       "conflict unless the task is at this revision");
      },
      [op](Context& context, const Arguments& arguments) {
        return run_task_command(context, arguments, op);
      },
      aliases);
}

namespace {

void task_fields(Arguments& arguments) {
  arguments.text("--type,-t", "type", "epic story task subtask bug spike incident")
      .text("--priority,-p", "priority", "critical high medium low")
      .text("--assignee,-a", "assignee", "who works on it")
      .integer("--points", "story_points", "story points")
      .integer("--estimate", "estimate_minutes", "estimate in minutes")
      .list("--label,-l", "labels", "label (repeat for more)")
      .text("--parent", "parent_id", "id of the parent task")
      .list("--depends-on", "depends_on", "id of a task that must be done first (repeat for more)")
      .text("--url", "url", "where it is tracked elsewhere")
      .text("--due", "due_date", "due date, RFC 3339 or YYYY-MM-DD")
      .text("--defer-until", "defer_until", "not ready before this date")
      .text("--sprint", "sprint_id", "sprint id")
      .text("--description,-d", "description", "description")
      .list("--accept", "acceptance_criteria", "acceptance criterion (repeat for more)")
      .list("--deliverable", "deliverables", "path of something to deliver (repeat for more)")
      .pairs("--attribute", "attributes", "key=value, kept on the span (repeat for more)");
}

void add_changes(CLI::App& task, Action& chosen) {
  add_simple(task, chosen, "create", "task.create", "Create a task (in todo) and its span",
             [](Arguments& a) {
               a.positional("title", "what is to be done")
                   .text("--id", "id", "task id; made up when left out")
                   .text("--status", "status", "backlog or todo (the default), or a later one");
               task_fields(a);
             },
             {"add"});
  add_simple(task, chosen, "start", "task.start",
             "Move a task to in_progress; with --title an unknown id is created in todo",
             [](Arguments& a) {
               a.id().text("--title", "title", "title of a task to create");
               task_fields(a);
             });
  add_simple(task, chosen, "status", "task.status", "Set the status",
             [](Arguments& a) {
               a.id()
                   .positional("status",
                               "backlog todo in_progress in_review blocked done failed cancelled")
                   .text("--reason", "reason", "why")
                   .integer("--token", "token", "token of the claim");
             },
             {"update"});
  add_simple(task, chosen, "block", "task.block", "Say that something external stops the task",
             [](Arguments& a) {
               a.id()
                   .text("--reason,-r", "reason", "what stops it")
                   .list("--by", "by",
                         "id of a blocking task; it also becomes a dependency (repeat for more)")
                   .integer("--token", "token", "token of the claim");
             });
  add_simple(
      task, chosen, "unblock", "task.unblock", "Back to work after a block", [](Arguments& a) {
        a.id()
            .text("--status", "status", "status to return to (default: the one before the block)")
            .text("--resolution", "resolution", "what solved it");
      });
  add_simple(task, chosen, "complete", "task.complete", "Done: ends the span with OK",
             [](Arguments& a) {
               a.id()
                   .text("--outcome,-o", "outcome", "what came of it")
                   .integer("--token", "token", "token of the claim");
             },
             {"done"});
  add_simple(task, chosen, "fail", "task.fail", "Failed: ends the span with ERROR",
             [](Arguments& a) {
               a.id()
                   .text("--reason,-r", "reason", "why")
                   .text("--error-type", "error_type", "error.type")
                   .text("--outcome,-o", "outcome", "what is left of it")
                   .integer("--token", "token", "token of the claim");
             });
  add_simple(task, chosen, "cancel", "task.cancel", "Not to be done: ends the span",
             [](Arguments& a) { a.id().text("--reason,-r", "reason", "why"); });
}

void add_relations(CLI::App& task, Action& chosen) {
  add_simple(task, chosen, "comment", "task.comment", "Add a comment", [](Arguments& a) {
    a.id()
        .positional("text", "the comment")
        .text("--author", "author", "author (default: who acts)");
  });
  add_simple(task, chosen, "progress", "task.progress",
             "Set percent complete of a task without children",
             [](Arguments& a) { a.id().integer("percent,--percent", "percent", "0 to 100"); });
  add_simple(task, chosen, "assign", "task.assign", "Assign to somebody (\"\" for nobody)",
             [](Arguments& a) { a.id().positional("assignee", "who"); });
  add_simple(task, chosen, "parent", "task.parent",
             "Move a task with all below it under another parent (\"\" for none)",
             [](Arguments& a) { a.id().positional("parent_id", "id of the parent"); },
             {"reparent"});
  add_simple(task, chosen, "depend", "task.depend", "ID depends on another task", [](Arguments& a) {
    a.id()
        .positional("on", "id of the task that must be done first")
        .text("--when", "when", "done (default), ended or failed")
        .text("--target-project", "target_project_id", "project of that task");
  });
  add_simple(task, chosen, "undepend", "task.undepend", "Remove a dependency", [](Arguments& a) {
    a.id()
        .positional("on", "id of the task depended on")
        .text("--target-project", "target_project_id", "project of that task");
  });
}

void add_claims(CLI::App& task, Action& chosen) {
  add_simple(task, chosen, "claim", "task.claim",
             "Take a task; exactly one of many racers gets it. Prints the token", [](Arguments& a) {
               a.id()
                   .seconds("--lease", "lease_seconds",
                            "how long without a heartbeat (default 15m)")
                   .flag("--steal", "steal", "take it from its holder");
             });
  add_simple(task, chosen, "heartbeat", "task.heartbeat", "Renew a claim's lease",
             [](Arguments& a) {
               a.id()
                   .integer("--token", "token", "token of the claim")
                   .seconds("--lease", "lease_seconds", "how long from now");
             });
  add_simple(task, chosen, "release", "task.release", "Give a claim back", [](Arguments& a) {
    a.id().integer("--token", "token", "token of the claim").text("--reason", "reason", "why");
  });
}

}  // namespace

void add_task_commands(CLI::App& app, Action& chosen) {
  CLI::App* task = app.add_subcommand("task", "Tasks: create, change, claim, look at");
  task->require_subcommand(1);
  add_changes(*task, chosen);
  add_relations(*task, chosen);
  add_claims(*task, chosen);
  add_change_commands(*task, chosen);
  add_view_commands(app, *task, chosen);
  add_traces_command(*task, chosen);
}

}  // namespace contextcore::cli
