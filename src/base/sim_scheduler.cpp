#include "base/sim_scheduler.h"

#include <csetjmp>
#include <sys/mman.h>
#include <ucontext.h>

#include <algorithm>
#include <cassert>
#include <utility>

#include "base/hash.h"

#if defined(__SANITIZE_ADDRESS__)
#define CONTEXTCORE_FIBERS_FOR_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CONTEXTCORE_FIBERS_FOR_ASAN 1
#endif
#endif
#ifdef CONTEXTCORE_FIBERS_FOR_ASAN
#include <sanitizer/common_interface_defs.h>
#endif

namespace contextcore {
namespace {

constexpr size_t kStackBytes = size_t{1} << 20;
constexpr size_t kGuardBytes = 4096;
constexpr uint64_t kStepNsMax = 20'000;  // how long a step takes at most

thread_local SimScheduler* active = nullptr;

void* new_stack() {
  void* stack = mmap(nullptr, kStackBytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  assert(stack != MAP_FAILED);
  mprotect(stack, kGuardBytes, PROT_NONE);
  return stack;
}

}  // namespace

struct SimScheduler::Task {
  enum class State : uint8_t { ready, sleeping, waiting, ended };
  uint64_t group = 0;
  State state = State::ready;
  int64_t due_ns = 0;
  const void* what = nullptr;
  std::function<void()> body;
  void* stack = nullptr;
  ucontext_t context{};
  std::jmp_buf jump{};  // where it goes on; swapcontext would cost two system calls a switch
  bool begun = false;
  // For the address sanitizer, which has to know whose stack is in use.
  const void* stack_bottom = nullptr;
  size_t stack_bytes = 0;
  void* fake_stack = nullptr;
};

class SimScheduler::SimClock : public Clock {
 public:
  explicit SimClock(SimScheduler& scheduler) : scheduler_(scheduler) {}
  int64_t wall_ns() override { return scheduler_.now_ns_ + scheduler_.wall_offset_ns_; }
  int64_t monotonic_ns() override { return scheduler_.now_ns_; }
  void sleep_ns(int64_t ns) override { scheduler_.sleep_ns(ns); }
  std::string boot_id() override { return scheduler_.boot_id_; }

