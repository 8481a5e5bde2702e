#pragma once
// The part of a frame that a work command writes: its log events, and its spans as deltas against
// the revision before, so that a comment on a big task does not write its description again.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "otlp/protobuf.h"
#include "store/journal.h"
#include "store/work_tally.h"

namespace contextcore::store {

// What is in the log was checked when it came in; replay must not be stricter than that was.
inline constexpr otlp::DecodeLimits kStoredLimits{.value_depth_max = 512};

// What changed of one span. Applied to the row that the state before the frame has.
struct SpanDelta {
  otlp::SpanId span_id;
  int64_t revision = 0;
  uint32_t changed = 0;              // SpanDeltaField bits
  std::vector<std::string> removed;  // attribute keys
  otlp::Resource resource;           // when changed
  otlp::Scope scope;                 // when changed
  otlp::Span span;                   // only the changed fields are set
};

enum SpanDeltaField : uint32_t {
  kDeltaWhole = 1u << 0,  // every field, against nothing
  kDeltaResource = 1u << 1,
  kDeltaScope = 1u << 2,
  kDeltaTrace = 1u << 3,
  kDeltaParent = 1u << 4,
  kDeltaTraceState = 1u << 5,
  kDeltaFlags = 1u << 6,
  kDeltaName = 1u << 7,
  kDeltaKind = 1u << 8,
  kDeltaStart = 1u << 9,
  kDeltaEnd = 1u << 10,
  kDeltaAttributes = 1u << 11,     // changed and added ones; removed holds the rest
  kDeltaAllAttributes = 1u << 12,  // the whole list (its order changed)
  kDeltaLinksAdded = 1u << 13,
  kDeltaAllLinks = 1u << 14,
  kDeltaStatus = 1u << 15,  // code and message
  kDeltaEvents = 1u << 16,
  kDeltaDropped = 1u << 17,  // the three dropped counts
};

SpanDelta make_delta(const JournalSpan* before, const JournalSpan& after);
// corruption: a partial delta without a row to apply it to.
Result<JournalSpan> apply_delta(std::optional<JournalSpan> before, SpanDelta delta);

// A delta as the frame has it, to be decoded when its span is asked for.
struct EncodedDelta {
  otlp::SpanId span_id;
  bool whole = false;  // needs no row to be applied to
  std::string bytes;
};
EncodedDelta encode_delta(const SpanDelta& delta);
Result<SpanDelta> decode_delta(const EncodedDelta& delta);

struct WorkRecord {
  std::string command_id;
  std::string result;
  int64_t time_ns = 0;
  std::string events;  // OTLP logs in protobuf
  uint32_t event_count = 0;
  std::vector<EncodedDelta> deltas;
  // The index rows that the deltas lead to, in their order: whoever replays the log knows the index
  // without reading the spans that the deltas change.
  std::vector<WorkRow> rows;
  // New sums over children of rows that are not in rows.
  std::vector<TallyChange> tallies;
  std::vector<LeaseRenewal> leases;
  std::vector<std::pair<otlp::TraceId, otlp::TraceId>> forwards;
  bool replace_all = false;  // journal spans that are not in deltas cease to be
};

std::string encode_work(const WorkRecord& record);
// Leaves the events and deltas encoded; verify_work decodes them, too.
Result<WorkRecord> decode_work(std::string_view bytes);
Status verify_work(const WorkRecord& record);

}  // namespace contextcore::store
