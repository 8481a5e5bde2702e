#include "store/head.h"

#include <limits>

#include "base/give_way.h"

namespace contextcore::store {
namespace {

constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();

int64_t revision_of(const otlp::LogRecord& record) {
  const otlp::Value* value = otlp::find(record.attributes, "revision");
  const int64_t* revision = value != nullptr ? value->as_int() : nullptr;
  return revision != nullptr ? *revision : 0;
}

Error missing_span(const otlp::SpanId& id) {
  return {Code::corruption,
          "the work index knows span " + otlp::to_hex(id) + ", but no file has it",
          "run contextcore store verify",
          {},
          {}};
}

void renew(WorkRow& row, const LeaseRenewal& lease) {
  if (row.claim_token != lease.claim_token) return;
  row.lease_end_ns = lease.lease_end_ns;
  row.heartbeats = lease.heartbeats;
}

void set_tally(WorkRow& row, const WorkTally& tally) {
  row.below = tally;
  row.tallied = true;
}

}  // namespace

Head::Head(std::shared_ptr<const Version> version, std::shared_ptr<const WorkHooks> hooks)
    : version_(std::move(version)),
      hooks_(std::move(hooks)),
      work_{SpanBuilder::make(), {}},
      received_{SpanBuilder::make(), {}},
      work_logs_(LogBuilder::make()),
      received_logs_(LogBuilder::make()) {
  tables_.emplace_back(0, version_->work);
  tenants_ = version_->manifest.tenants;
}

// ---- writer
// -----------------------------------------------------------------------------------------

Status Head::prepare_replace_all(PreparedWork& prepared) const {
  for (size_t i = 0; i < version_->spans.size(); ++i) {
    const SpanSegment& segment = version_->spans[i];
    if (!segment.journal()) continue;
    for (uint32_t row = 0; row < segment.rows->size(); ++row) {
      if (!segment.masked(row)) prepared.replaced.push_back({i, row});
    }
  }
  for (const auto& [id, row] : work_row_) prepared.replaced_in_head.push_back(row);
  return {};
}

Result<PreparedWork> Head::prepare_work(const WorkRecord& record) const {
  PreparedWork prepared;
  const WorkTable& table = *tables_.back().second;
  if (record.replace_all) {
    CC_TRY(settle());
    CC_TRY(prepare_replace_all(prepared));
  }
  std::shared_ptr<const WorkTable> next =
      record.replace_all ? WorkTable::empty()->with(record.rows) : table.with(record.rows);
  std::vector<WorkRow> renewed;
  for (const auto& [id, tally] : record.tallies) {
    const WorkRow* row = next->find(id);
    if (row != nullptr) set_tally(renewed.emplace_back(*row), tally);
  }
  if (!renewed.empty()) next = next->with(std::exchange(renewed, {}));
  for (const LeaseRenewal& lease : record.leases) {
    if (const WorkRow* row = next->find(lease.span_id)) {
      renewed.push_back(*row);
      renew(renewed.back(), lease);
    }
  }
  prepared.table = renewed.empty() ? std::move(next) : next->with(std::move(renewed));
  CC_TRY(prepared.table->status());
  return prepared;
}

uint32_t Head::append(Spans& spans, const std::shared_ptr<const otlp::Resource>& resource,
                      const std::shared_ptr<const otlp::Scope>& scope,
                      const otlp::SpanView& span, const RowMeta& meta) {
  const uint32_t row = spans.rows->append(resource, scope, span, meta);
  spans.superseded.resize(row + 1, 0);
  return row;
}

void Head::supersede(Spans& spans, uint32_t row, uint64_t sequence) {
  // The first reason counts: a row that replace_all has ended stays ended when its id comes back.
  if (spans.superseded[row] == 0) spans.superseded[row] = sequence;
}

void Head::mask(const std::vector<Version::Place>& places, uint64_t sequence) const {
  for (const Version::Place& place : places) {
    // The first who replaced it stays: a later one replaces that one's row.
    pending_masks_[version_->spans[place.segment].info.number].try_emplace(place.row, sequence);
  }
}

void Head::append_logs(const otlp::LogsData& data, LogBuilder& rows, bool journal,
                       uint64_t sequence, uint32_t tenant) {
  for (const otlp::ResourceLogs& resource : data.resource_logs) {
    const auto shared_resource = std::make_shared<const otlp::Resource>(resource.resource);
    for (const otlp::ScopeLogs& scope : resource.scope_logs) {
      const auto shared_scope = std::make_shared<const otlp::Scope>(scope.scope);
      for (const otlp::LogRecord& record : scope.records) {
        const int64_t revision = journal ? revision_of(record) : 0;
        rows.append(shared_resource, shared_scope, record, {sequence, revision, journal, tenant});
      }
    }
  }
}

void Head::apply_logs(uint32_t tenant, const otlp::LogsData& data, uint64_t sequence) {
  const std::unique_lock lock(mutex_);
  append_logs(data, *received_logs_, false, sequence, tenant);
  log_rows_[tenant] += data.record_count();
}

void Head::apply_metrics(uint32_t tenant, const otlp::MetricBatch& batch, uint64_t sequence) {
  const std::unique_lock lock(mutex_);
  metrics_.apply(tenant, batch, sequence);
  metric_samples_[tenant] += batch.sample_count();
}

void Head::defer_work(WorkRecord record, uint64_t sequence) {
  for (const auto& [from, to] : record.forwards) forwards_.push_back({sequence, from, to});
  if (record.event_count > 0) {
    deferred_log_rows_ += record.event_count;
    deferred_logs_.push_back({sequence, std::move(record.events)});
    logs_deferred_.store(deferred_logs_.size(), std::memory_order_release);
  }
  if (!record.deltas.empty()) {
    deferred_rows_ += record.deltas.size();
    const Deferred& frame = deferred_.emplace_back(Deferred{sequence, std::move(record.deltas)});
    for (const EncodedDelta& delta : frame.deltas) {
      steps_[delta.span_id].push_back({sequence, &delta, nullptr});
    }
    deferred_frames_.store(deferred_.size(), std::memory_order_release);
  }
  if (!record.command_id.empty()) {
    StoredCommand command{record.command_id, std::move(record.result), record.time_ns, sequence};
    commands_.try_emplace(std::move(record.command_id), std::move(command));
  }
}

void Head::apply_work(WorkRecord record, const PreparedWork& prepared, uint64_t sequence) {
  const std::unique_lock lock(mutex_);
  tables_.emplace_back(sequence, prepared.table);
  if (record.replace_all) {
    mask(prepared.replaced, sequence);
    for (const uint32_t row : prepared.replaced_in_head) supersede(work_, row, sequence);
  }
  defer_work(std::move(record), sequence);
}

// nullptr: there is no such row.
Result<WorkRow*> Head::replayed_row(const otlp::SpanId& id) {
  if (const auto row = replayed_rows_.find(id); row != replayed_rows_.end()) return &row->second;
  const WorkTable& table = *tables_.back().second;
  const WorkRow* known = table.find(id);
  if (known != nullptr) return &replayed_rows_.emplace(id, *known).first->second;
  CC_TRY(table.status());
  return static_cast<WorkRow*>(nullptr);
}

Status Head::replay_work(WorkRecord record, uint64_t sequence) {
  if (record.replace_all) {
    end_replay(sequence - 1);
    CC_ASSIGN(const PreparedWork prepared, prepare_work(record));
    apply_work(std::move(record), prepared, sequence);
    return {};
  }
  for (WorkRow& row : record.rows) replayed_rows_.insert_or_assign(row.span_id, std::move(row));
  for (const auto& [id, tally] : record.tallies) {
    CC_ASSIGN(WorkRow * row, replayed_row(id));
    if (row != nullptr) set_tally(*row, tally);
  }
  for (const LeaseRenewal& lease : record.leases) {
    CC_ASSIGN(WorkRow * row, replayed_row(lease.span_id));
    if (row != nullptr) renew(*row, lease);
  }
  const std::unique_lock lock(mutex_);
  defer_work(std::move(record), sequence);
  return {};
}

void Head::end_replay(uint64_t sequence) {
  if (replayed_rows_.empty()) return;
  std::vector<WorkRow> rows;
  rows.reserve(replayed_rows_.size());
  for (auto& [id, row] : replayed_rows_) rows.push_back(std::move(row));
  replayed_rows_.clear();
  std::shared_ptr<const WorkTable> next = tables_.back().second->with(std::move(rows));
  const std::unique_lock lock(mutex_);
  tables_.emplace_back(sequence, std::move(next));
}

std::shared_ptr<const Version> Head::shared_version() const {
  const std::shared_lock lock(mutex_);
  return version_;
}

void Head::replace_version(std::shared_ptr<const Version> version,
                           const std::vector<RowMoves>& moves) {
  const std::lock_guard settling(settle_mutex_);
  const std::unique_lock lock(mutex_);
  for (const RowMoves& move : moves) {
    const auto found = pending_masks_.find(move.from);
    if (found == pending_masks_.end()) continue;
    const auto pending = found->second;  // a copy: a new segment may take the map's place
    for (const auto& [row, sequence] : pending) {
      const RowMoves::Place& to = move.to[row];
      if (to.row != RowMoves::kGone) pending_masks_[move.segments[to.segment]].try_emplace(to.row, sequence);
    }
  }
  // What has changed since, over the newer files.
  for (auto& [sequence, table] : tables_) table = table->onto(*version_->work, version->work);
  version_ = std::move(version);
}

void Head::forget_tables_before(uint64_t sequence) {
  const std::unique_lock lock(mutex_);
  while (tables_.size() > 1 && tables_[1].first <= sequence) tables_.pop_front();
}

// ---- deferred work spans
// ----------------------------------------------------------------------------

Result<std::optional<JournalSpan>> Head::settled_span(const otlp::SpanId& id,
                                                      std::optional<Version::Place>& place) const {
  const auto newest = work_row_.find(id);
  if (newest != work_row_.end()) {
    CC_ASSIGN(JournalSpan span, journal_span_at(*work_.rows, newest->second));
    return std::optional(std::move(span));
  }
  const WorkRow* row = version_->work->find(id);
  if (row == nullptr) {
    CC_TRY(version_->work->status());
    return std::optional<JournalSpan>();
  }
  CC_ASSIGN(place, version_->find_span(SegmentClass::work, row->trace_id, id));
  if (!place) return missing_span(id);
  CC_ASSIGN(JournalSpan span, journal_span_at(*version_->spans[place->segment].rows, place->row));
  return std::optional(std::move(span));
}

Result<std::optional<JournalSpan>> Head::deferred_span(const otlp::SpanId& id,
                                                       uint64_t visible) const {
  const auto found = steps_.find(id);
  if (found == steps_.end()) return std::optional<JournalSpan>();
  std::vector<Step>& steps = found->second;
  size_t end = steps.size();
  while (end > 0 && steps[end - 1].sequence > visible) --end;
  if (end == 0) return std::optional<JournalSpan>();
  // From the nearest one that is known, or from what is settled.
  size_t at = end;
  while (at > 0 && steps[at - 1].after == nullptr && (at == end || !steps[at].delta->whole)) {
    --at;
  }
  std::optional<JournalSpan> span;
  if (at > 0 && steps[at - 1].after != nullptr) {
    span = *steps[at - 1].after;
  } else if (!steps[at].delta->whole) {
    std::optional<Version::Place> place;
    CC_ASSIGN(span, settled_span(id, place));
  }
  if (at == end) return span;
  for (; at < end; ++at) {
    CC_ASSIGN(SpanDelta delta, decode_delta(*steps[at].delta));
    CC_ASSIGN(span, apply_delta(std::move(span), std::move(delta)));
  }
  steps[end - 1].after = std::make_shared<const JournalSpan>(*span);
  return span;
}

void Head::append_work(const JournalSpan& span, uint64_t sequence) const {
  const uint32_t row = append(work_, std::make_shared<const otlp::Resource>(span.resource),
                              std::make_shared<const otlp::Scope>(span.scope),
                              otlp::SingleSpanView(span.span).view(),
                              {sequence, span.revision, true});
  const auto [it, added] = work_row_.try_emplace(span.span.span_id, row);
  work_previous_.push_back(added ? kNone : it->second);
  if (!added) supersede(work_, std::exchange(it->second, row), sequence);
}

// What a frame makes of work spans, worked out before any row is made. REQUIRES: settle_mutex_
Result<Head::SettledFrame> Head::decode_frame(const Deferred& frame) const {
  SettledFrame out;
  std::unordered_map<otlp::SpanId, size_t, IdHash> in_this;  // a span may change twice
  for (const EncodedDelta& encoded : frame.deltas) {
    CC_ASSIGN(SpanDelta delta, decode_delta(encoded));
    std::optional<JournalSpan> before;
    const auto earlier = in_this.find(delta.span_id);
    if (earlier != in_this.end()) {
      before = out.spans[earlier->second];
    } else {
      std::optional<Version::Place> place;
      CC_ASSIGN(before, settled_span(delta.span_id, place));
      if (place) out.replaced.push_back(*place);
    }
    CC_ASSIGN(JournalSpan after, apply_delta(std::move(before), std::move(delta)));
    in_this[encoded.span_id] = out.spans.size();
    out.spans.push_back(std::move(after));
  }
  return out;
}

// REQUIRES: mutex_
void Head::take_steps_of(const Deferred& frame) const {
  for (const EncodedDelta& delta : frame.deltas) {
    const auto found = steps_.find(delta.span_id);
    std::vector<Step>& steps = found->second;
    if (steps.size() == 1) {
      steps_.erase(found);
    } else {
      steps.erase(steps.begin());
    }
  }
}

// Frames are decoded without mutex_, which is taken for each frame's rows only: writers wait for
// one frame, not for all that they have left. Whoever holds settle_mutex_ alone takes frames away
// and makes rows of work, so what it reads without mutex_ stays as it is.
Status Head::settle_logs_up_to(size_t frames) const {
  for (; frames > 0; --frames) {
    const DeferredLogs* frame = nullptr;
    {
      const std::shared_lock lock(mutex_);
      if (deferred_logs_.empty()) return {};
      frame = &deferred_logs_.front();
    }
    CC_ASSIGN(const otlp::LogsData data, otlp::decode_logs_protobuf(frame->events, kStoredLimits));
    give_way();
    const std::unique_lock lock(mutex_);
    append_logs(data, *work_logs_, true, frame->sequence);
    deferred_logs_.pop_front();
    logs_deferred_.store(deferred_logs_.size(), std::memory_order_release);
  }
  return {};
}

Status Head::settle_spans_up_to(size_t frames) const {
  for (; frames > 0; --frames) {
    const Deferred* frame = nullptr;
    {
      const std::shared_lock lock(mutex_);
      if (deferred_.empty()) return {};
      frame = &deferred_.front();
    }
    CC_ASSIGN(const SettledFrame settled, decode_frame(*frame));
    give_way();
    const std::unique_lock lock(mutex_);
    mask(settled.replaced, frame->sequence);
    for (const JournalSpan& span : settled.spans) append_work(span, frame->sequence);
    take_steps_of(*frame);
    deferred_.pop_front();
    deferred_frames_.store(deferred_.size(), std::memory_order_release);
  }
  return {};
}

Status Head::settle_logs() const {
  if (logs_deferred_.load(std::memory_order_acquire) == 0) return {};
  const std::lock_guard settling(settle_mutex_);
  // Not what comes meanwhile: that is invisible to who asks.
  return settle_logs_up_to(logs_deferred_.load(std::memory_order_acquire));
}

Status Head::settle() const {
  if (deferred_frames_.load(std::memory_order_acquire) == 0) return {};
  const std::lock_guard settling(settle_mutex_);
  return settle_spans_up_to(deferred_frames_.load(std::memory_order_acquire));
}

void Head::settle_some(size_t deferred_max, size_t frames) const {
  const bool spans = deferred_frames_.load(std::memory_order_relaxed) > deferred_max;
  const bool logs = logs_deferred_.load(std::memory_order_relaxed) > deferred_max;
  if (!spans && !logs) return;
  const std::unique_lock settling(settle_mutex_, std::try_to_lock);
  if (!settling.owns_lock()) return;  // somebody is at it
  if (spans) std::ignore = settle_spans_up_to(frames);
  if (logs) std::ignore = settle_logs_up_to(frames);
}

// ---- readers
// ----------------------------------------------------------------------------------------

std::shared_ptr<const WorkTable> Head::table(uint64_t visible) const {
  const std::shared_lock lock(mutex_);
  auto it = tables_.rbegin();
  while (std::next(it) != tables_.rend() && it->first > visible) ++it;
  return it->second;
}

Result<std::optional<JournalSpan>> Head::journal_span(const otlp::SpanId& id, uint64_t visible,
                                                      const WorkTable& table) const {
  const WorkRow* row = table.find(id);
  if (row == nullptr) {
    CC_TRY(table.status());
    return std::optional<JournalSpan>();
  }
  bool deferred = false;
  {
    const std::shared_lock lock(mutex_);
    deferred = steps_.contains(id);
  }
  if (deferred) {
    const std::unique_lock lock(mutex_);
    CC_ASSIGN(std::optional<JournalSpan> span, deferred_span(id, visible));
    if (span) return span;
  }
  {
    const std::shared_lock lock(mutex_);
    const auto newest = work_row_.find(id);
    uint32_t at = newest == work_row_.end() ? kNone : newest->second;
    while (at != kNone && work_.rows->meta(at).sequence > visible) at = work_previous_[at];
    if (at != kNone) {
      CC_ASSIGN(JournalSpan span, journal_span_at(*work_.rows, at));
      return std::optional(std::move(span));
    }
  }
  const std::shared_ptr<const Version> version = shared_version();
  CC_ASSIGN(const auto place, version->find_span(SegmentClass::work, row->trace_id, id));
  if (!place) return missing_span(id);
  CC_ASSIGN(JournalSpan span, journal_span_at(*version->spans[place->segment].rows, place->row));
  return std::optional(std::move(span));
}

std::optional<StoredCommand> Head::find_command(const std::string& command_id) const {
  const std::shared_lock lock(mutex_);
  const auto it = commands_.find(command_id);
  return it == commands_.end() ? std::nullopt : std::optional(it->second);
}

std::vector<StoredCommand> Head::commands() const {
  const std::shared_lock lock(mutex_);
  std::vector<StoredCommand> result;
  result.reserve(commands_.size());
  for (const auto& [id, command] : commands_) result.push_back(command);
  return result;
}

std::optional<otlp::TraceId> Head::forward(const otlp::TraceId& id, uint64_t visible) const {
  const std::shared_lock lock(mutex_);
  for (auto it = forwards_.rbegin(); it != forwards_.rend(); ++it) {
    if (it->sequence <= visible && it->from == id) return it->to;
  }
  const auto it = version_->forwards->find(id);
  return it == version_->forwards->end() ? std::nullopt : std::optional(it->second);
}

Forwards Head::all_forwards() const {
  const std::shared_lock lock(mutex_);
  Forwards result = *version_->forwards;
  for (const Forward& forward : forwards_) result[forward.from] = forward.to;
  return result;
}

Head::Sizes Head::sizes() const {
  const std::shared_lock lock(mutex_);
  return {deferred_rows_ + received_.rows->size(), deferred_log_rows_ + received_logs_->size(),
          metrics_.samples(), metrics_.series()};
}

bool Head::visible(bool journal, uint32_t row, uint64_t visible) const {
  const Spans& spans = journal ? work_ : received_;
  if (spans.rows->meta(row).sequence > visible) return false;
  const uint64_t superseded = spans.superseded[row];
  return superseded == 0 || superseded > visible;
}

// Rows were appended in the order of their sequences.
void Head::hide_invisible(bool journal, uint64_t visible, RowSet& rows) const {
  const Spans& spans = journal ? work_ : received_;
  size_t begin = 0, end = rows.rows();
  while (begin < end) {
    const size_t middle = begin + (end - begin) / 2;
    if (spans.rows->meta(middle).sequence > visible) {
      end = middle;
    } else {
      begin = middle + 1;
    }
  }
  for (size_t row = end; row < rows.rows(); ++row) rows.clear(row);
  for (size_t row = 0; row < end; ++row) {
    const uint64_t superseded = spans.superseded[row];
    if (superseded != 0 && superseded <= visible) rows.clear(row);
  }
}

bool Head::superseded(uint64_t segment_number, uint32_t row, uint64_t visible) const {
  const auto segment = pending_masks_.find(segment_number);
  if (segment == pending_masks_.end()) return false;
  const auto it = segment->second.find(row);
  return it != segment->second.end() && it->second <= visible;
}

void Head::hide_superseded(uint64_t segment_number, uint64_t visible, RowSet& rows) const {
  const std::shared_lock lock(mutex_);
  const auto segment = pending_masks_.find(segment_number);
  if (segment == pending_masks_.end()) return;
  for (const auto& [row, sequence] : segment->second) {
    if (sequence <= visible) rows.clear(row);
  }
}

}  // namespace contextcore::store
