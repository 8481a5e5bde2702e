#pragma once
// New labels from old ones.

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

}  // namespace contextcore::query
