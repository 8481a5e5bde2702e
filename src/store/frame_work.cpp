#include "store/frame_work.h"

#include <algorithm>
#include <cassert>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "otlp/protobuf.h"
#include "store/store_codec.h"

namespace contextcore::store {
namespace {

bool same_dropped(const otlp::Span& a, const otlp::Span& b) {
  return a.dropped_attributes_count == b.dropped_attributes_count &&
         a.dropped_events_count == b.dropped_events_count &&
         a.dropped_links_count == b.dropped_links_count;
}

void apply_attributes(otlp::Attributes& attributes, const SpanDelta& delta) {
  for (const std::string& key : delta.removed) otlp::erase(attributes, key);
  for (const otlp::KeyValue& attribute : delta.span.attributes) {
    otlp::set(attributes, attribute.key, attribute.value);
  }
}

void delta_attributes(const otlp::Attributes& before, const otlp::Attributes& after,
                      SpanDelta& delta) {
  if (before == after) return;
  delta.changed |= kDeltaAttributes;
  for (const otlp::KeyValue& attribute : after) {
    const otlp::Value* old = otlp::find(before, attribute.key);
    if (old == nullptr || !(*old == attribute.value)) delta.span.attributes.push_back(attribute);
  }
  for (const otlp::KeyValue& attribute : before) {
    if (otlp::find(after, attribute.key) == nullptr) delta.removed.push_back(attribute.key);
  }
  otlp::Attributes replayed = before;
  apply_attributes(replayed, delta);
  if (replayed == after) return;
  // Another order or a key twice: small parts cannot say that.
  delta.changed = (delta.changed & ~uint32_t{kDeltaAttributes}) | kDeltaAllAttributes;
  delta.removed.clear();
  delta.span.attributes = after;
}

void delta_links(const std::vector<otlp::SpanLink>& before,
                 const std::vector<otlp::SpanLink>& after, SpanDelta& delta) {
  if (before == after) return;
  const bool grown =
      after.size() > before.size() && std::equal(before.begin(), before.end(), after.begin());
  delta.changed |= grown ? kDeltaLinksAdded : kDeltaAllLinks;
  const size_t kept = grown ? before.size() : 0;
  delta.span.links.assign(after.begin() + static_cast<std::ptrdiff_t>(kept), after.end());
}

template <typename T>
void delta_field(const T& before, const T& after, T& out, uint32_t bit, SpanDelta& delta) {
  if (before == after) return;
  delta.changed |= bit;
  out = after;
}

void write_delta(const SpanDelta& delta, RecordWriter& writer) {
  writer.i64(delta.revision);
  writer.u32(delta.changed);
  writer.u32(static_cast<uint32_t>(delta.removed.size()));
  for (const std::string& key : delta.removed) writer.bytes(key);
  if ((delta.changed & kDeltaResource) != 0) {
    std::string bytes;
    otlp::append_resource_protobuf(delta.resource, bytes);
    writer.bytes(bytes);
    writer.bytes(delta.resource.schema_url);
  }
  if ((delta.changed & kDeltaScope) != 0) {
    std::string bytes;
    otlp::append_scope_protobuf(delta.scope, bytes);
    writer.bytes(bytes);
    writer.bytes(delta.scope.schema_url);
  }
  std::string bytes;
  otlp::append_span_protobuf(delta.span, bytes);
  writer.bytes(bytes);
}

Result<SpanDelta> read_delta(RecordReader& reader) {
  SpanDelta delta;
  delta.revision = reader.i64();
  delta.changed = reader.u32();
  const uint32_t removed = reader.count(4);
  for (uint32_t i = 0; i < removed && reader.ok(); ++i) delta.removed.emplace_back(reader.bytes());
  if ((delta.changed & kDeltaResource) != 0) {
    CC_ASSIGN(delta.resource, otlp::decode_resource_protobuf(reader.bytes(), kStoredLimits));
    delta.resource.schema_url = reader.bytes();
  }
  if ((delta.changed & kDeltaScope) != 0) {
    CC_ASSIGN(delta.scope, otlp::decode_scope_protobuf(reader.bytes(), kStoredLimits));
    delta.scope.schema_url = reader.bytes();
  }
  CC_ASSIGN(delta.span, otlp::decode_span_protobuf(reader.bytes(), kStoredLimits));
  return delta;
}

void write_row(const WorkRow& row, RecordWriter& writer) {
  writer.id(row.span_id);
  writer.id(row.trace_id);
  writer.id(row.parent_span_id);
  writer.u8(static_cast<uint8_t>(row.kind));
  writer.u8(row.status);
  writer.u8(row.priority);
  writer.u8(row.flags);
  for (const int32_t count : {row.child_count, row.open_child_count, row.waiting_count}) {
    writer.u32(static_cast<uint32_t>(count));
  }
  writer.u32(static_cast<uint32_t>(row.heartbeats));
  for (const int64_t number : {row.revision, row.start_ns, row.end_ns, row.updated_ns, row.due_ns,
                               row.defer_until_ns, row.claim_token, row.lease_end_ns, row.points}) {
    writer.i64(number);
  }
  for (const std::string* text : {&row.id, &row.project, &row.type, &row.assignee, &row.claimed_by,
                                  &row.claim_session, &row.sprint, &row.status_name}) {
    writer.bytes(*text);
  }
  writer.u32(static_cast<uint32_t>(row.depends_on.size()));
  for (const WorkEdge& edge : row.depends_on) {
    writer.id(edge.target);
    writer.u8(edge.when);
  }
}

WorkRow read_row(RecordReader& reader) {
  WorkRow row;
  row.span_id = reader.span_id();
  row.trace_id = reader.trace_id();
  row.parent_span_id = reader.span_id();
  row.kind = static_cast<WorkKind>(reader.u8());
  row.status = reader.u8();
  row.priority = reader.u8();
  row.flags = reader.u8();
  for (int32_t* count : {&row.child_count, &row.open_child_count, &row.waiting_count}) {
    *count = static_cast<int32_t>(reader.u32());
  }
  row.heartbeats = static_cast<int32_t>(reader.u32());
  for (int64_t* number : {&row.revision, &row.start_ns, &row.end_ns, &row.updated_ns, &row.due_ns,
                          &row.defer_until_ns, &row.claim_token, &row.lease_end_ns, &row.points}) {
    *number = reader.i64();
  }
  for (std::string* text : {&row.id, &row.project, &row.type, &row.assignee, &row.claimed_by,
                            &row.claim_session, &row.sprint, &row.status_name}) {
    *text = reader.bytes();
  }
  const uint32_t edges = reader.count(9);
  for (uint32_t i = 0; i < edges && reader.ok(); ++i) {
    WorkEdge& edge = row.depends_on.emplace_back();
    edge.target = reader.span_id();
    edge.when = reader.u8();
  }
  return row;
}

constexpr size_t kTallyBytes = 8 + 7 * 8;

void write_tally(const otlp::SpanId& id, const WorkTally& tally, RecordWriter& writer) {
  writer.id(id);
  std::apply([&](const auto&... field) { (writer.i64(field), ...); }, WorkTally::fields(tally));
}

// Behind everything else. Rows that nothing is told of have no children that count.
void write_tallies(const WorkRecord& record, RecordWriter& writer) {
  const auto told = [](const WorkRow& row) { return row.tallied && !(row.below == WorkTally()); };
  const auto count = std::count_if(record.rows.begin(), record.rows.end(), told);
  writer.u32(static_cast<uint32_t>(count) + static_cast<uint32_t>(record.tallies.size()));
  for (const WorkRow& row : record.rows) {
    if (told(row)) write_tally(row.span_id, row.below, writer);
  }
  for (const auto& [id, tally] : record.tallies) write_tally(id, tally, writer);
}

void read_tallies(RecordReader& reader, WorkRecord& record) {
  std::map<otlp::SpanId, WorkTally> tallies;
  const uint32_t count = reader.count(kTallyBytes);
  for (uint32_t i = 0; i < count && reader.ok(); ++i) {
    const otlp::SpanId id = reader.span_id();
    WorkTally tally;
    std::apply([&](auto&... field) { ((field = reader.i64()), ...); }, WorkTally::fields(tally));
    tallies[id] = tally;
  }
  std::set<otlp::SpanId> of_rows;
  for (WorkRow& row : record.rows) {
    row.tallied = true;
    const auto found = tallies.find(row.span_id);
    if (found == tallies.end()) continue;
    row.below = found->second;
    of_rows.insert(row.span_id);
  }
  for (const auto& [id, tally] : tallies) {
    if (!of_rows.contains(id)) record.tallies.emplace_back(id, tally);
  }
}

}  // namespace

SpanDelta make_delta(const JournalSpan* before, const JournalSpan& after) {
  SpanDelta delta;
  delta.span_id = after.span.span_id;
  delta.revision = after.revision;
  if (before == nullptr) {
    delta.changed = kDeltaWhole | kDeltaResource | kDeltaScope;
    delta.resource = after.resource;
    delta.scope = after.scope;
    delta.span = after.span;
    return delta;
  }
  const otlp::Span& old = before->span;
  const otlp::Span& now = after.span;
  otlp::Span& out = delta.span;
  delta_field(before->resource, after.resource, delta.resource, kDeltaResource, delta);
  delta_field(before->scope, after.scope, delta.scope, kDeltaScope, delta);
  delta_field(old.trace_id, now.trace_id, out.trace_id, kDeltaTrace, delta);
  delta_field(old.parent_span_id, now.parent_span_id, out.parent_span_id, kDeltaParent, delta);
  delta_field(old.trace_state, now.trace_state, out.trace_state, kDeltaTraceState, delta);
  delta_field(old.flags, now.flags, out.flags, kDeltaFlags, delta);
  delta_field(old.name, now.name, out.name, kDeltaName, delta);
  delta_field(old.kind, now.kind, out.kind, kDeltaKind, delta);
  delta_field(old.start_ns, now.start_ns, out.start_ns, kDeltaStart, delta);
  delta_field(old.end_ns, now.end_ns, out.end_ns, kDeltaEnd, delta);
  delta_field(old.events, now.events, out.events, kDeltaEvents, delta);
  if (old.status_code != now.status_code || old.status_message != now.status_message) {
    delta.changed |= kDeltaStatus;
    out.status_code = now.status_code;
    out.status_message = now.status_message;
  }
  if (!same_dropped(old, now)) {
    delta.changed |= kDeltaDropped;
    out.dropped_attributes_count = now.dropped_attributes_count;
    out.dropped_events_count = now.dropped_events_count;
    out.dropped_links_count = now.dropped_links_count;
  }
  delta_attributes(old.attributes, now.attributes, delta);
  delta_links(old.links, now.links, delta);
  return delta;
}

Result<JournalSpan> apply_delta(std::optional<JournalSpan> before, SpanDelta delta) {
  if ((delta.changed & kDeltaWhole) != 0) {
    return JournalSpan{std::move(delta.resource), std::move(delta.scope), std::move(delta.span), delta.revision};
  }
  if (!before) {
    return {Code::corruption, "the log changes span " + otlp::to_hex(delta.span_id) +
                                  ", which the store does not have"};
  }
  JournalSpan& after = *before;
  otlp::Span& span = after.span;
  otlp::Span& from = delta.span;
  const auto has = [&delta](uint32_t bit) { return (delta.changed & bit) != 0; };
  after.revision = delta.revision;
  if (has(kDeltaResource)) after.resource = std::move(delta.resource);
  if (has(kDeltaScope)) after.scope = std::move(delta.scope);
  if (has(kDeltaTrace)) span.trace_id = from.trace_id;
  if (has(kDeltaParent)) span.parent_span_id = from.parent_span_id;
  if (has(kDeltaTraceState)) span.trace_state = std::move(from.trace_state);
  if (has(kDeltaFlags)) span.flags = from.flags;
  if (has(kDeltaName)) span.name = std::move(from.name);
  if (has(kDeltaKind)) span.kind = from.kind;
  if (has(kDeltaStart)) span.start_ns = from.start_ns;
  if (has(kDeltaEnd)) span.end_ns = from.end_ns;
  if (has(kDeltaEvents)) span.events = std::move(from.events);
  if (has(kDeltaStatus)) {
    span.status_code = from.status_code;
    span.status_message = std::move(from.status_message);
  }
  if (has(kDeltaDropped)) {
    span.dropped_attributes_count = from.dropped_attributes_count;
    span.dropped_events_count = from.dropped_events_count;
    span.dropped_links_count = from.dropped_links_count;
  }
  if (has(kDeltaAttributes)) apply_attributes(span.attributes, delta);
  if (has(kDeltaAllAttributes)) span.attributes = std::move(from.attributes);
  if (has(kDeltaAllLinks)) span.links = std::move(from.links);
  if (has(kDeltaLinksAdded)) {
    span.links.insert(span.links.end(), from.links.begin(), from.links.end());
  }
  return std::move(after);
}

EncodedDelta encode_delta(const SpanDelta& delta) {
  EncodedDelta encoded{delta.span_id, (delta.changed & kDeltaWhole) != 0, {}};
  RecordWriter writer(encoded.bytes);
  write_delta(delta, writer);
  return encoded;
}

Result<SpanDelta> decode_delta(const EncodedDelta& delta) {
  RecordReader reader(delta.bytes);
  CC_ASSIGN(SpanDelta decoded, read_delta(reader));
  decoded.span_id = delta.span_id;
  if (!reader.done() || delta.whole != ((decoded.changed & kDeltaWhole) != 0)) {
    return {Code::corruption,
            "the log has a change of span " + otlp::to_hex(delta.span_id) + " of a wrong length"};
  }
  return decoded;
}

std::string encode_work(const WorkRecord& record) {
  assert(record.rows.size() == record.deltas.size());
  std::string out;
  RecordWriter writer(out);
  writer.u8(record.replace_all ? 1 : 0);
  writer.i64(record.time_ns);
  writer.bytes(record.command_id);
  writer.bytes(record.result);
  writer.u32(record.event_count);
  writer.bytes(record.events);
  writer.u32(static_cast<uint32_t>(record.deltas.size()));
  for (const EncodedDelta& delta : record.deltas) {
    writer.id(delta.span_id);
    writer.u8(delta.whole ? 1 : 0);
    writer.bytes(delta.bytes);
  }
  for (const WorkRow& row : record.rows) write_row(row, writer);
  writer.u32(static_cast<uint32_t>(record.leases.size()));
  for (const LeaseRenewal& lease : record.leases) {
    writer.id(lease.span_id);
    writer.i64(lease.claim_token);
    writer.i64(lease.lease_end_ns);
    writer.u32(static_cast<uint32_t>(lease.heartbeats));
  }
  writer.u32(static_cast<uint32_t>(record.forwards.size()));
  for (const auto& [from, to] : record.forwards) {
    writer.id(from);
    writer.id(to);
  }
  const bool tallied = std::all_of(record.rows.begin(), record.rows.end(),
                                   [](const WorkRow& row) { return row.tallied; });
  if (tallied) write_tallies(record, writer);
  return out;
}

Result<WorkRecord> decode_work(std::string_view bytes) {
  WorkRecord record;
  RecordReader reader(bytes);
  record.replace_all = reader.u8() != 0;
  record.time_ns = reader.i64();
  record.command_id = reader.bytes();
  record.result = reader.bytes();
  record.event_count = reader.u32();
  record.events = reader.bytes();
  const uint32_t deltas = reader.count(8 + 1 + 4);
  for (uint32_t i = 0; i < deltas && reader.ok(); ++i) {
    EncodedDelta& delta = record.deltas.emplace_back();
    delta.span_id = reader.span_id();
    delta.whole = reader.u8() != 0;
    delta.bytes = reader.bytes();
  }
  for (uint32_t i = 0; i < deltas && reader.ok(); ++i) {
    record.rows.push_back(read_row(reader));
    if (record.rows.back().span_id != record.deltas[i].span_id) {
      return {Code::corruption, "a work transaction in the log has an index row of another span"};
    }
  }
  const uint32_t leases = reader.count(28);
  for (uint32_t i = 0; i < leases && reader.ok(); ++i) {
    const otlp::SpanId span_id = reader.span_id();
    const int64_t token = reader.i64();
    const int64_t end = reader.i64();
    record.leases.push_back({span_id, token, end, static_cast<int32_t>(reader.u32())});
  }
  const uint32_t forwards = reader.count(32);
  for (uint32_t i = 0; i < forwards && reader.ok(); ++i) {
    const otlp::TraceId from = reader.trace_id();
    record.forwards.emplace_back(from, reader.trace_id());
  }
  // Before sums were kept a record ended here; so it does where work keeps none.
  if (!reader.done()) read_tallies(reader, record);
  if (!reader.done()) return {Code::corruption, "a work transaction in the log has a wrong length"};
  return record;
}

Status verify_work(const WorkRecord& record) {
  CC_ASSIGN(const otlp::LogsData events, otlp::decode_logs_protobuf(record.events, kStoredLimits));
  if (events.record_count() != record.event_count) {
    return {Code::corruption, "a work transaction in the log has another count of events"};
  }
  for (const EncodedDelta& delta : record.deltas) CC_TRY(decode_delta(delta).status());
  return {};
}

}  // namespace contextcore::store
