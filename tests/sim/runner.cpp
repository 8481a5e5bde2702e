#include "sim/runner.h"

#include <algorithm>

namespace contextcore::sim {
namespace {

constexpr int64_t kMillisecondNs = 1'000'000;
constexpr uint64_t kStepsMax = 3'000'000;

}  // namespace

Runner::Runner(const Plan& plan, const MakeLiar& make_liar)
    : world_(plan), oracle_(plan.interval), random_(plan.seed ^ 0x72756eU) {
  world_.make_liar = make_liar;
  world_.on_power_failure = [this] { look_after_power_failure(); };
  world_.set_trouble(plan.trouble_from_start);
  const auto add = [this](store::StoreMode mode, uint32_t count, uint32_t ops) {
    for (uint32_t i = 0; i < count; ++i) {
      slots_.push_back(std::make_unique<Slot>());
      slots_.back()->mode = mode;
      slots_.back()->ops_left = ops;
    }
  };
  add(store::StoreMode::server, plan.server ? 1 : 0, plan.ops * plan.clients);
  add(store::StoreMode::embedded, plan.writers, plan.ops * plan.clients);
  add(store::StoreMode::read_only, plan.readers, 0);
}

RunResult Runner::run() {
  for (const auto& slot : slots_) {
    world_.scheduler.start(0, [this, &slot = *slot] { run_slot(slot); });
  }
  world_.scheduler.start(0, [this] { tend_machine(); });
  world_.scheduler.start(0, [this] { make_trouble(); });
  world_.scheduler.start(0, [this] {
    const auto writes = [](const auto& slot) { return slot->mode != store::StoreMode::read_only; };
    while (std::any_of(slots_.begin(), slots_.end(),
                       [&](const auto& slot) { return writes(slot) && !slot->ended; })) {
      world_.scheduler.sleep_ns(kMillisecondNs);
    }
    work_done_ = true;
    while (std::any_of(slots_.begin(), slots_.end(), [](const auto& slot) { return !slot->ended; })) {
      world_.scheduler.sleep_ns(kMillisecondNs);
    }
    if (oracle_.problem().empty()) finish();
    finished_ = true;
  });
  RunResult result;
  if (!world_.scheduler.run(kStepsMax)) {
    // What is on their stacks cannot be cleaned up.
    result.problem = "the run does not end: " + world_.scheduler.stuck();
    result.stuck = true;
  }
  if (!oracle_.problem().empty()) result.problem = oracle_.problem();
  result.trace = world_.scheduler.trace();
  result.steps = world_.scheduler.steps();
  result.calls = world_.disk.operations();
  result.ops = op_count_;
  result.reads = reads_;
  result.cuts = cuts_;
  result.kills = world_.kills;
  result.crashes = world_.crashes;
  result.faults = world_.faults;
  result.pauses = world_.pauses;
  return result;
}

// ---- processes

void Runner::run_slot(Slot& slot) {
  const bool reader = slot.mode == store::StoreMode::read_only;
  while (oracle_.problem().empty() && (reader ? !work_done_ : slot.ops_left > 0)) {
    world_.wait_for_power();
    const LifePtr life = world_.begin_life();
    bool over = false;
    world_.scheduler.start(life->number, [&] {
      live(slot, life);
      over = true;
      world_.scheduler.wake(&over, true);
    });
    while (!over) world_.scheduler.wait(&over);
    world_.scheduler.sleep_ns(static_cast<int64_t>(random_.below(5)) * kMillisecondNs);
  }
  slot.ended = true;
}

bool Runner::goes_on(const Life& life) const {
  return !life.dead && !life.retires && oracle_.problem().empty();
}

bool Runner::open_store(store::StoreMode mode, Life& life) {
  world_.log("opening as " + std::to_string(static_cast<int>(mode)));
  const bool was_made = made_;
  auto opened = store::Store::open(world_.options(life, mode));
  if (opened.ok()) {
    life.store = std::move(opened).value();
    if (!made_) {
      made_ = true;
      world_.set_trouble(true);
    }
    return true;
  }
  const Error& error = opened.error();
  world_.log("opening failed: " + error.message);
  const bool taken = error.code == Code::unavailable &&
                     (error.hint == "server" || error.message.find("somebody else") != std::string::npos);
  const bool not_yet = error.code == Code::not_found && !was_made;
  const bool trouble = life.dead || life.faults > 0 ||
                       (life.was_full && mode != store::StoreMode::read_only);
  if (!taken && !not_yet && !trouble) complain("the store cannot be opened: " + error.to_string());
  return false;
}

void Runner::live(Slot& slot, const LifePtr& life) {
  if (!open_store(slot.mode, *life)) {
    world_.scheduler.sleep_ns(10 * kMillisecondNs);
    return world_.end_life(life);
  }
  if (slot.mode == store::StoreMode::read_only) {
    watch(*life);
    return world_.end_life(life);
  }
  if (slot.mode == store::StoreMode::server) {
    const auto announced = life->store->announce_server(
        {"127.0.0.1:4319", "", static_cast<int64_t>(life->number), world_.scheduler.clock().boot_id(), "t"});
    if (!announced.ok()) return world_.end_life(life);  // a server that nobody finds is none
    server_ = life;
  }
  life->users = world_.plan.clients;
  for (uint32_t i = 0; i < world_.plan.clients; ++i) {
    world_.scheduler.start(life->number, [this, &slot, life, seed = random_.next_u64()] {
      work_as_client(slot, *life, seed);
      --life->users;
    });
  }
  while (life->users > 0) world_.scheduler.sleep_ns(kMillisecondNs);
  // A server serves on until the others have done their work.
  const auto others_work = [&] {
    return std::any_of(slots_.begin(), slots_.end(), [](const auto& other) {
      return other->mode == store::StoreMode::embedded && !other->ended;
    });
  };
  while (slot.mode == store::StoreMode::server && goes_on(*life) && others_work()) {
    world_.scheduler.sleep_ns(5 * kMillisecondNs);
  }
  if (server_ == life) server_ = nullptr;
  while (life->users > 0) world_.scheduler.sleep_ns(kMillisecondNs);
  if (!life->dead && random_.below(4) == 0) {
    life->dead = true;  // kill -9 at the end: closing is a courtesy
    life->files->kill();
  }
  world_.end_life(life);
}

void Runner::work_as_client(Slot& slot, Life& life, uint64_t seed) {
  SeededRandom random(seed);
  const Plan& plan = world_.plan;
  while (goes_on(life) && slot.ops_left > 0) {
    --slot.ops_left;
    Op* repeated = random.below(plan.repeat_in) == 0 ? draw_repeat(random) : nullptr;
    attempt(life, repeated != nullptr ? *repeated : draw_op(random));
    if (goes_on(life) && random.below(plan.read_in) == 0) read(life);
    if (goes_on(life) && plan.cut_in != 0 && random.below(plan.cut_in) == 0) cut(life);
    if (random.below(3) == 0) {
      world_.scheduler.sleep_ns(static_cast<int64_t>(random.below(3 * kMillisecondNs)));
    }
    if (random.below(30) == 0) life.retires = true;  // a command line lives for one command
  }
}

void Runner::watch(Life& life) {
  const uint64_t looks = 1 + random_.below(20);
  for (uint64_t i = 0; i < looks && goes_on(life) && !work_done_; ++i) {
    read(life);
    world_.scheduler.sleep_ns(static_cast<int64_t>(random_.below(20 * kMillisecondNs)));
  }
}

// ---- the machine

// Before anybody writes again: what has survived?
void Runner::look_after_power_failure() {
  oracle_.power_failed();
  if (!made_) return;
  const LifePtr life = world_.begin_life();
  if (open_store(store::StoreMode::read_only, *life)) read(*life);
  world_.end_life(life);
}

void Runner::tend_machine() {
  while (!finished_) {
    world_.reboot_when_dark();
    world_.scheduler.sleep_ns(2 * kMillisecondNs);
  }
}

void Runner::make_trouble() {
  int64_t stepped_ns = 0;
  while (!work_done_) {
    world_.scheduler.sleep_ns(static_cast<int64_t>(random_.below(60 * kMillisecondNs)));
    if (!world_.trouble()) continue;
    if (world_.plan.full_disk && random_.below(4) == 0) {
      world_.set_full(true);
      world_.scheduler.sleep_ns(static_cast<int64_t>(random_.below(40 * kMillisecondNs)));
      world_.set_full(false);
    }
    if (world_.plan.clock_steps && random_.below(6) == 0) {
      // Within half a day: answers of commands are kept for one.
      const auto step_ns = static_cast<int64_t>(random_.below(6 * 3600)) * 1'000'000'000;
      const int64_t sign = stepped_ns > 0 ? -1 : 1;
      stepped_ns += sign * step_ns;
      world_.scheduler.step_wall_ns(sign * step_ns);
    }
  }
  world_.set_full(false);
}

RunResult run_plan(const Plan& plan, const MakeLiar& make_liar) {
  auto runner = std::make_unique<Runner>(plan, make_liar);
  RunResult result = runner->run();
  if (result.stuck) std::ignore = runner.release();
  return result;
}

}  // namespace contextcore::sim
