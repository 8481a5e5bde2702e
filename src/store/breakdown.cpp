#include "store/breakdown.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "store/metric_segment.h"
#include "store/pinned_files.h"
#include "store/rows_spans.h"
#include "store/segment_reader.h"
#include "store/work_table.h"

namespace contextcore::store {
namespace {

using Columns = std::map<std::string, ColumnBytes>;

void add(Columns& columns, const std::string& name, uint64_t bytes) {
  ColumnBytes& column = columns[name];
  column.name = name;
  column.bytes += bytes;
  ++column.pages;
}

using BlocksPage = Result<std::shared_ptr<const std::vector<BlockEntry>>>;

Status add_directory(const BlockDirectory& directory, const std::string& name, Columns& columns,
                     const std::function<BlocksPage(size_t page)>& read) {
  for (size_t page = 0; page < directory.pages.size(); ++page) {
    add(columns, "directories", directory.pages[page].page.stored);
    CC_ASSIGN(const auto blocks, read(page));
    for (const BlockEntry& block : *blocks) add(columns, name, block.page.stored);
  }
  return {};
}

Status add_segment(PinnedFiles& files, const std::string& path, SegmentKind kind, uint64_t bytes, Columns& columns) {
  CC_ASSIGN(const auto file, SegmentFile::open(files, path, kind));
  const SegmentFooter& footer = file->footer();
  Columns here;
  for (const GroupEntry& group : footer.groups) {
    for (const GroupEntry::FixedPage& page : group.fixed) {
      add(here, fixed_column(kind, page.column).name, page.page.stored);
    }
    for (size_t table = 0; table < tables_of(kind, footer.version); ++table) {
      for (const GroupEntry::AttributePage& page : group.attributes[table]) {
        add(here, std::string(attribute_prefix(kind, table)) + footer.attributes[page.attribute].key, page.page.stored);
      }
    }
  }
  for (const BlockEntry& block : footer.resources) add(here, "resources", block.page.stored);
  for (const BlockEntry& block : footer.scopes) add(here, "scopes", block.page.stored);
  CC_TRY(add_directory(footer.index, "index", here, [&](size_t page) { return file->index_page(page); }));
  CC_TRY(add_directory(footer.wholes, "whole rows", here, [&](size_t page) { return file->wholes_page(page); }));
  uint64_t known = 0;
  for (const auto& [name, column] : here) known += column.bytes;
  add(here, "header and footer", bytes - std::min(bytes, known));
  for (const auto& [name, column] : here) {
    columns[name].name = name;
    columns[name].bytes += column.bytes;
    columns[name].pages += column.pages;
  }
  return {};
}

Status add_metrics(PinnedFiles& files, const std::string& path, uint64_t bytes, Columns& columns) {
  CC_ASSIGN(const auto segment, MetricSegment::open(files, path));
  uint64_t known = 0;
  for (size_t number = 0; number < segment->pages().size(); ++number) {
    const uint64_t stored = segment->pages()[number].extent.stored;
    add(columns, "index of series", stored);
    known += stored;
    CC_ASSIGN(const MetricPage page, segment->page(number));
    for (const MetricExtent& block : page.blocks) {
      add(columns, "samples", block.stored);
      known += block.stored;
    }
  }
  add(columns, "families, header and footer", bytes - std::min(bytes, known));
  return {};
}

}  // namespace

Result<StoreBreakdown> break_down(FileSystem& files, Clock& clock, const std::string& path) {
  CC_ASSIGN(const auto pinned, PinnedFiles::pin(files, clock, path));
  const Manifest& manifest = pinned->manifest();
  StoreBreakdown out;
  out.store_id = manifest.store_id;
  out.edit = manifest.edit;
  out.sequence = pinned->log().last_sequence;
  out.log_bytes = pinned->log().bytes.size();
  out.total_bytes = pinned->total_bytes();
  std::map<std::pair<RowsKind, SegmentClass>, std::pair<SegmentsBreakdown, Columns>> all;
  for (const SegmentInfo& info : manifest.segments) {
    auto& [sum, columns] = all[{info.kind, info.segment_class}];
    sum.kind = info.kind;
    sum.segment_class = info.segment_class;
    ++sum.segments;
    sum.rows += info.rows;
    sum.masked_rows += info.masked_rows;
    sum.bytes += info.bytes;
    const std::string file = data_path(pinned->directory(), info.number, extension_of(info.kind));
    if (info.kind == RowsKind::metrics) {
      CC_TRY(add_metrics(*pinned, file, info.bytes, columns));
    } else {
      const SegmentKind kind = info.kind == RowsKind::spans ? SegmentKind::spans : SegmentKind::logs;
      CC_TRY(add_segment(*pinned, file, kind, info.bytes, columns));
    }
  }
  for (auto& [key, one] : all) {
    for (auto& [name, column] : one.second) one.first.columns.push_back(column);
    std::sort(one.first.columns.begin(), one.first.columns.end(), [](const ColumnBytes& a, const ColumnBytes& b) {
      return std::tie(b.bytes, a.name) < std::tie(a.bytes, b.name);
    });
    out.segments.push_back(std::move(one.first));
  }
  for (const auto& [file, bytes] : pinned->data_files()) {
    StoreBreakdown::Files* files_of = file.ends_with(".work")       ? &out.work_table
                                      : file.ends_with(".mask")     ? &out.masks
                                      : file.ends_with(".commands") ? &out.commands
                                      : file.ends_with(".digests")  ? &out.digests
                                      : file.ends_with(".forwards") ? &out.forwards
                                      : file.ends_with(".traces")   ? &out.trace_runs
                                                                    : nullptr;
    if (files_of == nullptr) continue;
    ++files_of->files;
    files_of->bytes += bytes;
  }
  std::vector<std::string> tables;
  for (const uint64_t number : manifest.work_numbers) tables.push_back(data_path(pinned->directory(), number, "work"));
  if (const auto table = WorkTable::open(*pinned, tables); table.ok()) out.work_rows = (*table)->size();
  return out;
}

}  // namespace contextcore::store
