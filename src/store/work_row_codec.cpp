#include "store/work_row_codec.h"

#include <tuple>

#include "store/column_value.h"
#include "store/rows_spans.h"

namespace contextcore::store {
namespace {

constexpr uint8_t kNotTallied = 0, kNothingBelow = 1, kTallied = 2;

}  // namespace

void append_work_record(const WorkRow& row, uint32_t heap_offset, uint32_t heap_length,
                   std::string& out) {
  append_u64(number_of(row.span_id), out);
  out.append(bytes_of(row.trace_id));
  append_u64(number_of(row.parent_span_id), out);
  out += static_cast<char>(row.kind);
  out += static_cast<char>(row.status);
  out += static_cast<char>(row.priority);
  out += static_cast<char>(row.flags);
  append_u32(static_cast<uint32_t>(row.child_count), out);
  append_u32(static_cast<uint32_t>(row.open_child_count), out);
  append_u32(static_cast<uint32_t>(row.waiting_count), out);
  for (const int64_t number : {row.revision, row.start_ns, row.end_ns, row.updated_ns, row.due_ns,
                               row.defer_until_ns, row.claim_token, row.lease_end_ns}) {
    append_u64(static_cast<uint64_t>(number), out);
  }
  append_u32(heap_offset, out);
  append_u32(heap_length, out);
}

void append_work_heap(const WorkRow& row, std::string& out) {
  for (const std::string* text :
       {&row.id, &row.project, &row.type, &row.assignee, &row.claimed_by, &row.claim_session}) {
    append_string(*text, out);
  }
  append_varint(row.depends_on.size(), out);
  for (const WorkEdge& edge : row.depends_on) {
    append_u64(number_of(edge.target), out);
    out += static_cast<char>(edge.when);
  }
  append_varint(static_cast<uint32_t>(row.heartbeats), out);
  append_varint(static_cast<uint64_t>(row.points), out);
  append_string(row.sprint, out);
  append_string(row.status_name, out);
  const bool told = row.tallied && !(row.below == WorkTally());
  out += static_cast<char>(!row.tallied ? kNotTallied : told ? kTallied : kNothingBelow);
  if (!told) return;
  std::apply([&](const auto&... sum) { (append_varint(static_cast<uint64_t>(sum), out), ...); },
             WorkTally::fields(row.below));
}

bool read_work_row(std::string_view record, std::string_view heap, WorkRow& row) {
  ByteReader reader(record);
  row.span_id = span_id_of(reader.u64());
  row.trace_id = trace_id_of(reader.take(16));
  row.parent_span_id = span_id_of(reader.u64());
  row.kind = static_cast<WorkKind>(reader.u8());
  row.status = reader.u8();
  row.priority = reader.u8();
  row.flags = reader.u8();
  row.child_count = static_cast<int32_t>(reader.u32());
  row.open_child_count = static_cast<int32_t>(reader.u32());
  row.waiting_count = static_cast<int32_t>(reader.u32());
  for (int64_t* number : {&row.revision, &row.start_ns, &row.end_ns, &row.updated_ns, &row.due_ns,
                          &row.defer_until_ns, &row.claim_token, &row.lease_end_ns}) {
    *number = static_cast<int64_t>(reader.u64());
  }
  const uint32_t offset = reader.u32();
  const uint32_t length = reader.u32();
  if (!reader.ok() || offset > heap.size() || length > heap.size() - offset) return false;
  ByteReader rest(heap.substr(offset, length));
  for (std::string* text :
       {&row.id, &row.project, &row.type, &row.assignee, &row.claimed_by, &row.claim_session}) {
    *text = rest.string();
  }
  const uint64_t edges = rest.count(9);
  for (uint64_t i = 0; i < edges; ++i) {
    WorkEdge& edge = row.depends_on.emplace_back();
    edge.target = span_id_of(rest.u64());
    edge.when = rest.u8();
  }
  row.heartbeats = static_cast<int32_t>(rest.varint());
  row.points = static_cast<int64_t>(rest.varint());
  row.sprint = rest.string();
  row.status_name = rest.string();
  const uint8_t tallied = rest.u8();
  row.tallied = tallied != kNotTallied;
  if (tallied == kTallied) {
    std::apply([&](auto&... sum) { ((sum = static_cast<int64_t>(rest.varint())), ...); },
               WorkTally::fields(row.below));
  }
  return rest.ok() && rest.at_end() && tallied <= kTallied;
}

}  // namespace contextcore::store
