#include "sim/observe.h"

#include <algorithm>
#include <set>

#include "otlp/protobuf.h"
#include "store/arrivals.h"
#include "store/metric_source.h"

namespace contextcore::sim {
namespace {

void complain(Seen& seen, const std::string& what) {
  if (seen.nonsense.empty()) seen.nonsense = what;
}

Status observe_lines(const store::Source& source, bool other, Seen& seen) {
  store::LogFetchRequest request;
  request.after_sequence = 0;
  CC_ASSIGN(const auto entries, source.fetch_logs(request));
  store::LogEntry entry;
  uint64_t before = 0;
  for (;;) {
    CC_ASSIGN(const bool more, entries->next(entry));
    if (!more) return {};
    SeenLine line;
    line.sequence = entry.sequence;
    line.journal = entry.journal;
    line.other_tenant = other;
    if (!parse_line(entry.line, line.op, line.item)) {
      complain(seen, "a strange log line: " + std::string(entry.line));
    }
    if (before > line.sequence) complain(seen, "log lines out of the order of arrival");
    before = line.sequence;
    seen.lines.push_back(line);
  }
}

Status observe_received(const store::Source& source, Seen& seen) {
  store::ArrivalPlace place;
  for (;;) {
    CC_ASSIGN(const auto pass, store::arrived_spans(source, place));
    store::ArrivedSpan arrived;
    for (;;) {
      CC_ASSIGN(const bool more, pass->next(arrived));
      if (!more) break;
      SpanKey key{number_of(arrived.span.trace_id), number_of(arrived.span.span_id)};
      key.forged = arrived.span.span_id == task_span(key.span);
      key.other_tenant = arrived.tenant == kOtherTenant;
      if (!key.other_tenant && !arrived.tenant.empty()) complain(seen, "a span of an unknown tenant");
      SeenSpan span;
      uint32_t item = 0;
      if (!parse_mark(arrived.span.name, span.op, item)) complain(seen, "a strange span");
      span.sequence = arrived.place.sequence;
      if (!seen.spans.emplace(key, span).second) {
        complain(seen, "two rows of received span " + std::to_string(key.span));
      }
    }
    if (pass->end() == place) return {};
    place = pass->end();
  }
}

// The columns tell the same as the arrivals and the index.
Status observe_traces(const store::Source& source, bool other, std::set<SpanKey>& received,
                      std::set<uint32_t>& tasks, Seen& seen) {
  store::FetchRequest request;
  request.columns = {{store::ColumnScope::span, "op"}, {store::ColumnScope::span, "last"}};
  request.with_events = true;
  CC_ASSIGN(const auto traces, source.fetch(request));
  std::vector<otlp::TraceId> ids;
  for (;;) {
    CC_ASSIGN(const store::TraceView* view, traces->next());
    if (view == nullptr) break;
    ids.push_back(view->trace_id());
    for (size_t i = 0; i < view->span_count(); ++i) {
      const store::SpanCore& core = view->core(i);
      const uint32_t number = number_of(core.span_id);
      if (core.journal) {
        if (!tasks.insert(number).second) complain(seen, "two rows of task " + std::to_string(number));
        const auto task = seen.tasks.find(number);
        if (task == seen.tasks.end() || task->second.attributes["last"] != view->cell(i, 1).string) {
          complain(seen, "the columns and the index differ on task " + std::to_string(number));
        } else if (task->second.events.size() != view->event_count(i)) {
          complain(seen, "the columns and the log differ on events of task " + std::to_string(number));
        }
        continue;
      }
      SpanKey key{number_of(view->trace_id()), number};
      key.forged = core.span_id == task_span(number);
      key.other_tenant = other;
      if (!received.insert(key).second) complain(seen, "two revisions of a received span");
      const auto arrived = seen.spans.find(key);
      if (arrived == seen.spans.end() || arrived->second.op != view->cell(i, 0).integer) {
        complain(seen, "the columns and the arrivals differ on span " + std::to_string(number));
      }
    }
  }
  std::sort(ids.begin(), ids.end());
  for (const otlp::TraceId& id : ids) {
    CC_ASSIGN(auto trace, source.trace(id));
    if (!trace) {
      complain(seen, "a trace that fetch gives is not found");
      continue;
    }
    for (otlp::ResourceSpans& resource : trace->resource_spans) {
      for (otlp::ScopeSpans& scope : resource.scope_spans) {
        for (otlp::Span& span : scope.spans) {
          const otlp::Value* open = otlp::find(span.attributes, "contextcore.open");
          if (open != nullptr && *open == otlp::Value(true)) span.end_ns = 0;  // else: now
        }
      }
    }
    seen.traces.push_back(otlp::encode_protobuf(*trace));
  }
  return {};
}

// Spans one at a time are those that traces have.
Status observe_spans(const store::Source& source, bool other, const std::set<SpanKey>& received,
                     const std::set<uint32_t>& tasks, Seen& seen) {
  store::FetchRequest request;
  request.columns = {{store::ColumnScope::span, "op"}};
  CC_ASSIGN(const auto views, source.fetch_spans(request));
  size_t received_found = 0, tasks_found = 0;
  for (;;) {
    CC_ASSIGN(const store::TraceView* view, views->next());
    if (view == nullptr) break;
    for (size_t i = 0; i < view->span_count(); ++i) {
      const store::SpanCore& core = view->core(i);
      const uint32_t number = number_of(core.span_id);
      if (core.journal) {
        ++tasks_found;
        if (!tasks.contains(number)) complain(seen, "task " + std::to_string(number) + " is a span of no trace");
        continue;
      }
      ++received_found;
      SpanKey key{number_of(view->trace_id()), number};
      key.forged = core.span_id == task_span(number);
      key.other_tenant = other;
      const auto arrived = seen.spans.find(key);
      if (!received.contains(key) || arrived->second.op != view->cell(i, 0).integer) {
        complain(seen, "spans and traces differ on span " + std::to_string(number));
      }
    }
  }
  const auto of_this = std::count_if(received.begin(), received.end(),
                                     [&](const SpanKey& key) { return key.other_tenant == other; });
  if (received_found != static_cast<size_t>(of_this)) complain(seen, "other spans are found alone than in traces");
  if (tasks_found != (other ? 0 : tasks.size())) complain(seen, "other tasks are found alone than in traces");
  return {};
}

Status observe_tasks(const store::WorkView& view, Seen& seen) {
  std::vector<store::WorkRow> rows;
  view.index().scan([&](const store::WorkRow& row) {
    rows.push_back(row);
    return true;
  });
  CC_TRY(view.index().status());
  for (const store::WorkRow& row : rows) {
    const uint32_t number = number_of(row.span_id);
    const std::string name = "task " + std::to_string(number);
    CC_ASSIGN(const auto span, view.span(row.span_id));
    CC_ASSIGN(const auto events, view.events(row.span_id));
    if (!span) {
      complain(seen, name + " has an index row and no span");
      continue;
    }
    SeenTask task;
    task.revision = span->revision;
    task.end_ns = span->span.end_ns;
    task.lease_end_ns = row.lease_end_ns;
    for (const auto& attribute : span->span.attributes) {
      task.attributes[attribute.key] = otlp::find_string(span->span.attributes, attribute.key);
    }
    if (row.revision != span->revision || row.claimed_by != task.attributes["holder"] ||
        row.end_ns != static_cast<int64_t>(task.end_ns)) {
      complain(seen, name + ": index row and span differ");
    }
    for (const otlp::LogRecord& event : events) {
      std::pair<uint32_t, uint32_t> which;
      const std::string* body = event.body.as_string();
      if (body == nullptr || !parse_line(*body, which.first, which.second)) {
        complain(seen, name + " has a strange event");
      }
      task.events.push_back(which);
    }
    store::WorkTally sum;
    for (const store::WorkRow* child : view.index().children(row.span_id)) {
      ++sum.count;
      ++(child->end_ns != 0 ? sum.done : sum.open);
    }
    const store::WorkTally* kept = view.index().tally(row.span_id);
    CC_TRY(view.index().status());
    if (kept != nullptr && !(*kept == sum)) complain(seen, name + ": wrong sums of its children");
    if (!seen.tasks.emplace(number, std::move(task)).second) complain(seen, name + " twice");
  }
  return {};
}

Status observe_metrics(const store::ReceivedMetrics& metrics, Seen& seen) {
  for (const bool other : {false, true}) {
    CC_ASSIGN(const auto found, metrics.tenant(other ? kOtherTenant : "")->select({}));
    for (const store::MetricSeries& series : found) {
      SampleKey key;
      key.other_tenant = other;
      for (const auto& [name, value] : series.labels) {
        if (name == "host") key.host = static_cast<uint32_t>(std::stoul(value));
      }
      for (const store::SampleRun& run : series.runs) {
        for (int64_t i = 0; i < run.count; ++i) {
          key.second = static_cast<uint32_t>((run.start_ms + i * run.step_ms) / 1000);
          if (!seen.samples.emplace(key, static_cast<uint32_t>(run.value)).second) {
            complain(seen, "two samples of one series at one time");
          }
        }
      }
    }
  }
  return {};
}

}  // namespace

Result<Seen> observe(store::Store& store) {
  CC_ASSIGN(const store::Store::Read read, store.read());
  Seen seen;
  seen.sequence = read.sequence;
  CC_ASSIGN(const auto other, store::source_of(read, kOtherTenant));
  CC_TRY(observe_lines(*read.source, false, seen));
  CC_TRY(observe_lines(*other, true, seen));
  CC_TRY(observe_received(*read.source, seen));
  CC_TRY(observe_tasks(*read.work, seen));
  std::set<SpanKey> received;
  std::set<uint32_t> tasks;
  CC_TRY(observe_traces(*read.source, false, received, tasks, seen));
  CC_TRY(observe_traces(*other, true, received, tasks, seen));
  CC_TRY(observe_spans(*read.source, false, received, tasks, seen));
  CC_TRY(observe_spans(*other, true, received, tasks, seen));
  if (received.size() != seen.spans.size()) complain(seen, "received spans are not found by fetch");
  if (tasks.size() != seen.tasks.size()) complain(seen, "tasks are not found by fetch");
  CC_TRY(observe_metrics(*read.metrics, seen));
  return seen;
}

std::string Seen::text() const {
  std::string out;
  std::set<std::pair<uint32_t, uint32_t>> received;
  for (const SeenLine& line : lines) {
    if (line.journal) {
      out += "event " + mark(line.op, line.item) + "\n";
    } else {
      received.insert({line.op, line.item});
    }
  }
  for (const auto& [op, item] : received) out += "line " + mark(op, item) + "\n";
  for (const auto& [key, span] : spans) {
    out += "span " + std::to_string(key.trace) + " " + std::to_string(key.span) + " " +
           std::to_string(span.op) + (key.other_tenant ? " other" : "") + "\n";
  }
  for (const auto& [number, task] : tasks) {
    out += "task " + std::to_string(number) + " " + std::to_string(task.revision) + " " +
           std::to_string(task.end_ns);
    for (const auto& [key, value] : task.attributes) out += " " + key + "=" + value;
    out += "\n";
  }
  for (const auto& [key, op] : samples) {
    out += "sample " + std::to_string(key.host) + " " + std::to_string(key.second) + "\n";
  }
  for (const std::string& trace : traces) out += trace + "\n";
  return out;
}

}  // namespace contextcore::sim
