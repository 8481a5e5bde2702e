#include "sim/world.h"

#include <array>
#include <cstdlib>
#include <iostream>

#include "sim/operation.h"
#include "store/manifest.h"

namespace contextcore::sim {
namespace {

constexpr int64_t kMillisecondNs = 1'000'000;
// Calls that only read are many; what happens at them is seldom of interest.
constexpr uint64_t kReadsAsOne = 8;

std::string proc_path(uint64_t pid) { return "/proc/" + std::to_string(pid); }

}  // namespace

World::World(const Plan& with)
    : plan(with),
      scheduler(with.seed ^ 0x7363686564756c65U),
      disk(with.seed ^ 0x6469736bU, &scheduler.clock()),
      random(with.seed ^ 0x6661756c74U),
      system_(disk.start_process()) {
  scheduler.set_switch_in(plan.switch_in);
  std::ignore = system_->make_directories("/proc");
  std::ignore = system_->make_directories("/data");
  std::ignore = system_->sync_directory("/");
  disk.set_flips_in_flight(plan.flips);
  disk.set_hook([this](SimOp op, const std::string& path) { before_call(op, path); });
  disk.set_injector([this](const SimCall& call) { return fate_of(call); });
}

World::~World() = default;

std::shared_ptr<Life> World::begin_life() {
  auto life = std::make_shared<Life>();
  life->number = 1000 + ++lives;
  life->files = disk.start_process();
  life->random = std::make_unique<SeededRandom>(plan.seed * 1'000'003 + life->number);
  life->was_full = full_;
  if (make_liar) life->lying = make_liar(*life->files);
  living_[life->number] = life;
  life->dead = down_;  // the power may have failed while it was being made
  by_process_[life->files->process()] = life.get();
  std::ignore = system_->make_directories(proc_path(life->number));
  return life;
}

void World::end_life(const std::shared_ptr<Life>& life) {
  while (life->users > 0) scheduler.sleep_ns(kMillisecondNs);
  life->store = nullptr;
  by_process_.erase(life->files->process());
  living_.erase(life->number);
  life->lying = nullptr;
  life->files = nullptr;
  std::ignore = system_->remove(proc_path(life->number));
}

store::StoreOptions World::options(Life& life, store::StoreMode mode) {
  store::StoreOptions options;
  options.path = kStorePath;
  options.mode = mode;
  options.durability = plan.interval ? store::Durability::interval : store::Durability::sync;
  options.lock_wait_ns = plan.lock_wait_ns;
  options.head_rows_max = plan.server_cut_rows;
  options.embedded_wal_rows_max = plan.cut_rows;
  options.hooks = sim_hooks();
  options.file_system = life.lying != nullptr ? life.lying.get() : life.files.get();
  options.clock = &scheduler.clock();
  options.random = life.random.get();
  options.background = plan.background && mode == store::StoreMode::server;
  options.make_executor = [this] { return scheduler.make_executor(); };
  return options;
}

void World::log(const std::string& text) {
  static const bool printed = std::getenv("CONTEXTCORE_SIM_LOG") != nullptr;
  scheduler.note(scheduler.group());
  scheduler.note(text);
  if (!printed) return;
  std::cout << scheduler.now_ns() / 1000 << " " << scheduler.group() << " " << text << "\n";
}

// ---- trouble

void World::before_call(SimOp op, const std::string& path) {
  SimScheduler* running = SimScheduler::current();
  if (running == nullptr || running->group() == 0) return;
  constexpr std::array<const char*, 14> kNames{"open",   "read",     "write", "sync",
                                               "truncate", "allocate", "stat",  "list",
                                               "make_directories", "rename", "link",
                                               "remove", "sync_directory", "lock"};
  log(kNames.at(static_cast<size_t>(op)) + (" " + path));
  const bool writes = op == SimOp::write || op == SimOp::sync || op == SimOp::rename;
  if (trouble_ && writes && draw(plan.pause_in)) {
    ++pauses;
    const int64_t ns = plan.lock_wait_ns * static_cast<int64_t>(1 + random.below(3));
    pause_ends_ns_ = std::max(pause_ends_ns_, scheduler.now_ns() + ns + 1000 * kMillisecondNs);
    log("paused");
    scheduler.pause(scheduler.group(), ns);
    scheduler.yield();
    return;
  }
  scheduler.maybe_yield();
}

SimFate World::fate_of(const SimCall& call) {
  SimFate fate;
  const auto found = by_process_.find(call.process);
  if (!trouble_ || down_ || found == by_process_.end()) return fate;
  Life& life = *found->second;
  if (call.counted || random.below(kReadsAsOne) == 0) {
    if (crashes < plan.crashes_max && draw(plan.crash_in)) {
      log("the power fails");
      fate.crash = true;
      fate.crash_seed = random.next_u64();
      ++crashes;
      down_ = true;
      for (const auto& [number, one] : living_) one->dead = true;
      return fate;
    }
    if (kills < plan.kills_max && draw(plan.kill_in)) {
      log("killed");
      fate.kill = true;
      life.dead = true;
      ++kills;
      return fate;
    }
  }
  if (faults >= plan.faults_max) return fate;
  const bool sync = call.op == SimOp::sync || call.op == SimOp::sync_directory;
  if (sync && draw(plan.sync_error_in)) {
    fate.fault = SimFault::io_error;
  } else if (!sync && call.counted && draw(plan.write_error_in)) {
    constexpr SimFault kFaults[] = {SimFault::io_error, SimFault::torn, SimFault::no_space};
    fate.fault = kFaults[random.below(3)];
  } else if (!call.counted && draw(plan.read_error_in)) {
    fate.fault = SimFault::io_error;
  }
  if (fate.fault) {
    ++faults;
    ++life.faults;
    log("fault " + std::to_string(static_cast<int>(*fate.fault)));
  }
  return fate;
}

void World::fail_power() {
  if (down_) return;
  ++crashes;
  log("the power fails");
  for (const auto& [number, life] : living_) life->dead = true;
  disk.crash(random.next_u64());
  down_ = true;  // last: whoever sees it switches the machine on again
}

void World::set_full(bool full) {
  full_ = full;
  log(full ? "the disk is full" : "the disk has room");
  for (const auto& [number, life] : living_) life->was_full = life->was_full || full;
  if (full) {
    disk.set_free_bytes(random.below(3) == 0 ? 0 : random.below(40'000));
  } else {
    disk.clear_faults();
  }
}

void World::wait_for_power() {
  while (down_) scheduler.sleep_ns(kMillisecondNs);
}

void World::reboot_when_dark() {
  if (!down_ || !living_.empty()) return;
  disk.reboot();
  log("reboot");
  ++reboots;
  scheduler.set_boot_id("boot-" + std::to_string(++boots_));
  if (!system_->exists("/proc")) std::ignore = system_->make_directories("/proc");
  const auto pids = system_->list("/proc");
  if (pids.ok()) {
    for (const std::string& pid : *pids) std::ignore = system_->remove("/proc/" + pid);
  }
  if (on_power_failure) on_power_failure();
  down_ = false;
}

}  // namespace contextcore::sim
