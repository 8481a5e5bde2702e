// contextcore task edit, reopen, delete, link, undo, verify, apply …, and contextcore sprint …

#include <algorithm>

#include "base/file_system.h"
#include "cli/task_commands.h"
#include "sdk/deliverables.h"

namespace contextcore::cli {
namespace {

// Fields by the names that the flags have.
constexpr std::pair<std::string_view, std::string_view> kClearable[] = {
    {"priority", "priority"},
    {"assignee", "assignee"},
    {"points", "story_points"},
    {"estimate", "estimate_minutes"},
    {"labels", "labels"},
    {"due", "due_date"},
    {"defer-until", "defer_until"},
    {"sprint", "sprint_id"},
    {"url", "url"},
    {"description", "description"},
    {"accept", "acceptance_criteria"},
    {"deliverables", "deliverables"}};

Result<std::string_view> clearable(const std::string& name) {
  Error error{Code::invalid_argument, "--clear: no field '" + name + "'", {}, {}, {}};
  for (const auto& [flag, field] : kClearable) {
    if (name == flag || name == field) return field;
    error.candidates.emplace_back(flag);
  }
  return error;
}

int edit_task(Context& context, const Arguments& arguments) {
  auto args = arguments.object();
  if (!args.ok()) return context.fail(args.error());
  JsonObject out;
  for (auto& [name, value] : *args) {
    if (name != "clear") {
      out.emplace_back(name, std::move(value));
      continue;
    }
    for (const Json& one : *value.as_array()) {
      auto field = clearable(*one.as_string());
      if (!field.ok()) return context.fail(field.error());
      out.emplace_back(*field, Json(nullptr));
    }
  }
  return run_task_command(context, arguments, "task.edit", std::move(out));
}

void describe_edit(Arguments& a) {
  a.id()
      .text("--title", "title", "title")
      .text("--type,-t", "type", "epic story task subtask bug spike incident, or one of your own")
      .text("--priority,-p", "priority", "critical high medium low")
      .text("--assignee,-a", "assignee", "who works on it")
      .integer("--points", "story_points", "story points")
      .integer("--estimate", "estimate_minutes", "estimate in minutes")
      .list("--label,-l", "labels", "the labels, instead of those it has (repeat for more)")
      .list("--add-label", "add_labels", "one label more (repeat for more)")
      .list("--remove-label", "remove_labels", "one label less (repeat for more)")
      .text("--due", "due_date", "due date, RFC 3339 or YYYY-MM-DD")
      .text("--defer-until", "defer_until", "not ready before this date")
      .text("--sprint", "sprint_id", "sprint id")
      .text("--url", "url", "where it is tracked elsewhere")
      .text("--description,-d", "description", "description")
      .list("--accept", "acceptance_criteria", "acceptance criterion (repeat for more)")
      .list("--deliverable", "deliverables", "path of something to deliver (repeat for more)")
      .pairs("--attribute", "attributes", "key=value; key=null takes it away (repeat for more)")
      .list("--clear", "clear", "field to empty, such as due or points (repeat for more)")
      .backdating()
      .integer("--expect-revision", "expected_revision",
               "conflict unless the task is at this revision");
}

void describe_link(Arguments& a) {
  a.id()
      .positional("type",
                  "depends_on relates_to duplicates supersedes discovered_from caused_by "
                  "continues; from the other end blocks duplicated_by superseded_by led_to causes "
                  "continued_by")
      .text("--task", "target_task_id", "id of the other task")
      .text("--target-project", "target_project_id", "its project")
      .text("--trace", "target_trace_id", "trace id")
      .text("--span", "target_span_id", "span id");
}

std::vector<std::string> texts_of(const JsonObject& args, std::string_view name) {
  std::vector<std::string> texts;
  for (const auto& [key, value] : args) {
    if (key != name || !value.as_array()) continue;
    for (const Json& one : *value.as_array()) texts.push_back(*one.as_string());
  }
  return texts;
}

int verify_task(Context& context, const Arguments& arguments) {
  auto args = arguments.object();
  if (!args.ok()) return context.fail(args.error());
  auto task = context.question("task.get", {{"id", arguments.text_of("id")}});
  if (!task.ok()) return context.fail(task.error());
  Json results(sdk::look_at_deliverables(real_file_system(), *task, texts_of(*args, "pass"),
                                         texts_of(*args, "fail")));
  if (!context.flags.json) {
    for (const Json& one : *results.as_array()) {
      const bool good = *one.find("verified")->as_bool();
      context.print(
          context.terminal.paint(good ? Style::green : Style::red, good ? "ok   " : "FAIL ") +
          std::string(one.string_or("path")) + "  " + std::string(one.string_or("detail")) + "\n");
    }
  }
  return run_task_command(context, arguments, "task.verify",
                          {{"id", Json(arguments.text_of("id"))}, {"results", std::move(results)}});
}

struct Line {
  size_t number;  // in the input, from 1
  Json command;
};

Error at_line(size_t number, Error error) {
  error.message = "line " + std::to_string(number) + ": " + error.message;
  return error;
}

// {"op":"create","title":…} as well as {"op":"task.create","args":{…}}.
Result<Json> command_of(std::string_view text) {
  CC_ASSIGN(const Json json, parse_json(text));
  if (!json.as_object()) return Error{Code::invalid_argument, "not a JSON object", {}, {}, {}};
  JsonObject out, args;
  bool has_args = false;
  for (const auto& [name, value] : *json.as_object()) {
    static constexpr std::string_view kOfCommand[] = {"project", "time", "expected_revision"};
    if (name == "op" && value.as_string()) {
      const std::string& op = *value.as_string();
      out.emplace_back("op", Json(op.find('.') == std::string::npos ? "task." + op : op));
    } else if (name == "args") {
      has_args = true;
      out.emplace_back(name, value);
    } else if (std::find(std::begin(kOfCommand), std::end(kOfCommand), name) !=
               std::end(kOfCommand)) {
      out.emplace_back(name, value);
    } else {
      args.emplace_back(name, value);
    }
  }
  if (has_args && !args.empty()) {
    return Error{Code::invalid_argument,
                 "\"" + args.front().first + "\" stands beside args",
                 "put all fields into args, or none",
                 {},
                 {}};
  }
  if (!has_args) out.emplace_back("args", Json(std::move(args)));
  return Json(std::move(out));
}

Result<std::vector<Line>> read_lines(const std::string& text) {
  std::vector<Line> lines;
  size_t number = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line(text.data() + at, end - at);
    at = end + 1;
    number++;
    const size_t begin = line.find_first_not_of(" \t\r");
    if (begin == std::string_view::npos || line[begin] == '#') continue;
    auto command = command_of(line);
    if (!command.ok()) return at_line(number, std::move(command).error());
    lines.push_back({number, std::move(*command)});
  }
  return lines;
}

// The server counts commands; people count lines.
Error by_line(Error error, const std::vector<Line>& lines) {
  static constexpr std::string_view kPrefix = "command ";
  if (!error.message.starts_with(kPrefix)) return error;
  const size_t colon = error.message.find(": ");
  size_t number = 0;
  for (size_t i = kPrefix.size(); i < colon && i < error.message.size(); i++) {
    number = number * 10 + static_cast<size_t>(error.message[i] - '0');
  }
  if (colon == std::string::npos || number == 0 || number > lines.size()) return error;
  error.message = error.message.substr(colon + 2);
  return at_line(lines[number - 1].number, std::move(error));
}

int apply(Context& context, const Arguments& arguments) {
  auto text = context.read_input(arguments.text_of("file"));
  if (!text.ok()) return context.fail(text.error());
  auto lines = read_lines(*text);
  if (!lines.ok()) return context.fail(lines.error());
  JsonArray commands;
  for (const Line& line : *lines) commands.push_back(line.command);
  auto answer = context.command("batch", {{"commands", Json(std::move(commands))}}, arguments.at());
  if (!answer.ok()) return context.fail(by_line(std::move(answer).error(), *lines));
  if (context.flags.json) {
    context.print(json_line("batch_result", *answer));
    return kDone;
  }
  size_t changed = 0;
  for (const Json& one : *answer->find("results")->as_array()) {
    const Json* flag = one.find("changed");
    changed += flag && flag->as_bool() && *flag->as_bool() ? 1 : 0;
  }
  context.print(std::to_string(lines->size()) + " commands applied, " + std::to_string(changed) +
                " of them changed something\n");
  return kDone;
}

void print_sprint(Context& context, const Json& answer) {
  const Json* sprint = answer.find("sprint");
  if (!sprint) return;
  const auto number = [&](std::string_view name) {
    const Json* value = sprint->find(name);
    return value ? to_string(*value) : std::string("0");
  };
  const Json* open = sprint->find("open");
  const bool is_open = open && open->as_bool() && *open->as_bool();
  std::string out = context.terminal.paint(Style::bold, std::string(sprint->string_or("id"))) +
                    "  " + std::string(sprint->string_or("name")) +
                    (is_open ? "  open  " : "  ended  ") + number("completed_points") + "/" +
                    number("planned_points") + " points";
  if (!sprint->string_or("goal").empty()) out += "  " + std::string(sprint->string_or("goal"));
  const Json* changed = answer.find("changed");
  if (changed && changed->as_bool() && !*changed->as_bool()) {
    out += context.terminal.paint(Style::dim, "  (unchanged)");
  }
  context.print(out + "\n");
}

void add_sprint(CLI::App& sprint, Action& chosen, const std::string& name, const std::string& op,
                const std::string& help, const std::function<void(Arguments&)>& describe) {
  add_command(
      sprint, name, help, chosen,
      [&](Arguments& arguments) {
        arguments.id("sprint id");
        describe(arguments);
        arguments.backdating();
      },
      [op](Context& context, const Arguments& arguments) -> int {
        auto args = arguments.object();
        if (!args.ok()) return context.fail(args.error());
        auto answer = context.command(op, std::move(*args), arguments.at());
        if (!answer.ok()) return context.fail(answer.error());
        if (context.flags.json) {
          context.print(json_line("sprint_result", *answer));
        } else {
          print_sprint(context, *answer);
        }
        return kDone;
      });
}

int list_sprints(Context& context, const Arguments& arguments) {
  auto args = arguments.object();
  if (!args.ok()) return context.fail(args.error());
  auto answer = context.question("sprint.list", std::move(*args));
  if (!answer.ok()) return context.fail(answer.error());
  if (context.flags.json) {
    context.print(json_line("sprint_list", *answer));
    return kDone;
  }
  const Json* items = answer->find("items");
  if (!items || !items->as_array() || items->as_array()->empty()) context.print("No sprints.\n");
  if (items && items->as_array()) {
    for (const Json& one : *items->as_array()) {
      print_sprint(context, Json(JsonObject{{"sprint", one}}));
    }
  }
  return kDone;
}

void describe_sprint(Arguments& a) {
  a.text("--name", "name", "name for people (default: the id)")
      .text("--goal", "goal", "what it is for")
      .text("--start-date", "start_date", "RFC 3339 or YYYY-MM-DD")
      .text("--end-date", "end_date", "when it is planned to end");
}

void add_details(CLI::App& task, Action& chosen) {
  add_simple(task, chosen, "exception", "task.exception", "Record that something went wrong",
             [](Arguments& a) {
               a.id()
                   .positional("type", "class of the exception, such as TimeoutError")
                   .text("--message,-m", "message", "its message")
                   .text("--stacktrace", "stacktrace", "where it came from");
             });
  add_simple(task, chosen, "commit", "task.commit", "Say that a commit belongs to the task",
             [](Arguments& a) {
               a.id()
                   .positional("commit", "id of the commit")
                   .text("--repository", "repository", "where it is")
                   .text("--author", "author", "who wrote it")
                   .text("--message,-m", "message", "its message");
             });
  add_command(
      task, "verify",
      "Look whether the deliverables are there. Example: contextcore task verify PROJ-7 --pass api",
      chosen,
      [](Arguments& a) {
        a.id()
            .list("--pass", "pass", "path of a deliverable that is good (repeat for more)")
            .list("--fail", "fail", "path of one that is not (repeat for more)");
      },
      verify_task);
  add_command(
      task, "apply",
      "Carry out many commands as one transaction, all or none. FILE or - holds one JSON "
      "object a line. Example: echo '{\"op\":\"create\",\"title\":\"Write docs\"}' | "
      "contextcore task apply -",
      chosen,
      [](Arguments& a) { a.positional("file", "file, or - for standard input").backdating(); },
      apply);
}

}  // namespace

