#pragma once
// New labels from old ones, and the labels that go with a value's meaning.

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "query/common/regex.h"
#include "query/vector/series.h"

namespace contextcore::query {

struct LabelReplacement {
  std::string destination, replacement, source;
  Regex regex;  // anchored
};

// Series whose source label the expression matches get the replacement ($1, ${name}) as destination; an empty one takes
// the label away. Errors: two series that become one.
Result<GridVector> replace_label(const LabelReplacement& replacement, GridVector series);

// What says which metric, of what type and unit, a value is.
inline constexpr std::string_view kMetricLabels[] = {kNameLabel, "__type__", "__unit__"};
// Go where the value means something else.
void drop_metric_labels(LabelPairs& labels);

}  // namespace contextcore::query
