#include "base/sim_machine.h"

#include <algorithm>

namespace contextcore {

Error sim_error(Code code, std::string_view what, const std::string& path,
                std::string_view reason) {
  Error error;
  error.code = code;
  error.message.append("cannot ").append(what).append(" ").append(path).append(": ").append(reason);
  return error;
}

Status sim_fault_status(const std::optional<SimFault>& fault, std::string_view what,
                        const std::string& path) {
  if (!fault || *fault == SimFault::ignored_sync) return {};
  if (*fault == SimFault::no_space) {
    return sim_error(Code::resource_exhausted, what, path, "No space left on device");
  }
  return sim_error(Code::io_error, what, path, "Input/output error");
}

SimMachine::SimMachine(uint64_t seed, Clock* clock_or_null)
    : clock(clock_or_null == nullptr ? &own_clock : clock_or_null), random(seed) {}

SimMachine::Admission SimMachine::enter(const SimCaller& caller, SimOp op,
                                        const std::string& path) {
  return admit(caller, op, path, false);
}

SimMachine::Admission SimMachine::enter_counted(const SimCaller& caller, SimOp op,
                                                const std::string& path) {
  return admit(caller, op, path, true);
}

SimMachine::Admission SimMachine::admit(const SimCaller& caller, SimOp op, const std::string& path,
                                        bool counted) {
  Admission admission;
  std::unique_lock guard(mutex);
  if (hook) {
    const auto called = hook;
    guard.unlock();
    called(op, path);
    guard.lock();
  }
  admission.status = check_alive(caller);
  if (admission.status.ok() && counted) {
    ++operations;
    Process& process = processes[caller.process];
    if (operations == crash_operation) {
      crash(crash_seed);
      admission.status = check_alive(caller);
    } else if (process.kill_in > 0 && --process.kill_in == 0) {
      admission.dying = op == SimOp::write;
      if (!admission.dying) {
        kill(caller.process);
        admission.status = check_alive(caller);
      }
    }
  }
  if (admission.status.ok()) {
    const auto planned = faults_by_operation.find(operations);
    if (counted && planned != faults_by_operation.end()) admission.fault = planned->second;
    for (PlannedFault& fault : planned_faults) {
      if (fault.op != op) continue;
      if (fault.skip > 0) {
        --fault.skip;
      } else if (fault.times > 0) {
        --fault.times;
        admission.fault = fault.fault;
      }
    }
  }
  if (admission.status.ok() && injector) {
    const SimFate fate = injector({op, path, caller.process, counted});
    if (fate.crash) crash(fate.crash_seed);
    if (fate.kill && op == SimOp::write) {
      admission.dying = true;
    } else if (fate.kill) {
      kill(caller.process);
    }
    if (fate.fault) admission.fault = fate.fault;
    admission.status = check_alive(caller);
  }
  admission.lock = std::move(guard);
  return admission;
}

Status SimMachine::check_alive(const SimCaller& caller) const {
  if (down) return Status(Code::unavailable, "the simulated machine is switched off");
  const Process& process = processes[caller.process];
  if (process.killed) return Status(Code::unavailable, "the simulated process was killed");
  if (caller.life && *caller.life != process.life) {
    return Status(Code::unavailable, "the handle is from before the simulated crash");
  }
  return {};
}

void SimMachine::kill(uint64_t process) {
  processes[process].killed = true;
  processes[process].kill_in = 0;
  ++processes[process].life;
  for (auto held = locks.begin(); held != locks.end();) {
    const auto next = std::next(held);
    if (held->second.process == process) release(held->first);
    held = next;
  }
}

void SimMachine::crash(uint64_t seed) {
  if (down) return;
  down = true;
  crash_operation = 0;
  for (Process& process : processes) {
    ++process.life;
    process.kill_in = 0;
  }
  for (const auto& [number, held] : locks) held.node->lock = 0;
  locks.clear();
  SeededRandom fate(seed);
  tree.lose_power(fate, flips_in_flight);
}

void SimMachine::release(uint64_t lock_number) {
  const auto held = locks.find(lock_number);
  if (held == locks.end()) return;
  held->second.node->lock = 0;
  locks.erase(held);
}

bool SimMachine::has_room(const SimNode& node, uint64_t new_size) const {
  const uint64_t size = node.content.cache().size();
  if (!capacity_bytes || node.names == 0 || new_size <= size) return true;
  return tree.used_bytes() + (new_size - size) <= *capacity_bytes;
}

bool SimMachine::write_bounded(SimNode& node, uint64_t offset, std::string_view data) {
  node.modified_ns = clock->wall_ns();
  if (has_room(node, offset + data.size())) {
    node.content.write(offset, data);
    return true;
  }
  const uint64_t used = tree.used_bytes();
  const uint64_t room = *capacity_bytes > used ? *capacity_bytes - used : 0;
  const uint64_t end_max = node.content.cache().size() + room;
  if (end_max > offset) node.content.write(offset, data.substr(0, end_max - offset));
  return false;
}

}  // namespace contextcore
