#pragma once
// How many queries of one tenant run at the same time, so that nobody's dashboards keep all workers.

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace contextcore::api {

class QuerySlots {
 public:
  // By tenant; of those that have a number of their own. 0: any.
  using Numbers = std::map<std::string, uint64_t, std::less<>>;
  QuerySlots(uint64_t each, Numbers own) : each_(each), own_(std::move(own)) {}

  // Held while a query runs.
  class Slot {
   public:
    Slot() = default;  // none was free
    Slot(QuerySlots* slots, std::string tenant) : slots_(slots), tenant_(std::move(tenant)), held_(true) {}
    Slot(Slot&& other) noexcept
        : slots_(std::exchange(other.slots_, nullptr)), tenant_(std::move(other.tenant_)), held_(other.held_) {}
    Slot& operator=(Slot&&) = delete;
    ~Slot() {
      if (slots_ != nullptr) slots_->give_back(tenant_);
    }
    bool held() const { return held_; }

   private:
    QuerySlots* slots_ = nullptr;  // null: nothing to give back
    std::string tenant_;
    bool held_ = false;
  };

  // tenant: as the header names it; those of a query over several are one of their own.
  Slot take(std::string_view tenant) {
    const auto own = own_.find(tenant);
    const uint64_t most = own == own_.end() ? each_ : own->second;
    if (most == 0) return {nullptr, {}};
    const std::lock_guard lock(mutex_);
    const auto [running, is_new] = running_.try_emplace(std::string(tenant), 0);
    if (running->second >= most) return {};
    ++running->second;
    return {this, std::string(tenant)};
  }

 private:
  void give_back(const std::string& tenant) {
    const std::lock_guard lock(mutex_);
    const auto running = running_.find(tenant);
    if (--running->second == 0) running_.erase(running);
  }

  const uint64_t each_;
  const Numbers own_;
  std::mutex mutex_;
  std::map<std::string, uint64_t, std::less<>> running_;  // those that have one
};

}  // namespace contextcore::api
