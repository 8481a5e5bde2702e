#pragma once
// A source of metrics over what a test gives it.

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>
#include <string_view>
#include <vector>

#include "query/promql/parser.h"
#include "store/metric_source.h"

namespace contextcore::promql {

class MemoryMetrics : public store::MetricSource {
 public:
  std::vector<store::MetricSeries> all;

  Result<std::vector<store::MetricSeries>> select(const store::MetricRequest& request) const override {
    std::vector<store::MetricSeries> out;
    for (const store::MetricSeries& series : all) {
      if (!store::matches(request.matchers, series.labels)) continue;
      const bool in_range = std::any_of(series.runs.begin(), series.runs.end(), [&](const store::SampleRun& run) {
        return run.end_ms() >= request.start_ms && run.start_ms <= request.end_ms;
      });
      if (in_range) out.push_back(series);
    }
    return out;
  }
  std::vector<store::MetricDescription> describe() const override { return {}; }

  // One line of a data file: foo{a="b"} and values, step_ms apart from 0 on: 1 -2.5 NaN Inf stale _ (nothing), 1x3
  // (four times), 1+2x3 (1 3 5 7), _x3 (three times nothing). False when it is no such line. as_runs: equal neighbours
  // share a run.
  bool add(std::string_view line, int64_t step_ms, bool as_runs) {
    const size_t close = line.rfind('}');
    const size_t space = line.find(' ', close == std::string_view::npos ? 0 : close);
    const auto matchers = parse_matchers(line.substr(0, space));
    if (!matchers.ok() || space == std::string_view::npos) return false;
    store::MetricSeries series;
    for (const Matcher& matcher : *matchers) series.labels.emplace_back(matcher.name, matcher.value);
    std::sort(series.labels.begin(), series.labels.end());
    int64_t time_ms = 0;
    for (size_t at = space; at < line.size();) {
      at = line.find_first_not_of(' ', at);
      if (at == std::string_view::npos) break;
      const size_t end = std::min(line.find(' ', at), line.size());
      if (!add_values(line.substr(at, end - at), step_ms, as_runs, time_ms, series.runs)) return false;
      at = end;
    }
    all.push_back(std::move(series));
    return true;
  }

  static bool read_number(std::string_view text, double& out) {
    if (text.starts_with('+')) text.remove_prefix(1);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return error == std::errc() && end == text.data() + text.size();
  }

 private:
  static bool add_values(std::string_view text, int64_t step_ms, bool as_runs, int64_t& time_ms,
                         std::vector<store::SampleRun>& runs) {
    int64_t times = 0;
    if (const size_t x = text.find('x'); x != std::string_view::npos) {
      double count = 0;
      if (!read_number(text.substr(x + 1), count)) return false;
      times = static_cast<int64_t>(count);
      text = text.substr(0, x);
    }
    if (text == "_") {
      time_ms += step_ms * std::max<int64_t>(times, 1);
      return true;
    }
    double value = 0, increment = 0;
    const size_t sign = text.find_first_of("+-", 1);
    const bool exponent = sign != std::string_view::npos && (text[sign - 1] == 'e' || text[sign - 1] == 'E');
    if (text == "stale") {
      value = store::stale_marker();
    } else if (sign != std::string_view::npos && !exponent) {
      if (!read_number(text.substr(0, sign), value) || !read_number(text.substr(sign), increment)) return false;
    } else if (!read_number(text, value)) {
      return false;
    }
    for (int64_t i = 0; i <= times; ++i) {
      const bool joins =
          as_runs && !runs.empty() && runs.back().value == value && runs.back().end_ms() + step_ms == time_ms;
      if (joins) {
        runs.back().step_ms = step_ms;
        ++runs.back().count;
      } else {
        runs.push_back({time_ms, 0, 1, value});
      }
      time_ms += step_ms;
      value += increment;
    }
    return true;
  }
};

}  // namespace contextcore::promql
