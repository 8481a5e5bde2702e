#include "sim/operation.h"

#include <charconv>

namespace contextcore::sim {
namespace {

constexpr size_t kLargeBytes = 20'000;

template <typename Id>
Id numbered(uint32_t number, uint8_t first) {
  Id id;
  id.bytes[0] = first;
  for (size_t i = 0; i < 4; ++i) {
    id.bytes[id.bytes.size() - 1 - i] = static_cast<uint8_t>(number >> (8 * i));
  }
  return id;
}

template <typename Id>
uint32_t number_in(const Id& id) {
  uint32_t number = 0;
  for (size_t i = 4; i-- > 0;) number = number << 8 | id.bytes[id.bytes.size() - 1 - i];
  return number;
}

store::JournalEvent event_of(const Op& op, uint32_t task, uint32_t item, const std::string& name) {
  store::JournalEvent event;
  event.resource.attributes = {{"service.name", "contextcore"}, {"project.id", "p"}};
  event.record.trace_id = task_trace(task);
  event.record.span_id = task_span(task);
  event.record.event_name = name;
  event.record.time_ns = 2'000'000'000 + op.number * 10 + item;
  event.record.body = line_of(op.number, item);
  if (op.large) event.record.attributes = {{"text", std::string(kLargeBytes, 'x')}};
  return event;
}

store::JournalSpan new_task(const Op& op) {
  store::JournalSpan span;
  span.resource.attributes = {{"service.name", "contextcore"}, {"project.id", "p"}};
  span.scope.name = "contextcore.tracker";
  span.revision = 1;
  span.span.trace_id = task_trace(op.task);
  span.span.span_id = task_span(op.task);
  if (op.task % 4 != 0) span.span.parent_span_id = task_span(op.task / 4 * 4);
  span.span.name = "contextcore.task.task";
  span.span.kind = otlp::SpanKind::internal;
  span.span.start_ns = 1'000'000'000 + op.task;
  span.span.attributes = {{"task.id", "T-" + std::to_string(op.task)},
                          {"title", std::to_string(op.number)},
                          {"last", std::to_string(op.number)}};
  return span;
}

Status change(const Op& op, uint32_t task, store::JournalSpan& span) {
  const std::string number = std::to_string(op.number);
  switch (op.kind) {
    case OpKind::claim:
      if (!otlp::find_string(span.span.attributes, "holder").empty()) {
        return {Code::conflict, "refused: claimed already"};
      }
      otlp::set(span.span.attributes, "holder", number);
      break;
    case OpKind::complete:
      if (span.span.end_ns != 0) return {Code::failed_precondition, "refused: completed already"};
      span.span.end_ns = 3'000'000'000 + op.number;
      break;
    default:
      otlp::set(span.span.attributes, "k" + std::to_string((op.number + task) % 3), number);
  }
  otlp::set(span.span.attributes, "last", number);
  ++span.revision;
  return {};
}

Result<store::WorkTransaction> plan_on(const Op& op, const store::WorkView& view) {
  store::WorkTransaction transaction;
  transaction.result = mark(op.number, 0);
  const store::WorkRow* row = view.index().find(task_span(op.task));
  if (op.kind == OpKind::create) {
    if (row != nullptr) return {Code::already_exists, "refused: the task exists"};
    transaction.spans = {new_task(op)};
    transaction.events = {event_of(op, op.task, 0, "created")};
    return transaction;
  }
  if (row == nullptr) return {Code::not_found, "refused: no such task"};
  if (op.kind == OpKind::lease) {
    if (row->claim_token == 0) return {Code::failed_precondition, "refused: not claimed"};
    transaction.leases = {{row->span_id, row->claim_token, row->lease_end_ns + 1, row->heartbeats + 1}};
    return transaction;
  }
  std::vector<uint32_t> tasks{op.task};
  if (op.kind == OpKind::pair && op.second_task != op.task) tasks.push_back(op.second_task);
  for (const uint32_t task : tasks) {
    CC_ASSIGN(auto span, view.span(task_span(task)));
    if (!span) return {Code::not_found, "refused: no such task"};
    const auto item = static_cast<uint32_t>(transaction.events.size());
    transaction.events.push_back(event_of(op, task, item, "changed"));
    if (op.kind == OpKind::comment) continue;
    CC_TRY(change(op, task, *span));
    transaction.spans.push_back(std::move(*span));
  }
  return transaction;
}

}  // namespace

otlp::TraceId task_trace(uint32_t task) { return numbered<otlp::TraceId>(task % 5, 0x70); }
otlp::SpanId task_span(uint32_t task) { return numbered<otlp::SpanId>(task, 0x50); }
otlp::TraceId received_trace(uint32_t trace) { return numbered<otlp::TraceId>(trace, 0x71); }
otlp::SpanId received_span(uint32_t span) { return numbered<otlp::SpanId>(span, 0x51); }
uint32_t number_of(const otlp::SpanId& id) { return number_in(id); }
uint32_t number_of(const otlp::TraceId& id) { return number_in(id); }

std::string command_id(const Op& op) { return "command-" + std::to_string(op.number); }

store::WorkPlan plan_of(const Op& op) {
  return [op](const store::WorkView& view) { return plan_on(op, view); };
}

otlp::TracesData spans_of(const Op& op) {
  otlp::TracesData data;
  data.resource_spans.emplace_back();
  data.resource_spans[0].resource.attributes = {{"service.name", "shop"}};
  data.resource_spans[0].scope_spans.emplace_back();
  for (const SpanKey& key : op.spans) {
    otlp::Span span;
    span.trace_id = key.forged ? task_trace(key.span) : received_trace(key.trace);
    span.span_id = key.forged ? task_span(key.span) : received_span(key.span);
    span.name = mark(op.number, 0);
    span.kind = otlp::SpanKind::server;
    span.start_ns = 1'000'000 + op.number * 100 + key.span;
    span.end_ns = span.start_ns + 50;
    span.attributes = {{"op", static_cast<int64_t>(op.number)}};
    if (op.large) otlp::set(span.attributes, "text", std::string(kLargeBytes, 'y'));
    data.resource_spans[0].scope_spans[0].spans.push_back(std::move(span));
  }
  return data;
}

otlp::LogsData logs_of(const Op& op) {
  otlp::LogsData data;
  data.resource_logs.emplace_back();
  data.resource_logs[0].resource.attributes = {
      {"service.name", op.number % 2 == 0 ? "shop" : "till"}};
  data.resource_logs[0].scope_logs.emplace_back();
  for (uint32_t line = 0; line < op.lines; ++line) {
    otlp::LogRecord record;
    record.time_ns = 5'000'000 + (op.number * 7919) % 1000 * 10 + line;
    record.body = line_of(op.number, line);
    if (op.large) record.attributes = {{"text", std::string(kLargeBytes, 'z')}};
    data.resource_logs[0].scope_logs[0].records.push_back(std::move(record));
  }
  return data;
}

otlp::RemoteWriteRequest metrics_of(const Op& op) {
  otlp::RemoteWriteRequest request;
  for (const SampleKey& key : op.samples) {
    request.series.push_back(
        {{{"__name__", "m"}, {"host", std::to_string(key.host)}},
         {{static_cast<double>(op.number), static_cast<int64_t>(key.second) * 1000}},
         0,
         0});
  }
  return request;
}

store::WorkHooks sim_hooks() {
  store::WorkHooks hooks;
  hooks.row = [](const store::JournalSpan& span) {
    store::WorkRow row;
    row.span_id = span.span.span_id;
    row.trace_id = span.span.trace_id;
    row.parent_span_id = span.span.parent_span_id;
    row.revision = span.revision;
    row.start_ns = static_cast<int64_t>(span.span.start_ns);
    row.end_ns = static_cast<int64_t>(span.span.end_ns);
    row.id = otlp::find_string(span.span.attributes, "task.id");
    row.project = "p";
    row.claimed_by = otlp::find_string(span.span.attributes, "holder");
    row.claim_token = row.claimed_by.empty() ? 0 : 7;
    row.lease_end_ns = row.claimed_by.empty() ? 0 : 1;
    return row;
  };
  hooks.tally = [](const store::WorkRow& row) {
    store::WorkTally tally;
    tally.count = 1;
    tally.done = row.end_ns != 0 ? 1 : 0;
    tally.open = 1 - tally.done;
    return tally;
  };
  hooks.compute = [](otlp::Span& span, const store::WorkRow&, int64_t) {
    otlp::set(span.attributes, "contextcore.open", span.end_ns == 0);
  };
  hooks.computed_keys = {"contextcore.open"};
  hooks.event = [](const otlp::LogRecord& record) -> std::optional<otlp::SpanEvent> {
    otlp::SpanEvent event;
    event.name = record.event_name;
    event.time_ns = record.time_ns;
    return event;
  };
  hooks.refuse_span = [](const otlp::Resource&, const otlp::Scope&, const otlp::SpanView&,
                         bool owned) -> std::optional<std::string> {
    if (owned) return "task state changes through the work API";
    return std::nullopt;
  };
  return hooks;
}

std::string line_of(uint32_t op, uint32_t item) {
  const std::string of = mark(op, item);
  switch ((op + item) % 3) {
    case 0:
      return of;
    case 1:
      return "{\"mark\":\"" + of + "\",\"n\":" + std::to_string(item) + "}";
    default:
      return "{\"mark\": \"" + of + "\", \"odd\": 1.0}";
  }
}

bool parse_line(std::string_view text, uint32_t& op, uint32_t& item) {
  constexpr size_t kCompact = 9, kSpaced = 10;  // what stands before the mark
  std::string_view of = text;
  if (text.starts_with("{")) {
    of.remove_prefix(std::min(text.size(), text.starts_with("{\"mark\": ") ? kSpaced : kCompact));
    of = of.substr(0, of.find('"'));
  }
  return parse_mark(of, op, item) && text == line_of(op, item);
}

std::string mark(uint32_t op, uint32_t item) {
  return "op " + std::to_string(op) + "/" + std::to_string(item);
}

bool parse_mark(std::string_view text, uint32_t& op, uint32_t& item) {
  if (!text.starts_with("op ")) return false;
  const char* end = text.data() + text.size();
  const auto first = std::from_chars(text.data() + 3, end, op);
  if (first.ec != std::errc() || first.ptr == end || *first.ptr != '/') return false;
  const auto second = std::from_chars(first.ptr + 1, end, item);
  return second.ec == std::errc() && second.ptr == end;
}

}  // namespace contextcore::sim
