#pragma once
// What span and log segments have in common: the file, its groups, its objects, and accessors that
// cannot fail but must not lie either.

#include <algorithm>
#include <memory>
#include <mutex>
#include <utility>

#include "store/read_failures.h"
#include "store/segment_cache.h"
#include "store/segment_reader.h"
#include "store/segment_writer.h"

namespace contextcore::store {

class SegmentRows {
 public:
  explicit SegmentRows(std::shared_ptr<const SegmentFile> file)
      : file_(std::move(file)),
        resources_(*file_, file_->footer().resources, "resource"),
        scopes_(*file_, file_->footer().scopes, "scope") {}
  ~SegmentRows() { SegmentCache::shared().drop(*file_); }
  SegmentRows(const SegmentRows&) = delete;
  SegmentRows& operator=(const SegmentRows&) = delete;

  const SegmentFile& file() const { return *file_; }
  const std::shared_ptr<const SegmentFile>& file_pointer() const { return file_; }
  const SegmentFooter& footer() const { return file_->footer(); }
  size_t size() const { return footer().rows; }
  const SegmentObjects<otlp::Resource>& resources() const { return resources_; }
  const SegmentObjects<otlp::Scope>& scopes() const { return scopes_; }

  std::shared_ptr<const SegmentGroup> group(size_t number) const {
    return SegmentCache::shared().get(file_, number);
  }

  // For who reads all groups, each once.
  std::shared_ptr<const SegmentGroup> group_once(size_t number) const {
    return SegmentCache::shared().get_once(file_, number);
  }

  struct Place {
    std::shared_ptr<const SegmentGroup> group;
    size_t row = 0;  // in the group
  };
  // Rows are read in runs, so each thread remembers the group it read last.
  Place place(size_t row) const {
    struct Last {
      uint64_t file = 0;
      size_t first = 0, end = 0;
      std::weak_ptr<const SegmentGroup> group;
    };
    thread_local Last last;
    if (last.file == file_->number() && row >= last.first && row < last.end) {
      if (std::shared_ptr<const SegmentGroup> known = last.group.lock())
        return {std::move(known), row - last.first};
    }
    const size_t number = file_->group_of(row);
    Place place{group(number), row - file_->first_row(number)};
    last = {file_->number(), file_->first_row(number), file_->first_row(number + 1), place.group};
    return place;
  }

  uint64_t number_of(size_t row, size_t column) const {
    const Place at = place(row);
    const Result<ColumnView> view = at.group->fixed(column);
    if (!view.ok()) return keep(view.status()), 0;
    return view->number_of(at.row);
  }
  // Keeps the first error of accessors that return none.
  void keep(Status status) const {
    const std::lock_guard lock(mutex_);
    if (!status_.ok()) return;
    status_ = std::move(status);
    ReadFailures::note(status_);
  }
  Status status() const {
    const std::lock_guard lock(mutex_);
    return status_;
  }
  uint64_t memory_bytes() const { return sizeof(*this) + file_->memory_bytes(); }

 private:
  std::shared_ptr<const SegmentFile> file_;
  SegmentObjects<otlp::Resource> resources_;
  SegmentObjects<otlp::Scope> scopes_;
  mutable std::mutex mutex_;
  mutable Status status_;
};

// How many rows make a group: small ones make looking at single rows cheap, big ones scans and
// files.
inline size_t group_rows_for(size_t rows) {
  return rows <= (32u << 10) ? 1024 : rows <= (256u << 10) ? 2048 : 4096;
}
// A group ends early when it has grown to this, so that no page gets out of hand.
constexpr uint64_t kGroupBytesMax = 16u << 20;
constexpr size_t kGroupChildRows = 1u << 16;

// Adds rows to the ranges of their id.
inline void add_to_index(std::vector<IndexEntry>& index, std::string_view key, uint32_t row,
                         uint32_t count = 1) {
  if (!index.empty() && index.back().key == key && index.back().first + index.back().count == row) {
    index.back().count += count;
  } else {
    index.push_back({std::string(key), row, count});
  }
}

}  // namespace contextcore::store
