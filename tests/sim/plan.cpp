#include "sim/plan.h"

#include "base/random.h"

namespace contextcore::sim {
namespace {

// Off in half of the seeds.
uint32_t draw_rate(Random& random, uint32_t often, uint32_t seldom) {
  if (random.below(2) == 0) return 0;
  return random.below(2) == 0 ? often : seldom;
}

}  // namespace

Plan draw_plan(uint64_t seed) {
  SeededRandom random(seed * 0x9e3779b97f4a7c15U + 1);
  const auto below = [&](uint64_t bound) { return static_cast<uint32_t>(random.below(bound)); };
  Plan plan;
  plan.seed = seed;
  plan.interval = random.below(8) == 0;
  plan.server = random.below(3) == 0;
  plan.background = plan.server && seed % 2 == 0;
  plan.writers = plan.server ? 1 + below(2) : 1 + below(3);
  plan.readers = below(3);
  plan.clients = 1 + below(3);
  plan.ops = 8 + below(18);
  constexpr uint64_t kRows[] = {5, 15, 40, 200, 1000};
  plan.cut_rows = kRows[random.below(5)];
  plan.server_cut_rows = kRows[random.below(5)];
  plan.cut_in = draw_rate(random, 8, 30);
  plan.read_in = random.below(2) == 0 ? 4 : 10;
  constexpr uint32_t kSwitch[] = {2, 8, 30, 200};
  plan.switch_in = kSwitch[random.below(4)];
  plan.lock_wait_ns = random.below(2) == 0 ? 1'000'000'000 : 100'000'000;
  plan.kill_in = draw_rate(random, 150, 600);
  plan.crash_in = draw_rate(random, 300, 1000);
  plan.pause_in = draw_rate(random, 200, 800);
  plan.write_error_in = random.below(2) == 0 ? draw_rate(random, 150, 600) : 0;
  plan.sync_error_in = random.below(2) == 0 ? draw_rate(random, 60, 250) : 0;
  plan.read_error_in = random.below(2) == 0 ? draw_rate(random, 500, 2000) : 0;
  plan.full_disk = random.below(4) == 0;
  plan.clock_steps = random.below(3) == 0;
  plan.flips = random.below(2) == 0;
  plan.trouble_from_start = random.below(4) == 0;
  return plan;
}

std::string Plan::text() const {
  const auto number = [](const char* name, uint64_t value) {
    return value == 0 ? std::string() : std::string(" ") + name + "=" + std::to_string(value);
  };
  return "seed=" + std::to_string(seed) + number("interval", interval) + number("server", server) + number("background", background) +
         number("writers", writers) + number("readers", readers) + number("clients", clients) +
         number("ops", ops) + number("cut_rows", cut_rows) + number("cut_in", cut_in) +
         number("kill_in", kill_in) + number("crash_in", crash_in) + number("pause_in", pause_in) +
         number("write_error_in", write_error_in) + number("sync_error_in", sync_error_in) +
         number("read_error_in", read_error_in) + number("full_disk", full_disk) +
         number("clock_steps", clock_steps) + number("flips", flips);
}

}  // namespace contextcore::sim
