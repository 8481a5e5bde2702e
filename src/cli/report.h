#pragma once
// A report: rows of numbers over time or over sprints, and its forms.

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"
#include "cli/output.h"

namespace contextcore::cli {

struct ReportColumn {
  std::string key;        // in JSON and CSV
  std::string heading;    // in tables and charts
  bool duration = false;  // seconds
};
struct ReportRow {
  int64_t time_ns = 0;         // end of the period; of a sprint: its start
  std::string name;            // of a sprint
  std::vector<double> values;  // NaN: none
};
struct Report {
  std::string kind;  // burndown …
  std::string project;
  std::string about;                     // the sprint, or what is measured
  std::string unit;                      // points, tasks, seconds
  std::string first_key, first_heading;  // of the rows' own column
  std::vector<ReportColumn> columns;
  std::vector<ReportRow> rows;
};

std::string report_table(const Report& report, const Terminal& terminal);
std::string report_chart(const Report& report, const Terminal& terminal);
// RFC 4180, with a line of headings; nothing where there is no value.
std::string report_csv(const Report& report);
// {"report","project","about","unit","rows":[{…}]}; null where there is no value.
Json report_json(const Report& report);

}  // namespace contextcore::cli
