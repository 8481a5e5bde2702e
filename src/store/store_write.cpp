// What is written: received requests, and work transactions planned against one state.

#include <algorithm>
#include <tuple>
#include <type_traits>
#include <utility>

#include "base/text.h"
#include "otlp/protobuf.h"
#include "store/store_impl.h"
#include "store/tenant.h"

namespace contextcore::store {
namespace {

constexpr size_t kReasonsMax = 3;  // of refusals, told to the sender
constexpr size_t kDeferredFramesMax = 4096;
constexpr size_t kSettledAtOnce = 4;

int64_t item_count(const otlp::TracesView& data) { return static_cast<int64_t>(data.span_count()); }
int64_t item_count(const otlp::LogsData& data) { return static_cast<int64_t>(data.record_count()); }

constexpr PartSignal signal_of(const otlp::TracesView*) { return PartSignal::traces; }
constexpr PartSignal signal_of(const otlp::LogsData*) { return PartSignal::logs; }

// Access to the groups and items of both signals under one name.
auto& groups(otlp::TracesData& data) { return data.resource_spans; }
auto& groups(otlp::LogsData& data) { return data.resource_logs; }
auto& scopes(otlp::ResourceSpans& resource) { return resource.scope_spans; }
auto& scopes(otlp::ResourceLogs& resource) { return resource.scope_logs; }
auto& items(otlp::ScopeSpans& scope) { return scope.spans; }
auto& items(otlp::ScopeLogs& scope) { return scope.records; }

// Calls fn(resource, scope, item) for every item, in order.
template <typename Fn>
void for_each_item(const otlp::TracesView& data, const Fn& fn) {
  for (const auto& resource : data.resources()) {
    for (const auto& scope : resource.scopes) {
      for (const otlp::SpanView& span : scope.spans) fn(*resource.resource, *scope.scope, span);
    }
  }
}
template <typename Fn>
void for_each_item(const otlp::LogsData& data, const Fn& fn) {
  for (const otlp::ResourceLogs& resource : data.resource_logs) {
    for (const otlp::ScopeLogs& scope : resource.scope_logs) {
      for (const otlp::LogRecord& record : scope.records) fn(resource.resource, scope.scope, record);
    }
  }
}

using Refusal = std::optional<std::string>;

Refusal refusal(const WorkHooks& hooks, const WorkTable& table, const otlp::Resource& resource,
                const otlp::Scope& scope, const otlp::SpanView& span) {
  if (span.trace_id.empty()) return "a span without trace id";
  if (span.span_id.empty()) return "a span without span id";
  if (!hooks.refuse_span) return std::nullopt;
  return hooks.refuse_span(resource, scope, span, table.find(span.span_id) != nullptr);
}

Refusal refusal(const WorkHooks& hooks, const WorkTable& table, const otlp::Resource& resource,
                const otlp::Scope& scope, const otlp::LogRecord& record) {
  if (!hooks.refuse_log) return std::nullopt;
  const bool owned = !record.span_id.empty() && table.find(record.span_id) != nullptr;
  return hooks.refuse_log(resource, scope, record, owned);
}

std::optional<std::string> remark(const WorkHooks& hooks, const otlp::SpanView& span) {
  return hooks.remark_span ? hooks.remark_span(span) : std::nullopt;
}
std::optional<std::string> remark(const WorkHooks&, const otlp::LogRecord&) { return std::nullopt; }

// The first few different ones.
void add_reason(std::string reason, std::vector<std::string>& reasons) {
  const bool told = std::find(reasons.begin(), reasons.end(), reason) != reasons.end();
  if (!told && reasons.size() < kReasonsMax) reasons.push_back(std::move(reason));
}

// data without the items that are flagged, in order, and without groups that are empty then.
template <typename Data>
Data without(Data data, const std::vector<bool>& flagged) {
  size_t number = 0;
  for (auto& resource : groups(data)) {
    for (auto& scope : scopes(resource)) {
      std::erase_if(items(scope), [&](const auto&) { return flagged[number++]; });
    }
    std::erase_if(scopes(resource), [](auto& scope) { return items(scope).empty(); });
  }
  std::erase_if(groups(data), [](auto& resource) { return scopes(resource).empty(); });
  return data;
}

// What is left of a request of which not all was accepted. A view sees the bytes.
struct ReducedTraces {
  std::string bytes;
  otlp::TracesView data;
};
struct ReducedLogs {
  std::string bytes;
  otlp::LogsData data;
};

Status reduce(const otlp::TracesView& all, const std::vector<bool>& refused,
              std::optional<ReducedTraces>& out) {
  out.emplace().bytes = otlp::encode_protobuf(without(all.to_data(), refused));
  CC_ASSIGN(out->data, otlp::TracesView::decode(out->bytes, kStoredLimits));
  return {};
}

Status reduce(const otlp::LogsData& all, const std::vector<bool>& refused,
              std::optional<ReducedLogs>& out) {
  out.emplace().data = without(all, refused);
  out->bytes = otlp::encode_protobuf(out->data);
  return {};
}

otlp::LogsData grouped(const std::vector<JournalEvent>& events) {
  otlp::LogsData data;
  for (const JournalEvent& event : events) {
    if (data.resource_logs.empty() || !(data.resource_logs.back().resource == event.resource)) {
      data.resource_logs.push_back({event.resource, {}});
    }
    auto& resource = data.resource_logs.back();
    if (resource.scope_logs.empty() || !(resource.scope_logs.back().scope == event.scope)) {
      resource.scope_logs.push_back({event.scope, {}});
    }
    resource.scope_logs.back().records.push_back(event.record);
  }
  return data;
}

Status check_span(const JournalSpan& span) {
  if (!span.span.trace_id.empty() && !span.span.span_id.empty()) return {};
  return {Code::invalid_argument,
          "a work span needs a trace id and a span id (" + span.span.name + ")"};
}

}  // namespace

// ---- received
// ---------------------------------------------------------------------------------------

template <typename Data>
std::vector<bool> StoreImpl::refused_of(const Data& data, bool default_tenant,
                                        IngestResult& result) const {
  // Work is the default tenant's: what others send cannot be taken for it.
  static const WorkHooks kNoHooks;
  const WorkHooks& hooks = default_tenant ? *hooks_ : kNoHooks;
  const std::shared_ptr<const WorkTable> table = head_->table(position_.sequence);
  std::vector<bool> refused;
  refused.reserve(static_cast<size_t>(item_count(data)));
  std::vector<std::string> reasons, remarks;
  for_each_item(data, [&](const auto& resource, const auto& scope, const auto& item) {
    Refusal reason = refusal(hooks, *table, resource, scope, item);
    refused.push_back(reason.has_value());
    if (reason) {
      ++result.rejected;
      add_reason(std::move(*reason), reasons);
    } else if (auto said = remark(hooks, item)) {
      add_reason(std::move(*said), remarks);
    }
  });
  result.accepted = item_count(data) - result.rejected;
  for (std::string& said : remarks) add_reason(std::move(said), reasons);
  result.message = join(reasons, "; ");
  return refused;
}

template <typename Data>
Result<IngestResult> StoreImpl::ingest_locked(Lock& lock, const Data& data, std::string_view body,
                                              std::string_view tenant, const Hash128& digest,
                                              uint64_t& sequence) {
  constexpr bool kTraces = std::is_same_v<Data, otlp::TracesView>;
  constexpr PartSignal kSignal = signal_of(static_cast<const Data*>(nullptr));
  for (;;) {
    CC_TRY(enter(lock));
    bool fresh = false;
    CC_ASSIGN(const uint32_t number, tenant_number(tenant, fresh));
    CC_TRY(check_room_for_telemetry(tenant, number));
    IngestResult result;
    const std::vector<bool> refused = refused_of(data, number == kDefaultTenant, result);
    CC_TRY(head_->table(position_.sequence)->status());
    CC_TRY(read_older_digests());
    if (const auto known = digests_.find(digest)) {
      result.duplicate = true;
      sequence = *known;
      duplicates_.fetch_add(1, std::memory_order_relaxed);
      return result;
    }
    rejected_.fetch_add(static_cast<uint64_t>(result.rejected), std::memory_order_relaxed);
    if (result.accepted == 0) return result;
    std::optional<std::conditional_t<kTraces, ReducedTraces, ReducedLogs>> reduced;
    if (result.rejected > 0) CC_TRY(reduce(data, refused, reduced));
    const Data& accepted = reduced ? reduced->data : data;
    const std::string digest_part = reduced ? digest_bytes(digest) : std::string();
    std::vector<FramePart> parts;
    if (fresh) parts.push_back({PartSignal::tenant, PartEncoding::raw, tenant});
    parts.push_back(
        {kSignal, PartEncoding::otlp_protobuf, reduced ? std::string_view(reduced->bytes) : body});
    if (reduced) parts.push_back({PartSignal::digest, PartEncoding::raw, digest_part});
    CC_ASSIGN(const bool room, ensure_room(lock, parts[fresh ? 1 : 0].bytes.size() + tenant.size()));
    if (!room) continue;
    if constexpr (kTraces) {
      CC_ASSIGN(const PreparedSpans prepared, head_->prepare_spans(number, accepted));
      CC_ASSIGN(sequence, append(parts, number));
      if (fresh) head_->add_tenant(std::string(tenant));
      head_->apply_spans(number, accepted, prepared, sequence);
    } else {
      CC_ASSIGN(sequence, append(parts, number));
      if (fresh) head_->add_tenant(std::string(tenant));
      head_->apply_logs(number, accepted, sequence);
    }
    remember_request(digest, sequence);
    return result;
  }
}

template <typename Data>
Result<IngestResult> StoreImpl::ingest_any(const Data& data, std::string_view body,
                                           std::string_view tenant) {
  CC_TRY(check_tenant(tenant, options_.metric_limits.tenant_bytes_max));
  if (item_count(data) == 0) return IngestResult{};
  const Hash128 digest = request_digest(signal_of(&data), tenant, body);
  Turn turn(*this);
  CC_TRY(turn.begin());
  Lock lock(mutex_);
  CC_TRY(check_quota(tenant, body.size()));
  uint64_t sequence = 0;
  CC_ASSIGN(IngestResult result, ingest_locked(lock, data, body, tenant, digest, sequence));
  CC_TRY(wait_visible(lock, sequence));
  cut_if_due(lock);
  return result;
}

Result<IngestResult> StoreImpl::ingest_traces(std::string_view body, std::string_view tenant) {
  CC_ASSIGN(const otlp::TracesView view, otlp::TracesView::decode(body));
  return ingest_any(view, body, tenant);
}

// What came otherwise than as bytes has to be readable in the log.
Result<IngestResult> StoreImpl::ingest(const otlp::TracesData& data, std::string_view body,
                                       std::string_view tenant) {
  if (!body.empty()) return ingest_any(otlp::TracesView::of(data), body, tenant);
  const std::string encoded = otlp::encode_protobuf(data);
  const auto view = otlp::TracesView::decode(encoded, kStoredLimits);
  if (!view.ok()) return {Code::invalid_argument, view.error().message};
  return ingest_any(*view, encoded, tenant);
}

Result<IngestResult> StoreImpl::ingest(const otlp::LogsData& data, std::string_view body,
                                       std::string_view tenant) {
  if (!body.empty() || data.record_count() == 0) return ingest_any(data, body, tenant);
  const std::string encoded = otlp::encode_protobuf(data);
  const Status readable = otlp::decode_logs_protobuf(encoded, kStoredLimits).status();
  if (!readable.ok()) return {Code::invalid_argument, readable.error().message};
  return ingest_any(data, encoded, tenant);
}

// ---- work
// -------------------------------------------------------------------------------------------

Result<std::optional<StoredCommand>> StoreImpl::find_command(const Snapshot& snapshot,
                                                             const std::string& command_id) const {
  const std::optional<StoredCommand> none;
  if (command_id.empty()) return none;
  const auto kept = [&snapshot](const StoredCommand& command) {
    return snapshot.now_ns() - command.time_ns < kCommandKeptNs;
  };
  std::optional<StoredCommand> found = snapshot.head().find_command(command_id);
  if (found) return kept(*found) ? found : none;
  const Version& version = snapshot.version();
  if (version.frozen != nullptr) {
    found = version.frozen->find_command(command_id);
    if (found) return kept(*found) ? found : none;
  }
  for (const auto& file : version.commands) {
    CC_ASSIGN(found, file->find(command_id));
    if (found && kept(*found)) return found;
  }
  return none;
}

Result<CommitResult> StoreImpl::answer_again(Lock& lock, const StoredCommand& command) {
  CC_TRY(wait_visible(lock, command.sequence));
  return CommitResult{command.sequence, true, command.result};
}

Result<StoreImpl::PlannedWork> StoreImpl::plan_work(const Snapshot& snapshot,
                                                    const std::string& command_id,
                                                    const WorkPlan& plan) const {
  auto planned = plan(snapshot);
  // A look-up that met a damaged index must not decide anything.
  CC_TRY(snapshot.table().status());
  if (!planned.ok()) return std::move(planned).error();
  PlannedWork work;
  work.transaction = std::move(planned).value();
  if (work.transaction.empty()) return work;
  WorkRecord& record = work.record;
  // A renewal alone is no change: coming twice it renews twice, and nothing of it is kept.
  if (!work.transaction.events.empty() || !work.transaction.spans.empty()) {
    record.command_id = command_id.empty() ? work.transaction.command_id : command_id;
    record.result = work.transaction.result;
  }
  record.time_ns = snapshot.now_ns();
  record.events = otlp::encode_protobuf(grouped(work.transaction.events));
  record.event_count = static_cast<uint32_t>(work.transaction.events.size());
  record.leases = work.transaction.leases;
  record.forwards = work.transaction.forwards;
  const std::vector<JournalSpan>& spans = work.transaction.spans;
  for (size_t i = 0; i < spans.size(); ++i) {
    CC_TRY(check_span(spans[i]));
    std::optional<JournalSpan> before;
    for (size_t j = i; j-- > 0 && !before;) {
      if (spans[j].span.span_id == spans[i].span.span_id) before = spans[j];
    }
    if (!before) {
      CC_ASSIGN(before, snapshot.span(spans[i].span.span_id));
    }
    record.deltas.push_back(encode_delta(make_delta(before ? &*before : nullptr, spans[i])));
    record.rows.push_back(row_after(snapshot.table(), spans[i]));
  }
  if (hooks_->tally) tally_rows(hooks_->tally, snapshot.table(), record.rows, record.tallies);
  CC_TRY(snapshot.table().status());
  return finish_work(std::move(work));
}

// What is applied is what a replay will read, so that both cannot differ.
Result<StoreImpl::PlannedWork> StoreImpl::finish_work(PlannedWork work) const {
  work.bytes = encode_work(work.record);
  auto record = decode_work(work.bytes);
  const Status readable = record.ok() ? verify_work(*record) : record.status();
  if (!readable.ok()) {
    return {Code::invalid_argument,
            "the transaction could not be read back: " + readable.error().message};
  }
  work.record = std::move(record).value();
  return work;
}

// A renewed lease outlives a change of the span under the same claim.
WorkRow StoreImpl::row_after(const WorkTable& table, const JournalSpan& span) const {
  WorkRow row = index_row(*hooks_, span);
  const WorkRow* before = table.find(span.span.span_id);
  if (before != nullptr && row.claim_token != 0 && before->claim_token == row.claim_token) {
    row.lease_end_ns = std::max(row.lease_end_ns, before->lease_end_ns);
  }
  return row;
}

Result<uint64_t> StoreImpl::write_work(Lock& lock, PlannedWork& work) {
  CC_ASSIGN(const bool room, ensure_room(lock, work.bytes.size()));
  if (!room) return uint64_t{0};
  CC_ASSIGN(const PreparedWork prepared, head_->prepare_work(work.record));
  CC_ASSIGN(const uint64_t sequence,
            append({{PartSignal::work, PartEncoding::work_1, work.bytes}}));
  head_->apply_work(std::move(work.record), prepared, sequence);
  last_work_sequence_ = sequence;
  // A query that comes after many commands must not wait for all of them.
  head_->settle_some(kDeferredFramesMax, kSettledAtOnce);
  return sequence;
}

Result<CommitResult> StoreImpl::commit_locked(Lock& lock, const std::string& command_id,
                                              const WorkPlan& plan, uint64_t planned_at,
                                              std::optional<PlannedWork> work) {
  for (;;) {
    CC_TRY(enter(lock));
    if (!work || last_work_sequence_ > planned_at) {
      const std::shared_ptr<const Snapshot> snapshot = sequenced_snapshot();
      planned_at = snapshot->visible();
      CC_ASSIGN(const auto known, find_command(*snapshot, command_id));
      if (known) return answer_again(lock, *known);
      auto planned = plan_work(*snapshot, command_id, plan);
      if (!planned.ok()) {
        CC_TRY(wait_visible(lock, planned_at));  // what the refusal rests upon
        return std::move(planned).error();
      }
      work = std::move(planned).value();
    }
    if (work->transaction.empty()) {
      CC_TRY(wait_visible(lock, planned_at));
      return CommitResult{0, false, work->transaction.result};
    }
    CC_ASSIGN(const uint64_t sequence, write_work(lock, *work));
    if (sequence == 0) continue;
    CC_TRY(wait_visible(lock, sequence));
    cut_if_due(lock);
    return CommitResult{sequence, false, work->transaction.result};
  }
}

Result<CommitResult> StoreImpl::commit(const std::string& command_id, const WorkPlan& plan) {
  std::shared_ptr<const Snapshot> snapshot;
  {
    const Lock lock(mutex_);
    CC_TRY(check_writable());
    reopen_failed();
    if (options_.mode == StoreMode::embedded) CC_TRY(catch_up());
    snapshot = sequenced_snapshot();
  }
  // Before the locks: what is planned here is written as it is unless other work comes in between.
  CC_ASSIGN(const auto known, find_command(*snapshot, command_id));
  if (known) {
    Lock lock(mutex_);
    return answer_again(lock, *known);
  }
  auto planned = plan_work(*snapshot, command_id, plan);
  if (!planned.ok() || planned->transaction.empty()) {
    Lock lock(mutex_);
    CC_TRY(wait_visible(lock, snapshot->visible()));
    if (!planned.ok()) return std::move(planned).error();
    return CommitResult{0, false, planned->transaction.result};
  }
  const uint64_t planned_at = snapshot->visible();
  snapshot = nullptr;
  Turn turn(*this);
  CC_TRY(turn.begin());
  Lock lock(mutex_);
  return commit_locked(lock, command_id, plan, planned_at, std::move(planned).value());
}

Status StoreImpl::replace_spans(std::vector<JournalSpan> spans,
                                std::vector<std::pair<otlp::TraceId, otlp::TraceId>> forwards) {
  PlannedWork work;
  work.record.replace_all = true;
  work.record.forwards = std::move(forwards);
  work.record.time_ns = clock_.wall_ns();
  for (const JournalSpan& span : spans) {
    CC_TRY(check_span(span));
    work.record.deltas.push_back(encode_delta(make_delta(nullptr, span)));
  }
  Turn turn(*this);
  CC_TRY(turn.begin());
  Lock lock(mutex_);
  for (;;) {
    CC_TRY(enter(lock));
    const std::shared_ptr<const Snapshot> snapshot = sequenced_snapshot();
    work.record.rows.clear();
    for (const JournalSpan& span : spans) {
      work.record.rows.push_back(row_after(snapshot->table(), span));
    }
    work.record.tallies.clear();
    if (hooks_->tally) {
      tally_rows(hooks_->tally, *WorkTable::empty(), work.record.rows, work.record.tallies);
    }
    CC_ASSIGN(work, finish_work(std::move(work)));
    CC_ASSIGN(const uint64_t sequence, write_work(lock, work));
    if (sequence == 0) continue;
    CC_TRY(wait_visible(lock, sequence));
    cut_if_due(lock);
    return {};
  }
}

}  // namespace contextcore::store
