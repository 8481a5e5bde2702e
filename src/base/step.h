#pragma once
// What is done for a request, as intervals of time for its trace. A thread that answers a traced
// request has a recorder; a Step anywhere below it is noted there. Elsewhere a Step costs a branch.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/clock.h"

namespace contextcore {

struct StepRecord {
  std::string_view name;
  int64_t start_ns = 0, end_ns = 0;  // monotonic
  bool done = false;                 // false: it ended with an error
  std::vector<std::pair<std::string_view, std::variant<int64_t, std::string>>> facts;
};

// Records the steps of the thread that makes it, until it goes. One for each thread at a time.
class StepRecorder {
 public:
  static constexpr size_t kStepsMax = 64;  // further ones are left out

  explicit StepRecorder(Clock& clock) : clock_(clock) { current_ = this; }
  ~StepRecorder() { current_ = nullptr; }
  StepRecorder(const StepRecorder&) = delete;
  StepRecorder& operator=(const StepRecorder&) = delete;

  std::vector<StepRecord> take() { return std::move(steps_); }

 private:
  friend class Step;
  static constinit inline thread_local StepRecorder* current_ = nullptr;
  Clock& clock_;
  std::vector<StepRecord> steps_;
};

class Step {
 public:
  // name: of static storage
  explicit Step(std::string_view name) : recorder_(StepRecorder::current_) {
    if (recorder_ == nullptr) return;
    record_.name = name;
    record_.start_ns = recorder_->clock_.monotonic_ns();
  }
  ~Step() {
    if (recorder_ == nullptr || recorder_->steps_.size() >= StepRecorder::kStepsMax) return;
    record_.end_ns = recorder_->clock_.monotonic_ns();
    recorder_->steps_.push_back(std::move(record_));
  }
  Step(const Step&) = delete;
  Step& operator=(const Step&) = delete;

  // A step that ends without this has failed.
  void done() { record_.done = true; }
  // key: of static storage
  void note(std::string_view key, uint64_t number) {
    if (recorder_ != nullptr) record_.facts.emplace_back(key, static_cast<int64_t>(number));
  }
  void note(std::string_view key, std::string_view text) {
    if (recorder_ != nullptr) record_.facts.emplace_back(key, std::string(text));
  }

 private:
  StepRecorder* recorder_;
  StepRecord record_;
};

}  // namespace contextcore
