#pragma once
// A file of received metrics: series by tenant and name, their samples in chunks, chunks in blocks,
// an index of pages that a reader loads as it needs them. Written once, front to back.
// docs/store-format.md, "Metric segments". A segment is immutable and thread-safe; blocks and index
// pages are read from the file each time, so that an open one costs its directory only.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/result.h"
#include "otlp/metric_batch.h"
#include "store/metric_samples.h"

namespace contextcore::store {

// Some bytes of the file; compressed when raw is not stored.
struct MetricExtent {
  uint64_t offset = 0, stored = 0, raw = 0, checksum = 0;
};

struct MetricChunk {
  uint32_t block = 0;   // of its page
  uint64_t offset = 0;  // in the block
  uint64_t count = 0;
  int64_t min_ms = 0, max_ms = 0;
  double sum = 0;  // of deltas
};

struct MetricPage {
  struct Series {
    SeriesId id;
    std::vector<MetricChunk> chunks;  // by time, not overlapping
  };
  std::vector<MetricExtent> blocks;
  std::vector<Series> series;  // in order
};

// False when the bytes are no page of a file of that size.
bool decode_metric_page(std::string_view bytes, uint64_t file_bytes, MetricPage& out);

struct StoredFamily {
  uint32_t tenant = 0;
  otlp::MetricFamily family;
  uint64_t sequence = 0;
};

class MetricSegment {
 public:
  struct PageEntry {
    uint32_t tenant = 0;
    std::string first_name, last_name;
    int64_t min_ms = 0, max_ms = 0;
    MetricExtent extent;
  };

  static Result<std::shared_ptr<const MetricSegment>> open(FileSystem& files,
                                                           const std::string& path);

  uint64_t samples() const { return samples_; }
  const std::vector<PageEntry>& pages() const { return pages_; }  // in order
  Result<MetricPage> page(size_t number) const;
  Result<std::vector<StoredFamily>> families() const;

  // Reads the chunks of one page, the last block being kept: ask in order.
  class Reader {
   public:
    Reader(const MetricSegment& segment, const MetricPage& page) : segment_(segment), page_(page) {}
    // Appends.
    Status read(const MetricChunk& chunk, std::vector<StoredSample>& out);

   private:
    const MetricSegment& segment_;
    const MetricPage& page_;
    uint32_t block_ = UINT32_MAX;
    std::string bytes_;
  };

 private:
  Result<std::string> read(const MetricExtent& extent) const;  // followed by 8 zeros
  Error damaged() const;
  bool read_footer(std::string_view bytes, uint64_t file_bytes);

  std::string path_;
  std::unique_ptr<File> file_;
  uint64_t samples_ = 0;
  std::vector<PageEntry> pages_;
  MetricExtent families_;
};

// Writes a segment. REQUIRES: series in order (tenant, then SeriesId), samples settled and not
// empty.
class MetricSegmentWriter {
 public:
  static Result<std::unique_ptr<MetricSegmentWriter>> create(FileSystem& files,
                                                             const std::string& path);
  Status add(uint32_t tenant, const SeriesId& id, const std::vector<StoredSample>& samples);
  // Syncs; the directory is the caller's to sync.
  Status finish(const std::vector<StoredFamily>& families);
  uint64_t samples() const { return samples_; }

 private:
  explicit MetricSegmentWriter(std::unique_ptr<File> file) : file_(std::move(file)) {}
  Result<MetricExtent> write(std::string_view raw);
  Status write_bytes(std::string_view bytes);
  Status end_block();
  Status end_page();

  std::unique_ptr<File> file_;
  uint64_t offset_ = 0;
  std::string buffer_;  // not written yet
  std::string block_;   // samples of the block under way
  MetricPage page_;     // the page under way
  uint32_t tenant_ = 0;
  uint64_t page_samples_ = 0;
  uint64_t samples_ = 0;
  std::vector<MetricSegment::PageEntry> pages_;
};

}  // namespace contextcore::store
