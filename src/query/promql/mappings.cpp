#include <chrono>
#include <cmath>
#include <limits>
#include <numbers>

#include "query/promql/calls.h"
#include "query/promql/window.h"

namespace contextcore::promql {
namespace {

struct Named {
  std::string_view name;
  Mapping mapping;
};

double sgn(double v) { return v < 0 ? -1.0 : v > 0 ? 1.0 : v; }

// tidy: table
constexpr Named kMappings[] = {
    {"abs", [](double v) { return std::abs(v); }},
    {"acos", [](double v) { return std::acos(v); }},
    {"acosh", [](double v) { return std::acosh(v); }},
    {"asin", [](double v) { return std::asin(v); }},
    {"asinh", [](double v) { return std::asinh(v); }},
    {"atan", [](double v) { return std::atan(v); }},
    {"atanh", [](double v) { return std::atanh(v); }},
    {"ceil", [](double v) { return std::ceil(v); }},
    {"cos", [](double v) { return std::cos(v); }},
    {"cosh", [](double v) { return std::cosh(v); }},
    {"deg", [](double v) { return v * 180 / std::numbers::pi; }},
    {"exp", [](double v) { return std::exp(v); }},
    {"floor", [](double v) { return std::floor(v); }},
    {"ln", [](double v) { return std::log(v); }},
    {"log10", [](double v) { return std::log10(v); }},
    {"log2", [](double v) { return std::log2(v); }},
    {"rad", [](double v) { return v * std::numbers::pi / 180; }},
    {"sgn", sgn},
    {"sin", [](double v) { return std::sin(v); }},
    {"sinh", [](double v) { return std::sinh(v); }},
    {"sqrt", [](double v) { return std::sqrt(v); }},
    {"tan", [](double v) { return std::tan(v); }},
    {"tanh", [](double v) { return std::tanh(v); }},
};

// ---- dates, UTC ----

std::chrono::sys_days day_of(double seconds) {
  return std::chrono::sys_days(std::chrono::days(static_cast<int>(std::floor(seconds / 86'400))));
}
std::chrono::year_month_day date_of(double seconds) { return std::chrono::year_month_day(day_of(seconds)); }
double second_of_day(double seconds) { return seconds - std::floor(seconds / 86'400) * 86'400; }

double day_of_month(double v) { return static_cast<double>(static_cast<unsigned>(date_of(v).day())); }
double day_of_week(double v) { return static_cast<double>(std::chrono::weekday(day_of(v)).c_encoding()); }
double day_of_year(double v) {
  const auto first = std::chrono::sys_days(date_of(v).year() / std::chrono::January / 1);
  return static_cast<double>((day_of(v) - first).count() + 1);
}
double days_in_month(double v) {
  const auto date = date_of(v);
  return static_cast<double>(
      static_cast<unsigned>(std::chrono::year_month_day_last(date.year() / date.month() / std::chrono::last).day()));
}
double month(double v) { return static_cast<double>(static_cast<unsigned>(date_of(v).month())); }
double year(double v) { return static_cast<double>(static_cast<int>(date_of(v).year())); }
double hour(double v) { return std::floor(second_of_day(v) / 3600); }
double minute(double v) { return std::floor(std::fmod(second_of_day(v), 3600) / 60); }

// Years that a calendar has.
template <double (*Fn)(double)>
double dated(double v) {
  constexpr double kFarthest = 1e11;
  return std::abs(v) < kFarthest ? Fn(std::floor(v)) : std::numeric_limits<double>::quiet_NaN();
}

constexpr Named kDateFunctions[] = {
    {"day_of_month", dated<day_of_month>},
    {"day_of_week", dated<day_of_week>},
    {"day_of_year", dated<day_of_year>},
    {"days_in_month", dated<days_in_month>},
    {"hour", dated<hour>},
    {"minute", dated<minute>},
    {"month", dated<month>},
    {"year", dated<year>},
};

constexpr std::string_view kOthers[] = {
    "absent",     "absent_over_time",
    "clamp",      "clamp_max",
    "clamp_min",  "histogram_quantile",
    "label_join", "label_replace",
    "pi",         "round",
    "scalar",     "sort",
    "sort_desc",  "time",
    "timestamp",  "vector",
};

}  // namespace

Mapping find_mapping(std::string_view name) {
  for (const Named& named : kMappings) {
    if (named.name == name) return named.mapping;
  }
  return nullptr;
}

Mapping find_date_function(std::string_view name) {
  for (const Named& named : kDateFunctions) {
    if (named.name == name) return named.mapping;
  }
  return nullptr;
}

bool is_built(std::string_view name) {
  for (const std::string_view other : kOthers) {
    if (other == name) return true;
  }
  return find_mapping(name) != nullptr || find_date_function(name) != nullptr || find_range_function(name) != nullptr;
}

}  // namespace contextcore::promql
