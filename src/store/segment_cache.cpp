#include "store/segment_cache.h"

namespace contextcore::store {

SegmentCache& SegmentCache::shared() {
  // Never destroyed: segments may be closed by destructors of other static objects.
  static SegmentCache& cache = *new SegmentCache(kSegmentCacheBytes);
  return cache;
}

std::shared_ptr<const SegmentGroup> SegmentCache::get(
    const std::shared_ptr<const SegmentFile>& file, size_t group) {
  Groups out;  // destroyed after the lock is released
  const std::lock_guard lock(mutex_);
  const Key key{file->number(), group};
  if (const auto known = index_.find(key); known != index_.end()) {
    groups_.splice(groups_.begin(), groups_, known->second);
    ++hits_;
    return groups_.front();
  }
  ++misses_;
  while (bytes_ > bytes_max_ && !groups_.empty()) put_out(std::prev(groups_.end()), out);
  groups_.push_front(std::make_shared<SegmentGroup>(file, group));
  groups_.front()->cached_ = true;
  index_.emplace(key, groups_.begin());
  return groups_.front();
}

std::shared_ptr<const SegmentGroup> SegmentCache::get_once(
    const std::shared_ptr<const SegmentFile>& file, size_t group) {
  {
    const std::lock_guard lock(mutex_);
    const auto known = index_.find({file->number(), group});
    if (known != index_.end()) return ++hits_, *known->second;
    ++misses_;
  }
  return std::make_shared<SegmentGroup>(file, group);
}

void SegmentCache::put_out(Groups::iterator at, Groups& out) {
  const SegmentGroup& group = **at;
  group.cached_ = false;
  bytes_ -= group.cached_bytes_;
  index_.erase({group.file().number(), group.number()});
  out.splice(out.begin(), groups_, at);
}

void SegmentCache::grew(const SegmentGroup& group, uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  if (!group.cached_) return;
  group.cached_bytes_ += bytes;
  bytes_ += bytes;
}

void SegmentCache::drop(const SegmentFile& file) {
  Groups out;
  const std::lock_guard lock(mutex_);
  for (size_t group = 0; group < file.footer().groups.size(); ++group) {
    if (const auto known = index_.find({file.number(), group}); known != index_.end())
      put_out(known->second, out);
  }
}

SegmentCache::Counts SegmentCache::counts() const {
  const std::lock_guard lock(mutex_);
  return {bytes_, hits_, misses_};
}

}  // namespace contextcore::store
