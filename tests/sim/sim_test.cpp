// The store under simulation (docs/store-proof.md). CONTEXTCORE_SIM_SEED and CONTEXTCORE_SIM_COUNT
// say which seeds.

#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>

#include "sim/planted.h"
#include "sim/run.h"

namespace contextcore::sim {
namespace {

uint64_t number_from(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

std::string how_to_repeat(uint64_t seed) {
  return "CONTEXTCORE_SIM_SEED=" + std::to_string(seed) +
         " CONTEXTCORE_SIM_COUNT=1 build/release/bin/test_sim --gtest_filter=Sim.Seeds";
}

TEST(Sim, Seeds) {
  const uint64_t first = number_from("CONTEXTCORE_SIM_SEED", 1);
  const uint64_t count = number_from("CONTEXTCORE_SIM_COUNT", 300);
  RunResult sum;
  for (uint64_t seed = first; seed < first + count; ++seed) {
    const RunResult result = run_seed(seed);
    sum.ops += result.ops;
    sum.reads += result.reads;
    sum.calls += result.calls;
    sum.kills += result.kills;
    sum.crashes += result.crashes;
    sum.faults += result.faults;
    sum.pauses += result.pauses;
    EXPECT_EQ(result.problem, "") << how_to_repeat(seed) << "\n  " << draw_plan(seed).text();
    if (testing::Test::HasFailure()) break;
  }
  std::cout << count << " seeds: " << sum.ops << " operations, " << sum.reads << " reads, " << sum.calls
            << " writing calls, " << sum.kills << " kills, " << sum.crashes << " power failures, "
            << sum.faults << " faults, " << sum.pauses << " pauses\n";
}

TEST(Sim, ASeedReplays) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    EXPECT_EQ(run_seed(seed).trace, run_seed(seed).trace) << "seed " << seed;
  }
  EXPECT_NE(run_seed(1).trace, run_seed(2).trace);
}

TEST(Sim, AnHonestFileSystemIsNoLiar) {
  const MakeLiar honest = plant(Bug::honest_file_system);
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    EXPECT_EQ(run_seed(seed, honest).problem, "") << "seed " << seed;
  }
  plant(Bug::none);
}

// Each found within a thousand seeds, or the simulator is blind on that eye.
class SimPlanted : public testing::TestWithParam<PlantedBug> {};

TEST_P(SimPlanted, IsFound) {
  constexpr uint64_t kSeedsMax = 1000;
  const MakeLiar liar = plant(GetParam().bug);
  uint64_t seed = 1;
  RunResult result;
  while (seed <= kSeedsMax && result.problem.empty()) result = run_seed(seed++, liar);
  plant(Bug::none);
  ASSERT_NE(result.problem, "") << GetParam().name << " was not found in " << kSeedsMax << " seeds";
  std::cout << GetParam().name << " found at seed " << seed - 1 << ": " << result.problem << "\n";
  EXPECT_EQ(run_seed(seed - 1).problem, "") << "found without the bug, too";
}

INSTANTIATE_TEST_SUITE_P(Bugs, SimPlanted, testing::ValuesIn(planted_bugs()),
                         [](const auto& bug) { return std::string(bug.param.name); });

}  // namespace
}  // namespace contextcore::sim