void add_change_commands(CLI::App& task, Action& chosen) {
  add_command(task, "edit",
              "Change fields. Example: contextcore task edit PROJ-7 --points 5 --add-label api "
              "--clear due",
              chosen, describe_edit, edit_task);
  add_simple(task, chosen, "reopen", "task.reopen", "Open an ended task again", [](Arguments& a) {
    a.id()
        .text("--to,--status", "to_status", "status to open it in (default todo)")
        .text("--reason,-r", "reason", "why");
  });
  add_simple(task, chosen, "delete", "task.delete",
             "Leave a task out of every answer from here on; its log stays",
             [](Arguments& a) {
               a.id()
                   .flag("--subtree", "subtree", "with all that is below it")
                   .text("--reason,-r", "reason", "why");
             },
             {"rm"});
  add_simple(task, chosen, "undelete", "task.undelete", "Bring a deleted task back",
             [](Arguments& a) {
               a.id("whole id of the task")
                   .flag("--subtree", "subtree", "with all that is below it")
                   .text("--reason,-r", "reason", "why");
             });
  add_simple(task, chosen, "undo", "task.undo", "Take your own last change of a task back",
             [](Arguments& a) { a.id(); });
  add_simple(task, chosen, "link", "task.link",
             "Link to another task or to a trace. Example: contextcore task link A blocks --task B",
             describe_link);
  add_simple(task, chosen, "unlink", "task.unlink", "Take a link away", describe_link);
  add_details(task, chosen);
}

void add_sprint_commands(CLI::App& app, Action& chosen) {
  CLI::App* sprint = app.add_subcommand("sprint", "Sprints: start, change, end, look at");
  sprint->require_subcommand(1);
  add_sprint(*sprint, chosen, "start", "sprint.start",
             "Start a sprint. Example: contextcore sprint start s-3 --goal 'people can sign in'",
             describe_sprint);
  add_sprint(*sprint, chosen, "edit", "sprint.edit", "Change a sprint", describe_sprint);
  add_sprint(*sprint, chosen, "end", "sprint.end", "End a sprint; its points stand from here on",
             [](Arguments& a) { a.text("--notes", "notes", "what there is to say"); });
  add_command(*sprint, "list", "List sprints", chosen,
              [](Arguments& a) { a.flag("--open", "open", "only those that have not ended"); },
              list_sprints, {"ls"});
}

}  // namespace contextcore::cli
