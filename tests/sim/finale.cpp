// The end of a run: the disk is well again, what is in doubt is tried again, and the store must
// hold what was acknowledged, as one that never had any trouble holds it.

#include <algorithm>

#include "sim/runner.h"

namespace contextcore::sim {

void Runner::finish() {
  world_.set_trouble(false);
  world_.set_full(false);
  if (random_.below(2) == 0) world_.fail_power();
  world_.wait_for_power();
  LifePtr life = world_.begin_life();
  bool over = false;
  world_.scheduler.start(life->number, [&] {
    if (open_store(store::StoreMode::embedded, *life)) {
      read(*life);
      settle_doubts(*life);
      read(*life);
      if (random_.below(2) == 0) cut(*life);
      read(*life);
    }
    world_.end_life(life);
    over = true;
    world_.scheduler.wake(&over, true);
  });
  while (!over) world_.scheduler.wait(&over);
}

// Whoever got no answer asks again, under the same id.
void Runner::settle_doubts(Life& life) {
  for (auto& [number, op] : oracle_.ops()) {
    if (op.first_start == 0 || op.acked != 0 || op.refused != 0 || op.kind == OpKind::lease) continue;
    attempt(life, op);
    if (op.acked == 0 && op.refused == 0) complain("operation " + std::to_string(number) + " cannot be done");
  }
}

}  // namespace contextcore::sim
