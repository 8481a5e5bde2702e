// The write path: frames are sequenced under mutex_, written and synced in groups by whoever waits
// first, and become visible when they are durable.

#include <algorithm>
#include <utility>

#include "base/step.h"
#include "store/lock.h"
#include "store/server_file.h"
#include "store/store_impl.h"

namespace contextcore::store {
namespace {

constexpr int64_t kSyncIntervalNs = 100'000'000;
// Room that is always kept ahead: a work transaction is rarely larger.
constexpr uint64_t kHeadroomBytes = 64 * 1024;
constexpr size_t kFrameOverheadBytes = 256;

}  // namespace

// ---- turns
// ------------------------------------------------------------------------------------------

Status StoreImpl::Turn::begin() {
  if (store_.options_.mode == StoreMode::read_only) {
    return {Code::unavailable, "the store " + store_.directory_ + " was opened for reading only"};
  }
  if (store_.options_.mode == StoreMode::server) return {};
  threads_ = Lock(store_.turn_mutex_);
  {
    const Lock lock(store_.mutex_);
    CC_TRY(store_.check_writable());
  }
  CC_ASSIGN(auto held, acquire_write_lock(store_.files_, store_.clock_, store_.directory_,
                                          store_.options_.lock_wait_ns, store_.owner_text()));
  const Lock lock(store_.mutex_);
  store_.lock_ = std::move(held);
  begun_ = true;
  CC_TRY(store_.check_writable());
  // Whoever holds the lock knows that no server lives.
  CC_TRY(remove_server_file(store_.files_, store_.directory_));
  store_.reopen_failed();
  return store_.take_over();
}

StoreImpl::Turn::~Turn() {
  if (!begun_) return;
  const Lock lock(store_.mutex_);
  store_.lock_ = nullptr;
}

// ---- appending
// --------------------------------------------------------------------------------------

Status StoreImpl::check_writable() const {
  CC_TRY(check_open());
  if (!poisoned_.ok()) return poisoned_;
  return {};
}

Result<bool> StoreImpl::ensure_room(Lock& lock, size_t bytes) {
  const uint64_t end = position_.offset + bytes + kFrameOverheadBytes;
  if (wal_->has_room(end)) return true;
  // The file has one writer at a time.
  const bool waited = flushing_;
  wait_idle(lock);
  CC_TRY(check_writable());
  CC_TRY(wal_->reserve(std::max(end, position_.offset + kHeadroomBytes)));
  return !waited;
}

Result<uint64_t> StoreImpl::append(const std::vector<FramePart>& parts, uint32_t tenant) {
  Step step("wal.append");
  Frame frame;
  frame.epoch = wal_->epoch();
  frame.sequence = position_.sequence + 1;
  frame.tenant = tenant;
  frame.parts = parts;
  const size_t before = buffer_.size();
  CC_ASSIGN(const uint64_t checksum, append_frame(frame, position_.seed, buffer_));
  position_ = {position_.offset + (buffer_.size() - before), checksum, frame.sequence};
  frames_.fetch_add(1, std::memory_order_relaxed);
  if (head_since_ns_ == 0) head_since_ns_ = clock_.monotonic_ns();
  step.done();
  return frame.sequence;
}

// ---- group commit
// -----------------------------------------------------------------------------------

Status StoreImpl::wait_visible(Lock& lock, uint64_t sequence) {
  if (visible_ >= sequence) return {};
  Step step("wal.sync");
  const int64_t start_ns = clock_.monotonic_ns();
  Waiter waiter{sequence, {}};
  const auto place = waiters_.insert(waiters_.end(), &waiter);
  while (visible_ < sequence && poisoned_.ok()) {
    if (flushing_) {
      waiter.woken.wait(lock);
    } else {
      flush(lock);
    }
  }
  waiters_.erase(place);
  commit_wait_.record(clock_.monotonic_ns() - start_ns);
  if (visible_ < sequence) return poisoned_;
  step.done();
  return {};
}

// After a flush: those who have what they wait for, and one that writes next. Waking all would have each of them take the
// lock once for every flush.
void StoreImpl::wake_waiters() {
  bool next = false;
  for (Waiter* waiter : waiters_) {
    const bool done = visible_ >= waiter->sequence || !poisoned_.ok();
    if (done || !std::exchange(next, true)) waiter->woken.notify_one();
  }
  changed_.notify_all();
}

void StoreImpl::wait_idle(Lock& lock) {
  while (flushing_) changed_.wait(lock);
}

// The first who waits writes for all whose frames are in the buffer by then.
void StoreImpl::flush(Lock& lock) {
  flushing_ = true;
  if (options_.group_commit_window_ns > 0 && options_.mode == StoreMode::server) {
    lock.unlock();
    clock_.sleep_ns(options_.group_commit_window_ns);
    lock.lock();
  }
  const std::string batch = std::exchange(buffer_, {});
  const uint64_t begin = flushed_;
  const uint64_t end = position_.offset;
  const uint64_t sequence = position_.sequence;
  uint64_t durable = durable_;
  lock.unlock();
  Status status = write_batch(batch, begin, end, durable);
  lock.lock();
  flushing_ = false;
  if (status.ok()) status = show({wal_->epoch(), end, durable}, sequence);
  if (status.ok()) {
    flushed_ = end;
    durable_ = durable;
    if (durable_ < end) schedule_sync();
  } else {
    poison(status);
  }
  wake_waiters();
}

// Runs without mutex_: flushing_ keeps others away from the file and from last_sync_ns_.
Status StoreImpl::write_batch(std::string_view batch, uint64_t offset, uint64_t end, uint64_t& durable) {
  CC_TRY(wal_->write(offset, batch));
  return sync_due(end, durable);
}

// The mark shows other processes what visible_ shows this one. Who reads here while it is written waits: what somebody has seen
// there must be seen here as well.
Status StoreImpl::show(const CommitMark& mark, uint64_t sequence) {
  head_->forget_tables_before(visible_);
  const std::lock_guard state(state_mutex_);
  CC_TRY(mark_file_.write(mark));
  visible_ = sequence;
  return {};
}

Status StoreImpl::sync_due(uint64_t end, uint64_t& durable) {
  const int64_t now_ns = clock_.monotonic_ns();
  if (options_.durability == Durability::interval && now_ns - last_sync_ns_ < kSyncIntervalNs) {
    return {};
  }
  CC_TRY(wal_->sync());
  syncs_.fetch_add(1, std::memory_order_relaxed);
  wal_sync_.record(clock_.monotonic_ns() - now_ns);
  last_sync_ns_ = now_ns;
  durable = end;
  return {};
}

void StoreImpl::poison(const Status& status) {
  if (!poisoned_.ok()) return;
  poisoned_ =
      Error{Code::unavailable,
            "the store " + directory_ + " can no longer be written: " + status.error().message,
            "reads still work; open the store again when the disk is well",
            {},
            {}};
  wake_waiters();
}

void StoreImpl::schedule_sync() {
  if (sync_scheduled_ || syncer_ == nullptr) return;
  sync_scheduled_ = true;
  syncer_->post_after(kSyncIntervalNs, [this] { background_sync(); });
}

void StoreImpl::background_sync() {
  Lock lock(mutex_);
  sync_scheduled_ = false;
  wait_idle(lock);
  if (!poisoned_.ok() || closed_ || durable_ >= flushed_) return;
  flushing_ = true;
  const uint64_t end = flushed_;
  const std::shared_ptr<WalFile> wal = wal_;  // another may be taken up meanwhile
  lock.unlock();
  const int64_t start_ns = clock_.monotonic_ns();
  const Status status = wal->sync();
  wal_sync_.record(clock_.monotonic_ns() - start_ns);
  lock.lock();
  flushing_ = false;
  if (status.ok() && wal == wal_) {
    syncs_.fetch_add(1, std::memory_order_relaxed);
    last_sync_ns_ = clock_.monotonic_ns();
    durable_ = std::max(durable_, end);
  } else if (!status.ok()) {
    poison(status);
  }
  wake_waiters();
}

}  // namespace contextcore::store
