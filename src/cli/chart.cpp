#include "cli/chart.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "base/time.h"

namespace contextcore::cli {
namespace {

constexpr int kRows = 12;
constexpr int kAxisColumns = 8;
constexpr int kColumnsMin = 20;
constexpr int kColumnsMax = 120;
constexpr size_t kSeriesMax = 8;  // as many as can be told apart
constexpr std::array<std::string_view, kSeriesMax> kMarks = {"•", "+", "×", "o", "#", "*", "=", "~"};
constexpr std::array<Style, 6> kStyles = {Style::cyan, Style::yellow, Style::green,
                                          Style::red,  Style::blue,   Style::plain};

struct Bounds {
  double low = 0, high = 0;
  int64_t start_ns = INT64_MAX, end_ns = INT64_MIN;
  bool any = false;
};

Bounds bounds_of(const std::vector<ChartSeries>& series) {
  Bounds bounds;
  for (const ChartSeries& one : series) {
    for (const auto& [time_ns, value] : one.samples) {
      if (!std::isfinite(value)) continue;
      bounds.low = bounds.any ? std::min(bounds.low, value) : std::min(0.0, value);
      bounds.high = bounds.any ? std::max(bounds.high, value) : std::max(0.0, value);
      bounds.start_ns = std::min(bounds.start_ns, time_ns);
      bounds.end_ns = std::max(bounds.end_ns, time_ns);
      bounds.any = true;
    }
  }
  if (bounds.high <= bounds.low) bounds.high = bounds.low + 1;
  return bounds;
}

class Canvas {
 public:
  Canvas(int columns, const Bounds& bounds)
      : columns_(columns), bounds_(bounds), cells_(static_cast<size_t>(columns * kRows), -1) {}

  void draw(const ChartSeries& series, int number) {
    for (const auto& [time_ns, value] : series.samples) {
      if (!std::isfinite(value)) continue;
      const double across = bounds_.end_ns == bounds_.start_ns
                                ? 0
                                : static_cast<double>(time_ns - bounds_.start_ns) /
                                      static_cast<double>(bounds_.end_ns - bounds_.start_ns);
      const double up = (value - bounds_.low) / (bounds_.high - bounds_.low);
      const int column = static_cast<int>(std::lround(across * (columns_ - 1)));
      const int row = kRows - 1 - static_cast<int>(std::lround(up * (kRows - 1)));
      cells_[static_cast<size_t>(row * columns_ + column)] = number;
    }
  }

  std::string line(int row, const Terminal& terminal) const {
    std::string out;
    for (int column = 0; column < columns_; ++column) {
      const int number = cells_[static_cast<size_t>(row * columns_ + column)];
      out += number < 0 ? " "
                        : terminal.paint(kStyles[static_cast<size_t>(number) % kStyles.size()],
                                         kMarks[static_cast<size_t>(number)]);
    }
    while (out.ends_with(' ')) out.pop_back();
    return out;
  }

 private:
  int columns_;
  const Bounds& bounds_;
  std::vector<int> cells_;  // the series, -1: none
};

std::string right(std::string text, int columns) {
  const int missing = columns - display_width(text);
  return std::string(static_cast<size_t>(std::max(missing, 0)), ' ') + text;
}

}  // namespace

std::string short_number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  const double magnitude = std::abs(value);
  constexpr std::array<std::pair<double, const char*>, 3> kUnits = {{{1e9, "G"}, {1e6, "M"}, {1e4, "k"}}};
  char buffer[48];
  for (const auto& [from, unit] : kUnits) {
    if (magnitude < from) continue;
    std::snprintf(buffer, sizeof(buffer), "%.4g%s", value / (from == 1e4 ? 1e3 : from), unit);
    return buffer;
  }
  std::snprintf(buffer, sizeof(buffer), "%.4g", value);
  return buffer;
}

std::string render_chart(const std::vector<ChartSeries>& series, const Terminal& terminal) {
  const Bounds bounds = bounds_of(series);
  if (!bounds.any) return {};
  const int columns = std::clamp(terminal.columns - kAxisColumns - 2, kColumnsMin, kColumnsMax);
  Canvas canvas(columns, bounds);
  // The first one is drawn last: on top.
  const size_t shown = std::min(series.size(), kSeriesMax);
  for (size_t i = shown; i-- > 0;) canvas.draw(series[i], static_cast<int>(i));
  std::string out;
  for (int row = 0; row < kRows; ++row) {
    const bool labelled = row == 0 || row == kRows - 1 || row == kRows / 2;
    const double value = bounds.high - (bounds.high - bounds.low) * row / (kRows - 1);
    out += terminal.paint(Style::dim, right(labelled ? short_number(value) : "", kAxisColumns) + " │");
    out += canvas.line(row, terminal) + "\n";
  }
  std::string rule;
  for (int column = 0; column < columns; ++column) rule += "─";
  out += terminal.paint(Style::dim, std::string(kAxisColumns + 1, ' ') + "└" + rule) + "\n";
  const std::string from = format_local_minute(bounds.start_ns), to = format_local_minute(bounds.end_ns);
  std::string times(kAxisColumns + 2, ' ');
  times += from + right(to, std::max(columns - display_width(from), display_width(to) + 2));
  out += terminal.paint(Style::dim, times) + "\n";
  for (size_t i = 0; i < shown; ++i) {
    const double last = series[i].samples.empty() ? std::nan("") : series[i].samples.back().second;
    out += terminal.paint(kStyles[i % kStyles.size()], kMarks[i]) + " " +
           fit(series[i].name, std::max(terminal.columns - 20, 20)) + "  " +
           terminal.paint(Style::bold, short_number(last)) + "\n";
  }
  if (series.size() > shown) {
    out += terminal.paint(Style::dim, "… and " + std::to_string(series.size() - shown) +
                                          " more series: narrow the query, or use --json") +
           "\n";
  }
  return out;
}

}  // namespace contextcore::cli
