// When the store cuts, and how the files of a cut become the truth.

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "store/cut.h"
#include "store/store_impl.h"

namespace contextcore::store {
namespace {

// A log that was larger than this is not kept for recycling.
constexpr uint64_t kSpareBytesMax = uint64_t{96} << 20;

}  // namespace

bool StoreImpl::cut_due() const {
  if (position_.sequence == head_->version().manifest.sequence) return false;
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
  const Status status = cut_now(lock);
  if (status.ok()) return;
  // What was written is safe in the log; it only grows until a cut succeeds.
  cut_failed_at_ = position_.offset;
  log_warn("making segments failed; the log goes on growing",
           {{"store", directory_}, {"error", status.error().message}});
}

Status StoreImpl::cut_now(Lock& lock) {
  // Others may append while a flush of theirs has released the mutex.
  do {
    CC_TRY(wait_visible(lock, position_.sequence));
    wait_idle(lock);
    CC_TRY(check_writable());
  } while (visible_ != position_.sequence);
  const Manifest before = head_->version().manifest;
  if (position_.sequence == before.sequence) return {};

  // Until the manifest is touched a failure changes nothing.
  const auto prepare =
      [&]() -> Result<std::pair<std::shared_ptr<const Version>, std::unique_ptr<WalFile>>> {
    Cut cut(files_, directory_, *head_, position_.sequence, clock_.wall_ns());
    CC_ASSIGN(Manifest manifest, cut.write());
    // Whoever took the store over in doubt has written what we know under an edit that we do not.
    CC_ASSIGN(const Manifest current, manifest_file_.read());
    manifest.edit = current.edit + 1;
    manifest.wal_epoch = before.wal_epoch + 1;
    const std::string path = wal_path(directory_, manifest.wal_epoch);
    const std::string spare = wal_spare_path(directory_);
    if (files_.exists(spare)) CC_TRY(files_.rename(spare, path));
    CC_ASSIGN(auto wal, WalFile::create(files_, path, manifest.wal_epoch, store_id_));
    CC_TRY(files_.sync_directory(wal_directory(directory_)));
    CC_TRY(files_.sync_directory(data_directory(directory_)));
    CC_ASSIGN(auto version, open_version(files_, directory_, manifest, &head_->version(), *hooks_));
    return std::pair(std::move(version), std::move(wal));
  };
  auto prepared = prepare();
  if (!prepared.ok()) {
    remove_garbage(before);
    return prepared.status();
  }
  auto [version, wal] = std::move(prepared).value();

  // From here on a failure leaves in doubt which manifest the disk has. Without a mark whoever
  // comes next knows that.
  Status status = mark_file_.write({});
  if (status.ok()) status = manifest_file_.write(version->manifest);
  const WalPosition start = wal->start(position_.sequence);
  if (status.ok()) status = mark_file_.write({wal->epoch(), start.offset, start.offset});
  if (!status.ok()) {
    poison(status);
    return status;
  }
  const Manifest& manifest = version->manifest;
  wal_ = std::move(wal);
  position_ = start;
  flushed_ = durable_ = start.offset;
  head_since_ns_ = 0;
  cut_failed_at_ = 0;
  cuts_.fetch_add(1, std::memory_order_relaxed);
  const std::string old_wal = wal_path(directory_, before.wal_epoch);
  const auto old_size = files_.stat(old_wal);
  if (old_size.ok() && old_size->size <= kSpareBytesMax) {
    const Status kept = files_.rename(old_wal, wal_spare_path(directory_));
    if (!kept.ok()) log_warn("cannot keep a log file", {{"error", kept.error().message}});
  }
  remove_garbage(manifest);
  set_state(std::make_shared<Head>(version, hooks_), position_.sequence);
  return {};
}

Status StoreImpl::cut() {
  Turn turn(*this);
  CC_TRY(turn.begin());
  Lock lock(mutex_);
  CC_TRY(check_writable());
  return cut_now(lock);
}

}  // namespace contextcore::store
