#pragma once
// Reads of a store's files that failed (EIO, not a checksum that does not match). Who has a file
// open goes on saying so, since what could not be read must not count as read; for whoever comes
// next it is opened again (StoreImpl::reopen_failed), which asks here whether there is a reason.

#include <atomic>
#include <cstdint>

#include "base/result.h"

namespace contextcore::store {

inline bool is_read_failure(const Status& status) {
  return !status.ok() && status.error().code == Code::io_error;
}

// Of all stores of the process. Thread-safe.
class ReadFailures {
 public:
  // To be called when the status of a file has become that.
  static void note(const Status& status) {
    if (is_read_failure(status)) count_.fetch_add(1);
  }
  static uint64_t count() { return count_.load(); }

 private:
  static inline std::atomic<uint64_t> count_{0};
};

}  // namespace contextcore::store
