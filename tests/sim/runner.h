#pragma once
// Inside of a run (run.h is the door): the tasks of the processes, and the end of it all.

#include <memory>
#include <string>

#include "sim/oracle.h"
#include "sim/run.h"
#include "sim/world.h"

namespace contextcore::sim {

class Runner {
 public:
  Runner(const Plan& plan, const MakeLiar& make_liar);
  RunResult run();

 private:
  // What a process is for.
  struct Slot {
    store::StoreMode mode = store::StoreMode::embedded;
    uint32_t ops_left = 0;
    bool ended = false;
  };
  using LifePtr = std::shared_ptr<Life>;

  // ---- runner.cpp: processes ----
  void run_slot(Slot& slot);
  void live(Slot& slot, const LifePtr& life);
  bool open_store(store::StoreMode mode, Life& life);
  void work_as_client(Slot& slot, Life& life, uint64_t seed);
  void watch(Life& life);
  void make_trouble();
  void tend_machine();
  void look_after_power_failure();
  bool goes_on(const Life& life) const;

  // ---- client.cpp: what a client does ----
  Op& draw_op(Random& random);
  Op* draw_repeat(Random& random);
  void attempt(Life& life, Op& op);
  // The error is told to the oracle; true: a server has to be asked.
  bool attempt_on(Life& life, Op& op);
  void commit(Life& life, Op& op, Result<store::CommitResult> result, uint64_t began);
  bool judge_error(Life& life, Op& op, const Error& error);
  void read(Life& life);
  bool has_failed(Life& life);
  void cut(Life& life);
  void complain(const std::string& what) { oracle_.complain(what); }

  // ---- finale.cpp: when the processes have done their work ----
  void finish();
  void as_process(store::StoreMode mode, const std::function<void(Life&)>& body);
  void as_process_or_not(store::StoreMode mode, const std::function<void(const Result<Seen>&)>& judge);
  void settle_doubts(Life& life);
  Seen everything(Life& life);
  void compare_with_calm_store(const Seen& seen);
  void spoil_segments(const Seen& seen);
  void meet_newer_formats();
  static std::string first_difference(const std::string& expected, const std::string& found);

  World world_;
  Oracle oracle_;
  SeededRandom random_;
  std::vector<std::unique_ptr<Slot>> slots_;
  LifePtr server_;  // that can be asked
  bool made_ = false;  // the store is there
  bool work_done_ = false;
  bool finished_ = false;
  uint32_t op_count_ = 0, task_count_ = 0;
  uint64_t reads_ = 0, cuts_ = 0;
};

}  // namespace contextcore::sim
