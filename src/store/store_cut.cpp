// When the store cuts, and how the files of a cut become the truth.
//
// A cut has three steps: begin (the head is frozen and another takes its place), write (files, and
// the log of the next epoch with what was written meanwhile), finish (the manifest). An embedded
// store does all three in one turn. A server writes in the background: its writers wait for begin
// and finish only, which takes a few syncs, not for the files.

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "store/cut.h"
#include "store/frozen.h"
#include "store/store_impl.h"

namespace contextcore::store {
namespace {

// A log that was larger than this is not kept for recycling.
constexpr uint64_t kSpareBytesMax = uint64_t{96} << 20;
// What is copied from log to log at once, and what may be left for when writers wait.
constexpr uint64_t kCopyBytes = uint64_t{4} << 20;
constexpr uint64_t kCopyRestBytes = uint64_t{256} << 10;
constexpr int kCopyRounds = 8;
constexpr int64_t kRetryNs = 5'000'000'000;

}  // namespace

bool StoreImpl::cut_due() const {
  if (cut_ != nullptr || position_.sequence == head_->version().manifest.sequence) return false;
  if (cut_failed_at_ != 0 && position_.offset < cut_failed_at_ + cut_failed_at_ / 4) return false;
  const Head::Sizes sizes = head_->sizes();
  const uint64_t rows = sizes.rows();
  if (options_.mode == StoreMode::embedded) {
    return position_.offset > options_.embedded_wal_bytes_max ||
           rows > options_.embedded_wal_rows_max;
  }
  return rows > options_.head_rows_max || position_.offset > options_.head_bytes_max ||
         clock_.monotonic_ns() - head_since_ns_ > options_.head_age_max_ns;
}

void StoreImpl::cut_if_due(Lock& lock) {
  if (!poisoned_.ok() || !cut_due()) return;
  if (maintenance_ != nullptr) {
    if (std::exchange(cut_posted_, true)) return;
    maintenance_->post([this] { cut_in_background(); });
    return;
  }
  const Status status = cut_now(lock);
  if (status.ok()) return;
  // What was written is safe in the log; it only grows until a cut succeeds.
  cut_failed_at_ = position_.offset;
  log_warn("making segments failed; the log goes on growing",
           {{"store", directory_}, {"error", status.error().message}});
}

// ---- the three steps
// --------------------------------------------------------------------------------------

Status StoreImpl::wait_all_visible(Lock& lock) {
  // Whoever would append next waits meanwhile, or a busy store would never come to rest.
  ++pausing_;
  Status status;
  do {
    status = wait_visible(lock, position_.sequence);
    wait_idle(lock);
    if (status.ok()) status = check_writable();
  } while (status.ok() && visible_ != position_.sequence);
  if (--pausing_ == 0) changed_.notify_all();
  return status;
}

Status StoreImpl::enter(Lock& lock) {
  while (pausing_ > 0) changed_.wait(lock);
  CC_TRY(check_writable());
  reopen_failed();
  return {};
}

Status StoreImpl::begin_cut(Lock& lock) {
  CC_TRY(wait_all_visible(lock));
  reopen_failed();
  if (cut_ != nullptr) {  // of an attempt that failed, maybe since something could not be read
    CC_ASSIGN(const auto version, reopened_version(files_, directory_, cut_->frozen->version()));
    if (version != nullptr) cut_->frozen->replace_version(version, {});
  }
  if (cut_ != nullptr || position_.sequence == head_->version().manifest.sequence) return {};
  CC_TRY(head_->settle());
  CC_TRY(head_->settle_logs());
  auto cut = std::make_shared<CutUnderWay>();
  cut->frozen = head_;
  cut->before = head_->version().manifest;
  cut->sequence = position_.sequence;
  cut->wal = wal_;
  cut->start = position_;
  cut_ = std::move(cut);
  set_state(std::make_shared<Head>(freeze(head_, position_.sequence), hooks_), visible_);
  head_since_ns_ = 0;
  return {};
}

// Copies frames to the log of the next epoch, from where the last copy ended up to `end`.
Status StoreImpl::copy_log(CutUnderWay& cut, uint64_t end) {
  std::string buffer;
  WalPosition to = cut.next_position;
  const auto write = [&]() -> Status {
    CC_TRY(cut.next_wal->reserve(to.offset));
    CC_TRY(cut.next_wal->write(cut.next_position.offset, buffer));
    buffer.clear();
    cut.next_position = to;
    return {};
  };
  CC_TRY(cut.wal->replay(cut.copied, end, [&](const Frame& frame) -> Status {
    Frame copy = frame;
    copy.epoch = cut.next_wal->epoch();
    const size_t before = buffer.size();
    CC_ASSIGN(const uint64_t checksum, append_frame(copy, to.seed, buffer));
    to = {to.offset + (buffer.size() - before), checksum, frame.sequence};
    return buffer.size() < kCopyBytes ? Status() : write();
  }));
  if (cut.copied.offset != end) {
    return {Code::corruption, "the log cannot be read back: it ends at " +
                                  std::to_string(cut.copied.offset) + " instead of " +
                                  std::to_string(end)};
  }
  return buffer.empty() ? Status() : write();
}

// Without mutex_: changes nothing that a reader or a writer sees.
Status StoreImpl::write_cut(CutUnderWay& cut) {
  Cut files(files_, directory_, *cut.frozen, cut.sequence, clock_.wall_ns(), next_number_,
            maintenance_ == nullptr, tenant_groups(cut.frozen->tenants()));
  CC_ASSIGN(Manifest manifest, files.write());
  if (options_.mode == StoreMode::embedded) {
    // Whoever took the store over in doubt has written what we know under an edit that we do not.
    CC_ASSIGN(const Manifest current, manifest_file_.read());
    manifest.edit = current.edit + 1;
  }
  manifest.wal_epoch = cut.before.wal_epoch + 1;
  const std::string path = wal_path(directory_, manifest.wal_epoch);
  const std::string spare = wal_spare_path(directory_);
  if (files_.exists(spare)) CC_TRY(files_.rename(spare, path));
  cut.copied = cut.start;
  CC_ASSIGN(cut.next_wal, WalFile::create(files_, path, manifest.wal_epoch, store_id_));
  cut.next_position = cut.next_wal->start(cut.sequence);
  CC_TRY(files_.sync_directory(wal_directory(directory_)));
  CC_TRY(files_.sync_directory(data_directory(directory_)));
  CC_ASSIGN(cut.version,
            open_version(files_, directory_, manifest, &cut.frozen->version(), *hooks_));
  cut.moves = files.take_moves();
  return {};
}

// Most of what has come meanwhile, so that little is left for when writers wait.
Status StoreImpl::copy_most(CutUnderWay& cut) {
  for (int round = 0; round < kCopyRounds; ++round) {
    uint64_t end = 0;
    {
      const Lock lock(mutex_);
      end = flushed_;
    }
    if (end - cut.copied.offset <= kCopyRestBytes) break;
    CC_TRY(copy_log(cut, end));
    CC_TRY(cut.next_wal->sync());
  }
  return {};
}

Status StoreImpl::finish_cut(Lock& lock, CutUnderWay& cut) {
  CC_TRY(wait_all_visible(lock));
  CC_TRY(head_->settle());
  if (cut.copied.offset != flushed_) {
    CC_TRY(copy_log(cut, flushed_));
    CC_TRY(cut.next_wal->sync());
  }
  // Without a mark whoever comes next knows that the manifest may be either.
  const Manifest& manifest = cut.version->manifest;
  const WalPosition end = cut.next_position;
  bool in_doubt = false;
  Status status = mark_file_.write({});
  if (status.ok()) status = manifest_file_.write(manifest, &in_doubt);
  if (!status.ok() && !in_doubt) {
    // The one before is the manifest, as if there had been no cut: a full disk may have room again.
    const Status marked = mark_file_.write({wal_->epoch(), flushed_, durable_});
    if (!marked.ok()) poison(marked);
    return status;
  }
  if (status.ok()) status = mark_file_.write({cut.next_wal->epoch(), end.offset, end.offset});
  if (!status.ok()) {
    poison({status.error().code, "nobody knows whether the disk has the manifest of a cut: " + status.error().message});
    return status;
  }
  const std::string old_wal = wal_path(directory_, cut.before.wal_epoch);
  wal_ = std::move(cut.next_wal);
  position_ = end;
  flushed_ = durable_ = end.offset;
  cut_failed_at_ = 0;
  cuts_.fetch_add(1, std::memory_order_relaxed);
  const auto old_size = files_.stat(old_wal);
  if (old_size.ok() && old_size->size <= kSpareBytesMax) {
    const Status kept = files_.rename(old_wal, wal_spare_path(directory_));
    if (!kept.ok()) log_warn("cannot keep a log file", {{"error", kept.error().message}});
  }
  if (knows_digests_of(cut.before)) {  // and those of the cut have come to us
    digest_files_known_.clear();
    for (const DigestFileInfo& file : manifest.digests) digest_files_known_.insert(file.number);
  }
  remove_garbage(manifest);
  for (const SegmentInfo& info : manifest.segments) {
    if (info.number >= cut.before.next_number) cut_bytes_.fetch_add(info.bytes);
  }
  head_->replace_version(cut.version, cut.moves);
  cut_ = nullptr;
  changed_.notify_all();
  return {};
}

// ---- who cuts
// --------------------------------------------------------------------------------------

Status StoreImpl::cut_now(Lock& lock) {
  CC_TRY(begin_cut(lock));
  if (cut_ == nullptr) return {};
  const std::shared_ptr<CutUnderWay> cut = cut_;
  Status status = write_cut(*cut);
  if (status.ok()) status = finish_cut(lock, *cut);
  if (status.ok() || !poisoned_.ok()) return status;
  // Until the manifest is touched a failure changes nothing. A head that was frozen by an earlier
  // attempt has a follower with frames of its own and stays.
  remove_garbage(cut->before);
  if (cut->sequence == position_.sequence) {
    set_state(cut->frozen, visible_);
    cut_ = nullptr;
  }
  return status;
}

// What can be done before anybody has to wait.
Status StoreImpl::settle_most() const {
  std::shared_ptr<Head> head;
  {
    const std::lock_guard state(state_mutex_);
    head = head_;
  }
  CC_TRY(head->settle());
  return head->settle_logs();
}

void StoreImpl::cut_in_background() {
  std::ignore = settle_most();
  const std::lock_guard turn(turn_mutex_);
  const Status status = cut_step_by_step();
  Lock lock(mutex_);
  cut_posted_ = false;
  if (closed_ || !poisoned_.ok()) return;
  if (status.ok()) {
    compact_if_due();
    cut_if_due(lock);  // what has come meanwhile may be enough for another
    return;
  }
  remove_garbage(cut_ != nullptr ? cut_->before : head_->version().manifest);
  log_warn("making segments failed; it is tried again",
           {{"store", directory_}, {"error", status.error().message}});
  cut_posted_ = true;
  maintenance_->post_after(kRetryNs, [this] { cut_in_background(); });
}

// REQUIRES: turn_mutex_
Status StoreImpl::cut_step_by_step() {
  const Status status = try_cut();
  const Lock lock(mutex_);
  cut_failing_ = !status.ok();
  changed_.notify_all();
  return status;
}

Status StoreImpl::try_cut() {
  std::shared_ptr<CutUnderWay> cut;
  {
    Lock lock(mutex_);
    CC_TRY(check_writable());
    CC_TRY(begin_cut(lock));
    cut = cut_;
  }
  if (cut == nullptr) return {};
  CC_TRY(write_cut(*cut));
  CC_TRY(copy_most(*cut));
  CC_TRY(settle_most());
  Lock lock(mutex_);
  return finish_cut(lock, *cut);
}

Status StoreImpl::cut() {
  if (maintenance_ != nullptr) {
    const std::lock_guard turn(turn_mutex_);
    return cut_step_by_step();
  }
  Turn turn(*this);
  CC_TRY(turn.begin());
  Lock lock(mutex_);
  CC_TRY(check_writable());
  return cut_now(lock);
}

}  // namespace contextcore::store
