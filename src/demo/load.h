#pragma once
// Carries histories out against a store: in the order of time, many commands to a transaction.

#include <cstdint>
#include <functional>
#include <vector>

#include "base/result.h"
#include "demo/history.h"
#include "sdk/backend.h"

namespace contextcore::demo {

struct LoadReport {
  int64_t projects = 0, tasks = 0, sprints = 0, insights = 0, commands = 0;
};

// Called now and then with the share that is done, 0..1.
using Progress = std::function<void(double share, const LoadReport& report)>;

// One project after the other. What is in the store already (an interrupted run with the same
// options, within a day) is not written twice: command ids follow from seed, project and place.
Result<LoadReport> load(sdk::Backend& backend, const DemoOptions& options,
                        const Progress& progress);

}  // namespace contextcore::demo
