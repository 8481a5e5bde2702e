#pragma once
// Decoded row groups of all open segments of the process, least recently used out first, bounded in
// bytes. A group that somebody holds stays alive however long ago it was put out. Thread-safe.

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "store/segment_reader.h"

namespace contextcore::store {

constexpr uint64_t kSegmentCacheBytes = 64ull << 20;

class SegmentCache {
 public:
  static SegmentCache& shared();
  explicit SegmentCache(uint64_t bytes_max) : bytes_max_(bytes_max) {}

  // That of get, but one that is not there is made for the caller alone: for who reads all of a file once.
  std::shared_ptr<const SegmentGroup> get_once(const std::shared_ptr<const SegmentFile>& file, size_t group);
  std::shared_ptr<const SegmentGroup> get(const std::shared_ptr<const SegmentFile>& file,
                                          size_t group);
  // A group decoded another page.
  void grew(const SegmentGroup& group, uint64_t bytes);
  // Forgets the groups of a segment that is closed.
  void drop(const SegmentFile& file);
  struct Counts {
    uint64_t bytes = 0, hits = 0, misses = 0;  // hits and misses of groups, since the process began
  };
  Counts counts() const;

 private:
  struct Key {
    uint64_t file;
    size_t group;
    bool operator==(const Key&) const = default;
  };
  struct Hash {
    size_t operator()(const Key& key) const { return key.file * 0x9E3779B97F4A7C15ull + key.group; }
  };
  using Groups = std::list<std::shared_ptr<const SegmentGroup>>;
  void put_out(Groups::iterator at, Groups& out);

  const uint64_t bytes_max_;
  mutable std::mutex mutex_;
  uint64_t bytes_ = 0, hits_ = 0, misses_ = 0;
  Groups groups_;  // most recently used first
  std::unordered_map<Key, Groups::iterator, Hash> index_;
};

}  // namespace contextcore::store
