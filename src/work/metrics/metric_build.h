#pragma once
// From the timelines of a project to the step functions that its metrics are. Pure.

#include <cstdint>
#include <functional>
#include <string_view>
#include <utility>
#include <vector>

#include "store/metric_source.h"
#include "work/metric_names.h"
#include "work/metrics/metric_log.h"

namespace contextcore::work {

inline constexpr int64_t kGridMs = names::kMetricGridSeconds * 1000;

// A value from a time of the grid on; a stale marker where there is none.
using Step = std::pair<int64_t, double>;
struct StepSeries {
  store::LabelPairs labels;  // __name__ among them
  std::vector<Step> steps;   // rising times, neighbours differ
};

struct BuildOptions {
  bool with_project = false;                         // the label project besides project_id
  bool with_task = false;                            // a series for each task
  std::function<bool(std::string_view)> wants_task;  // with_task; empty: all
};

// Every series of one of names::kMetrics, in the order of labels.
std::vector<StepSeries> build(const ProjectLog& project, std::string_view metric, const BuildOptions& options);

// The first time of the grid at which something of time_ns is seen.
int64_t grid_at(int64_t time_ns);
// The time of the grid at or before.
int64_t grid_before(int64_t time_ns);
// Where the project's series begin: one step before its first event.
int64_t grid_start(const ProjectLog& project);

// Samples every 60 s from the first step to end_ms, within [start_ms, end_ms], in the place of what out holds.
void make_runs(const std::vector<Step>& steps, int64_t start_ms, int64_t end_ms, std::vector<store::SampleRun>& out);
// Whether there is one.
bool has_runs(const std::vector<Step>& steps, int64_t start_ms, int64_t end_ms);

}  // namespace contextcore::work
