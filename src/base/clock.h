#pragma once
// Seam 2: time. Wall times are nanoseconds since the Unix epoch (int64: until the year 2262).

#include <cstdint>
#include <memory>
#include <string>

namespace contextcore {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual int64_t wall_ns() = 0;
  // Never steps back; its zero is arbitrary.
  virtual int64_t monotonic_ns() = 0;
  virtual void sleep_ns(int64_t ns) = 0;
  // Changes when the machine is restarted; tells whether a pid or a commit mark can still be live.
  // Empty if the system does not tell.
  virtual std::string boot_id() = 0;
};

Clock& real_clock();

// Stands still until told otherwise; sleeping advances it. Thread-safe.
class ManualClock : public Clock {
 public:
  explicit ManualClock(int64_t wall_ns = 1'700'000'000'000'000'000);
  ~ManualClock() override;
  ManualClock(const ManualClock&) = delete;
  ManualClock& operator=(const ManualClock&) = delete;
  int64_t wall_ns() override;
  int64_t monotonic_ns() override;
  void sleep_ns(int64_t ns) override;
  std::string boot_id() override;
  void advance_ns(int64_t ns);
  // Steps the wall clock only, as an administrator or NTP would.
  void set_wall_ns(int64_t wall_ns);
  void set_boot_id(std::string id);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace contextcore
