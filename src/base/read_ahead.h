#pragma once
// Sequences that are read one item ahead of whoever takes the items, by a thread of their own: where reading an item takes
// as long as looking at it, both together take half the time. A short reading is not worth a thread and has none.

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "base/executor.h"
#include "base/result.h"

namespace contextcore {

// For one taker. Items are made by default and are swapped: one that was taken comes back to be read into.
template <typename Item>
class ReadAhead {
 public:
  // Reads the next item of a sequence into one of any content. False at its end. Called by one thread at a time for each
  // sequence, but not always by the same one.
  using Read = std::function<Result<bool>(size_t sequence, Item& item)>;

  // alone: how many items the taker reads before there is a thread.
  ReadAhead(size_t sequences, size_t alone, Read read) : read_(std::move(read)), alone_(alone), slots_(sequences) {}
  ~ReadAhead() {
    {
      const std::lock_guard lock(mutex_);
      given_up_ = true;
    }
    thread_ = nullptr;  // waits for the item that is being read
  }
  ReadAhead(const ReadAhead&) = delete;
  ReadAhead& operator=(const ReadAhead&) = delete;

  // The next item of a sequence. Not to be asked again after its end or an error.
  Result<bool> take(size_t sequence, Item& item) {
    if (thread_ == nullptr) {
      if (alone_ > 0) return --alone_, read_(sequence, item);
      thread_ = make_thread_executor("read-ahead", 1);
    }
    Slot& slot = slots_[sequence];
    Result<bool> taken = false;
    {
      std::unique_lock lock(mutex_);
      while (slot.state == State::reading) read_one_.wait(lock);
      if (slot.state == State::ready) {
        std::swap(item, slot.item);
        taken = std::move(slot.result);
      } else {  // nobody has come to it yet
        slot.state = State::taken;
        lock.unlock();
        taken = read_(sequence, item);
        lock.lock();
      }
      if (!taken.ok() || !*taken) return taken;
      slot.state = State::asked_for;
    }
    thread_->post([this, sequence] { read_next(sequence); });
    return taken;
  }

 private:
  enum class State : uint8_t { taken, asked_for, reading, ready };
  struct Slot {
    State state = State::taken;
    Item item = {};
    Result<bool> result = false;
  };

  void read_next(size_t sequence) {
    Slot& slot = slots_[sequence];
    {
      const std::lock_guard lock(mutex_);
      if (given_up_ || slot.state != State::asked_for) return;
      slot.state = State::reading;
    }
    Result<bool> result = read_(sequence, slot.item);
    {
      const std::lock_guard lock(mutex_);
      slot.result = std::move(result);
      slot.state = State::ready;
    }
    read_one_.notify_one();
  }

  const Read read_;
  size_t alone_;
  std::vector<Slot> slots_;
  std::mutex mutex_;  // of the states, and of what lies in slots that are ready
  std::condition_variable read_one_;
  bool given_up_ = false;
  std::unique_ptr<Executor> thread_;  // first to go
};

}  // namespace contextcore
