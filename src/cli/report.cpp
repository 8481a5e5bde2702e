#include "cli/report.h"

#include <cmath>

#include "base/time.h"
#include "cli/chart.h"

namespace contextcore::cli {
namespace {

std::string cell(const ReportColumn& column, double value) {
  if (!std::isfinite(value)) return "–";
  if (column.duration) return format_duration_short(static_cast<int64_t>(value * 1e9));
  return short_number(value);
}

std::string first_cell(const ReportRow& row) { return row.name.empty() ? format_local_minute(row.time_ns) : row.name; }

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + "\"";
}

std::string first_value(const ReportRow& row) { return row.name.empty() ? format_rfc3339(row.time_ns) : row.name; }

Json number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

}  // namespace

std::string report_table(const Report& report, const Terminal& terminal) {
  std::vector<std::string> headings{report.first_heading};
  for (const ReportColumn& column : report.columns) headings.push_back(column.heading);
  Table table(std::move(headings));
  for (const ReportRow& row : report.rows) {
    std::vector<std::string> cells{first_cell(row)};
    for (size_t i = 0; i < report.columns.size(); ++i) cells.push_back(cell(report.columns[i], row.values[i]));
    table.row(std::move(cells));
  }
  const std::string title = report.kind + (report.about.empty() ? "" : ": " + report.about) +
                            (report.unit == "seconds" ? "" : ", in " + report.unit);
  return terminal.paint(Style::bold, title) + "\n" + (table.empty() ? "Nothing yet.\n" : table.render(terminal));
}

std::string report_chart(const Report& report, const Terminal& terminal) {
  std::vector<ChartSeries> series;
  bool hours = false;
  for (size_t i = 0; i < report.columns.size(); ++i) {
    ChartSeries one{report.columns[i].heading, {}};
    for (const ReportRow& row : report.rows) {
      const bool duration = report.columns[i].duration;
      hours = hours || duration;
      one.samples.emplace_back(row.time_ns, duration ? row.values[i] / 3600 : row.values[i]);
    }
    // Counts and durations do not share an axis.
    if (report.unit != "seconds" || report.columns[i].duration) series.push_back(std::move(one));
  }
  const std::string chart = render_chart(series, terminal);
  if (chart.empty()) return "Nothing yet.\n";
  return chart + (hours ? terminal.paint(Style::dim, "in hours") + "\n" : "");
}

std::string report_csv(const Report& report) {
  std::string out = report.first_key;
  for (const ReportColumn& column : report.columns) out += "," + column.key;
  out += "\r\n";
  for (const ReportRow& row : report.rows) {
    out += csv_field(first_value(row));
    for (const double value : row.values) {
      out += ",";
      if (std::isfinite(value)) out += to_string(Json(value));
    }
    out += "\r\n";
  }
  return out;
}

Json report_json(const Report& report) {
  JsonArray rows;
  for (const ReportRow& row : report.rows) {
    JsonObject one{{report.first_key, first_value(row)}};
    for (size_t i = 0; i < report.columns.size(); ++i) one.emplace_back(report.columns[i].key, number(row.values[i]));
    rows.push_back(std::move(one));
  }
  JsonObject out{{"report", report.kind}, {"project", report.project}, {"unit", report.unit}};
  if (!report.about.empty()) out.emplace_back("about", report.about);
  out.emplace_back("rows", std::move(rows));
  return Json(std::move(out));
}

}  // namespace contextcore::cli
