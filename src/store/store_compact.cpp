// When the store compacts, and how segments that were written again take the place of their inputs.
//
// Files are written from a version that is pinned, without any lock. Meanwhile rows of the inputs
// may be superseded, in the head or by a cut; both are carried over to the rows that came of them.
// A compaction never takes effect while a cut is under way: that was begun over the same segments.

#include <algorithm>
#include <map>
#include <utility>

#include "base/log.h"
#include "store/compaction.h"
#include "store/store_impl.h"

namespace contextcore::store {
namespace {

constexpr int64_t kRetryNs = 60'000'000'000;
constexpr int64_t kRetentionEveryNs = 10ll * 60 * 1'000'000'000;
// Of the time, at most this share is spent on compacting: one part in so many.
constexpr int64_t kPauseFactor = 1;

}  // namespace

// Rows of inputs that a cut has masked since the compaction began, as masks of its outputs.
Status StoreImpl::carry_masks(const Compaction& compaction, const Version& base,
                              Manifest& manifest) {
  std::map<uint64_t, RowSet> masks;
  for (const RowMoves& move : compaction.moves()) {
    const auto is_it = [&](const SpanSegment& segment) { return segment.info.number == move.from; };
    const auto& now = head_->version().spans;
    const auto newer = std::find_if(now.begin(), now.end(), is_it);
    const auto older = std::find_if(base.spans.begin(), base.spans.end(), is_it);
    if (newer->mask == older->mask) continue;
    for (uint32_t row = 0; row < move.to.size(); ++row) {
      const RowMoves::Place& to = move.to[row];
      if (to.row == RowMoves::kGone || !newer->masked(row)) continue;
      for (const SegmentInfo& output : compaction.outputs()) {
        if (output.number == move.segments[to.segment])
          masks.try_emplace(output.number, output.rows).first->second.set(to.row);
      }
    }
  }
  for (SegmentInfo& info : manifest.segments) {
    const auto mask = masks.find(info.number);
    if (mask == masks.end()) continue;
    info.masked_rows = mask->second.count();
    info.mask_number = next_number_.fetch_add(1);
    CC_TRY(write_mask(files_, data_path(directory_, info.mask_number, "mask"), mask->second));
  }
  return masks.empty() ? Status() : files_.sync_directory(data_directory(directory_));
}

Status StoreImpl::install(const Compaction& compaction, const Version& base) {
  CC_TRY(settle_most());
  Lock lock(mutex_);
  const auto free = [this] {
    return cut_ == nullptr || cut_failing_ || stopping_ || !poisoned_.ok();
  };
  do {
    changed_.wait(lock, free);
    CC_TRY(wait_all_visible(lock));  // releases the lock: another cut may have begun
  } while (!free());
  if (stopping_ || cut_ != nullptr) {
    return {Code::unavailable, "the segments of a cut are not written yet; others stay as they are"};
  }
  CC_TRY(head_->settle());
  Manifest manifest = compaction.manifest(head_->version().manifest);
  CC_TRY(carry_masks(compaction, base, manifest));
  manifest.next_number = next_number_;
  ++manifest.edit;
  CC_ASSIGN(auto version, open_version(files_, directory_, manifest, &head_->version(), *hooks_));
  bool in_doubt = false;
  const Status written = manifest_file_.write(manifest, &in_doubt);
  if (!written.ok()) {
    if (in_doubt) poison(written);
    return written;
  }
  head_->replace_version(std::move(version), compaction.moves());
  files_kept_from_ = UINT64_MAX;
  remove_garbage(manifest);
  return {};
}

// What retention drops now.
Result<std::set<uint64_t>> StoreImpl::expired_segments(const Version& version) {
  if (!options_.drops_expired) return std::set<uint64_t>();
  std::set<uint64_t> expired =
      choose_expired(version.manifest.segments, retention_rules(options_.retention, options_.tenants, version.manifest.tenants), clock_.wall_ns());
  std::set<uint64_t> held;
  if (!expired.empty() && options_.arrivals_wanted) {
    CC_ASSIGN(held, choose_held(version, expired, options_.arrivals_wanted()));
  }
  for (const uint64_t number : held) expired.erase(number);
  held_segments_ = held.size();
  return expired;
}

// False: there was nothing to do.
Result<bool> StoreImpl::compact_once() {
  std::shared_ptr<const Version> base;
  {
    Lock lock(mutex_);
    CC_TRY(check_writable());
    if (stopping_ || cut_ != nullptr) return false;  // after the cut
    reopen_failed();
    base = head_->shared_version();
    files_kept_from_ = next_number_;
  }
  CC_ASSIGN(std::set<uint64_t> inputs, expired_segments(*base));
  const bool expired = !inputs.empty();
  if (!expired) {
    const std::vector<uint64_t> chosen = choose_compaction(compaction_candidates(*base), tenant_groups(base->manifest.tenants));
    inputs.insert(chosen.begin(), chosen.end());
  }
  if (inputs.empty()) return false;
  Compaction compaction(files_, directory_, base, std::move(inputs), next_number_,
                        tenant_groups(base->manifest.tenants));
  Status status = compaction.write(*hooks_, expired);
  if (status.ok()) status = files_.sync_directory(data_directory(directory_));
  if (status.ok()) status = install(compaction, *base);
  if (!status.ok()) return std::move(status).error();
  uint64_t rows_in = 0, rows_out = 0, bytes = 0;
  for (const SegmentInfo& info : base->manifest.segments) {
    if (compaction.inputs().contains(info.number)) rows_in += info.rows - info.masked_rows;
  }
  for (const SegmentInfo& info : compaction.outputs()) {
    rows_out += info.rows;
    bytes += info.bytes;
  }
  compactions_.fetch_add(1);
  compacted_rows_.fetch_add(rows_out);
  compacted_bytes_.fetch_add(bytes);
  if (expired) {
    expired_rows_.fetch_add(rows_in - rows_out);
    log_info("dropped received data that is older than it is kept",
             {{"store", directory_}, {"rows", std::to_string(rows_in - rows_out)}});
  }
  return true;
}

void StoreImpl::compact_if_due() {
  if (maintenance_ == nullptr || stopping_ || std::exchange(compacting_, true)) return;
  maintenance_->post([this] { compact_in_background(); });
}

Result<bool> StoreImpl::compact_in_turn() {
  const std::lock_guard turn(compact_mutex_);
  Result<bool> done = compact_once();
  const Lock lock(mutex_);
  files_kept_from_ = UINT64_MAX;
  return done;
}

// REQUIRES: compacting_ was set by whoever called for it
void StoreImpl::compact_in_background() {
  const int64_t began_ns = clock_.monotonic_ns();
  const Result<bool> done = compact_in_turn();
  const int64_t took_ns = clock_.monotonic_ns() - began_ns;
  const Lock lock(mutex_);
  if (closed_ || stopping_ || !poisoned_.ok()) return;
  if (done.ok() && *done) {
    maintenance_->post_after(took_ns * kPauseFactor, [this] { compact_in_background(); });
    return;
  }
  compacting_ = false;
  if (!done.ok()) {
    log_warn("merging segments failed; it is tried again",
             {{"store", directory_}, {"error", done.error().message}});
  }
  // Later ones replace this one.
  maintenance_->post_after(done.ok() ? kRetentionEveryNs : kRetryNs, [this, at = ++compact_timer_] {
    const Lock again(mutex_);
    if (at == compact_timer_) compact_if_due();
  });
}

Status StoreImpl::compact() {
  CC_TRY(check_open());
  if (maintenance_ == nullptr) return {};
  for (;;) {
    CC_ASSIGN(const bool more, compact_in_turn());
    if (!more) return {};
  }
}

}  // namespace contextcore::store
