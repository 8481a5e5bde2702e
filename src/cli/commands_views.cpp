// Questions: task list, show and history, ready, why, blocked, overdue, stale, tree, critical-path,
// workload, search, diff, project list, and what is shown without a command.

#include <algorithm>

#include "base/clock.h"
#include "cli/arguments.h"
#include "cli/linked_traces.h"
#include "cli/task_view.h"
#include "cli/waterfall.h"
#include "cli/work_view.h"

namespace contextcore::cli {
namespace {

using Text = std::string (*)(const Json& answer, const Terminal& terminal, int64_t now_ns);

std::string list_text(const Json& answer, const Terminal& terminal, int64_t now_ns) {
  return task_list_text(answer, terminal, now_ns);
}

// What narrows a list down, and can be told as a query.
bool is_filter(const std::pair<std::string, Json>& member) {
  static constexpr std::string_view kNoFilters[] = {"limit", "sort",     "all_projects",
                                                    "as_of", "known_at", "deleted"};
  return std::find(std::begin(kNoFilters), std::end(kNoFilters), member.first) ==
         std::end(kNoFilters);
}

// With the query that finds the same tasks elsewhere too.
std::string filtered_list_text(const Json& answer, const Terminal& terminal, int64_t now_ns) {
  std::string out = list_text(answer, terminal, now_ns);
  if (answer.find("not_in_traceql") == nullptr)
    out += terminal.paint(Style::dim, "TraceQL: " + text_of(answer, "traceql")) + "\n";
  return out;
}

// Asks `op` with what was given and prints the answer.
int ask(Context& context, JsonObject args, const std::string& op, const std::string& kind,
        Text text) {
  if (context.flags.json) {
    const Status printed = context.print_answer(op, std::move(args), kind);
    return printed.ok() ? kDone : context.fail(printed.error());
  }
  const bool is_list = text == list_text || text == filtered_list_text;
  auto answer = context.question(op, std::move(args), is_list ? task_list_members() : std::span<const std::string_view>());
  if (!answer.ok()) return context.fail(answer.error());
  context.print(text(*answer, context.terminal, real_clock().wall_ns()));
  return kDone;
}

// A question that is its arguments and nothing else.
struct View {
  std::string name, op, kind, help;
  void (*describe)(Arguments& arguments);
  Text text;
};

void add_view(CLI::App& app, Action& chosen, const View& view,
              const std::vector<std::string>& aliases = {}) {
  add_command(
      app, view.name, view.help, chosen, view.describe,
      [view](Context& context, const Arguments& arguments) {
        auto args = arguments.object();
        if (!args.ok()) return context.fail(args.error());
        return ask(context, std::move(*args), view.op, view.kind, view.text);
      },
      aliases);
}

void describe_moment(Arguments& a) {
  a.text("--as-of", "as_of", "as it was then: 2d ago, yesterday 14:00, RFC 3339")
      .text("--known-at", "known_at", "as it was known then: what had been written by that time");
}

void describe_filter(Arguments& a) {
  a.list("--type,-t", "type", "only this type (repeat for more)")
      .text("--assignee,-a", "assignee", "only of this assignee (\"\" for nobody's)")
      .flag("--mine", "mine", "only what is assigned to you or claimed by you")
      .list("--label,-l", "label", "only with this label (repeat: with all of them)")
      .list("--priority,-p", "priority", "only this priority (repeat for more)")
      .text("--sprint", "sprint", "only of this sprint: an id, last or current")
      .flag("--all-projects", "all_projects", "of every project")
      .integer("--limit,-n", "limit", "at most this many");
  describe_moment(a);
}

void describe_list(Arguments& a) {
  a.list("--status,-s", "status",
         "only this status, or open, not_started, active, ended (repeat for more)");
  describe_filter(a);
  a.flag("--open", "open", "only tasks that are not ended")
      .text("--parent", "parent", "only children of this task")
      .text("--under", "subtree", "everything below this task")
      .text("--text", "text", "with this text in the title or the description")
      .flag("--deleted", "deleted", "the deleted ones")
      .text("--created-from", "created_from", "created at or after this time")
      .text("--created-to", "created_to", "created before this time")
      .text("--updated-from", "updated_from", "changed last at or after this time")
      .text("--updated-to", "updated_to", "changed last before this time")
      .text("--ended-from", "ended_from", "ended at or after this time")
      .text("--ended-to", "ended_to", "ended before this time")
      .text("--due-from", "due_from", "due at or after this time")
      .text("--due-to", "due_to", "due before this time")
      .text("--sort", "sort", "updated (default) created due priority id")
      .flag("--foreign", "foreign", "received spans that look like tasks")
      .flag("--query", "query", "print the TraceQL that finds the same tasks");
}

int list_tasks(Context& context, const Arguments& arguments) {
  auto args = arguments.object();
  if (!args.ok()) return context.fail(args.error());
  if (arguments.given("foreign")) {
    std::erase_if(*args, [](const auto& member) { return member.first == "foreign"; });
    return ask(context, std::move(*args), "task.foreign", "foreign_list", foreign_text);
  }
  std::erase_if(*args, [](const auto& member) { return member.first == "query"; });
  if (!arguments.given("query")) {
    const bool filtered = std::any_of(args->begin(), args->end(), is_filter);
    return ask(context, std::move(*args), "task.list", "task_list",
               filtered ? filtered_list_text : list_text);
  }
  auto answer = context.question("task.list", std::move(*args));
  if (!answer.ok()) return context.fail(answer.error());
  if (const std::string missing = text_of(*answer, "not_in_traceql"); !missing.empty()) {
    context.print_error("note: TraceQL has no words for " + missing +
                        "; the query finds more than the list\n");
  }
  if (context.flags.json) {
    context.print(json_line("query", JsonObject{{"traceql", text_of(*answer, "traceql")}}));
  } else {
    context.print(text_of(*answer, "traceql") + "\n");
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

void describe_ready(Arguments& a) {
  a.text("--type,-t", "type", "only this type")
      .text("--priority,-p", "priority", "only this priority")
      .text("--label,-l", "label", "only with this label")
      .flag("--backlog", "include_backlog", "also tasks in backlog")
      .text("--assignee,-a", "assignee", "who asks (default: who acts)")
      .integer("--limit,-n", "limit", "at most this many")
      .flag("--claim", "claim", "claim the first one (exit code 7 when nothing is ready)")
      .seconds("--lease", "lease_seconds", "with --claim: how long without a heartbeat");
  describe_moment(a);
}

int ready(Context& context, const Arguments& arguments) {
  if (arguments.given("claim")) return claim_ready(context, arguments);
  auto args = arguments.object();
  if (!args.ok()) return context.fail(args.error());
  return ask(context, std::move(*args), "task.ready", "ready", list_text);
}

// The task's trace and the traces that link to it.
int show_trace(Context& context, const Json& task) {
  otlp::TraceId id;
  otlp::SpanId span;
  if (!otlp::parse_hex(task.string_or("trace_id"), id) ||
      !otlp::parse_hex(task.string_or("span_id"), span))
    return kDone;
  auto backend = context.backend(false);
  if (!backend.ok()) return context.fail(backend.error());
  auto trace = (*backend)->trace(id);
  if (!trace.ok()) return context.fail(trace.error());
  if (!*trace) return kDone;
  auto whole = with_linked_traces(**backend, std::move(**trace), span);
  if (!whole.ok()) return context.fail(whole.error());
  context.print("\n" + render_waterfall(*whole, context.terminal, real_clock().wall_ns()));
  return kDone;
}

int show_task(Context& context, const Arguments& arguments) {
  auto args = arguments.object();
  if (!args.ok()) return context.fail(args.error());
  std::erase_if(*args, [](const auto& member) { return member.first == "trace"; });
  args->emplace_back("events", true);
  args->emplace_back("comments", true);
  auto answer = context.question("task.get", std::move(*args));
  if (!answer.ok()) return context.fail(answer.error());
  if (context.flags.json) {
    context.print(json_line("task", *answer));
    return kDone;
  }
  context.print(task_details_text(*answer, context.terminal, real_clock().wall_ns()));
  return arguments.given("trace") ? show_trace(context, *answer) : kDone;
}

std::string why_view(const Json& answer, const Terminal& terminal, int64_t) {
  return why_text(answer, terminal);
}

void describe_show(Arguments& a) {
  a.id().flag("--trace", "trace",
              "with the waterfall of its trace and of the traces that link to it");
  describe_moment(a);
}

void describe_why(Arguments& a) { describe_moment(a.id()); }

void describe_history(Arguments& a) {
  a.id()
      .text("--from", "from", "events at or after this time")
      .text("--to", "to", "events up to this time")
      .integer("--limit,-n", "limit", "at most this many");
  describe_moment(a);
}

void describe_diff(Arguments& a) {
  a.text("--from", "from", "changes after this time")
      .text("--to", "to", "up to this time (default: now)")
      .flag("--all-projects", "all_projects", "of every project")
      .integer("--limit,-n", "limit", "at most this many tasks");
}

void describe_stale(Arguments& a) {
  a.integer("--days", "days", "without any event for this many days (default 14)");
  describe_filter(a);
}

void describe_tree(Arguments& a) {
  a.positional("id", "task id (default: the whole project)", false)
      .integer("--depth", "depth", "at most this many levels below")
      .flag("--open", "open", "only tasks that are not ended");
  describe_filter(a);
}

void describe_critical_path(Arguments& a) {
  a.text("--by", "by", "points, estimate (minutes) or count (default: points where there are any)");
  describe_filter(a);
}

void describe_search(Arguments& a) {
  a.positional("text", "what to look for in titles, descriptions and comments");
  a.list("--status,-s", "status", "only this status, or open, not_started, active, ended");
  describe_filter(a);
}

}  // namespace

void add_view_commands(CLI::App& app, CLI::App& task, Action& chosen) {
  for (CLI::App* at : {&task, &app}) {
    add_command(*at, "list", "List tasks", chosen, describe_list, list_tasks, {"ls"});
    add_command(*at, "show", "Show one task with its history", chosen, describe_show, show_task);
    add_view(*at, chosen,
             {"history", "task.history", "history", "Every event of a task in words",
              describe_history, history_text});
  }
  add_command(app, "ready", "What could be started now, most urgent first", chosen, describe_ready,
              ready);
  const View views[] = {
      {"why", "task.why", "why", "Why a task is not ready", describe_why, why_view},
      {"blocked", "task.blocked", "blocked", "Blocked tasks: why, and since when", describe_filter,
       list_text},
      {"overdue", "task.overdue", "overdue", "Open tasks past their due date", describe_filter,
       list_text},
      {"stale", "task.stale", "stale", "Open tasks that nothing happens to", describe_stale,
       list_text},
      {"tree", "task.tree", "tree", "Tasks below tasks, with their progress", describe_tree,
       tree_text},
      {"critical-path", "project.critical_path", "critical_path",
       "The longest chain of open tasks that wait for each other", describe_critical_path,
       critical_path_text},
      {"workload", "project.workload", "workload", "Open work by assignee", describe_filter,
       workload_text},
      {"search", "task.search", "search", "Find text in titles, descriptions and comments",
       describe_search, search_text},
      {"diff", "project.diff", "diff", "What changed between two times, by task", describe_diff,
       diff_text}};
  for (const View& view : views) add_view(app, chosen, view);
  CLI::App* project = app.add_subcommand("project", "Projects of this store");
  project->require_subcommand(1);
  add_view(*project, chosen,
           {"list", "project.list", "projects", "Projects with their counts", describe_moment,
            projects_text},
           {"ls"});
  add_project_changes(*project, chosen);
  add_adopt_command(task, chosen);
}

int show_overview(Context& context) {
  auto actor = context.actor();
  if (!actor.ok()) return context.fail(actor.error());
  auto answer = context.question("task.overview", {});
  if (!answer.ok()) return context.fail(answer.error());
  context.print(context.flags.json
                    ? json_line("overview", *answer)
                    : overview_text(*answer, context.terminal, real_clock().wall_ns()));
  return kDone;
}

}  // namespace contextcore::cli
