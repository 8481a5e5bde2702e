// contextcore metrics: PromQL over the views of the event log.

#include <algorithm>

#include "base/clock.h"
#include "base/time.h"
#include "cli/arguments.h"
#include "cli/metric_view.h"

namespace contextcore::cli {
namespace {

constexpr int64_t kStepsWanted = 110;

Result<int64_t> time_of(const Arguments& arguments, const std::string& name, int64_t now_ns, int64_t fallback_ns) {
  const std::string text = arguments.text_of(name);
  if (text.empty()) return fallback_ns;
  if (name == "since") {
    auto duration = parse_prometheus_duration(text);
    if (!duration.ok()) duration = parse_go_duration(text);
    if (duration.ok()) return now_ns - *duration;
  }
  return parse_time(text, now_ns);
}

Result<sdk::MetricOptions> options_of(const Arguments& arguments) {
  const int64_t now_ns = real_clock().wall_ns();
  sdk::MetricOptions options;
  CC_ASSIGN(options.end_ns, time_of(arguments, "to", now_ns, now_ns));
  CC_ASSIGN(const int64_t since_ns, time_of(arguments, "since", now_ns, INT64_MIN));
  CC_ASSIGN(options.start_ns, time_of(arguments, "from", now_ns, since_ns));
  if (options.start_ns == INT64_MIN) {
    CC_ASSIGN(options.end_ns, time_of(arguments, "time", now_ns, options.end_ns));
    return options;
  }
  if (arguments.given("time")) {
    return Error{
        Code::invalid_argument, "--time is one moment, --since and --from are a range", "give one of them", {}, {}};
  }
  if (options.end_ns < options.start_ns) {
    return Error{Code::invalid_argument, "the range ends before it starts", {}, {}, {}};
  }
  // Whole minutes: that is where the samples are.
  const int64_t range_ns = options.end_ns - options.start_ns;
  options.step_ns = std::max<int64_t>(kMinuteNs, (range_ns / kStepsWanted + kMinuteNs - 1) / kMinuteNs * kMinuteNs);
  if (const std::string step = arguments.text_of("step"); !step.empty()) {
    CC_ASSIGN(options.step_ns, parse_prometheus_duration(step));
    if (options.step_ns <= 0) return Error{Code::invalid_argument, "--step must be positive", {}, {}, {}};
  }
  return options;
}

int metrics(Context& context, const Arguments& arguments) {
  auto backend = context.backend(false);
  if (!backend.ok()) return context.fail(backend.error());
  auto options = options_of(arguments);
  if (!options.ok()) return context.fail(options.error());
  auto answer = (*backend)->metrics(arguments.text_of("query"), *options);
  if (!answer.ok()) return context.fail(answer.error());
  print_metrics(context, *answer, options->step_ns != 0);
  return kDone;
}

}  // namespace

void add_metrics_command(CLI::App& app, Action& chosen) {
  add_command(
      app, "metrics", "PromQL over metrics of work and received ones: values, or a chart of a range", chosen,
      [](Arguments& a) {
        a.positional("query", "PromQL, such as 'sum by (status) (task_count_by_status)'")
            .text("--since", "since", "a chart from so far back: a duration (24h, 30d) or a time")
            .text("--from", "from", "start of the range")
            .text("--to", "to", "end of the range (default: now)")
            .text("--step", "step", "distance of the samples (default: as many as fit the terminal)")
            .text("--time", "time", "one value, at this time (default: now)");
      },
      metrics);
}

}  // namespace contextcore::cli
