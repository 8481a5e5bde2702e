#pragma once
// Simulated time and concurrency for tests: tasks run one at a time, each on a stack of its own, in
// an order that a seed decides; time passes only when the scheduler says so. Together with the
// simulated disk (sim_file_system.h) a whole machine with several processes replays from a seed.
//
//   SimScheduler scheduler(seed);
//   scheduler.start(1, [&] { ... scheduler.clock().sleep_ns(1000); ... });
//   const bool ended = scheduler.run(1'000'000);
//
// A task gives way where it sleeps, yields or waits, nowhere else: on one thread there are no data
// races, and what is not interrupted is atomic. Code with locks of its own runs in tasks when its
// locks are replaced by wait() and wake(); a real lock that is held while a task gives way would
// stop everything. Not thread-safe.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/executor.h"
#include "base/random.h"

namespace contextcore {

class SimScheduler {
 public:
  explicit SimScheduler(uint64_t seed);
  // REQUIRES: all tasks have ended (else what is on their stacks is not destroyed).
  ~SimScheduler();
  SimScheduler(const SimScheduler&) = delete;
  SimScheduler& operator=(const SimScheduler&) = delete;

  // The scheduler whose task is running on this thread; nullptr outside of tasks.
  static SimScheduler* current();

  // group: for pause() and to know who runs.
  void start(uint64_t group, std::function<void()> body);
  // Returns when every task has ended. False: those that are left wait for one another for ever, or
  // so many steps were not enough (see stuck()).
  bool run(uint64_t steps_max);
  // Why run() gave up.
  std::string stuck() const { return stuck_; }

  // ---- in tasks ----
  uint64_t group() const;
  // Lets any task go on that can, this one among them.
  void yield();
  // As yield, once in so many calls (see set_switch_in).
  void maybe_yield();
  void sleep_ns(int64_t ns);
  void wait(const void* what);
  void wake(const void* what, bool all);

  // 0: maybe_yield does nothing.
  void set_switch_in(uint32_t calls) { switch_in_ = calls; }
  // No task of the group goes on before so much time has passed.
  void pause(uint64_t group, int64_t ns);

  // Its wall time can be stepped; sleeping is the task's.
  Clock& clock() { return *clock_; }
  int64_t now_ns() const { return now_ns_; }
  void step_wall_ns(int64_t ns) { wall_offset_ns_ += ns; }
  void set_boot_id(std::string id) { boot_id_ = std::move(id); }
  // Posted functions become tasks of the group that posts them.
  std::unique_ptr<Executor> make_executor();

  // Everything that happened goes into one number: two runs of a seed are the same or they are not.
  void note(std::string_view text);
  void note(uint64_t number);
  uint64_t trace() const { return trace_; }
  uint64_t steps() const { return steps_; }

 private:
  class SimClock;
  struct Task;
  Task* choose();
  void resume(Task& task);
  void give_way();
  static void enter(unsigned high, unsigned low);

  SeededRandom random_;
  std::unique_ptr<Clock> clock_;
  std::vector<std::unique_ptr<Task>> tasks_;
  std::vector<void*> stacks_;  // of ended tasks, for new ones
  std::map<uint64_t, int64_t> paused_until_ns_;
  Task* running_ = nullptr;
  std::unique_ptr<Task> outside_;  // where run() was called
  uint32_t switch_in_ = 4;
  int64_t now_ns_ = 0;
  int64_t wall_offset_ns_ = 1'700'000'000'000'000'000;
  std::string boot_id_ = "boot-1";
  uint64_t trace_ = 0;
  uint64_t steps_ = 0;
  std::string stuck_;
};

}  // namespace contextcore
