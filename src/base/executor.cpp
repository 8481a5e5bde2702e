#include "base/executor.h"
#include "base/give_way.h"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <queue>
#include <thread>
#include <tuple>
#include <vector>

namespace contextcore {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

struct Timer {
  SteadyTime due;
  uint64_t order = 0;  // equal times run in the order they were posted
  std::function<void()> fn;
};

// Makes a heap whose front is the earliest timer.
bool later(const Timer& a, const Timer& b) {
  return a.due != b.due ? a.due > b.due : a.order > b.order;
}

// So far ahead that it does not come, yet adding it to the clock cannot overflow.
constexpr int64_t kDelayMaxNs = int64_t{100} * 365 * 24 * 3600 * 1'000'000'000;

thread_local bool gives_way = false;

class ThreadExecutor : public Executor {
 public:
  ThreadExecutor(const std::string& name, unsigned threads, Priority priority) {
    if (threads == 0) threads = std::max(2U, std::thread::hardware_concurrency());
    threads_.reserve(threads);
    for (unsigned i = 0; i < threads; ++i) {
      threads_.emplace_back([this, priority] {
        take(priority);
        run();
      });
      // The kernel keeps 15 bytes; the number stays readable.
      const std::string number = std::to_string(i);
      const std::string label = name.substr(0, 14 - number.size()) + "-" + number;
      pthread_setname_np(threads_.back().native_handle(), label.c_str());
    }
  }

  ~ThreadExecutor() override { stop(); }

  // Of the calling thread. Refused: it runs like the others.
  static void take(Priority priority) {
    gives_way = priority == Priority::giving_way;
    if (priority != Priority::idle) return;
    const sched_param none{};
    std::ignore = ::sched_setscheduler(0, SCHED_IDLE, &none);
  }

  void post(std::function<void()> fn) override {
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return;
      ready_.push_back(std::move(fn));
    }
    wake_.notify_one();
  }

  void post_after(int64_t delay_ns, std::function<void()> fn) override {
    if (delay_ns <= 0) return post(std::move(fn));
    const auto due = std::chrono::steady_clock::now() +
                     std::chrono::nanoseconds(std::min(delay_ns, kDelayMaxNs));
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return;
      timers_.push_back({due, order_++, std::move(fn)});
      std::push_heap(timers_.begin(), timers_.end(), later);
    }
    wake_.notify_one();  // a sleeper may have to wake earlier than it planned
  }

  void stop() override {
    std::vector<Timer> dropped;  // destroyed without the lock: captures may post
    std::vector<std::thread> joining;
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
      const auto now = std::chrono::steady_clock::now();
      take_due(now);
      dropped.swap(timers_);
      joining.swap(threads_);
    }
    wake_.notify_all();
    for (std::thread& thread : joining) thread.join();
  }

 private:
  // Moves the timers that are due to the ready queue. REQUIRES: mutex_ held
  void take_due(SteadyTime now) {
    while (!timers_.empty() && timers_.front().due <= now) {
      std::pop_heap(timers_.begin(), timers_.end(), later);
      ready_.push_back(std::move(timers_.back().fn));
      timers_.pop_back();
    }
  }

  void run() {
    std::unique_lock lock(mutex_);
    for (;;) {
      if (!timers_.empty()) take_due(std::chrono::steady_clock::now());
      if (!ready_.empty()) {
        std::function<void()> fn = std::move(ready_.front());
        ready_.pop_front();
        // One notification may have stood for several functions that fell due together.
        if (!ready_.empty()) wake_.notify_one();
        lock.unlock();
        fn();
        fn = nullptr;  // captures are destroyed outside the lock, too
        lock.lock();
      } else if (stopping_) {
        return;
      } else if (timers_.empty()) {
        wake_.wait(lock);
      } else {
        const SteadyTime due = timers_.front().due;  // a copy: the heap moves while we sleep
        wake_.wait_until(lock, due);
      }
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> ready_;
  std::vector<Timer> timers_;  // heap by later()
  uint64_t order_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace

void give_way() {
  constexpr std::chrono::microseconds kRun(200);
  thread_local SteadyTime began;
  if (!gives_way || std::chrono::steady_clock::now() - began < kRun) return;
  ::sched_yield();
  began = std::chrono::steady_clock::now();
}

std::unique_ptr<Executor> make_thread_executor(const std::string& name, unsigned threads,
                                               Priority priority) {
  return std::make_unique<ThreadExecutor>(name, threads, priority);
}

}  // namespace contextcore
