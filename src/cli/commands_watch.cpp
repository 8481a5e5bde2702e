// contextcore watch: what happens, as it happens.

#include <algorithm>

#include "base/time.h"
#include "cli/arguments.h"
#include "cli/task_view.h"

namespace contextcore::cli {
namespace {

constexpr int kIdColumns = 14;
constexpr int kActorColumns = 10;

Style event_style(std::string_view event) {
  if (event == "task.completed") return Style::green;
  if (event == "task.blocked" || event == "task.failed") return Style::red;
  if (event.starts_with("insight.")) return Style::cyan;
  return Style::plain;
}

std::string padded(std::string text, int columns) {
  text = fit(text, columns);
  const int missing = columns - display_width(text);
  return text + std::string(static_cast<size_t>(std::max(missing, 0)), ' ');
}

// "14:03  PAY-17  bruno  blocked: waiting for access"
std::string event_line(const work::FeedItem& item, bool with_project, const Terminal& terminal) {
  const Json& json = item.json;
  const auto time_ns = parse_rfc3339(json.string_or("time"));
  std::string about = text_of(json, "task_id");
  if (about.empty()) about = text_of(json, "insight_id");
  if (about.empty()) about = text_of(json, "sprint_id");
  if (with_project) about = text_of(json, "project") + "/" + about;
  const std::string words = text_of(json, "words");
  const std::string what = words.empty() ? item.event : words;
  return terminal.paint(Style::dim, time_ns.ok() ? format_local_minute(*time_ns) : "") + "  " +
         padded(about, with_project ? 2 * kIdColumns : kIdColumns) + "  " +
         padded(text_of(json, "actor"), kActorColumns) + "  " +
         terminal.paint(event_style(item.event), what) + "\n";
}

Result<std::optional<uint64_t>> since_of(const Arguments& arguments) {
  CC_ASSIGN(const Json given, arguments.object());
  const Json* since = given.find("since");
  if (since == nullptr) return std::optional<uint64_t>();
  if (*since->as_int() < 0) {
    return Error{Code::invalid_argument,
                 "--since is negative",
                 "give the sequence number of an event, 0 for all of them",
                 {},
                 {}};
  }
  return std::optional<uint64_t>(static_cast<uint64_t>(*since->as_int()));
}

int watch(Context& context, const Arguments& arguments) {
  auto config = context.config();
  if (!config.ok()) return context.fail(config.error());
  auto since = since_of(arguments);
  if (!since.ok()) return context.fail(since.error());
  sdk::WatchOptions options;
  options.since = *since;
  options.follow = !arguments.given("no_follow");
  const bool all = arguments.given("all_projects") || (*config)->get("project").empty();
  if (!all) options.filter.project = (*config)->get("project");
  options.filter.task = arguments.text_of("id");
  auto object = arguments.object();
  if (!object.ok()) return context.fail(object.error());
  const Json given(std::move(*object));
  if (const Json* events = given.find("event"); events != nullptr) {
    for (const Json& event : *events->as_array())
      options.filter.events.push_back(*event.as_string());
  }
  const Status valid = work::check_feed_filter(options.filter);
  if (!valid.ok()) return context.fail(valid.error());
  auto backend = context.backend(false);
  if (!backend.ok()) return context.fail(backend.error());
  const Status ended = (*backend)->watch(options, [&](const work::FeedItem& item) {
    context.print(context.flags.json ? json_line("event", item.json)
                                     : event_line(item, all, context.terminal));
    return std::fflush(stdout) == 0;  // nobody reads any more: stop
  });
  return ended.ok() ? static_cast<int>(kDone) : context.fail(ended.error());
}

void describe(Arguments& a) {
  a.positional("id", "only of this task (its exact id)", false)
      .list("--event,-e", "event", "only this event, or task.* (repeat for more)")
      .flag("--all-projects", "all_projects", "of every project")
      .integer("--since", "since", "begin after this sequence number; 0: with all history")
      .flag("--no-follow", "no_follow", "end with what there is now");
}

}  // namespace

void add_watch_command(CLI::App& app, Action& chosen) {
  add_command(app, "watch", "Show what happens as it happens, by whatever process (Ctrl-C ends it)",
              chosen, describe, watch);
}

}  // namespace contextcore::cli
