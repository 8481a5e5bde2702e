#pragma once
// Checked fields of a task that creation and editing share.

#include <string>
#include <vector>

#include "work/args.h"

namespace contextcore::work {

inline constexpr int64_t kPointsMax = 1'000'000;
inline constexpr int64_t kMinutesMax = 100'000'000;
inline constexpr size_t kTitleBytesMax = 4096;

// Not empty, not too long.
Result<std::string> title_of(const Args& args);
// A caller's own attributes: none that the tracker sets, none twice.
Status check_attributes(const JsonObject& attributes);
// `deliverables`: [{path, type?, description?}] or paths; each as JSON text in a fixed order.
Result<std::vector<std::string>> deliverables_of(const Args& args);

}  // namespace contextcore::work
