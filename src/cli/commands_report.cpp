// contextcore report: burndown, velocity, cycle time and throughput, from the same metrics that dashboards ask.

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "base/clock.h"
#include "base/time.h"
#include "cli/arguments.h"
#include "cli/report.h"

namespace contextcore::cli {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr int64_t kWeekNs = 7 * kDayNs;
constexpr int64_t kRowsMax = 1000;

// Asks the metrics of one project.
class Asker {
 public:
  Asker(sdk::Backend& backend, std::string project) : backend_(backend), project_(std::move(project)) {}

  // {project_id="p", more}
  std::string selector(const std::string& more = {}) const {
    return "{project_id=" + quoted(project_) + (more.empty() ? "" : "," + more) + "}";
  }
  static std::string quoted(const std::string& text) { return to_string(Json(text)); }

  // One number per time; NaN where there is none.
  Result<std::vector<double>> numbers(const std::string& promql, const std::vector<int64_t>& times_ns) const {
    std::vector<double> out;
    for (const int64_t time_ns : times_ns) {
      CC_ASSIGN(const sdk::MetricAnswer answer, backend_.metrics(promql, {0, time_ns, 0}));
      const bool any = !answer.series.empty() && !answer.series[0].samples.empty();
      out.push_back(any ? answer.series[0].samples.back().second : kNone);
    }
    return out;
  }
  // The values of a label, at a time.
  Result<std::map<std::string, double>> by_label(const std::string& promql, const std::string& label,
                                                 int64_t time_ns) const {
    CC_ASSIGN(const sdk::MetricAnswer answer, backend_.metrics(promql, {0, time_ns, 0}));
    std::map<std::string, double> out;
    for (const sdk::Series& series : answer.series) {
      for (const auto& [name, value] : series.labels) {
        if (name == label && !series.samples.empty()) out[value] = series.samples.back().second;
      }
    }
    return out;
  }

  const std::string& project() const { return project_; }

