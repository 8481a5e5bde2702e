// contextcore task …, and ready, why, claim at the top level.

#include "base/clock.h"
#include "base/time.h"
#include "cli/arguments.h"
#include "cli/task_view.h"
#include "cli/waterfall.h"

namespace contextcore::cli {
namespace {

using Describe = std::function<void(Arguments&)>;

// Sends `op` with what was given and prints the task as it is now.
int run_command(Context& context, const Arguments& arguments, const std::string& op) {
  auto args = arguments.object();
  if (!args.ok()) return context.fail(args.error());
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
                const std::string& help, const Describe& describe,
                const std::vector<std::string>& aliases = {}) {
  add_command(
      task, name, help, chosen,
      [&](Arguments& arguments) {
        describe(arguments);
        arguments.backdating().integer("--expect-revision", "expected_revision",
                                       "conflict unless the task is at this revision");
      },
      [op](Context& context, const Arguments& arguments) {
        return run_command(context, arguments, op);
      },
      aliases);
}

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
                   .integer("--token", "token", "token of the claim");
             });
  add_simple(task, chosen, "cancel", "task.cancel", "Not to be done: ends the span",
             [](Arguments& a) { a.id().text("--reason,-r", "reason", "why"); });
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
  add_simple(task, chosen, "parent", "task.parent", "Set the parent (\"\" for none)",
             [](Arguments& a) { a.id().positional("parent_id", "id of the parent"); });
  add_simple(task, chosen, "depend", "task.depend", "ID depends on another task", [](Arguments& a) {
    a.id()
        .positional("on", "id of the task that must be done first")
        .text("--when", "when", "done (default), ended or failed");
  });
  add_simple(task, chosen, "undepend", "task.undepend", "Remove a dependency",
             [](Arguments& a) { a.id().positional("on", "id of the task depended on"); });
  add_simple(
      task, chosen, "link", "task.link", "Link to another task or to a trace", [](Arguments& a) {
        a.id()
            .positional("type",
                        "relates_to duplicates supersedes discovered_from caused_by continues")
            .text("--task", "target_task_id", "id of the other task")
            .text("--target-project", "target_project_id", "its project")
            .text("--trace", "target_trace_id", "trace id")
            .text("--span", "target_span_id", "span id");
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

int list_tasks(Context& context, const Arguments& arguments, const std::string& op) {
  auto args = arguments.object();
  if (!args.ok()) return context.fail(args.error());
  auto answer = context.question(op, std::move(*args));
  if (!answer.ok()) return context.fail(answer.error());
  if (context.flags.json) {
    context.print(json_line(op == "task.ready" ? "ready" : "task_list", *answer));
  } else {
    context.print(task_list_text(*answer, context.terminal, real_clock().wall_ns()));
  }
  return kDone;
}

int claim_ready(Context& context, const Arguments& arguments) {
  auto args = arguments.object();
  if (!args.ok()) return context.fail(args.error());
  std::erase_if(*args, [](const auto& member) {
    return member.first == "claim" || member.first == "limit" || member.first == "assignee";
  });
  auto answer = context.command("task.claim_ready", std::move(*args));
  if (!answer.ok()) return context.fail(answer.error());
  const Json* task = answer->find("task");
  const bool nothing = task == nullptr || task->is_null();
  if (context.flags.json) {
    context.print(json_line("task_result", *answer));
  } else if (nothing) {
    context.print("Nothing is ready.\n");
  } else {
    context.print(task_change_text("task.claim", *answer, context.terminal));
  }
  return nothing ? kNothing : kDone;
}

int show_task(Context& context, const Arguments& arguments) {
  auto answer = context.question(
      "task.get", {{"id", arguments.text_of("id")}, {"events", true}, {"comments", true}});
  if (!answer.ok()) return context.fail(answer.error());
  if (context.flags.json) {
    context.print(json_line("task", *answer));
    return kDone;
  }
  context.print(task_details_text(*answer, context.terminal, real_clock().wall_ns()));
  if (!arguments.given("trace")) return kDone;
  const Json* task = answer->find("task") != nullptr ? answer->find("task") : &*answer;
  otlp::TraceId id;
  if (!otlp::parse_hex(task->string_or("trace_id"), id)) return kDone;
  auto backend = context.backend(false);
  if (!backend.ok()) return context.fail(backend.error());
  auto trace = (*backend)->trace(id);
  if (!trace.ok()) return context.fail(trace.error());
  if (*trace)
    context.print("\n" + render_waterfall(**trace, context.terminal, real_clock().wall_ns()));
  return kDone;
}

int why(Context& context, const Arguments& arguments) {
  auto answer = context.question("task.why", {{"id", arguments.text_of("id")}});
  if (!answer.ok()) return context.fail(answer.error());
  context.print(context.flags.json ? json_line("why", *answer)
                                   : why_text(*answer, context.terminal));
  return kDone;
}

void describe_ready(Arguments& a) {
  a.text("--type,-t", "type", "only this type")
      .text("--priority,-p", "priority", "only this priority")
      .text("--label,-l", "label", "only with this label")
      .flag("--backlog", "include_backlog", "also tasks in backlog")
      .text("--assignee,-a", "assignee", "who asks (default: who acts)")
      .integer("--limit,-n", "limit", "at most this many")
      .flag("--claim", "claim", "claim the first one (exit code 7 when nothing is ready)")
      .seconds("--lease", "lease_seconds", "with --claim: how long without a heartbeat");
}

void describe_list(Arguments& a) {
  a.list("--status,-s", "status", "only this status (repeat for more)")
      .text("--type,-t", "type", "only this type")
      .text("--assignee,-a", "assignee", "only of this assignee")
      .text("--label,-l", "label", "only with this label")
      .text("--parent", "parent", "only children of this task")
      .flag("--open", "open", "only tasks that are not ended")
      .flag("--all-projects", "all_projects", "of every project")
      .integer("--limit,-n", "limit", "at most this many");
}

}  // namespace

void add_task_commands(CLI::App& app, Action& chosen) {
  CLI::App* task = app.add_subcommand("task", "Tasks: create, change, claim, look at");
  task->require_subcommand(1);
  add_changes(*task, chosen);
  add_claims(*task, chosen);
  const auto list = [](Context& c, const Arguments& a) { return list_tasks(c, a, "task.list"); };
  add_command(*task, "list", "List tasks", chosen, describe_list, list, {"ls"});
  const auto describe_show = [](Arguments& a) {
    a.id().flag("--trace", "trace", "with the waterfall of its trace");
  };
  add_command(*task, "show", "Show one task with its history", chosen, describe_show, show_task);
  const auto ready = [](Context& c, const Arguments& a) {
    return a.given("claim") ? claim_ready(c, a) : list_tasks(c, a, "task.ready");
  };
  add_command(app, "ready", "What could be started now, most urgent first", chosen, describe_ready,
              ready);
  add_command(app, "why", "Why a task is not ready", chosen, [](Arguments& a) { a.id(); }, why);
}

int show_overview(Context& context) {
  auto answer = context.question("task.list", {{"open", true}, {"limit", 50}});
  if (!answer.ok()) return context.fail(answer.error());
  auto ready = context.question("task.ready", {{"limit", 10}});
  if (!ready.ok()) return context.fail(ready.error());
  if (context.flags.json) {
    context.print(json_line("overview", JsonObject{{"open", *answer}, {"ready", *ready}}));
    return kDone;
  }
  auto actor = context.actor();
  if (!actor.ok()) return context.fail(actor.error());
  context.print(
      overview_text(*answer, *ready, actor->actor, context.terminal, real_clock().wall_ns()));
  return kDone;
}

}  // namespace contextcore::cli
