#pragma once
// Seam 4: threads and timers. All concurrency of the program is started here, so that a test can
// run it in an order of its own choosing.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace contextcore {

class Executor {
 public:
  virtual ~Executor() = default;
  // Runs fn once on some thread. After stop() fn is dropped.
  virtual void post(std::function<void()> fn) = 0;
  // Runs fn once, not before delay_ns from now.
  virtual void post_after(int64_t delay_ns, std::function<void()> fn) = 0;
  // Runs what was posted (timers that are not due yet are dropped), refuses more, and joins the
  // threads. Not to be called from a posted function.
  virtual void stop() = 0;
};

enum class Priority : uint8_t {
  normal,
  giving_way,  // as normal, but what it calls lets others run now and then (give_way.h)
  idle,  // only where nobody else wants to run. Not for who holds what others wait for
};

// A pool of named threads. threads == 0: one per core, at least 2.
std::unique_ptr<Executor> make_thread_executor(const std::string& name, unsigned threads,
                                               Priority priority = Priority::normal);

}  // namespace contextcore