 private:
  sdk::Backend& backend_;
  std::string project_;
};

struct Periods {
  std::vector<int64_t> ends_ns;  // rising
  int64_t step_ns = kWeekNs;
};

// What is on the grid of samples already.
int64_t now_on_grid() { return real_clock().wall_ns() / kMinuteNs * kMinuteNs; }

Result<Periods> periods_of(const Arguments& arguments) {
  const int64_t now_ns = now_on_grid();
  Periods periods;
  int64_t back_ns = 12 * kWeekNs;
  if (const std::string step = arguments.text_of("step"); !step.empty()) {
    CC_ASSIGN(periods.step_ns, parse_prometheus_duration(step));
    if (periods.step_ns < kHourNs) {
      return Error{Code::invalid_argument, "--step must be an hour or more", "for example 1d, 1w, 30d", {}, {}};
    }
    back_ns = 12 * periods.step_ns;
  }
  if (const std::string since = arguments.text_of("since"); !since.empty()) {
    const auto duration = parse_prometheus_duration(since);
    if (duration.ok()) {
      back_ns = *duration;
    } else {
      CC_ASSIGN(const int64_t start_ns, parse_time(since, now_ns));
      back_ns = now_ns - start_ns;
    }
  }
  const int64_t rows = (back_ns + periods.step_ns - 1) / periods.step_ns;
  if (rows <= 0 || rows > kRowsMax) {
    return Error{Code::invalid_argument,
                 "the report would have " + std::to_string(rows) + " rows",
                 "give --since and --step that make 1 to " + std::to_string(kRowsMax),
                 {},
                 {}};
  }
  for (int64_t i = rows - 1; i >= 0; --i) periods.ends_ns.push_back(now_ns - i * periods.step_ns);
  return periods;
}

// "168h", which both languages of durations have.
std::string promql_duration(int64_t ns) { return std::to_string(ns / kMinuteNs) + "m"; }

// What a counter grew by in the period before each time.
std::string growth(const std::string& counter, const Periods& periods) {
  return "sum(" + counter + ") - (sum(" + counter + " offset " + promql_duration(periods.step_ns) + ") or vector(0))";
}

struct SprintInfo {
  std::string id, name;
  int64_t start_ns = 0, end_ns = 0, due_ns = 0;  // end 0: open; due 0: no end was planned
};

int64_t time_field(const Json& json, std::string_view name) {
  const auto time = parse_rfc3339(json.string_or(name));
  return time.ok() ? *time : 0;
}

// Oldest first.
Result<std::vector<SprintInfo>> sprints_of(Context& context) {
  CC_ASSIGN(const Json answer, context.question("sprint.list", {{"limit", int64_t{1000}}}));
  std::vector<SprintInfo> out;
  for (const Json& item : *answer.find("items")->as_array()) {
    SprintInfo sprint;
    sprint.id = item.string_or("id");
    sprint.name = item.string_or("name");
    sprint.start_ns = time_field(item, "started");
    sprint.end_ns = time_field(item, "ended");
    sprint.due_ns = time_field(item, "end_date");
    out.push_back(std::move(sprint));
  }
  std::reverse(out.begin(), out.end());
  return out;
}

Result<SprintInfo> sprint_of(Context& context, const std::string& wanted) {
  CC_ASSIGN(const std::vector<SprintInfo> all, sprints_of(context));
  const SprintInfo* found = nullptr;
  for (const SprintInfo& sprint : all) {
    const bool last = wanted == "last" && sprint.end_ns != 0;
    const bool current = (wanted == "current" || wanted.empty()) && sprint.end_ns == 0;
    if (last || current || sprint.id == wanted) found = &sprint;
  }
  if (found == nullptr && wanted.empty() && !all.empty()) found = &all.back();
  if (found == nullptr) {
    return Error{Code::not_found,
                 wanted.empty() ? "the project has no sprint" : "no sprint " + wanted,
                 "contextcore sprint list shows what there is",
                 {},
                 {}};
  }
  return *found;
}

// From the sprint's start day by day to its end, or to now.
std::vector<int64_t> days_of(const SprintInfo& sprint) {
  const int64_t end_ns = sprint.end_ns != 0 ? sprint.end_ns : now_on_grid();
  std::vector<int64_t> times;
  // The sample behind the start, with what was planned in the same minute.
  const int64_t first_ns = (sprint.start_ns + kMinuteNs - 1) / kMinuteNs * kMinuteNs;
  const int64_t step_ns = std::max<int64_t>(kDayNs, (end_ns - first_ns) / kRowsMax);
  for (int64_t time_ns = first_ns; time_ns < end_ns; time_ns += step_ns) times.push_back(time_ns);
  times.push_back(std::max((end_ns + kMinuteNs - 1) / kMinuteNs * kMinuteNs, first_ns));
  return times;
}

Result<Report> burndown(Context& context, const Asker& asker, const Arguments& arguments) {
  CC_ASSIGN(const SprintInfo sprint, sprint_of(context, arguments.text_of("sprint")));
  const std::vector<int64_t> times = days_of(sprint);
  const std::string of_sprint = "sprint_id=" + Asker::quoted(sprint.id);
  Report report{"burndown",
                asker.project(),
                sprint.name.empty() ? sprint.id : sprint.name,
                "points",
                "time",
                "TIME",
                {{"remaining", "REMAINING"}, {"completed", "COMPLETED"}, {"ideal", "IDEAL"}},
                {}};
  CC_ASSIGN(std::vector<double> planned, asker.numbers("sprint_planned_points" + asker.selector(of_sprint), times));
  CC_ASSIGN(std::vector<double> done, asker.numbers("sprint_completed_points" + asker.selector(of_sprint), times));
  const bool points = std::any_of(planned.begin(), planned.end(), [](double n) { return n > 0; });
  if (!points) {
    // Nobody estimated: tasks are counted.
    report.unit = "tasks";
    const std::string all = asker.selector(of_sprint + ",status!=\"cancelled\"");
    const std::string ended = asker.selector(of_sprint + ",status=\"done\"");
    CC_ASSIGN(planned, asker.numbers("sum(task_status" + all + ")", times));
    CC_ASSIGN(done, asker.numbers("sum(task_status" + ended + ") or vector(0)", times));
  }
  const int64_t end_ns = sprint.due_ns != 0 ? sprint.due_ns : sprint.end_ns;
  for (size_t i = 0; i < times.size(); ++i) {
    double ideal = kNone;
    if (end_ns > times[0] && std::isfinite(planned[0])) {
      const double left = static_cast<double>(end_ns - times[i]) / static_cast<double>(end_ns - times[0]);
      ideal = planned[0] * std::clamp(left, 0.0, 1.0);
    }
    report.rows.push_back({times[i], {}, {planned[i] - done[i], done[i], ideal}});
  }
  return report;
}

Result<Report> velocity(Context& context, const Asker& asker, const Arguments&) {
  CC_ASSIGN(const std::vector<SprintInfo> sprints, sprints_of(context));
  const int64_t now_ns = now_on_grid() + kMinuteNs;
  CC_ASSIGN(const auto planned, asker.by_label("sprint_planned_points" + asker.selector(), "sprint_id", now_ns));
  CC_ASSIGN(const auto done, asker.by_label("sprint_completed_points" + asker.selector(), "sprint_id", now_ns));
  Report report{"velocity",
                asker.project(),
                {},
                "points",
                "sprint",
                "SPRINT",
                {{"planned", "PLANNED"}, {"completed", "COMPLETED"}, {"average", "AVERAGE OF 3"}},
                {}};
  std::vector<double> ended;
  for (const SprintInfo& sprint : sprints) {
    const auto value = [&](const auto& values) {
      const auto at = values.find(sprint.id);
      return at == values.end() ? 0.0 : at->second;
    };
    double average = kNone;
    if (sprint.end_ns != 0) {
      ended.push_back(value(done));
      const size_t count = std::min<size_t>(3, ended.size());
      average = 0;
      for (size_t i = ended.size() - count; i < ended.size(); ++i) average += ended[i] / static_cast<double>(count);
    }
    report.rows.push_back({sprint.start_ns, sprint.id, {value(planned), value(done), average}});
  }
  return report;
}

Result<Report> cycle_time(Context&, const Asker& asker, const Arguments& arguments) {
  CC_ASSIGN(const Periods periods, periods_of(arguments));
  std::string of = arguments.text_of("of");
  if (of.empty()) of = "cycle";
  if (of != "cycle" && of != "lead" && of != "blocked") {
    return Error{Code::invalid_argument, "--of " + of + " is no such time", "cycle, lead or blocked", {}, {}};
  }
  const std::string metric = "task_" + of + "_time_seconds";
  Report report{"cycle-time",
                asker.project(),
                of + " time",
                "seconds",
                "until",
                "UNTIL",
                {{"completed", "COMPLETED"}, {"p50", "MEDIAN", true}, {"p85", "85 %", true}, {"p95", "95 %", true}},
                {}};
  std::vector<std::vector<double>> columns;
  CC_ASSIGN(std::vector<double> counts,
            asker.numbers(growth(metric + "_count" + asker.selector(), periods), periods.ends_ns));
  columns.push_back(std::move(counts));
  for (const char* q : {"0.5", "0.85", "0.95"}) {
    const std::string range = "[" + promql_duration(periods.step_ns) + "]";
    CC_ASSIGN(std::vector<double> values,
              asker.numbers("histogram_quantile(" + std::string(q) + ", sum by (le) (increase(" + metric + "_bucket" +
                                asker.selector() + range + ")))",
                            periods.ends_ns));
    columns.push_back(std::move(values));
  }
  for (size_t i = 0; i < periods.ends_ns.size(); ++i) {
    ReportRow row{periods.ends_ns[i], {}, {}};
    for (const auto& column : columns) row.values.push_back(column[i]);
    if (std::isnan(row.values[0])) row.values[0] = 0;
    report.rows.push_back(std::move(row));
  }
  return report;
}

Result<Report> throughput(Context&, const Asker& asker, const Arguments& arguments) {
  CC_ASSIGN(const Periods periods, periods_of(arguments));
  Report report{"throughput",
                asker.project(),
                {},
                "tasks and points",
                "until",
                "UNTIL",
                {{"completed", "COMPLETED"}, {"points", "POINTS"}},
                {}};
  const std::string selector = asker.selector();
  CC_ASSIGN(const std::vector<double> tasks,
            asker.numbers(growth("task_completed_total" + selector, periods), periods.ends_ns));
  CC_ASSIGN(const std::vector<double> points,
            asker.numbers(growth("task_story_points_completed_total" + selector, periods), periods.ends_ns));
  for (size_t i = 0; i < periods.ends_ns.size(); ++i) {
    const auto value = [](double number) { return std::isnan(number) ? 0.0 : number; };
    report.rows.push_back({periods.ends_ns[i], {}, {value(tasks[i]), value(points[i])}});
  }
  return report;
}

using Maker = Result<Report> (*)(Context&, const Asker&, const Arguments&);

int show(Context& context, const Arguments& arguments, Maker maker) {
  auto config = context.config();
  if (!config.ok()) return context.fail(config.error());
  if ((*config)->get("project").empty()) {
    return context.fail(Error{
        Code::invalid_argument, "a report is about one project", "give --project, or run contextcore init", {}, {}});
  }
  auto backend = context.backend(false);
  if (!backend.ok()) return context.fail(backend.error());
  auto report = maker(context, Asker(**backend, (*config)->get("project")), arguments);
  if (!report.ok()) return context.fail(report.error());
  if (context.flags.json) {
    context.print(json_line("report", report_json(*report)));
  } else if (arguments.given("csv")) {
    context.print(report_csv(*report));
  } else if (arguments.given("chart")) {
    context.print(report_chart(*report, context.terminal));
  } else {
    context.print(report_table(*report, context.terminal));
  }
  return kDone;
}

void add_report(CLI::App& report, Action& chosen, const std::string& name, const std::string& help, Maker maker,
                const std::function<void(Arguments&)>& describe) {
  add_command(
      report, name, help, chosen,
      [describe](Arguments& a) {
        describe(a);
        a.flag("--csv", "csv", "comma-separated values").flag("--chart", "chart", "a chart instead of the table");
      },
      [maker](Context& context, const Arguments& arguments) { return show(context, arguments, maker); });
}

void describe_periods(Arguments& a) {
  a.text("--since", "since", "how far back: a duration (90d) or a time; default: 12 periods")
      .text("--step", "step", "length of a period (default 1w)");
}

}  // namespace

void add_report_commands(CLI::App& app, Action& chosen) {
  CLI::App& report = *app.add_subcommand("report", "Burndown, velocity, cycle time, throughput");
  report.require_subcommand(1);
  add_report(report, chosen, "burndown", "What is left of a sprint, day by day", burndown, [](Arguments& a) {
    a.text("--sprint", "sprint", "its id, current or last (default: the current one, else the newest)");
  });
  add_report(report, chosen, "velocity", "Points that sprints planned and completed", velocity, [](Arguments&) {});
  add_report(report, chosen, "cycle-time", "How long completed tasks took, by period", cycle_time, [](Arguments& a) {
    describe_periods(a);
    a.text("--of", "of", "cycle (from the first start), lead (from creation) or blocked");
  });
  add_report(report, chosen, "throughput", "Tasks and points completed, by period", throughput, describe_periods);
}

}  // namespace contextcore::cli
