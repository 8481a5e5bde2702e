// contextcore query (TraceQL, or one trace as a waterfall) and logs (LogQL).

#include <algorithm>
#include <cmath>
#include <map>

#include "base/clock.h"
#include "base/time.h"
#include "cli/arguments.h"
#include "cli/metric_view.h"
#include "cli/waterfall.h"
#include "otlp/json.h"
#include "query/traceql/metrics.h"
#include "query/traceql/parser.h"

namespace contextcore::cli {
namespace {

struct Range {
  int64_t start_ns = 0, end_ns = 0;  // 0, 0: all time
};

Result<Range> range_of(const Arguments& arguments) {
  const int64_t now_ns = real_clock().wall_ns();
  Range range;
  if (const std::string since = arguments.text_of("since"); !since.empty()) {
    auto duration = parse_prometheus_duration(since);
    if (!duration.ok()) duration = parse_go_duration(since);
    if (duration.ok()) {
      range.start_ns = now_ns - *duration;
    } else {
      CC_ASSIGN(range.start_ns, parse_time(since, now_ns));
    }
    range.end_ns = now_ns;
  }
  if (const std::string from = arguments.text_of("from"); !from.empty()) {
    CC_ASSIGN(range.start_ns, parse_time(from, now_ns));
    range.end_ns = now_ns;
  }
  if (const std::string to = arguments.text_of("to"); !to.empty()) {
    CC_ASSIGN(range.end_ns, parse_time(to, now_ns));
    if (range.start_ns == 0) range.start_ns = 1;
  }
  if (range.end_ns < range.start_ns) {
    return Error{Code::invalid_argument, "the range ends before it starts", {}, {}, {}};
  }
  return range;
}

Arguments& describe_range(Arguments& a) {
  return a.text("--since", "since", "how far back: a duration (24h, 7d) or a time; default: all")
      .text("--from", "from", "start of the range")
      .text("--to", "to", "end of the range (default: now)");
}

Result<int64_t> limit_of(const Arguments& arguments, int64_t fallback) {
  CC_ASSIGN(const JsonObject args, arguments.object());
  for (const auto& [name, value] : args) {
    if (name != "limit") continue;
    if (*value.as_int() <= 0)
      return Error{Code::invalid_argument, "--limit must be positive", {}, {}, {}};
    return *value.as_int();
  }
  return fallback;
}

bool is_trace_id(const std::string& text) {
  otlp::TraceId id;
  return text.size() == 32 && otlp::parse_hex(text, id);
}

std::string plain(const Json& value) {
  return value.as_string() != nullptr ? *value.as_string() : to_string(value);
}

Json found_json(const sdk::FoundTrace& trace) {
  JsonArray spans;
  for (const sdk::FoundSpan& span : trace.spans) {
    JsonObject attributes;
    for (const auto& [key, value] : span.attributes) attributes.emplace_back(key, value);
    spans.push_back(JsonObject{{"span_id", span.span_id},
                               {"name", span.name},
                               {"start", format_rfc3339(span.start_ns)},
                               {"duration_ns", span.duration_ns},
                               {"attributes", std::move(attributes)}});
  }
  return JsonObject{{"trace_id", trace.trace_id},       {"root_service", trace.root_service},
                    {"root_name", trace.root_name},     {"start", format_rfc3339(trace.start_ns)},
                    {"duration_ns", trace.duration_ns}, {"matched", trace.matched},
                    {"spans", std::move(spans)}};
}

std::string found_table(const std::vector<sdk::FoundTrace>& traces, const Terminal& terminal) {
  Table table({"TRACE", "SPAN", "STARTED", "DURATION", "NAME", "ATTRIBUTES"});
  int64_t matched = 0, shown = 0;
  for (const sdk::FoundTrace& trace : traces) {
    matched += trace.matched;
    for (const sdk::FoundSpan& span : trace.spans) {
      ++shown;
      std::string attributes;
      for (const auto& [key, value] : span.attributes) {
        if (!attributes.empty()) attributes += "  ";
        attributes += key + "=" + plain(value);
      }
      table.row({trace.trace_id, span.span_id, format_local_minute(span.start_ns),
                 format_duration_short(span.duration_ns), span.name, attributes},
                {Style::dim, Style::dim, Style::plain, Style::plain, Style::bold, Style::plain});
    }
  }
  if (table.empty()) return "No spans match.\n";
  std::string out = table.render(terminal);
  out += terminal.paint(Style::dim, std::to_string(shown) + " of " + std::to_string(matched) +
                                        " matching spans in " + std::to_string(traces.size()) +
                                        (traces.size() == 1 ? " trace" : " traces")) +
         "\n";
  return out;
}

int show_trace(Context& context, sdk::Backend& backend, const std::string& hex) {
  otlp::TraceId id;
  otlp::parse_hex(hex, id);
  auto trace = backend.trace(id);
  if (!trace.ok()) return context.fail(trace.error());
  if (!*trace) return context.fail(Error{Code::not_found, "no trace " + hex, {}, {}, {}});
  if (context.flags.json) {
    auto json = parse_json(otlp::encode_json(**trace));
    if (!json.ok()) return context.fail(json.error());
    context.print(json_line("trace", *json));
  } else {
    context.print(render_waterfall(**trace, context.terminal, real_clock().wall_ns()));
  }
  return kDone;
}

// A chart over the range; with a bare aggregate at the end, or on request, one value for all of it.
int query_numbers(Context& context, const Arguments& arguments, sdk::Backend& backend,
                  bool aggregate) {
  auto range = range_of(arguments);
  if (!range.ok()) return context.fail(range.error());
  sdk::SpanMetricOptions options;
  options.instant = arguments.given("instant") || (aggregate && !arguments.given("step"));
  options.start_ns = range->start_ns;
  options.end_ns = range->end_ns;
  if (range->end_ns == 0 && !aggregate) {
    options.end_ns = real_clock().wall_ns();
    options.start_ns = options.end_ns - kDayNs;
  }
  if (const std::string step = arguments.text_of("step"); !step.empty()) {
    auto duration = parse_prometheus_duration(step);
    if (!duration.ok()) return context.fail(duration.error());
    options.step_ns = *duration;
  }
  auto answer = backend.span_metrics(arguments.text_of("query"), options);
  if (!answer.ok()) return context.fail(answer.error());
  print_metrics(context, *answer, !options.instant);
  return kDone;
}

int query(Context& context, const Arguments& arguments) {
  auto backend = context.backend(false);
  if (!backend.ok()) return context.fail(backend.error());
  const std::string text = arguments.text_of("query");
  if (is_trace_id(text)) return show_trace(context, **backend, text);
  if (const auto parsed = traceql::parse(text); parsed.ok() && traceql::is_metrics_query(*parsed)) {
    return query_numbers(context, arguments, **backend, parsed->trailing.has_value());
  }
  auto range = range_of(arguments);
  if (!range.ok()) return context.fail(range.error());
  auto limit = limit_of(arguments, 20);
  if (!limit.ok()) return context.fail(limit.error());
  sdk::SearchOptions options{range->start_ns, range->end_ns, *limit, 100};
  auto found = (*backend)->search(text, options);
  if (!found.ok()) return context.fail(found.error());
  if (context.flags.json) {
    for (const sdk::FoundTrace& trace : *found)
      context.print(json_line("trace_match", found_json(trace)));
  } else {
    context.print(found_table(*found, context.terminal));
  }
  return kDone;
}

Json labels_json(const sdk::Labels& labels) {
  JsonObject out;
  for (const auto& [name, value] : labels) out.emplace_back(name, value);
  return out;
}

std::string labels_text(const sdk::Labels& labels) {
  std::string out = "{";
  for (const auto& [name, value] : labels) {
    if (out.size() > 1) out += ", ";
    out += name + "=\"" + value + "\"";
  }
  return out + "}";
}

std::string number_text(double value) {
  if (std::isnan(value)) return "NaN";
  return to_string(Json(value));
}

void print_logs(Context& context, const sdk::LogAnswer& answer) {
  if (context.flags.json) {
    for (const sdk::LogLine& line : answer.lines) {
      context.print(json_line("log", JsonObject{{"time", format_rfc3339(line.time_ns)},
                                                {"labels", labels_json(line.labels)},
                                                {"line", line.line}}));
    }
    for (const sdk::Series& series : answer.series) {
      JsonArray samples;
      for (const auto& [time_ns, value] : series.samples) {
        samples.push_back(JsonObject{{"time", format_rfc3339(time_ns)}, {"value", value}});
      }
      context.print(json_line("series", JsonObject{{"labels", labels_json(series.labels)},
                                                   {"samples", std::move(samples)}}));
    }
    return;
  }
  for (const sdk::LogLine& line : answer.lines) {
    context.print(
        context.terminal.paint(Style::dim, format_rfc3339(line.time_ns)) + "  " +
        fit(line.line, context.terminal.columns > 40 ? context.terminal.columns - 34 : 0) + "\n");
  }
  for (const sdk::Series& series : answer.series) {
    context.print(context.terminal.paint(Style::bold, labels_text(series.labels)) + "\n");
    for (const auto& [time_ns, value] : series.samples) {
      context.print("  " + format_rfc3339(time_ns) + "  " + number_text(value) + "\n");
    }
  }
  if (answer.lines.empty() && answer.series.empty()) context.print("No log lines match.\n");
}

int logs(Context& context, const Arguments& arguments) {
  auto backend = context.backend(false);
  if (!backend.ok()) return context.fail(backend.error());
  auto range = range_of(arguments);
  if (!range.ok()) return context.fail(range.error());
  auto limit = limit_of(arguments, 100);
  if (!limit.ok()) return context.fail(limit.error());
  sdk::LogOptions options;
  options.start_ns = range->start_ns;
  options.end_ns = range->end_ns;
  options.limit = *limit;
  options.backward = !arguments.given("forward");
  options.instant = arguments.given("instant");
  if (const std::string step = arguments.text_of("step"); !step.empty()) {
    auto duration = parse_prometheus_duration(step);
    if (!duration.ok()) return context.fail(duration.error());
    options.step_ns = *duration;
  }
  auto answer = (*backend)->logs(arguments.text_of("query"), options);
  if (!answer.ok()) return context.fail(answer.error());
  print_logs(context, *answer);
  return kDone;
}

}  // namespace

void add_query_commands(CLI::App& app, Action& chosen) {
  add_command(
      app, "query", "TraceQL over tasks and telemetry; a trace id shows its waterfall", chosen,
      [](Arguments& a) {
        describe_range(
            a.positional("query",
                         "TraceQL, such as '{ span.task.status = \"blocked\" }' or '{ } | rate()', or a "
                         "trace id"))
            .integer("--limit,-n", "limit", "at most this many traces (default 20)")
            .flag("--instant", "instant", "metric queries: one value for the whole range")
            .text("--step", "step",
                  "metric queries: distance of the samples (the range is the last 24h by default)");
      },
      query);
  add_command(
      app, "logs", "LogQL over the event log and received logs", chosen,
      [](Arguments& a) {
        describe_range(a.positional("query", "LogQL, such as '{service=\"contextcore\"} | json'"))
            .integer("--limit,-n", "limit", "at most this many lines (default 100)")
            .flag("--forward", "forward", "oldest first")
            .flag("--instant", "instant", "metric queries: one value at the end of the range")
            .text("--step", "step", "metric queries: distance of the samples");
      },
      logs);
}

}  // namespace contextcore::cli
