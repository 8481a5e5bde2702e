#pragma once
// One run of the simulation: the processes of a plan do their work, meet their trouble, and at the
// end everything is compared with what was acknowledged.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/file_system.h"
#include "sim/plan.h"

namespace contextcore::sim {

struct RunResult {
  std::string problem;  // "": all is well
  bool stuck = false;   // the run did not end
  uint64_t trace = 0;   // the same for two runs of a seed
  uint64_t steps = 0, calls = 0, ops = 0, reads = 0, cuts = 0;
  uint32_t kills = 0, crashes = 0, faults = 0, pauses = 0;
};

using MakeLiar = std::function<std::unique_ptr<FileSystem>(FileSystem& files)>;

RunResult run_plan(const Plan& plan, const MakeLiar& make_liar = {});
inline RunResult run_seed(uint64_t seed, const MakeLiar& make_liar = {}) {
  return run_plan(draw_plan(seed), make_liar);
}

}  // namespace contextcore::sim
