#pragma once
// Inside of the simulated disk (sim_file_system.h is the door): the machine around it. Which
// processes live, which locks they hold, and what goes wrong when.

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "base/sim_disk.h"
#include "base/sim_file_system.h"

namespace contextcore {

// Who calls: a process, or a handle that it opened in one of its lives.
struct SimCaller {
  uint64_t process = 0;
  std::optional<uint64_t> life;
};

struct SimMachine {
  explicit SimMachine(uint64_t seed, Clock* clock_or_null);

  // What a call has to know before it does its work; it works under the lock.
  struct Admission {
    std::unique_lock<std::mutex> lock;
    Status status;                  // not ok: return it
    std::optional<SimFault> fault;  // the call has to fail so
    bool dying = false;             // the process is killed in the middle of this write
  };
  Admission enter(const SimCaller& caller, SimOp op, const std::string& path);
  // As enter, for calls that count as operations.
  Admission enter_counted(const SimCaller& caller, SimOp op, const std::string& path);

  // All that follow REQUIRE: mutex held
  Status check_alive(const SimCaller& caller) const;
  void kill(uint64_t process);
  void crash(uint64_t seed);
  uint64_t life_of(uint64_t process) const { return processes[process].life; }
  // Writes data as far as there is room; false if there was not room for all of it.
  bool write_bounded(SimNode& node, uint64_t offset, std::string_view data);
  bool has_room(const SimNode& node, uint64_t new_size) const;
  void release(uint64_t lock_number);

  struct Process {
    bool killed = false;
    uint64_t life = 1;  // grows with every death, which is how handles know that they are stale
    uint64_t kill_in = 0;
    uint64_t temporary_count = 0;
  };
  struct PlannedFault {
    SimOp op;
    uint64_t skip;
    uint64_t times;
    SimFault fault;
  };
  struct Lock {
    SimNodePtr node;
    uint64_t process;
  };

  std::mutex mutex;
  ManualClock own_clock;
  Clock* clock;
  SeededRandom random;
  SimTree tree;
  std::vector<Process> processes;
  std::map<uint64_t, Lock> locks;  // by number
  uint64_t next_lock = 1;
  bool down = false;
  uint64_t operations = 0;
  uint64_t crash_operation = 0;  // 0: none planned
  uint64_t crash_seed = 0;
  std::map<uint64_t, SimFault> faults_by_operation;
  std::vector<PlannedFault> planned_faults;
  std::optional<uint64_t> capacity_bytes;
  std::string network_type;
  bool links = true;
  std::function<void(SimOp, const std::string&)> hook;
  std::function<SimFate(const SimCall&)> injector;
  bool flips_in_flight = false;

 private:
  Admission admit(const SimCaller& caller, SimOp op, const std::string& path, bool counted);
};

// "cannot <what> <path>: <reason>".
Error sim_error(Code code, std::string_view what, const std::string& path, std::string_view reason);
// The error of a fault, or ok for one that does not concern this operation.
Status sim_fault_status(const std::optional<SimFault>& fault, std::string_view what,
                        const std::string& path);

}  // namespace contextcore
