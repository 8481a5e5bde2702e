#pragma once
// A version: the files that one manifest record names, opened. Immutable; snapshots and heads share
// it. Its files stay readable while it lives, also after another process has removed their names.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/file_system.h"
#include "base/hash.h"
#include "base/result.h"
#include "store/journal.h"
#include "store/manifest.h"
#include "store/metric_segment.h"
#include "store/segment_handle.h"
#include "store/store_commands.h"
#include "store/trace_directory.h"
#include "store/work_table.h"

namespace contextcore::store {

struct IdHash {
  template <size_t N>
  size_t operator()(const std::array<uint8_t, N>& bytes) const {
    return xxh3_64(std::string_view(reinterpret_cast<const char*>(bytes.data()), N));
  }
  size_t operator()(const otlp::TraceId& id) const { return (*this)(id.bytes); }
  size_t operator()(const otlp::SpanId& id) const { return (*this)(id.bytes); }
};

using Forwards = std::unordered_map<otlp::TraceId, otlp::TraceId, IdHash>;

struct SpanSegment {
  SegmentInfo info;
  SegmentHandle<SpanRows> rows;
  std::shared_ptr<const RowSet> mask;  // superseded rows; null: none
  bool masked(uint32_t row) const { return mask != nullptr && mask->test(row); }
  bool journal() const { return info.segment_class == SegmentClass::work; }
};

struct LogSegment {
  SegmentInfo info;
  SegmentHandle<LogRows> rows;
  bool journal() const { return info.segment_class == SegmentClass::work; }
};

struct MetricSegmentFile {
  SegmentInfo info;
  std::shared_ptr<const MetricSegment> segment;
};

class Head;

// While a cut writes files of a head, the next head continues a version that has the rows of the
// frozen one as segments in memory: they have numbers of their own and are no part of
// manifest.segments; manifest.sequence is that of the cut (frozen.h).
struct Version {
  Manifest manifest;
  std::vector<SpanSegment> spans;
  std::vector<LogSegment> logs;
  std::vector<MetricSegmentFile> metrics;
  TraceDirectory traces;  // of the received spans
  std::shared_ptr<const WorkTable> work;
  std::shared_ptr<const Forwards> forwards;
  std::vector<std::shared_ptr<const CommandFile>> commands;
  std::shared_ptr<const Head> frozen;  // whose metrics and commands count besides; null: none

  struct Place {
    size_t segment = 0;  // index into spans
    uint32_t row = 0;
  };
  // The unmasked row of a span in the segments of a class.
  Result<std::optional<Place>> find_span(SegmentClass segment_class, const otlp::TraceId& trace_id,
                                         const otlp::SpanId& span_id) const;
};

// Opens what manifest names; what previous (may be null) has open already is shared. A work table
// that is missing or damaged is made again from the spans. not_found: a file vanished, the manifest
// is old.
Result<std::shared_ptr<const Version>> open_version(FileSystem& files, const std::string& directory,
                                                    const Manifest& manifest,
                                                    const Version* previous,
                                                    const WorkHooks& hooks);

// The same files, those opened again that could not be read (read_failures.h); null: there are none.
// Others keep what they have open, and the error with it. io_error: they still cannot be read.
Result<std::shared_ptr<const Version>> reopened_version(FileSystem& files,
                                                        const std::string& directory,
                                                        const Version& version);

// The index row of a span: by hooks.row, or its plain fields without hooks.
WorkRow index_row(const WorkHooks& hooks, const JournalSpan& span);
// The journal span that a row holds.
Result<JournalSpan> journal_span_at(const SpanRows& rows, uint32_t row);

Status write_mask(FileSystem& files, const std::string& path, const RowSet& mask);
Result<std::shared_ptr<const RowSet>> read_mask(FileSystem& files, const std::string& path,
                                                uint64_t rows);
Status write_forwards(FileSystem& files, const std::string& path, const Forwards& forwards);
Result<std::shared_ptr<const Forwards>> read_forwards(FileSystem& files, const std::string& path);

// A small file that is written once: magic, bytes, checksum. Synced; its directory is not.
Status write_small_file(FileSystem& files, const std::string& path, std::string_view magic,
                        std::string_view bytes);
Result<std::string> read_small_file(FileSystem& files, const std::string& path,
                                    std::string_view magic);

}  // namespace contextcore::store
