#include "store/store_version.h"

#include <algorithm>
#include <utility>

#include "store/read_failures.h"
#include "store/store_codec.h"

namespace contextcore::store {
namespace {

constexpr std::string_view kMaskMagic = "ctxcmsk1";
constexpr std::string_view kForwardsMagic = "ctxcfwd1";

Error damaged(const std::string& path) {
  return {Code::corruption, path + " is damaged", "restore it from a backup", {}, {}};
}

template <typename Segment>
const Segment* find_number(const std::vector<Segment>& segments, uint64_t number) {
  const auto it = std::find_if(segments.begin(), segments.end(), [number](const Segment& segment) {
    return segment.info.number == number;
  });
  return it == segments.end() ? nullptr : &*it;
}

// That of a version before, unless it could not be read.
template <typename Segment>
const Segment* find_readable(const std::vector<Segment>& segments, uint64_t number) {
  const Segment* known = find_number(segments, number);
  return known != nullptr && is_read_failure(known->rows.status()) ? nullptr : known;
}

Status check_rows(const std::string& path, uint64_t expected, size_t found) {
  if (expected == found) return {};
  return {Code::corruption,
          path + " has " + std::to_string(found) + " rows instead of " + std::to_string(expected)};
}

Result<SpanSegment> open_spans(FileSystem& files, const std::string& directory,
                               const SegmentInfo& info, const Version* previous) {
  SpanSegment segment{info, {}, nullptr};
  const SpanSegment* known =
      previous != nullptr ? find_readable(previous->spans, info.number) : nullptr;
  if (known != nullptr) {
    segment.rows = known->rows;
    if (known->info.mask_number == info.mask_number) segment.mask = known->mask;
  } else {
    CC_ASSIGN(segment.rows, SegmentHandle<SpanRows>::open(files, data_path(directory, info.number, extension_of(info.kind)), info.rows));
  }
  if (info.mask_number != 0 && segment.mask == nullptr) {
    CC_ASSIGN(segment.mask,
              read_mask(files, data_path(directory, info.mask_number, "mask"), info.rows));
  }
  return segment;
}

Result<LogSegment> open_logs(FileSystem& files, const std::string& directory,
                             const SegmentInfo& info, const Version* previous) {
  LogSegment segment{info, {}};
  const LogSegment* known =
      previous != nullptr ? find_readable(previous->logs, info.number) : nullptr;
  if (known != nullptr) {
    segment.rows = known->rows;
    return segment;
  }
  CC_ASSIGN(segment.rows, SegmentHandle<LogRows>::open(files, data_path(directory, info.number, extension_of(info.kind)), info.rows));
  return segment;
}

Result<MetricSegmentFile> open_metrics(FileSystem& files, const std::string& directory,
                                       const SegmentInfo& info, const Version* previous) {
  MetricSegmentFile segment{info, nullptr};
  const MetricSegmentFile* known =
      previous != nullptr ? find_number(previous->metrics, info.number) : nullptr;
  if (known != nullptr) {
    segment.segment = known->segment;
    return segment;
  }
  const std::string path = data_path(directory, info.number, extension_of(info.kind));
  CC_ASSIGN(segment.segment, MetricSegment::open(files, path));
  CC_TRY(check_rows(path, info.rows, segment.segment->samples()));
  return segment;
}

// The index is a cache of a fold: from the newest revisions of all journal spans it can be made
// again.
Result<std::shared_ptr<const WorkTable>> rebuild_work(const Version& version,
                                                      const WorkHooks& hooks) {
  std::vector<WorkRow> rows;
  for (const SpanSegment& segment : version.spans) {
    if (!segment.journal()) continue;
    for (uint32_t row = 0; row < segment.rows->size(); ++row) {
      if (segment.masked(row)) continue;
      CC_ASSIGN(const JournalSpan span, journal_span_at(*segment.rows, row));
      rows.push_back(index_row(hooks, span));
    }
  }
  return WorkTable::empty()->with(std::move(rows));
}

Status open_work(FileSystem& files, const std::string& directory, const Version* previous,
                 const WorkHooks& hooks, Version& version) {
  const std::vector<uint64_t>& numbers = version.manifest.work_numbers;
  if (previous != nullptr && previous->manifest.work_numbers == numbers &&
      !is_read_failure(previous->work->status())) {
    version.work = previous->work;
    return {};
  }
  std::vector<std::string> paths;
  for (const uint64_t number : numbers) paths.push_back(data_path(directory, number, "work"));
  auto opened = WorkTable::open(files, paths);
  if (opened.ok()) {
    version.work = std::move(opened).value();
    return {};
  }
  const Code code = opened.error().code;
  if (code != Code::not_found && code != Code::corruption) return opened.error();
  CC_ASSIGN(version.work, rebuild_work(version, hooks));
  return {};
}

}  // namespace

WorkRow index_row(const WorkHooks& hooks, const JournalSpan& span) {
  if (hooks.row) return hooks.row(span);
  WorkRow row;
  row.span_id = span.span.span_id;
  row.trace_id = span.span.trace_id;
  row.parent_span_id = span.span.parent_span_id;
  row.revision = span.revision;
  row.start_ns = static_cast<int64_t>(span.span.start_ns);
  row.end_ns = static_cast<int64_t>(span.span.end_ns);
  return row;
}

Result<JournalSpan> journal_span_at(const SpanRows& rows, uint32_t row) {
  CC_ASSIGN(SpanRows::Whole whole, rows.materialize(row));
  const int64_t revision = rows.meta(row).revision;
  CC_TRY(rows.status());
  return JournalSpan{*whole.resource, *whole.scope, std::move(whole.span), revision};
}

Result<std::optional<Version::Place>> Version::find_span(SegmentClass segment_class,
                                                         const otlp::TraceId& trace_id,
                                                         const otlp::SpanId& span_id) const {
  for (size_t i = 0; i < spans.size(); ++i) {
    const SpanSegment& segment = spans[i];
    if (segment.info.segment_class != segment_class) continue;
    CC_ASSIGN(const std::vector<uint32_t> rows, segment.rows->rows_of_trace(trace_id));
    for (const uint32_t row : rows) {
      if (segment.rows->span_id(row) == span_id && !segment.masked(row)) {
        return std::optional(Place{i, row});
      }
    }
    // An id that could not be read is not that of another span.
    if (!rows.empty()) CC_TRY(segment.rows->status());
  }
  return std::optional<Place>();
}

Result<std::shared_ptr<const Version>> open_version(FileSystem& files, const std::string& directory,
                                                    const Manifest& manifest,
                                                    const Version* previous,
                                                    const WorkHooks& hooks) {
  auto version = std::make_shared<Version>();
  version->manifest = manifest;
  for (const SegmentInfo& info : manifest.segments) {
    if (info.kind == RowsKind::spans) {
      CC_ASSIGN(SpanSegment segment, open_spans(files, directory, info, previous));
      version->spans.push_back(std::move(segment));
    } else if (info.kind == RowsKind::logs) {
      CC_ASSIGN(LogSegment segment, open_logs(files, directory, info, previous));
      version->logs.push_back(std::move(segment));
    } else if (info.kind == RowsKind::metrics) {
      CC_ASSIGN(MetricSegmentFile segment, open_metrics(files, directory, info, previous));
      version->metrics.push_back(std::move(segment));
    } else {
      return {Code::unsupported,
              "the store " + directory +
                  " holds a kind of data that this version does not know; use a newer one"};
    }
  }
  version->traces = TraceDirectory::open(files, directory, version->spans,
                                         previous != nullptr ? &previous->traces : nullptr);
  if (manifest.forwards_number == 0) {
    version->forwards = std::make_shared<Forwards>();
  } else if (previous != nullptr &&
             previous->manifest.forwards_number == manifest.forwards_number) {
    version->forwards = previous->forwards;
  } else {
    CC_ASSIGN(version->forwards,
              read_forwards(files, data_path(directory, manifest.forwards_number, "forwards")));
  }
  for (const CommandFileInfo& info : manifest.commands) {
    CC_ASSIGN(auto opened,
              CommandFile::open(files, data_path(directory, info.number, "commands"), info.number));
    version->commands.push_back(std::move(opened));
  }
  CC_TRY(open_work(files, directory, previous, hooks, *version));
  return std::shared_ptr<const Version>(std::move(version));
}

Status write_small_file(FileSystem& files, const std::string& path, std::string_view magic,
                        std::string_view bytes) {
  CC_ASSIGN(auto file, files.open(path, OpenMode::create));
  CC_TRY(file->truncate(0));
  std::string text(magic);
  text += bytes;
  RecordWriter(text).u64(xxh3_64(text));
  CC_TRY(file->write_at(0, text));
  return file->sync();
}

Result<std::string> read_small_file(FileSystem& files, const std::string& path,
                                    std::string_view magic) {
  CC_ASSIGN(std::string text, files.read_file(path));
  if (!std::string_view(text).starts_with(magic) || text.size() < magic.size() + 8) {
    return damaged(path);
  }
  const std::string_view covered = std::string_view(text).substr(0, text.size() - 8);
  if (RecordReader(std::string_view(text).substr(covered.size())).u64() != xxh3_64(covered)) {
    return damaged(path);
  }
  return text.substr(magic.size(), covered.size() - magic.size());
}

Status write_mask(FileSystem& files, const std::string& path, const RowSet& mask) {
  std::string bytes;
  RecordWriter writer(bytes);
  writer.u64(mask.rows());
  const bool sparse = mask.count() * 4 < mask.words().size() * 8;
  writer.u8(sparse ? 1 : 0);
  if (sparse) {
    mask.for_each([&writer](size_t row) { writer.u32(static_cast<uint32_t>(row)); });
  } else {
    for (const uint64_t word : mask.words()) writer.u64(word);
  }
  return write_small_file(files, path, kMaskMagic, bytes);
}

Result<std::shared_ptr<const RowSet>> read_mask(FileSystem& files, const std::string& path,
                                                uint64_t rows) {
  CC_ASSIGN(const std::string bytes, read_small_file(files, path, kMaskMagic));
  RecordReader reader(bytes);
  if (reader.u64() != rows) return damaged(path);
  auto mask = std::make_shared<RowSet>(rows);
  if (reader.u8() == 1) {
    while (reader.position() + 4 <= bytes.size()) {
      const uint32_t row = reader.u32();
      if (row >= rows) return damaged(path);
      mask->set(row);
    }
  } else {
    for (uint64_t& word : mask->words()) word = reader.u64();
  }
  if (!reader.done()) return damaged(path);
  return std::shared_ptr<const RowSet>(std::move(mask));
}

Status write_forwards(FileSystem& files, const std::string& path, const Forwards& forwards) {
  std::string bytes;
  RecordWriter writer(bytes);
  for (const auto& [from, to] : forwards) {
    writer.id(from);
    writer.id(to);
  }
  return write_small_file(files, path, kForwardsMagic, bytes);
}

Result<std::shared_ptr<const Forwards>> read_forwards(FileSystem& files, const std::string& path) {
  CC_ASSIGN(const std::string bytes, read_small_file(files, path, kForwardsMagic));
  auto forwards = std::make_shared<Forwards>();
  RecordReader reader(bytes);
  while (reader.position() + 32 <= bytes.size()) {
    const otlp::TraceId from = reader.trace_id();
    (*forwards)[from] = reader.trace_id();
  }
  if (!reader.done()) return damaged(path);
  return std::shared_ptr<const Forwards>(std::move(forwards));
}

}  // namespace contextcore::store
