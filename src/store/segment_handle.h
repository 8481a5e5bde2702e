#pragma once
// A segment file of a version: opened with the version, so that its bytes stay there whoever removes its name, and read from
// when somebody first looks at its rows. A command line looks at few of a store's files, and the footers of large ones
// are long.

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "base/file_system.h"
#include "store/rows.h"

namespace contextcore::store {

// Rows: SpanRows or LogRows. Copies share what was read. Thread-safe, but for assignment.
template <typename Rows>
class SegmentHandle {
 public:
  SegmentHandle() = default;
  // Rows that are at hand.
  SegmentHandle(std::shared_ptr<const Rows> rows)  // NOLINT(google-explicit-constructor)
      : state_(std::make_shared<State>()) {
    state_->loaded = std::move(rows);
    state_->ready = state_->loaded.get();
  }
  // rows: how many the manifest says there are.
  static Result<SegmentHandle> open(FileSystem& files, const std::string& path, uint64_t rows) {
    SegmentHandle handle;
    handle.state_ = std::make_shared<State>();
    CC_ASSIGN(handle.state_->file, files.open(path, OpenMode::read));
    handle.state_->path = path;
    handle.state_->rows = rows;
    return handle;
  }

  // Rows of a file that turns out to be unreadable give its error wherever they can, and are as many as they should be.
  const Rows* get() const {
    if (state_ == nullptr) return nullptr;
    const Rows* ready = state_->ready.load(std::memory_order_acquire);
    return ready != nullptr ? ready : state_->load();
  }
  // Reads the footer if nobody has yet; what went wrong with that.
  Status load() const {
    get();
    return state_ != nullptr ? state_->opened : Status();
  }
  const Rows& operator*() const { return *get(); }
  const Rows* operator->() const { return get(); }
  // What went wrong so far; reads nothing.
  Status status() const {
    const Rows* ready = state_ != nullptr ? state_->ready.load(std::memory_order_acquire) : nullptr;
    return ready != nullptr ? ready->status() : Status();
  }

 private:
  struct State {
    const Rows* load();
    std::string path;
    uint64_t rows = 0;
    std::mutex mutex;
    std::unique_ptr<File> file;
    Status opened;  // not written once ready is
    std::shared_ptr<const Rows> loaded;
    std::atomic<const Rows*> ready{nullptr};
  };
  std::shared_ptr<State> state_;
};

extern template class SegmentHandle<SpanRows>;
extern template class SegmentHandle<LogRows>;

}  // namespace contextcore::store
