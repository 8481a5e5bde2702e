#include "store/cut.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "base/log.h"
#include "store/digest_file.h"
#include "store/frozen.h"
#include "store/read_failures.h"
#include "store/segment_order.h"
#include "store/span_merge.h"

namespace contextcore::store {

namespace {

// Files of a kind and class after a cut, at most; beyond that the small ones become one.
constexpr size_t kSegmentsMax = 8;
constexpr size_t kMergedAtOnce = 6;
// Larger ones are left alone: rewriting them would block the writer for seconds.
constexpr uint64_t kMergeRowsMax = 2'000'000;
constexpr size_t kCommandFilesMax = 8;
constexpr size_t kDigestFilesMax = 8;

}  // namespace

std::set<uint64_t> choose_merges(std::vector<MergeCandidate> segments, bool has_new_rows) {
  std::set<uint64_t> chosen;
  for (const MergeCandidate& segment : segments) {
    if (segment.live * 2 < segment.rows || segment.live == 0) chosen.insert(segment.number);
  }
  std::erase_if(segments, [&](const MergeCandidate& segment) {
    return chosen.contains(segment.number) || segment.rows > kMergeRowsMax;
  });
  if (segments.size() + (has_new_rows || !chosen.empty() ? 1 : 0) <= kSegmentsMax) return chosen;
  std::sort(segments.begin(), segments.end(), [](const MergeCandidate& a, const MergeCandidate& b) {
    return std::tie(a.rows, a.number) < std::tie(b.rows, b.number);
  });
  for (size_t i = 0; i < std::min(kMergedAtOnce, segments.size()); ++i) {
    chosen.insert(segments[i].number);
  }
  return chosen;
}

Cut::Cut(FileSystem& files, const std::string& directory, const Head& head, uint64_t sequence,
         int64_t now_ns, std::atomic<uint64_t>& next_number, bool merge, TenantGroups groups)
    : files_(files),
      directory_(directory),
      head_(head),
      sequence_(sequence),
      now_ns_(now_ns),
      next_number_(next_number),
      merge_(merge),
      groups_(std::move(groups)),
      manifest_(head.version().manifest) {}

Result<Manifest> Cut::write() {
  for (const SegmentClass segment_class : {SegmentClass::work, SegmentClass::runtime}) {
    CC_TRY(write_spans(segment_class));
    CC_TRY(write_logs(segment_class));
  }
  CC_TRY(write_metrics());
  CC_TRY(write_masks());
  CC_TRY(write_commands());
  CC_TRY(write_digest_file());
  CC_TRY(write_forwards_file());
  CC_TRY(write_work_table());
  manifest_.tenants = head_.tenants();
  manifest_.sequence = sequence_;
  manifest_.next_number = next_number_.load(std::memory_order_relaxed);
  ++manifest_.edit;
  return manifest_;
}

// ---- spans
// ------------------------------------------------------------------------------------------

RowSet Cut::live_rows(const SpanSegment& segment) const {
  RowSet rows(segment.rows->size(), true);
  if (segment.mask != nullptr) rows.subtract(*segment.mask);
  head_.hide_superseded(segment.info.number, sequence_, rows);
  return rows;
}

// Segments of a class that are written again together with the new rows, taken out of the manifest.
std::vector<const SpanSegment*> Cut::take_merged(SegmentClass segment_class, bool has_new_rows) {
  std::vector<const SpanSegment*> merged;
  if (!merge_) return merged;
  std::vector<MergeCandidate> candidates;
  for (const SpanSegment& segment : head_.version().spans) {
    if (segment.info.segment_class != segment_class) continue;
    candidates.push_back({segment.info.number, segment.info.rows, live_rows(segment).count()});
  }
  const std::set<uint64_t> chosen = choose_merges(std::move(candidates), has_new_rows);
  for (const SpanSegment& segment : head_.version().spans) {
    if (chosen.contains(segment.info.number)) merged.push_back(&segment);
  }
  std::erase_if(manifest_.segments,
                [&](const SegmentInfo& info) { return chosen.contains(info.number); });
  return merged;
}

Status Cut::write_spans(SegmentClass segment_class) {
  const bool journal = segment_class == SegmentClass::work;
  const SpanRows& head_rows = head_.spans(journal);
  RowSet visible(head_rows.size());
  for (uint32_t row = 0; row < head_rows.size(); ++row) {
    if (head_.visible(journal, row, sequence_)) visible.set(row);
  }
  const std::vector<const SpanSegment*> merged = take_merged(segment_class, !visible.none());
  std::vector<SpanInput> inputs;
  inputs.push_back({&head_rows, memory_segment_number(sequence_, journal), std::move(visible)});
  for (const SpanSegment* segment : merged) {
    inputs.push_back({segment->rows.get(), segment->info.number, live_rows(*segment)});
  }
  const std::shared_ptr<const WorkTable> table = head_.table(sequence_);
  SpanMerge merge(files_, directory_, segment_class, journal ? table.get() : nullptr, next_number_);
  CC_TRY(merge.write(inputs, 1, groups_));
  for (const SegmentInfo& info : merge.outputs()) manifest_.segments.push_back(info);
  if (!journal) CC_TRY(write_traces(merge.take_traces()));
  for (RowMoves& move : merge.take_moves()) moves_.push_back(std::move(move));
  return {};
}

Status Cut::write_masks() {
  for (SegmentInfo& info : manifest_.segments) {
    if (info.kind != RowsKind::spans) continue;
    for (const SpanSegment& segment : head_.version().spans) {
      if (segment.info.number != info.number) continue;
      RowSet mask(segment.rows->size(), true);
      mask.subtract(live_rows(segment));
      const uint64_t masked = mask.count();
      if (masked == info.masked_rows) continue;
      info.masked_rows = masked;
      info.mask_number = take_number();
      CC_TRY(write_mask(files_, data_path(directory_, info.mask_number, "mask"), mask));
    }
  }
  return {};
}

// ---- logs
// -------------------------------------------------------------------------------------------

Status Cut::write_logs(SegmentClass segment_class) {
  std::vector<RowRef<LogRows>> rows;
  const LogRows& head_rows = head_.logs(segment_class == SegmentClass::work);
  for (uint32_t row = 0; row < head_rows.size(); ++row) rows.push_back({&head_rows, row});
  if (rows.empty()) return {};
  std::vector<MergeCandidate> candidates;
  for (const LogSegment& segment : head_.version().logs) {
    if (segment.info.segment_class != segment_class) continue;
    candidates.push_back({segment.info.number, segment.info.rows, segment.info.rows});
  }
  const std::set<uint64_t> merged =
      merge_ ? choose_merges(std::move(candidates), true) : std::set<uint64_t>();
  for (const LogSegment& segment : head_.version().logs) {
    if (!merged.contains(segment.info.number)) continue;
    for (uint32_t row = 0; row < segment.rows->size(); ++row) {
      rows.push_back({segment.rows.get(), row});
    }
  }
  std::erase_if(manifest_.segments,
                [&](const SegmentInfo& info) { return merged.contains(info.number); });
  for (std::vector<RowRef<LogRows>>& group : by_group(std::move(rows), groups_)) {
    CC_TRY(write_log_file(segment_class, std::move(group)));
  }
  return {};
}

Status Cut::write_log_file(SegmentClass segment_class, std::vector<RowRef<LogRows>> rows) {
  const TimeBounds bounds = sort_logs(rows);
  const uint64_t number = take_number();
  CC_TRY(write_log_segment(files_, data_path(directory_, number, extension_of(RowsKind::logs)), rows));
  CC_ASSIGN(SegmentInfo info, written_segment(files_, directory_, RowsKind::logs, segment_class, number));
  info.rows = rows.size();
  info.bounds = bounds;
  info.tenants = tenants_of(tenant_rows(rows));
  manifest_.segments.push_back(std::move(info));
  return {};
}

// ---- small files
// ------------------------------------------------------------------------------------

Status Cut::write_commands() {
  const auto expired = [this](int64_t time_ns) { return now_ns_ - time_ns >= kCommandKeptNs; };
  std::erase_if(manifest_.commands,
                [&](const CommandFileInfo& file) { return expired(file.newest_ns); });
  std::vector<StoredCommand> commands = head_.commands();
  if (manifest_.commands.size() >= kCommandFilesMax) {
    for (const auto& file : head_.version().commands) {
      CC_ASSIGN(std::vector<StoredCommand> older, file->all());
      std::move(older.begin(), older.end(), std::back_inserter(commands));
    }
    manifest_.commands.clear();
  }
  std::erase_if(commands, [&](const StoredCommand& command) { return expired(command.time_ns); });
  if (commands.empty()) return {};
  CommandFileInfo info{take_number(), commands.size(), INT64_MIN};
  for (const StoredCommand& command : commands) {
    info.newest_ns = std::max(info.newest_ns, command.time_ns);
  }
  CC_TRY(CommandFile::write(files_, data_path(directory_, info.number, "commands"), commands));
  manifest_.commands.push_back(info);
  return {};
}

Status Cut::write_digest_file() {
  std::vector<DigestFileInfo>& listed = manifest_.digests;
  listed = kept_files(std::move(listed), now_ns_);
  if (head_.digests().empty()) return {};
  std::vector<DigestRun> runs;
  if (listed.size() >= kDigestFilesMax) {
    for (const DigestFileInfo& file : std::exchange(listed, {})) {
      auto older = read_digests(files_, data_path(directory_, file.number, "digests"));
      if (is_read_failure(older.status())) return older.status();
      if (older.ok()) {
        std::move(older->begin(), older->end(), std::back_inserter(runs));
      } else {
        log_warn("requests of before can no longer be told from new ones", {{"error", older.error().message}});
      }
    }
  }
  runs.push_back({now_ns_, head_.digests()});
  runs = kept_digests(std::move(runs), now_ns_);
  const DigestFileInfo info{take_number(), digest_count(runs), now_ns_};
  listed.push_back(info);
  listed = kept_files(std::move(listed), now_ns_);
  return write_digests(files_, data_path(directory_, info.number, "digests"), runs);
}

Status Cut::write_forwards_file() {
  const Forwards forwards = head_.all_forwards();
  if (forwards == *head_.version().forwards) return {};
  manifest_.forwards_number = take_number();
  return write_forwards(files_, data_path(directory_, manifest_.forwards_number, "forwards"),
                        forwards);
}

Status Cut::write_work_table() {
  const std::shared_ptr<const WorkTable> table = head_.table(sequence_);
  std::vector<uint64_t>& numbers = manifest_.work_numbers;
  // A table that was made anew has no files; those of the manifest are another's then.
  const bool of_these_files = table->file_count() == numbers.size();
  if (of_these_files && table->changed_count() == 0) return {};
  const size_t keep = of_these_files ? table->files_to_keep() : 0;
  numbers.erase(numbers.begin(), numbers.end() - static_cast<std::ptrdiff_t>(keep));
  numbers.insert(numbers.begin(), take_number());
  return table->write(files_, data_path(directory_, numbers.front(), "work"), keep);
}

}  // namespace contextcore::store
