#include "base/clock.h"

#include <chrono>
#include <fstream>
#include <mutex>
#include <thread>

namespace contextcore {
namespace {

class RealClock : public Clock {
 public:
  int64_t wall_ns() override { return since_epoch(std::chrono::system_clock::now()); }
  int64_t monotonic_ns() override { return since_epoch(std::chrono::steady_clock::now()); }
  void sleep_ns(int64_t ns) override {
    if (ns > 0) std::this_thread::sleep_for(std::chrono::nanoseconds(ns));
  }
  std::string boot_id() override {
    static const std::string id = read_boot_id();
    return id;
  }

 private:
  template <typename TimePoint>
  static int64_t since_epoch(TimePoint point) {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(point.time_since_epoch()).count();
  }

  static std::string read_boot_id() {
    std::ifstream file("/proc/sys/kernel/random/boot_id");
    std::string id;
    std::getline(file, id);
    return id;
  }
};

}  // namespace

Clock& real_clock() {
  static auto* const clock = new RealClock;  // never destroyed: threads may outlive statics
  return *clock;
}

struct ManualClock::State {
  std::mutex mutex;
  int64_t wall_ns = 0;
  int64_t monotonic_ns = 0;
  std::string boot_id = "manual-boot-1";
};

ManualClock::ManualClock(int64_t wall_ns) : state_(std::make_unique<State>()) {
  state_->wall_ns = wall_ns;
}

ManualClock::~ManualClock() = default;

int64_t ManualClock::wall_ns() {
  const std::lock_guard lock(state_->mutex);
  return state_->wall_ns;
}

int64_t ManualClock::monotonic_ns() {
  const std::lock_guard lock(state_->mutex);
  return state_->monotonic_ns;
}

void ManualClock::sleep_ns(int64_t ns) {
  if (ns > 0) advance_ns(ns);
}

std::string ManualClock::boot_id() {
  const std::lock_guard lock(state_->mutex);
  return state_->boot_id;
}

void ManualClock::advance_ns(int64_t ns) {
  const std::lock_guard lock(state_->mutex);
  state_->wall_ns += ns;
  state_->monotonic_ns += ns;
}

void ManualClock::set_wall_ns(int64_t wall_ns) {
  const std::lock_guard lock(state_->mutex);
  state_->wall_ns = wall_ns;
}

void ManualClock::set_boot_id(std::string id) {
  const std::lock_guard lock(state_->mutex);
  state_->boot_id = std::move(id);
}

}  // namespace contextcore
