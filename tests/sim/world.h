#pragma once
// The simulated machine: one disk, a scheduler, and the lives of processes on it; what goes wrong is
// drawn here, at every call to the disk.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/sim_file_system.h"
#include "base/sim_scheduler.h"
#include "sim/plan.h"
#include "store/store.h"

namespace contextcore::sim {

inline constexpr const char* kStorePath = "/data/store";

// A process from its start to its end. Its number is its pid and the group of its tasks.
struct Life {
  uint64_t number = 0;
  std::unique_ptr<SimFileSystem> files;
  std::unique_ptr<FileSystem> lying;  // between the store and files, when a bug is planted
  std::unique_ptr<SeededRandom> random;
  std::shared_ptr<store::Store> store;
  bool dead = false;    // killed, or the power failed
  uint32_t faults = 0;  // that were injected into its calls
  bool was_full = false;   // the disk, at some time of this life
  bool retires = false;    // ends as soon as its tasks have
  uint32_t users = 0;   // tasks that use the store
};

class World {
 public:
  explicit World(const Plan& plan);
  ~World();

  std::shared_ptr<Life> begin_life();
  void end_life(const std::shared_ptr<Life>& life);
  store::StoreOptions options(Life& life, store::StoreMode mode);

  // Waits until the machine runs (again).
  void wait_for_power();
  bool is_down() const { return down_; }
  // To be called by a task of its own: switches the machine on again when nobody lives any more.
  void reboot_when_dark();
  void set_trouble(bool on) { trouble_ = on; }
  bool trouble() const { return trouble_; }
  void fail_power();  // now
  void set_full(bool full);
  // Up to which everything is in files; UINT64_MAX if that cannot be told.
  bool is_full() const { return full_; }
  bool someone_pauses() const { return scheduler.now_ns() < pause_ends_ns_; }

  // Into the trace; printed when CONTEXTCORE_SIM_LOG is set.
  void log(const std::string& text);

  const Plan plan;
  SimScheduler scheduler;
  SimDisk disk;
  SeededRandom random;
  // Called when the power has failed.
  std::function<void()> on_power_failure;
  // A wrapper around a life's file system that lies, for planted bugs.
  std::function<std::unique_ptr<FileSystem>(FileSystem& files)> make_liar;
  uint32_t kills = 0, crashes = 0, faults = 0, pauses = 0, reboots = 0, lives = 0;

 private:
  SimFate fate_of(const SimCall& call);
  void before_call(SimOp op, const std::string& path);
  bool draw(uint32_t one_in) { return one_in != 0 && random.below(one_in) == 0; }

  std::unique_ptr<SimFileSystem> system_;  // of no process: /proc and the like
  std::map<uint64_t, std::shared_ptr<Life>> living_;  // by number
  std::map<uint64_t, Life*> by_process_;              // by the disk's number
  bool trouble_ = false;
  bool down_ = false;
  bool full_ = false;
  int64_t pause_ends_ns_ = 0;
  int boots_ = 1;
};

}  // namespace contextcore::sim
