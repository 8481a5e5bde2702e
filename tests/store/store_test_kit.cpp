#include "store/store_test_kit.h"

#include <algorithm>
#include <cstdlib>

namespace contextcore::store::test {
namespace {

template <typename Id>
Id numbered(uint32_t number, uint8_t first) {
  Id id;
  id.bytes[0] = first;
  for (size_t i = 0; i < 4; ++i) {
    id.bytes[id.bytes.size() - 1 - i] = static_cast<uint8_t>(number >> (8 * i));
  }
  return id;
}

// Without what depends on the moment: an open span ends now.
std::string dump_trace(otlp::TracesData trace) {
  std::string text;
  for (otlp::ResourceSpans& resource : trace.resource_spans) {
    for (otlp::ScopeSpans& scope : resource.scope_spans) {
      for (otlp::Span& span : scope.spans) {
        const otlp::Value* open = otlp::find(span.attributes, "contextcore.open");
        if (open != nullptr && *open == otlp::Value(true)) span.end_ns = 0;
      }
    }
  }
  return otlp::encode_protobuf(trace) + "\n";
}

}  // namespace

otlp::TraceId trace_id(uint32_t number) { return numbered<otlp::TraceId>(number, 0x70); }
otlp::SpanId span_id(uint32_t number) { return numbered<otlp::SpanId>(number, 0x50); }

WorkHooks small_hooks() {
  WorkHooks hooks;
  hooks.row = [](const JournalSpan& span) {
    WorkRow row;
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
    return row;
  };
  hooks.compute = [](otlp::Span& span, const WorkRow& row, int64_t now_ns) {
    otlp::set(span.attributes, "contextcore.open", span.end_ns == 0);
    if (row.lease_end_ns > now_ns) otlp::set(span.attributes, "leased", true);
  };
  hooks.computed_keys = {"contextcore.open", "leased"};
  hooks.event = [](const otlp::LogRecord& record) -> std::optional<otlp::SpanEvent> {
    if (record.event_name.empty()) return std::nullopt;
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

namespace {

class IdleExecutor : public Executor {
 public:
  void post(std::function<void()>) override {}
  void post_after(int64_t, std::function<void()>) override {}
  void stop() override {}
};

}  // namespace

std::unique_ptr<Executor> idle_executor() { return std::make_unique<IdleExecutor>(); }

Machine::Machine(uint64_t seed) : random(seed), disk(seed, &clock) { clock.set_boot_id("boot-1"); }

SimFileSystem& Machine::process() {
  processes_.push_back(disk.start_process());
  return *processes_.back();
}

uint64_t crash_step() {
  const char* text = std::getenv("CONTEXTCORE_CRASH_STEP");
  return text != nullptr ? std::max<uint64_t>(1, std::strtoull(text, nullptr, 10)) : 1;
}

StoreOptions Machine::options(SimFileSystem& process, StoreMode mode) {
  StoreOptions options;
  options.path = kPath;
  options.mode = mode;
  options.hooks = small_hooks();
  options.file_system = &process;
  options.clock = &clock;
  options.random = &random;
  return options;
}

std::unique_ptr<Store> Machine::open(StoreMode mode) { return open(options(process(), mode)); }

std::unique_ptr<Store> Machine::open(const StoreOptions& options) {
  auto store = Store::open(options);
  EXPECT_TRUE(store.ok()) << (store.ok() ? "" : store.error().to_string());
  return store.ok() ? std::move(store).value() : nullptr;
}

void Machine::power_failure(uint64_t seed) {
  if (!disk.is_down()) disk.crash(seed);
  disk.clear_faults();
  disk.reboot();
  clock.set_boot_id("boot-" + std::to_string(++boots_));
}

// ---- work
// -------------------------------------------------------------------------------------------

JournalSpan task_span(uint32_t number, const std::string& title) {
  JournalSpan span;
  span.resource.attributes = {{"service.name", "contextcore"}, {"project.id", "p"}};
  span.scope.name = "contextcore.tracker";
  span.revision = 1;
  span.span.trace_id = trace_id(number);
  span.span.span_id = span_id(number);
  span.span.name = "contextcore.task.task";
  span.span.kind = otlp::SpanKind::internal;
  span.span.start_ns = 1'000'000 + number;
  span.span.attributes = {{"task.id", "T-" + std::to_string(number)}, {"task.title", title}};
  return span;
}

JournalEvent task_event(uint32_t number, const std::string& name, const std::string& text) {
  JournalEvent event;
  event.resource.attributes = {{"service.name", "contextcore"}, {"project.id", "p"}};
  event.record.trace_id = trace_id(number);
  event.record.span_id = span_id(number);
  event.record.event_name = name;
  event.record.time_ns = 2'000'000 + number;
  event.record.body = name + " " + std::to_string(number) + " " + text;
  return event;
}

WorkPlan create_task(uint32_t number, const std::string& title) {
  return [=](const WorkView& view) -> Result<WorkTransaction> {
    if (view.index().find(span_id(number)) != nullptr) {
      return {Code::already_exists, "the task exists"};
    }
    WorkTransaction transaction;
    transaction.spans = {task_span(number, title)};
    transaction.events = {task_event(number, "created", title)};
    transaction.result = "created " + title;
    return transaction;
  };
}

WorkPlan edit_task(uint32_t number, const std::string& key, const std::string& value) {
  return [=](const WorkView& view) -> Result<WorkTransaction> {
    CC_ASSIGN(auto span, view.span(span_id(number)));
    if (!span) return {Code::not_found, "no such task"};
    otlp::set(span->span.attributes, key, value);
    ++span->revision;
    WorkTransaction transaction;
    transaction.spans = {*span};
    transaction.events = {task_event(number, "edited", key + "=" + value)};
    transaction.result = key + "=" + value;
    return transaction;
  };
}

WorkPlan comment(uint32_t number, const std::string& text) {
  return [=](const WorkView&) -> Result<WorkTransaction> {
    WorkTransaction transaction;
    transaction.events = {task_event(number, "commented", text)};
    return transaction;
  };
}

WorkPlan claim_task(uint32_t number, const std::string& who) {
  return [=](const WorkView& view) -> Result<WorkTransaction> {
    const WorkRow* row = view.index().find(span_id(number));
    if (row == nullptr) return {Code::not_found, "no such task"};
    if (!row->claimed_by.empty()) return {Code::conflict, "claimed by " + row->claimed_by};
    return edit_task(number, "holder", who)(view);
  };
}

// ---- received
// ---------------------------------------------------------------------------------------

otlp::TracesData one_span(uint32_t trace, uint32_t span, const std::string& name, uint64_t start_ns,
                          uint64_t end_ns) {
  otlp::Span item;
  item.trace_id = trace_id(trace);
  item.span_id = span_id(span);
  item.name = name;
  item.kind = otlp::SpanKind::server;
  item.start_ns = start_ns;
  item.end_ns = end_ns;
  otlp::TracesData data;
  data.resource_spans.emplace_back();
  data.resource_spans[0].resource.attributes = {{"service.name", "shop"}};
  data.resource_spans[0].scope_spans.emplace_back();
  data.resource_spans[0].scope_spans[0].spans = {item};
  return data;
}

otlp::TracesData half_forged() {
  otlp::TracesData data = one_span(1, 1, "forged");
  data.resource_spans[0].scope_spans[0].spans.push_back(
      one_span(1, 9, "honest").resource_spans[0].scope_spans[0].spans[0]);
  return data;
}

otlp::LogsData one_log(const std::string& service, uint64_t time_ns, const std::string& line) {
  otlp::LogRecord record;
  record.time_ns = time_ns;
  record.body = line;
  otlp::LogsData data;
  data.resource_logs.emplace_back();
  data.resource_logs[0].resource.attributes = {{"service.name", service}};
  data.resource_logs[0].scope_logs.emplace_back();
  data.resource_logs[0].scope_logs[0].records = {record};
  return data;
}

otlp::RemoteWriteRequest one_sample(const std::string& name, const std::string& host, int64_t time_ms,
                                    double value) {
  otlp::RemoteWriteRequest request;
  request.series.push_back({{{"__name__", name}, {"host", host}}, {{value, time_ms}}, 0, 0});
  return request;
}

std::string metrics(Store& store, const std::string& tenant, int64_t start_ms, int64_t end_ms) {
  const auto read = store.read();
  EXPECT_TRUE(read.ok()) << (read.ok() ? "" : read.error().to_string());
  if (!read.ok()) return {};
  MetricRequest request;
  request.start_ms = start_ms;
  request.end_ms = end_ms;
  const auto found = read->metrics->tenant(tenant)->select(request);
  EXPECT_TRUE(found.ok()) << (found.ok() ? "" : found.error().to_string());
  if (!found.ok()) return {};
  std::vector<std::string> all;
  for (const MetricSeries& series : *found) {
    std::string line;
    for (const auto& [name, value] : series.labels) line += name + "=" + value + ",";
    for (const SampleRun& run : series.runs) {
      for (int64_t i = 0; i < run.count; ++i) {
        line += " " + std::to_string(run.start_ms + i * run.step_ms) + "=" +
                (is_stale_marker(run.value) ? "stale" : std::to_string(run.value));
      }
    }
    all.push_back(std::move(line));
  }
  std::sort(all.begin(), all.end());
  std::string text;
  for (const std::string& line : all) text += line + "\n";
  return text;
}

// ---- looking
// ----------------------------------------------------------------------------------------

std::shared_ptr<const Source> source(Store& store) {
  auto read = store.read();
  EXPECT_TRUE(read.ok()) << (read.ok() ? "" : read.error().to_string());
  return read.ok() ? read->source : nullptr;
}

std::shared_ptr<const WorkView> work(Store& store) {
  auto read = store.read();
  EXPECT_TRUE(read.ok()) << (read.ok() ? "" : read.error().to_string());
  return read.ok() ? read->work : nullptr;
}

std::string attribute(const otlp::Span& span, const std::string& key) {
  return std::string(otlp::find_string(span.attributes, key));
}

JournalSpan task(Store& store, uint32_t number) {
  auto span = work(store)->span(span_id(number));
  EXPECT_TRUE(span.ok() && *span) << "task " << number;
  return span.ok() && *span ? **span : JournalSpan{};
}

std::vector<std::string> lines(const Source& source) {
  LogFetchRequest request;
  request.backward = false;
  auto entries = source.fetch_logs(request);
  EXPECT_TRUE(entries.ok());
  std::vector<std::string> result;
  LogEntry entry;
  while (entries.ok()) {
    const auto more = (*entries)->next(entry);
    EXPECT_TRUE(more.ok());
    if (!more.ok() || !*more) break;
    result.emplace_back(entry.line);
  }
  return result;
}

std::vector<std::string> span_names(const Source& source, const FetchRequest& request) {
  auto traces = source.fetch(request);
  EXPECT_TRUE(traces.ok());
  std::vector<std::string> result;
  while (traces.ok()) {
    const auto trace = (*traces)->next();
    EXPECT_TRUE(trace.ok());
    if (!trace.ok() || *trace == nullptr) break;
    for (size_t i = 0; i < (*trace)->span_count(); ++i) {
      result.push_back(otlp::to_hex((*trace)->trace_id()).substr(26) + "/" +
                       std::string((*trace)->core(i).name));
    }
  }
  return result;
}

std::string dump(Store& store) {
  const auto read = store.read();
  EXPECT_TRUE(read.ok()) << (read.ok() ? "" : read.error().to_string());
  if (!read.ok()) return {};
  std::string text;
  auto traces = read->source->fetch({});
  EXPECT_TRUE(traces.ok());
  while (traces.ok()) {
    const auto view = (*traces)->next();
    EXPECT_TRUE(view.ok()) << (view.ok() ? "" : view.error().to_string());
    if (!view.ok() || *view == nullptr) break;
    const auto trace = read->source->trace((*view)->trace_id());
    EXPECT_TRUE(trace.ok() && *trace);
    if (trace.ok() && *trace) text += dump_trace(**trace);
  }
  for (const std::string& line : lines(*read->source)) text += line + "\n";
  text += metrics(store) + metrics(store, "other");
  read->work->index().scan([&text](const WorkRow& row) {
    text += otlp::to_hex(row.span_id) + " " + std::to_string(row.revision) + " " + row.claimed_by +
            " " + std::to_string(row.lease_end_ns) + "\n";
    return true;
  });
  return text;
}

}  // namespace contextcore::store::test
