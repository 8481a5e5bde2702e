#pragma once
// Charts of numbers over time for terminals: text in lines of a given width.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/output.h"

namespace contextcore::cli {

struct ChartSeries {
  std::string name;
  std::vector<std::pair<int64_t, double>> samples;  // ns, rising; NaN and infinities leave gaps
};

// A frame with the values' range at its left and the times at its bottom, a mark for each series, and a legend with
// the last values. "" when there is nothing to show.
std::string render_chart(const std::vector<ChartSeries>& series, const Terminal& terminal);

// "12", "3.5", "1.2k": five characters or so.
std::string short_number(double value);

}  // namespace contextcore::cli
