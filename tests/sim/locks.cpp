// The locks and condition variables of everything that is linked into this program, as the
// simulator wants them: a task that has to wait gives way to another one instead of stopping the
// thread. The linker puts these in the place of the real ones (--wrap, see tests/CMakeLists.txt);
// outside of tasks they are the real ones.
//
// All tasks run on one thread, so the real locks are only ever tried, and what waits for one waits
// for its address.

#include <pthread.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <mutex>

#include "base/sim_scheduler.h"

namespace {

using contextcore::SimScheduler;

template <typename Try>
int take(const void* lock, const Try& attempt) {
  SimScheduler* const scheduler = SimScheduler::current();
  scheduler->maybe_yield();
  int taken = attempt();
  while (taken == EBUSY) {
    scheduler->wait(lock);
    taken = attempt();
  }
  return taken;
}

int release(const void* lock, int released) {
  if (SimScheduler* const scheduler = SimScheduler::current()) scheduler->wake(lock, true);
  return released;
}

}  // namespace

extern "C" {

int __real_pthread_mutex_lock(pthread_mutex_t* lock);
int __real_pthread_mutex_unlock(pthread_mutex_t* lock);
int __real_pthread_rwlock_rdlock(pthread_rwlock_t* lock);
int __real_pthread_rwlock_wrlock(pthread_rwlock_t* lock);
int __real_pthread_rwlock_unlock(pthread_rwlock_t* lock);
pid_t __real_getpid();

int __wrap_pthread_mutex_lock(pthread_mutex_t* lock) {
  if (SimScheduler::current() == nullptr) return __real_pthread_mutex_lock(lock);
  return take(lock, [&] { return pthread_mutex_trylock(lock); });
}

int __wrap_pthread_mutex_unlock(pthread_mutex_t* lock) {
  return release(lock, __real_pthread_mutex_unlock(lock));
}

int __wrap_pthread_rwlock_rdlock(pthread_rwlock_t* lock) {
  if (SimScheduler::current() == nullptr) return __real_pthread_rwlock_rdlock(lock);
  return take(lock, [&] { return pthread_rwlock_tryrdlock(lock); });
}

int __wrap_pthread_rwlock_wrlock(pthread_rwlock_t* lock) {
  if (SimScheduler::current() == nullptr) return __real_pthread_rwlock_wrlock(lock);
  return take(lock, [&] { return pthread_rwlock_trywrlock(lock); });
}

int __wrap_pthread_rwlock_unlock(pthread_rwlock_t* lock) {
  return release(lock, __real_pthread_rwlock_unlock(lock));
}

// A simulated process has a pid of its own.
pid_t __wrap_getpid() {
  const SimScheduler* const scheduler = SimScheduler::current();
  if (scheduler == nullptr || scheduler->group() == 0) return __real_getpid();
  return static_cast<pid_t>(scheduler->group());
}

}  // extern "C"

// Members of std::condition_variable under their linker names: this comes as an ordinary argument.
using Unique = std::unique_lock<std::mutex>;

void real_wait(std::condition_variable* condition, Unique& lock)
    __asm__("__real__ZNSt18condition_variable4waitERSt11unique_lockISt5mutexE");
void real_notify_all(std::condition_variable* condition)
    __asm__("__real__ZNSt18condition_variable10notify_allEv");
void real_notify_one(std::condition_variable* condition)
    __asm__("__real__ZNSt18condition_variable10notify_oneEv");
void wrap_wait(std::condition_variable* condition, Unique& lock)
    __asm__("__wrap__ZNSt18condition_variable4waitERSt11unique_lockISt5mutexE");
void wrap_notify_all(std::condition_variable* condition)
    __asm__("__wrap__ZNSt18condition_variable10notify_allEv");
void wrap_notify_one(std::condition_variable* condition)
    __asm__("__wrap__ZNSt18condition_variable10notify_oneEv");

void wrap_wait(std::condition_variable* condition, Unique& lock) {
  SimScheduler* const scheduler = SimScheduler::current();
  if (scheduler == nullptr) return real_wait(condition, lock);
  lock.unlock();
  scheduler->wait(condition);
  lock.lock();
}

void wrap_notify_all(std::condition_variable* condition) {
  SimScheduler* const scheduler = SimScheduler::current();
  if (scheduler == nullptr) return real_notify_all(condition);
  scheduler->wake(condition, true);
}

void wrap_notify_one(std::condition_variable* condition) {
  SimScheduler* const scheduler = SimScheduler::current();
  if (scheduler == nullptr) return real_notify_one(condition);
  scheduler->wake(condition, false);
}
