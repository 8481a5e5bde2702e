#include "store/store.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "base/hash.h"
#include "base/log.h"
#include "base/process.h"
#include "store/compaction.h"
#include "store/lock.h"
#include "store/metric_read.h"
#include "store/read_failures.h"
#include "store/segment_cache.h"
#include "store/server_file.h"
#include "store/store_impl.h"

namespace contextcore::store {
namespace {

constexpr size_t kStoreIdBytes = 16;

StoreOptions with_defaults(StoreOptions options) {
  if (options.file_system == nullptr) options.file_system = &real_file_system();
  if (options.clock == nullptr) options.clock = &real_clock();
  if (options.random == nullptr) options.random = &real_random();
  return options;
}

// False only when there certainly is no store: making one over another would end it.
Result<bool> is_made(FileSystem& files, const std::string& directory) {
  const auto found = files.stat(current_path(directory));
  if (found.ok()) return true;
  if (found.error().code == Code::not_found) return false;
  return found.error();
}

// Makes the directory, and durable every name on the way to it.
Status make_durable_directory(FileSystem& files, const std::string& path) {
  std::vector<std::string> parents;
  std::string at = path;
  while (!files.exists(at)) {
    const std::string up = parent_path(at);
    parents.push_back(up);
    if (up == at) break;
    at = up;
  }
  CC_TRY(files.make_directories(path));
  for (const std::string& parent : parents) CC_TRY(files.sync_directory(parent));
  // Whoever made the rest may have been killed before it synced. Not every directory lets itself be synced.
  for (std::string up = parent_path(at); up != at; up = parent_path(at)) {
    std::ignore = files.sync_directory(up);
    at = up;
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Store>> Store::open(StoreOptions options) {
  if (options.path.empty()) return {Code::invalid_argument, "the path of the store is empty"};
  auto store = std::make_unique<StoreImpl>(with_defaults(std::move(options)));
  CC_TRY(store->initialize());
  return std::unique_ptr<Store>(std::move(store));
}

namespace {

IngestQuota::Rates ingest_rates(const TenantLimitsByName& tenants) {
  IngestQuota::Rates rates;
  for (const auto& [name, limits] : tenants) {
    if (limits.ingest_rate_bytes) rates.emplace(name, *limits.ingest_rate_bytes);
  }
  return rates;
}

}  // namespace

StoreImpl::StoreImpl(StoreOptions options)
    : options_(std::move(options)),
      files_(*options_.file_system),
      clock_(*options_.clock),
      random_(*options_.random),
      hooks_(std::make_shared<const WorkHooks>(options_.hooks)),
      directory_(options_.path),
      manifest_file_(files_, directory_),
      mark_file_(files_, clock_, mark_path(directory_)),
      quota_(options_.ingest_rate_bytes, ingest_rates(options_.tenants)) {}

StoreImpl::~StoreImpl() {
  const Status closed = close();
  if (!closed.ok()) log_warn("closing the store failed", {{"error", closed.error().message}});
}

std::string StoreImpl::owner_text() const {
  std::string text = "process " + std::to_string(process_id());
  if (options_.mode == StoreMode::server) text += " (server)";
  return text;
}

// ---- opening
// ----------------------------------------------------------------------------------------

Status StoreImpl::initialize() {
  const std::string network = files_.network_type(directory_);
  if (!network.empty()) {
    return Error{Code::unavailable,
                 "the store " + directory_ + " lies on a network file system (" + network +
                     "), which cannot be trusted with locks and syncs",
                 "use a local directory, or run contextcore serve where the disk is",
                 {},
                 {}};
  }
  CC_ASSIGN(const bool made, is_made(files_, directory_));
  if (!made) {
    if (!options_.create || options_.mode == StoreMode::read_only) {
      return Error{
          Code::not_found, "there is no store in " + directory_, "run contextcore init", {}, {}};
    }
    CC_TRY(make_durable_directory(files_, directory_));
  }
  if (options_.durability == Durability::interval && options_.mode != StoreMode::read_only) {
    syncer_ = options_.make_executor ? options_.make_executor() : make_thread_executor("store-sync", 1);
  }
  if (options_.background && options_.mode == StoreMode::server) {
    maintenance_ = options_.make_executor ? options_.make_executor() : make_thread_executor("store-files", 2);
  }
  CC_TRY(open_directory());
  opened_ = true;
  return {};
}

Status StoreImpl::open_directory() {
  std::unique_ptr<FileLock> held;
  const bool server = options_.mode == StoreMode::server;
  CC_ASSIGN(const bool made, is_made(files_, directory_));
  if (server || !made) {
    CC_ASSIGN(held,
              acquire_write_lock(files_, clock_, directory_, options_.lock_wait_ns, owner_text()));
    CC_ASSIGN(const bool made_by_now, is_made(files_, directory_));
    if (!made_by_now) CC_TRY(create_store());
  }
  Lock lock(mutex_);
  CC_TRY(load_newest());
  if (!server) {
    held = nullptr;
    return catch_up();
  }
  lock_ = std::move(held);
  CC_TRY(remove_server_file(files_, directory_));
  CC_TRY(take_over());
  cut_if_due(lock);
  compact_if_due();
  return {};
}

Status StoreImpl::create_store() {
  std::string id(kStoreIdBytes, '\0');
  random_.fill(id.data(), id.size());
  Manifest manifest;
  manifest.store_id = to_hex(id);
  manifest.created_ns = clock_.wall_ns();
  manifest.edit = 1;
  manifest.wal_epoch = 1;
  manifest.tenants = {""};
  CC_TRY(files_.make_directories(wal_directory(directory_)));
  CC_TRY(files_.make_directories(data_directory(directory_)));
  CC_ASSIGN(const auto wal, WalFile::create(files_, wal_path(directory_, 1), 1, manifest.store_id));
  CC_TRY(files_.sync_directory(wal_directory(directory_)));
  CC_TRY(mark_file_.write({}));
  CC_TRY(manifest_file_.write(manifest));
  return mark_file_.write({1, wal->start(0).offset, wal->start(0).offset});
}

// ---- reading
// ----------------------------------------------------------------------------------------

void StoreImpl::set_state(std::shared_ptr<Head> head, uint64_t visible) {
  const std::lock_guard state(state_mutex_);
  head_ = std::move(head);
  visible_ = visible;
}

std::shared_ptr<const Snapshot> StoreImpl::visible_snapshot() const {
  // Made under the lock: the head forgets index states that are older than the visible one.
  const std::lock_guard state(state_mutex_);
  return std::make_shared<const Snapshot>(head_, visible_, clock_.wall_ns());
}

std::shared_ptr<const Snapshot> StoreImpl::sequenced_snapshot() const {
  return std::make_shared<const Snapshot>(head_, position_.sequence, clock_.wall_ns());
}

Status StoreImpl::check_open() const {
  if (closed_) return {Code::unavailable, "the store " + directory_ + " is closed"};
  return {};
}

void StoreImpl::reopen_failed() {
  const uint64_t count = ReadFailures::count();
  if (count == read_failures_seen_) return;
  const auto version = reopened_version(files_, directory_, head_->version());
  if (!version.ok()) return;
  if (*version != nullptr) head_->replace_version(*version, {});
  read_failures_seen_ = count;
}

Result<std::shared_ptr<const Source>> source_of(const Store::Read& read, std::string_view tenants) {
  CC_ASSIGN(const std::vector<std::string> names, parse_tenants(tenants));
  const auto* snapshot = dynamic_cast<const Snapshot*>(read.work.get());
  if (snapshot == nullptr) return Error{Code::unsupported, "this source knows no tenants", {}, {}, {}};
  return std::shared_ptr<const Source>(
      std::make_shared<const Snapshot>(*snapshot, snapshot->head().find_tenants(names)));
}

Result<Store::Read> StoreImpl::read(std::string_view tenants) {
  CC_TRY(check_open());
  if (options_.mode != StoreMode::server) {
    const Lock lock(mutex_);
    reopen_failed();
    CC_TRY(catch_up());
  } else if (ReadFailures::count() != read_failures_seen_) {
    const Lock lock(mutex_);
    reopen_failed();
  }
  const std::shared_ptr<const Snapshot> snapshot = visible_snapshot();
  Read read{snapshot, snapshot, received_metrics(snapshot->shared_head(), snapshot->visible()),
            snapshot->visible()};
  if (!tenants.empty()) {
    CC_ASSIGN(read.source, source_of(read, tenants));
  }
  return read;
}

// ---- the rest
// ---------------------------------------------------------------------------------------

Status StoreImpl::announce_server(const ServerInfo& info) {
  const Lock lock(mutex_);
  CC_TRY(check_writable());
  if (options_.mode != StoreMode::server) {
    return {Code::failed_precondition, "only a store that was opened as server can announce one"};
  }
  CC_TRY(write_server_file(files_, directory_, info));
  announced_ = true;
  return {};
}

StoreStats StoreImpl::stats() const {
  const Lock lock(mutex_);
  StoreStats stats;
  if (head_ == nullptr) return stats;
  stats.sequence = position_.sequence;
  stats.visible_sequence = visible_;
  stats.writable = options_.mode != StoreMode::read_only && check_writable().ok();
  Head::Sizes sizes = head_->sizes();
  if (head_->version().frozen != nullptr) {
    const Head::Sizes frozen = head_->version().frozen->sizes();
    stats.frozen_rows = frozen.rows();
    sizes.span_rows += frozen.span_rows;
    sizes.log_rows += frozen.log_rows;
    sizes.metric_samples += frozen.metric_samples;
    sizes.metric_series += frozen.metric_series;
  }
  stats.head_span_rows = sizes.span_rows;
  stats.head_log_rows = sizes.log_rows;
  stats.wal_bytes = position_.offset;
  stats.wal_unsynced_bytes = position_.offset - std::min(position_.offset, durable_);
  stats.writers_waiting = waiters_.size();
  stats.wal_sync = wal_sync_.counts();
  stats.commit_wait = commit_wait_.counts();
  for (const SegmentInfo& segment : head_->version().manifest.segments) {
    ++stats.segments;
    stats.segment_bytes += segment.bytes;
    stats.masked_rows += segment.masked_rows;
    stats.masks += segment.masked_rows > 0 ? 1 : 0;
    if (segment.kind == RowsKind::spans) stats.span_rows += segment.rows;
    if (segment.kind == RowsKind::logs) stats.log_rows += segment.rows;
    if (segment.kind == RowsKind::metrics) stats.metric_samples += segment.rows;
  }
  stats.span_rows += sizes.span_rows;
  stats.log_rows += sizes.log_rows;
  stats.head_metric_samples = sizes.metric_samples;
  stats.head_metric_series = sizes.metric_series;
  stats.metric_samples += sizes.metric_samples;
  stats.work_rows = head_->table(visible_)->size();
  stats.tenants = head_->tenant_count();
  stats.frames = frames_.load();
  stats.syncs = syncs_.load();
  stats.cuts = cuts_.load();
  stats.duplicates = duplicates_.load();
  stats.rejected = rejected_.load();
  stats.throttled = throttled_.load();
  const CompactionDebt debt = compaction_debt(compaction_candidates(head_->version()), tenant_groups(head_->version().manifest.tenants));
  stats.compaction_segments = debt.segments;
  stats.compaction_rows = debt.rows;
  const SegmentCache::Counts cache = SegmentCache::shared().counts();
  stats.cache_bytes = cache.bytes;
  stats.cache_bytes_max = kSegmentCacheBytes;
  stats.cache_hits = cache.hits;
  stats.cache_misses = cache.misses;
  stats.compactions = compactions_.load();
  stats.compacted_rows = compacted_rows_.load();
  stats.compacted_bytes = compacted_bytes_.load();
  stats.expired_rows = expired_rows_.load();
  stats.held_segments = held_segments_.load();
  stats.cut_bytes = cut_bytes_.load();
  return stats;
}

Status StoreImpl::close() {
  if (syncer_ != nullptr) syncer_->stop();
  stopping_ = true;
  {
    const Lock lock(mutex_);
    changed_.notify_all();
  }
  if (maintenance_ != nullptr) maintenance_->stop();
  const std::lock_guard turn(turn_mutex_);
  Lock lock(mutex_);
  if (closed_) return {};
  Status status;
  // What could not be opened has taken in a part of the log only, and says nothing about the rest.
  if (opened_ && options_.mode != StoreMode::read_only && poisoned_.ok()) {
    // With nothing of ours to write, frames that are not visible are others', which a failure has
    // kept us from taking in; neither they nor the mark are our business then.
    if (!buffer_.empty()) status = wait_visible(lock, position_.sequence);
    wait_idle(lock);
    if (status.ok() && durable_ < flushed_) {
      status = wal_->sync();
      if (status.ok()) durable_ = flushed_;
      // Without the lock the mark may be another process's by now.
      if (status.ok() && lock_ != nullptr) {
        status = mark_file_.write({wal_->epoch(), flushed_, durable_});
      }
    }
    // So that the next command line need not replay what a server may let grow.
    if (status.ok() && options_.mode == StoreMode::server) {
      options_.mode = StoreMode::embedded;
      maintenance_ = nullptr;
      if (cut_ != nullptr) {
        status = cut_now(lock);  // one that failed before
      } else {
        cut_if_due(lock);
      }
    }
  }
  closed_ = true;
  if (announced_) {
    const Status removed = remove_server_file(files_, directory_);
    if (status.ok()) status = removed;
  }
  lock_ = nullptr;
  changed_.notify_all();
  return status;
}

}  // namespace contextcore::store
