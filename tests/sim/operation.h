#pragma once
// What clients of the simulated store do: work commands, received batches, and what is known of
// each. An operation has a number, and everything that it writes says that number, so that what is
// found in a store tells what was done.

#include <cstdint>
#include <string>
#include <vector>

#include "base/random.h"
#include "otlp/model.h"
#include "otlp/remote_write.h"
#include "store/store.h"

namespace contextcore::sim {

enum class OpKind : uint8_t {
  create,
  edit,
  pair,  // edits two tasks in one transaction
  claim,
  complete,
  comment,  // an event without a change of the span
  lease,    // a renewal without an event
  spans,
  logs,
  metrics,
};
constexpr bool is_work(OpKind kind) { return kind <= OpKind::lease; }

struct SpanKey {
  uint32_t trace = 0, span = 0;
  bool forged = false;  // of a task
  bool other_tenant = false;
  // Work is the default tenant's, so with others the ids of a task are ids like any.
  bool refused() const { return forged && !other_tenant; }
  auto operator<=>(const SpanKey&) const = default;
};
struct SampleKey {
  uint32_t host = 0, second = 0;
  bool other_tenant = false;
  auto operator<=>(const SampleKey&) const = default;
};

struct Op {
  uint32_t number = 0;
  OpKind kind = OpKind::create;
  uint32_t task = 0, second_task = 0;
  std::vector<SpanKey> spans;
  std::vector<SampleKey> samples;
  uint32_t lines = 0;  // of a batch of logs
  bool other_tenant = false;  // of spans and logs
  bool large = false;

  // What is known. Ticks count events of the whole run; 0: never.
  uint64_t first_start = 0, last_end = 0;  // of attempts
  uint64_t acked = 0;                      // the first acknowledgement
  uint64_t refused = 0;                    // for good: it never happened
  bool in_doubt = false;                   // an attempt failed and may have been written
  uint32_t running = 0;                    // attempts
  uint32_t copies_min = 0, copies_max = 0;  // of a batch of logs
  uint64_t sequence = 0;                   // when known
  uint64_t seen = 0;                       // by a reader whose read ended then
};

std::string command_id(const Op& op);
store::WorkPlan plan_of(const Op& op);
// The tenant whose name other_tenant stands for.
inline constexpr std::string_view kOtherTenant = "other";
inline std::string_view tenant_of(const Op& op) {
  return op.other_tenant || (!op.samples.empty() && op.samples.front().other_tenant) ? kOtherTenant : "";
}
otlp::TracesData spans_of(const Op& op);
otlp::LogsData logs_of(const Op& op);
otlp::RemoteWriteRequest metrics_of(const Op& op);

otlp::TraceId task_trace(uint32_t task);
otlp::SpanId task_span(uint32_t task);
otlp::TraceId received_trace(uint32_t trace);
otlp::SpanId received_span(uint32_t span);
// The number that an id was made of.
uint32_t number_of(const otlp::SpanId& id);
uint32_t number_of(const otlp::TraceId& id);

store::WorkHooks sim_hooks();

// "op 12/3": operation 12, its item 3.
std::string mark(uint32_t op, uint32_t item);
bool parse_mark(std::string_view text, uint32_t& op, uint32_t& item);
// The body of a log record: a mark, or a JSON object around it.
std::string line_of(uint32_t op, uint32_t item);
bool parse_line(std::string_view text, uint32_t& op, uint32_t& item);

}  // namespace contextcore::sim
