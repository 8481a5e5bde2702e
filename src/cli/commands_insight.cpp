// contextcore insight …: what agents learn outlives their session.

#include "base/clock.h"
#include "cli/arguments.h"
#include "cli/insight_view.h"

namespace contextcore::cli {
namespace {

int run_command(Context& context, const Arguments& arguments, const std::string& op) {
  auto args = arguments.object();
  if (!args.ok()) return context.fail(args.error());
  auto answer = context.command(op, std::move(*args), arguments.at());
  if (!answer.ok()) return context.fail(answer.error());
  context.print(context.flags.json ? json_line("insight_result", *answer)
                                   : insight_change_text(op, *answer, context.terminal));
  return kDone;
}

int query(Context& context, const Arguments& arguments) {
  auto args = arguments.object();
  if (!args.ok()) return context.fail(args.error());
  auto answer = context.question("insight.query", std::move(*args));
  if (!answer.ok()) return context.fail(answer.error());
  context.print(context.flags.json
                    ? json_line("insight_list", *answer)
                    : insight_list_text(*answer, context.terminal, real_clock().wall_ns()));
  return kDone;
}

int show(Context& context, const Arguments& arguments) {
  auto answer = context.question("insight.get", {{"id", arguments.text_of("id")}});
  if (!answer.ok()) return context.fail(answer.error());
  context.print(context.flags.json ? json_line("insight", *answer)
                                   : insight_details_text(*answer, context.terminal));
  return kDone;
}

}  // namespace

void add_insight_commands(CLI::App& app, Action& chosen) {
  CLI::App* insight = app.add_subcommand("insight", "Decisions, lessons, blockers: emit and query");
  insight->require_subcommand(1);
  const auto change = [&](const std::string& name, const std::string& help,
                          const std::function<void(Arguments&)>& describe) {
    const std::string op = "insight." + name;
    add_command(
        *insight, name, help, chosen,
        [&](Arguments& arguments) {
          describe(arguments);
          arguments.backdating();
        },
        [op](Context& context, const Arguments& arguments) {
          return run_command(context, arguments, op);
        });
  };
  change("emit", "Record an insight", [](Arguments& a) {
    a.positional("type",
                 "decision recommendation lesson blocker discovery analysis risk question "
                 "progress, or your own")
        .positional("summary", "one sentence")
        .real("--confidence,-c", "confidence", "0 to 1")
        .text("--subject", "subject", "short key; a later insight on it is easy to find")
        .text("--category", "category", "category")
        .text("--audience", "audience", "agent, human or both")
        .text("--rationale,-r", "rationale", "why")
        .list("--applies-to", "applies_to", "path or glob it is about (repeat for more)")
        .text("--valid-until", "valid_until", "RFC 3339 time after which it no longer counts")
        .text("--supersedes", "supersedes", "id of the insight that it replaces")
        .text("--task", "task_id", "task that it belongs to")
        .pairs("--context", "context", "key=value (JSON values are kept; repeat for more)");
  });
  change("supersede", "Replace one insight by another", [](Arguments& a) {
    a.positional("id", "insight id").positional("by", "id of the newer insight");
  });
  change("retract", "Take an insight back", [](Arguments& a) {
    a.positional("id", "insight id").text("--reason,-r", "reason", "why");
  });
  change("resolve", "Say that a blocker or question is solved", [](Arguments& a) {
    a.positional("id", "insight id").text("--resolution,-r", "resolution", "how");
  });
  add_command(
      *insight, "query", "Find insights; what is valid now unless --status says otherwise", chosen,
      [](Arguments& a) {
        a.positional("text", "text to look for in summary, rationale and subject", false)
            .text("--type,-t", "type", "only this type")
            .text("--subject", "subject", "only this subject")
            .text("--by", "agent", "only of this agent")
            .text("--task", "task_id", "only of this task")
            .real("--min-confidence", "min_confidence", "at least this confidence")
            .text("--since", "since", "not older: RFC 3339 or \"7d ago\"")
            .text("--status,-s", "status", "active superseded retracted resolved expired all")
            .integer("--limit,-n", "limit", "at most this many");
      },
      query, {"list"});
  add_command(
      *insight, "show", "Show one insight", chosen,
      [](Arguments& a) { a.positional("id", "insight id"); }, show);
}

}  // namespace contextcore::cli
