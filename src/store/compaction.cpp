#include "store/compaction.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "store/segment_order.h"
#include "store/span_merge.h"

namespace contextcore::store {
namespace {

// Rows of the size classes, and how many segments of one class there may be. What is larger than
// the last class is left alone: it is large enough to be read well, and writing it again would
// take long.
constexpr uint64_t kClassRows[] = {16 * 1024, 128 * 1024, 1024 * 1024};
constexpr size_t kSegmentsOfClassMax = 6;
constexpr size_t kInputsMax = 16;
constexpr uint64_t kInputRowsMax = 2 * 1024 * 1024;

std::optional<size_t> size_class(uint64_t rows) {
  for (size_t i = 0; i < std::size(kClassRows); ++i) {
    if (rows < kClassRows[i]) return i;
  }
  return std::nullopt;
}

template <typename Rows>
Result<bool> has_rows_from(const Rows& rows, uint64_t sequence) {
  bool found = false;
  for (size_t row = 0; row < rows.size() && !found; ++row) found = rows.meta(row).sequence >= sequence;
  CC_TRY(rows.status());
  return found;
}

bool mostly_superseded(const CompactionCandidate& segment) {
  return segment.live * 2 < segment.info.rows;
}

}  // namespace

std::vector<uint64_t> choose_compaction(const std::vector<CompactionCandidate>& segments,
                                        const TenantGroups& tenants) {
  struct Group {
    std::vector<const CompactionCandidate*> members;
  };
  std::map<std::tuple<RowsKind, SegmentClass, bool, TenantGroups::Group, size_t>, Group> groups;
  for (const CompactionCandidate& segment : segments) {
    if (segment.info.kind == RowsKind::metrics) continue;  // those are merged by the cut
    if (mostly_superseded(segment) && segment.live <= kInputRowsMax) return {segment.info.number};
    if (const auto at = size_class(segment.live)) {
      const SegmentInfo& info = segment.info;
      groups[{info.kind, info.segment_class, info.kept, tenants.of(info), *at}].members.push_back(&segment);
    }
  }
  for (auto& [key, group] : groups) {
    if (group.members.size() < kSegmentsOfClassMax) continue;
    // Neighbours in time, so that what belongs together comes together.
    std::sort(group.members.begin(), group.members.end(),
              [](const CompactionCandidate* a, const CompactionCandidate* b) {
                return std::tie(a->info.bounds.least_ns, a->info.number) <
                       std::tie(b->info.bounds.least_ns, b->info.number);
              });
    std::vector<uint64_t> chosen;
    uint64_t rows = 0;
    for (const CompactionCandidate* one : group.members) {
      if (chosen.size() >= kInputsMax || rows + one->live > kInputRowsMax) break;
      rows += one->live;
      chosen.push_back(one->info.number);
    }
    // Rows of the last class are most of all rows: they wait until what comes of them is none of it, or
    // they would be written again. At most nine wait, since each has an eighth of what that takes.
    const size_t size = std::get<size_t>(key);
    if (size + 1 == std::size(kClassRows) && rows < kClassRows[size]) continue;
    if (chosen.size() > 1) return chosen;
  }
  return {};
}

std::vector<CompactionCandidate> compaction_candidates(const Version& version) {
  std::vector<CompactionCandidate> all;
  for (const SpanSegment& segment : version.spans) {
    all.push_back({segment.info, segment.info.rows - segment.info.masked_rows});
  }
  for (const LogSegment& segment : version.logs) all.push_back({segment.info, segment.info.rows});
  return all;
}

CompactionDebt compaction_debt(std::vector<CompactionCandidate> segments, const TenantGroups& groups) {
  CompactionDebt debt;
  for (;;) {
    const std::vector<uint64_t> chosen = choose_compaction(segments, groups);
    if (chosen.empty()) return debt;
    debt.segments += chosen.size();
    std::erase_if(segments, [&](const CompactionCandidate& one) {
      const bool taken = std::find(chosen.begin(), chosen.end(), one.info.number) != chosen.end();
      if (taken) debt.rows += one.live;
      return taken;
    });
  }
}

Result<std::set<uint64_t>> choose_held(const Version& version, const std::set<uint64_t>& expired,
                                       const ArrivalsWanted& wanted) {
  std::set<uint64_t> held;
  const auto look = [&](const auto& segments, uint64_t sequence) -> Status {
    if (sequence > version.manifest.sequence) return {};  // nothing in files is
    for (const auto& segment : segments) {
      if (!expired.contains(segment.info.number)) continue;
      CC_ASSIGN(const bool has, has_rows_from(*segment.rows, sequence));
      if (has) held.insert(segment.info.number);
    }
    return {};
  };
  CC_TRY(look(version.spans, wanted.spans));
  CC_TRY(look(version.logs, wanted.logs));
  return held;
}

Compaction::Compaction(FileSystem& files, std::string directory,
                       std::shared_ptr<const Version> base, std::set<uint64_t> inputs,
                       std::atomic<uint64_t>& next_number, TenantGroups groups)
    : files_(files),
      directory_(std::move(directory)),
      base_(std::move(base)),
      inputs_(std::move(inputs)),
      next_number_(next_number),
      groups_(std::move(groups)) {}

Status Compaction::write(const WorkHooks& hooks, bool expired) {
  for (const SegmentClass segment_class : {SegmentClass::work, SegmentClass::runtime}) {
    CC_TRY(write_spans(segment_class, hooks, expired));
    if (!expired) CC_TRY(write_logs(segment_class));
  }
  return {};
}

Status Compaction::write_log_file(SegmentClass segment_class, std::vector<RowRef<LogRows>> rows) {
  const TimeBounds bounds = sort_logs(rows);
  const uint64_t number = take_number();
  CC_TRY(write_log_segment(files_, data_path(directory_, number, "logs"), rows));
  CC_ASSIGN(SegmentInfo info, written_segment(files_, directory_, RowsKind::logs, segment_class, number));
  info.rows = rows.size();
  info.bounds = bounds;
  info.tenants = tenants_of(tenant_rows(rows));
  outputs_.push_back(std::move(info));
  return {};
}

// Spans that the work of the journal points at: evidence of insights, runs of tasks.
Status Compaction::linked_spans(const Version& version, SpanIds& out) {
  for (const SpanSegment& segment : version.spans) {
    if (!segment.journal()) continue;
    for (uint32_t row = 0; row < segment.rows->size(); ++row) {
      if (segment.masked(row)) continue;
      CC_ASSIGN(const SpanRows::Whole whole, segment.rows->materialize(row));
      for (const otlp::SpanLink& link : whole.span.links) out.insert(link.span_id);
    }
  }
  return {};
}

// The rows of an input that go over.
Result<RowSet> Compaction::wanted(const SpanSegment& segment, const WorkHooks& hooks,
                                  const SpanIds* linked) {
  CC_TRY(segment.rows->status());
  RowSet rows(segment.rows->size(), true);
  if (segment.mask != nullptr) rows.subtract(*segment.mask);
  if (linked == nullptr) return rows;
  for (uint32_t row = 0; row < segment.rows->size(); ++row) {
    if (!rows.test(row) || linked->contains(segment.rows->span_id(row))) continue;
    rows.clear(row);
    if (!hooks.keep_span) continue;
    CC_ASSIGN(const SpanRows::Whole whole, segment.rows->materialize(row));
    if (hooks.keep_span(*whole.resource, *whole.scope, whole.span)) rows.set(row);
  }
  CC_TRY(segment.rows->status());
  return rows;
}

Status Compaction::write_spans(SegmentClass segment_class, const WorkHooks& hooks, bool expired) {
  std::vector<SpanInput> inputs;
  SpanIds linked;
  bool kept = expired;
  for (const SpanSegment& segment : base_->spans) {
    if (segment.info.segment_class != segment_class || !inputs_.contains(segment.info.number))
      continue;
    if (expired && inputs.empty()) CC_TRY(linked_spans(*base_, linked));
    kept |= segment.info.kept;
    CC_ASSIGN(RowSet rows, wanted(segment, hooks, expired ? &linked : nullptr));
    inputs.push_back({segment.rows.get(), segment.info.number, std::move(rows)});
  }
  if (inputs.empty()) return {};
  const bool journal = segment_class == SegmentClass::work;
  SpanMerge merge(files_, directory_, segment_class, journal ? base_->work.get() : nullptr,
                  next_number_);
  CC_TRY(merge.write(inputs, expired ? 1 : std::max<size_t>(1, inputs_.size() / 2), groups_));
  uint64_t run_number = 0;
  if (TraceRunBuilder traces = merge.take_traces(); !traces.empty()) {
    run_number = take_number();
    CC_TRY(traces.write(files_, data_path(directory_, run_number, "traces")));
  }
  for (SegmentInfo info : merge.outputs()) {
    info.kept = kept;
    info.run_number = run_number;
    outputs_.push_back(info);
  }
  for (RowMoves& move : merge.take_moves()) moves_.push_back(std::move(move));
  return {};
}

Status Compaction::write_logs(SegmentClass segment_class) {
  std::vector<RowRef<LogRows>> rows;
  for (const LogSegment& segment : base_->logs) {
    if (segment.info.segment_class != segment_class || !inputs_.contains(segment.info.number))
      continue;
    for (uint32_t row = 0; row < segment.rows->size(); ++row) {
      rows.push_back({segment.rows.get(), row});
    }
  }
  if (rows.empty()) return {};
  if (segment_class == SegmentClass::work) return write_log_file(segment_class, std::move(rows));
  const size_t windows_max = std::max<size_t>(1, inputs_.size() / 2);
  for (std::vector<RowRef<LogRows>>& group : by_group(std::move(rows), groups_)) {
    for (std::vector<RowRef<LogRows>>& window : by_window(std::move(group), windows_max)) {
      CC_TRY(write_log_file(segment_class, std::move(window)));
    }
  }
  return {};
}

Manifest Compaction::manifest(const Manifest& before) const {
  Manifest after = before;
  std::erase_if(after.segments,
                [this](const SegmentInfo& info) { return inputs_.contains(info.number); });
  after.segments.insert(after.segments.end(), outputs_.begin(), outputs_.end());
  return after;
}

}  // namespace contextcore::store