 private:
  SimScheduler& scheduler_;
};

SimScheduler::SimScheduler(uint64_t seed)
    : random_(seed),
      clock_(std::make_unique<SimClock>(*this)),
      outside_(std::make_unique<Task>()) {}

SimScheduler::~SimScheduler() {
  for (const auto& task : tasks_) {
    if (task->stack != nullptr) munmap(task->stack, kStackBytes);
  }
  for (void* stack : stacks_) munmap(stack, kStackBytes);
}

SimScheduler* SimScheduler::current() { return active; }

void SimScheduler::start(uint64_t group, std::function<void()> body) {
  auto task = std::make_unique<Task>();
  task->group = group;
  task->body = std::move(body);
  if (stacks_.empty()) {
    task->stack = new_stack();
  } else {
    task->stack = stacks_.back();
    stacks_.pop_back();
  }
  task->stack_bottom = static_cast<char*>(task->stack) + kGuardBytes;
  task->stack_bytes = kStackBytes - kGuardBytes;
  getcontext(&task->context);
  task->context.uc_stack.ss_sp = static_cast<char*>(task->stack) + kGuardBytes;
  task->context.uc_stack.ss_size = task->stack_bytes;
  task->context.uc_link = nullptr;
  // makecontext hands on integers only.
  const auto self = reinterpret_cast<uintptr_t>(this);
  makecontext(&task->context, reinterpret_cast<void (*)()>(&SimScheduler::enter), 2,
              static_cast<unsigned>(self >> 32), static_cast<unsigned>(self));
  tasks_.push_back(std::move(task));
}

void SimScheduler::enter(unsigned high, unsigned low) {
  auto* self = reinterpret_cast<SimScheduler*>((uintptr_t{high} << 32) | low);
  Task& task = *self->running_;
#ifdef CONTEXTCORE_FIBERS_FOR_ASAN
  __sanitizer_finish_switch_fiber(nullptr, &self->outside_->stack_bottom,
                                  &self->outside_->stack_bytes);
#endif
  task.body();
  task.body = nullptr;
  task.state = Task::State::ended;
#ifndef CONTEXTCORE_FIBERS_FOR_ASAN
  _longjmp(self->outside_->jump, 1);
#else
  __sanitizer_start_switch_fiber(nullptr, self->outside_->stack_bottom,
                                 self->outside_->stack_bytes);
  setcontext(&self->outside_->context);
#endif
}

void SimScheduler::resume(Task& task) {
  running_ = &task;
  active = this;
#ifdef CONTEXTCORE_FIBERS_FOR_ASAN
  __sanitizer_start_switch_fiber(&outside_->fake_stack, task.stack_bottom, task.stack_bytes);
  swapcontext(&outside_->context, &task.context);
  __sanitizer_finish_switch_fiber(outside_->fake_stack, nullptr, nullptr);
#else
  if (_setjmp(outside_->jump) == 0) {
    if (task.begun) _longjmp(task.jump, 1);
    task.begun = true;
    setcontext(&task.context);
  }
#endif
  running_ = nullptr;
  active = nullptr;
}

void SimScheduler::give_way() {
  Task& task = *running_;
#ifdef CONTEXTCORE_FIBERS_FOR_ASAN
  __sanitizer_start_switch_fiber(&task.fake_stack, outside_->stack_bottom, outside_->stack_bytes);
  swapcontext(&task.context, &outside_->context);
  __sanitizer_finish_switch_fiber(task.fake_stack, nullptr, nullptr);
#else
  if (_setjmp(task.jump) == 0) _longjmp(outside_->jump, 1);
#endif
}

// The task that goes on; time moves to where there is one. nullptr: there will never be one.
SimScheduler::Task* SimScheduler::choose() {
  for (;;) {
    Task* chosen = nullptr;
    uint64_t candidates = 0;
    int64_t next_ns = INT64_MAX;
    for (const auto& task : tasks_) {
      if (task->state != Task::State::ready && task->state != Task::State::sleeping) continue;
      int64_t due_ns = task->state == Task::State::sleeping ? task->due_ns : now_ns_;
      if (const auto paused = paused_until_ns_.find(task->group);
          paused != paused_until_ns_.end()) {
        due_ns = std::max(due_ns, paused->second);
      }
      next_ns = std::min(next_ns, due_ns);
      if (due_ns > now_ns_) continue;
      if (random_.below(++candidates) == 0) chosen = task.get();
    }
    if (chosen != nullptr || next_ns == INT64_MAX) return chosen;
    now_ns_ = next_ns;
  }
}

bool SimScheduler::run(uint64_t steps_max) {
  const uint64_t last = steps_ + steps_max;
  while (!tasks_.empty()) {
    now_ns_ += static_cast<int64_t>(random_.below(kStepNsMax));
    Task* task = choose();
    if (task == nullptr || ++steps_ > last) {
      stuck_ = std::to_string(tasks_.size()) + " tasks are left";
      stuck_ += task == nullptr ? ", each waits for another" : ", too many steps";
      return false;
    }
    task->state = Task::State::ready;
    resume(*task);
    if (task->state != Task::State::ended) continue;
    stacks_.push_back(std::exchange(task->stack, nullptr));
    std::erase_if(tasks_, [&](const auto& one) { return one.get() == task; });
  }
  return true;
}

uint64_t SimScheduler::group() const { return running_ != nullptr ? running_->group : 0; }

void SimScheduler::yield() {
  if (running_ != nullptr) give_way();
}

void SimScheduler::maybe_yield() {
  if (switch_in_ != 0 && random_.below(switch_in_) == 0) yield();
}

void SimScheduler::sleep_ns(int64_t ns) {
  if (running_ == nullptr) {
    now_ns_ += std::max<int64_t>(ns, 0);
    return;
  }
  running_->state = Task::State::sleeping;
  running_->due_ns = now_ns_ + std::max<int64_t>(ns, 0);
  give_way();
}

void SimScheduler::wait(const void* what) {
  assert(running_ != nullptr);
  running_->state = Task::State::waiting;
  running_->what = what;
  give_way();
}

void SimScheduler::wake(const void* what, bool all) {
  for (const auto& task : tasks_) {
    if (task->state != Task::State::waiting || task->what != what) continue;
    task->state = Task::State::ready;
    if (!all) return;
  }
}

void SimScheduler::pause(uint64_t group, int64_t ns) { paused_until_ns_[group] = now_ns_ + ns; }

void SimScheduler::note(std::string_view text) { trace_ = xxh3_64(text, trace_); }

void SimScheduler::note(uint64_t number) {
  note(std::string_view(reinterpret_cast<const char*>(&number), sizeof(number)));
}

namespace {

class SimExecutor : public Executor {
 public:
  explicit SimExecutor(SimScheduler& scheduler) : scheduler_(scheduler) {}
  ~SimExecutor() override { stop(); }

  void post(std::function<void()> fn) override {
    if (state_->stopping) return;
    ++state_->running;
    scheduler_.start(scheduler_.group(), [&scheduler = scheduler_, state = state_,
                                          fn = std::move(fn)] { finish(scheduler, *state, fn); });
  }

  void post_after(int64_t delay_ns, std::function<void()> fn) override {
    if (state_->stopping) return;
    scheduler_.start(scheduler_.group(), [&scheduler = scheduler_, state = state_, delay_ns,
                                          fn = std::move(fn)] {
      scheduler.sleep_ns(delay_ns);
      if (state->stopping) return;
      ++state->running;
      finish(scheduler, *state, fn);
    });
  }

  void stop() override {
    state_->stopping = true;
    while (state_->running > 0) scheduler_.wait(state_.get());
  }

 private:
  struct State {
    bool stopping = false;
    int running = 0;
  };
  static void finish(SimScheduler& scheduler, State& state, const std::function<void()>& fn) {
    fn();
    --state.running;
    scheduler.wake(&state, true);
  }

  SimScheduler& scheduler_;
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace

std::unique_ptr<Executor> SimScheduler::make_executor() {
  return std::make_unique<SimExecutor>(*this);
}

}  // namespace contextcore
