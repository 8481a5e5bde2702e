#include "cli/metric_view.h"

#include <cmath>

#include "base/time.h"
#include "cli/chart.h"

namespace contextcore::cli {
namespace {

std::string labels_text(const sdk::Labels& labels) {
  std::string name, rest;
  for (const auto& [key, value] : labels) {
    if (key == "__name__") {
      name = value;
    } else {
      rest += (rest.empty() ? "" : ", ") + key + "=\"" + value + "\"";
    }
  }
  return rest.empty() && !name.empty() ? name : name + "{" + rest + "}";
}

Json sample_json(int64_t time_ns, double value) {
  // Numbers that JSON cannot say are text, as Prometheus writes them.
  Json number(value);
  if (!std::isfinite(value)) number = Json(short_number(value));
  return JsonObject{{"time", format_rfc3339(time_ns)}, {"value", std::move(number)}};
}

void print_json(Context& context, const sdk::MetricAnswer& answer) {
  if (answer.type == "string") {
    context.print(json_line("text", JsonObject{{"text", answer.text}}));
    return;
  }
  for (const sdk::Series& series : answer.series) {
    JsonObject labels;
    for (const auto& [name, value] : series.labels) labels.emplace_back(name, value);
    JsonArray samples;
    for (const auto& [time_ns, value] : series.samples) samples.push_back(sample_json(time_ns, value));
    context.print(json_line("series", JsonObject{{"labels", std::move(labels)}, {"samples", std::move(samples)}}));
  }
}

void print_table(Context& context, const sdk::MetricAnswer& answer) {
  Table table({"VALUE", "LABELS"});
  for (const sdk::Series& series : answer.series) {
    if (series.samples.empty()) continue;
    table.row({short_number(series.samples.back().second), labels_text(series.labels)}, {Style::bold, Style::plain});
  }
  context.print(table.empty() ? "No series match.\n" : table.render(context.terminal));
}

void print_text(Context& context, const sdk::MetricAnswer& answer, bool chart) {
  if (answer.type == "string") {
    context.print(answer.text + "\n");
    return;
  }
  std::string picture;
  if (chart || answer.type == "matrix") {
    std::vector<ChartSeries> series;
    for (const sdk::Series& one : answer.series) series.push_back({labels_text(one.labels), one.samples});
    picture = render_chart(series, context.terminal);
  }
  if (picture.empty()) {
    print_table(context, answer);
  } else {
    context.print(picture);
  }
}

}  // namespace

void print_metrics(Context& context, const sdk::MetricAnswer& answer, bool chart) {
  if (context.flags.json) {
    print_json(context, answer);
  } else {
    print_text(context, answer, chart);
  }
  for (const std::string& note : answer.notes) context.print_error(note + "\n");
}

}  // namespace contextcore::cli
