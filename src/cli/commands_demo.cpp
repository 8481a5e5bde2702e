// contextcore demo: an organisation with a past, in a store of its own.

#include <charconv>

#include "base/time.h"
#include "cli/arguments.h"
#include "cli/progress.h"
#include "demo/demo_store.h"
#include "demo/load.h"

namespace contextcore::cli {
namespace {

constexpr int64_t kMonthsMax = 120;
constexpr int64_t kProjectsMax = 1000;
constexpr int64_t kTasksMax = 10'000'000;

// Beside the store that would be used otherwise, unless --store names one.
Result<std::string> demo_store_path(Context& context) {
  CC_ASSIGN(const sdk::Config* config, context.config());
  if (!config->get("server").empty()) {
    return Error{Code::invalid_argument,
                 "demo makes a store on this machine and takes no --server",
                 "serve the store afterwards: contextcore serve --store PATH",
                 {},
                 {}};
  }
  const std::string& store = config->get("store");
  return context.flags.config.store.empty() ? store + "-demo" : store;
}

Result<demo::DemoOptions> read_options(const Arguments& arguments) {
  demo::DemoOptions options;
  CC_ASSIGN(const Json given, arguments.object());
  const auto integer = [&](std::string_view name, int64_t low, int64_t high,
                           int64_t& out) -> Status {
    const Json* value = given.find(name);
    if (value == nullptr) return {};
    out = *value->as_int();
    if (out >= low && out <= high) return {};
    return Error{Code::invalid_argument,
                 "--" + std::string(name) + " is " + std::to_string(out),
                 "from " + std::to_string(low) + " to " + std::to_string(high),
                 {},
                 {}};
  };
  auto seed = static_cast<int64_t>(options.seed);
  CC_TRY(integer("months", 1, kMonthsMax, options.months));
  CC_TRY(integer("projects", 1, kProjectsMax, options.projects));
  CC_TRY(integer("tasks", 1, kTasksMax, options.tasks));
  CC_TRY(integer("seed", 0, INT64_MAX, seed));
  options.seed = static_cast<uint64_t>(seed);
  if (options.tasks > 0) options.projects = std::min(options.projects, options.tasks);
  const int64_t now_ns = real_clock().wall_ns();
  options.until_ns = now_ns - now_ns % kHourNs;
  if (const Json* until = given.find("until")) {
    CC_ASSIGN(options.until_ns, parse_time(*until->as_string(), now_ns));
  }
  if (options.until_ns > now_ns || options.until_ns < kMonthsMax * 31 * kDayNs) {
    return Error{Code::invalid_argument,
                 "--until is " + format_rfc3339(options.until_ns),
                 "give a time between 1981 and now",
                 {},
                 {}};
  }
  return options;
}

int remove(Context& context, const std::string& path) {
  const Status removed = demo::remove_demo_store(real_file_system(), real_clock(), path);
  if (!removed.ok()) return context.fail(removed.error());
  context.print(context.flags.json ? json_line("demo", JsonObject{{"removed", path}})
                                   : "Removed the DEMO store " + path + ".\n");
  return kDone;
}

void print_report(Context& context, const std::string& path, const demo::LoadReport& report) {
  if (context.flags.json) {
    context.print(json_line("demo", JsonObject{{"store", path},
                                               {"projects", report.projects},
                                               {"tasks", report.tasks},
                                               {"sprints", report.sprints},
                                               {"insights", report.insights},
                                               {"commands", report.commands}}));
    return;
  }
  const auto count = [](int64_t n, const std::string& what) {
    return std::to_string(n) + " " + what + (n == 1 ? "" : "s");
  };
  context.print("DEMO store " + path + ": " + count(report.tasks, "task") + " in " +
                count(report.projects, "project") + ", " + count(report.sprints, "sprint") + ", " +
                count(report.insights, "insight") + ". Nothing in it is real.\n\n" +
                "  export CONTEXTCORE_STORE=" + path + "\n" +
                "  contextcore task list --all-projects --open\n" +
                "  contextcore query '{ span.task.status = \"blocked\" }'\n" +
                "  contextcore serve --demo\n\n" + "contextcore demo --remove takes it away.\n");
}

int run_demo(Context& context, const Arguments& arguments) {
  auto path = demo_store_path(context);
  if (!path.ok()) return context.fail(path.error());
  if (arguments.given("remove")) return remove(context, *path);
  auto options = read_options(arguments);
  if (!options.ok()) return context.fail(options.error());
  const Status begun = demo::begin_demo_store(real_file_system(), *path, *options);
  if (!begun.ok()) return context.fail(begun.error());
  sdk::BackendOptions backend_options;
  backend_options.store = *path;
  backend_options.exclusive = true;
  const auto backend = sdk::Backend::make(std::move(backend_options));
  ProgressBar bar;
  auto report = demo::load(*backend, *options, [&](double share, const demo::LoadReport& so_far) {
    bar.show(context, share, std::to_string(so_far.tasks) + " tasks");
  });
  bar.clear();
  if (!report.ok()) return context.fail(report.error());
  const Status flushed = backend->flush();
  if (!flushed.ok()) return context.fail(flushed.error());
  print_report(context, *path, *report);
  return kDone;
}

void describe(Arguments& a) {
  a.integer("--months", "months", "how far back it goes (6)")
      .integer("--projects", "projects", "how many (3)")
      .integer("--tasks", "tasks", "how many of all projects together (as many as fit the time)")
      .integer("--seed", "seed", "the same seed and end give the same history (42)")
      .text("--until", "until", "where it ends (the last full hour)")
      .flag("--remove", "remove", "take the DEMO store away");
}

}  // namespace

void add_demo_command(CLI::App& app, Action& chosen) {
  add_command(app, "demo",
              "Make a DEMO store: months of a believable organisation's work, none of it real",
              chosen, describe, run_demo);
}

}  // namespace contextcore::cli
