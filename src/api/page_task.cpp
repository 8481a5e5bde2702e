#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "api/html.h"
#include "api/page.h"
#include "api/page_data.h"
#include "api/waterfall.h"
#include "base/time.h"
#include "query/logql/text.h"
#include "work/read.h"

namespace contextcore::api {

namespace {

constexpr int64_t kEventsMax = 200;
constexpr SpanLimits kOneTrace = {2, 1000};  // one more than there can be: not cut off
constexpr SpanLimits kLinked = {50, 200};
constexpr size_t kLinkedTracesMax = 5;

constexpr const char* kWaterfallSelect =
    "select(name, status, span:parentID, resource.service.name, span.task.id, span.task.title, "
    "span.task.status, span.phase.status, span.insight.type, span.insight.summary)";

// Attribute of the span and its name on the page.
struct Field {
  std::string_view key, label;
};
constexpr std::array<Field, 18> kFields = {{{"task.parent_id", "part of"},
                                            {"task.type", "type"},
                                            {"task.priority", "priority"},
                                            {"task.assignee", "assignee"},
                                            {"task.claimed_by", "claimed by"},
                                            {"task.percent_complete", "done, in percent"},
                                            {"task.subtask_count", "subtasks"},
                                            {"task.subtask_completed", "subtasks completed"},
                                            {"task.story_points", "story points"},
                                            {"task.labels", "labels"},
                                            {"task.waiting_on", "waits for"},
                                            {"task.blocked_reason", "blocked because"},
                                            {"task.due_date", "due"},
                                            {"task.defer_until", "deferred until"},
                                            {"sprint.id", "sprint"},
                                            {"task.outcome", "outcome"},
                                            {"task.url", "address"},
                                            {"task.description", "description"}}};

struct Subject {
  const store::WorkRow& row;
  const store::Store::Read& read;
  std::string condition;  // what selects its span in TraceQL
};

Result<std::string> head_section(const Subject& subject, std::string& title) {
  std::string select = "select(span.task.title, span.task.status";
  for (const Field& field : kFields) select += fmt::format(", span.{}", field.key);
  CC_ASSIGN(SpanAnswer answer,
            run_traceql(subject.read, "{ " + subject.condition + " } | " + select + ", status)"));
  std::erase_if(answer.spans,
                [&](const PageSpan& span) { return span.span_id != subject.row.span_id; });
  if (answer.spans.empty()) {
    return Error{
        Code::internal, "the task's span is not found by its query: " + answer.query, {}, {}, {}};
  }
  const PageSpan& span = answer.spans.front();
  std::string status = span.text("task.status"), words = status;
  std::replace(words.begin(), words.end(), '_', ' ');
  title = span.text("task.title");
  bool open = subject.row.end_ns == 0;
  std::string out = fmt::format(
      "<p class=\"id\">{} · {}</p>\n<h1>{}</h1>\n<p><span class=\"status {}\">{}</span> "
      "<span class=\"soft small\">{} {}, {}</span></p>\n<dl class=\"fields\">\n",
      escape_html(subject.row.project), escape_html(subject.row.id), escape_html(title),
      escape_html(status), escape_html(words), open ? "since" : "from",
      format_minute(span.start_ns),
      open ? format_duration_short(span.duration_ns) + " so far"
           : "to " + format_minute(span.end_ns()) + ", " + format_duration_short(span.duration_ns));
  for (const Field& field : kFields) {
    std::string text = span.text(field.key);
    if (text.empty()) continue;
    std::string value = escape_html(text);
    if (field.key == "task.parent_id") {
      value = fmt::format("<a href=\"{}\">{}</a>",
                          escape_html(task_path(subject.row.project, text)), value);
    }
    out += fmt::format("<dt>{}</dt><dd>{}</dd>\n", field.label, value);
  }
  out +=
      fmt::format("<dt>trace</dt><dd class=\"id\">{}</dd>\n</dl>\n", otlp::to_hex(span.trace_id));
  return out + query_note("TraceQL", answer.query);
}

std::string first_of(const PageSpan& span, std::initializer_list<std::string_view> keys) {
  for (std::string_view key : keys) {
    if (std::string text = span.text(key); !text.empty()) return text;
  }
  return {};
}

WaterfallSpan waterfall_span(const PageSpan& span, bool telemetry) {
  WaterfallSpan out;
  out.id = span.span_id;
  otlp::parse_hex(first_of(span, {"span:parentID", "parentID"}), out.parent_id);
  out.start_ns = span.start_ns;
  out.end_ns = span.end_ns();
  std::string phase = span.text("phase.status"), insight = span.text("insight.summary");
  if (telemetry) {
    out.label = span.name;
    if (std::string service = span.text("service.name"); !service.empty()) {
      out.label += " · " + service;
    }
    out.css = span.text("status") == "error" ? "failed" : "telemetry";
  } else if (!phase.empty()) {
    out.css = phase;
    out.label = phase;
    std::replace(out.label.begin(), out.label.end(), '_', ' ');
  } else if (!insight.empty()) {
    out.css = "insight";
    out.label = span.text("insight.type") + ": " + insight;
  } else {
    out.css = span.text("task.status");
    out.label = first_of(span, {"task.title"});
    if (out.label.empty()) out.label = span.name;
  }
  return out;
}

// Of spans that a query of this store's data gave, those that hang below root, and root.
std::vector<WaterfallSpan> subtree(const std::vector<WaterfallSpan>& spans,
                                   const otlp::SpanId& root) {
  std::map<otlp::SpanId, otlp::SpanId> parents;
  for (const WaterfallSpan& span : spans) parents[span.id] = span.parent_id;
  std::vector<WaterfallSpan> out;
  for (const WaterfallSpan& span : spans) {
    otlp::SpanId at = span.id;
    // Foreign spans may form a circle: no path is longer than there are spans.
    for (size_t steps = 0; steps <= spans.size() && at != root; ++steps) {
      auto parent = parents.find(at);
      if (parent == parents.end()) break;
      at = parent->second;
    }
    if (at == root) out.push_back(span);
  }
  return out;
}

Result<std::string> waterfall_section(const Subject& subject) {
  std::string trace_hex = otlp::to_hex(subject.row.trace_id);
  CC_ASSIGN(SpanAnswer own, run_traceql(subject.read,
                                        fmt::format("{{ trace:id = {} }} | {}", quoted(trace_hex),
                                                    kWaterfallSelect),
                                        kOneTrace));
  CC_ASSIGN(SpanAnswer linked,
            run_traceql(subject.read,
                        fmt::format("{{ link:spanID = {} }} | {}",
                                    quoted(otlp::to_hex(subject.row.span_id)), kWaterfallSelect),
                        kLinked));
  const store::WorkIndexView& index = subject.read.work->index();
  std::vector<WaterfallSpan> spans;
  for (const PageSpan& span : own.spans) {
    const store::WorkRow* row = index.find(span.span_id);
    bool ours = row != nullptr && row->trace_id == span.trace_id;
    WaterfallSpan one = waterfall_span(span, !ours);
    one.open = ours && row->end_ns == 0;
    spans.push_back(std::move(one));
  }
  spans = subtree(spans, subject.row.span_id);

  // Work that links here (dependencies) has its own page; what remains is telemetry.
  std::string notes = query_note("TraceQL: the task's trace", own.query) +
                      query_note("TraceQL: what links to it", linked.query);
  std::set<otlp::TraceId> traces;
  for (const PageSpan& span : linked.spans) {
    const store::WorkRow* row = index.find(span.span_id);
    bool ours = row != nullptr && row->trace_id == span.trace_id;
    if (!ours && span.trace_id != subject.row.trace_id) traces.insert(span.trace_id);
  }
  std::vector<WaterfallSpan> telemetry;
  size_t shown = 0;
  for (const otlp::TraceId& id : traces) {
    if (++shown > kLinkedTracesMax) break;
    CC_ASSIGN(SpanAnswer trace, run_traceql(subject.read,
                                            fmt::format("{{ trace:id = {} }} | {}",
                                                        quoted(otlp::to_hex(id)), kWaterfallSelect),
                                            kOneTrace));
    for (const PageSpan& span : trace.spans) telemetry.push_back(waterfall_span(span, true));
    notes += query_note("TraceQL: a linked trace", trace.query);
  }
  std::string out = "<h2>Time</h2>\n" + render_waterfall(spans, telemetry);
  if (traces.size() > kLinkedTracesMax) {
    out += fmt::format("<p class=\"warning\">{} traces link to this task; {} are shown.</p>\n",
                       traces.size(), kLinkedTracesMax);
  }
  if (own.cut) out += "<p class=\"warning\">The trace has more spans than are shown.</p>\n";
  return out + notes;
}

// What an event says besides its name.
std::string event_detail(const LogLine& line) {
  std::string out;
  auto add = [&](std::string_view before, std::string_view text) {
    if (text.empty()) return;
    if (!out.empty()) out += " · ";
    out += std::string(before) + escape_html(text);
  };
  if (std::string_view to = line.label("to_status"); !to.empty()) {
    std::string from(line.label("from_status"));
    add("", from.empty() ? std::string(to) : from + " → " + std::string(to));
  }
  if (std::string_view field = line.label("field"); !field.empty()) {
    add("", fmt::format("{}: {} → {}", field, line.label("from"), line.label("to")));
  }
  add("", line.label("reason"));
  add("", line.label("text"));
  add("", line.label("summary"));
  add("", line.label("outcome"));
  add("", line.label("to_assignee"));
  add("claimed by ", line.label("claimed_by"));
  add("", line.label("target_task_id"));
  return out;
}

Result<std::string> events_section(const Subject& subject) {
  const store::WorkRow& row = subject.row;
  int64_t end_ns = std::max(subject.read.source->now_ns(), row.updated_ns) + 1;
  CC_ASSIGN(LogAnswer answer,
            run_logql(subject.read,
                      fmt::format("{{project_id={}}} | json | task_id={}",
                                  logql::quote(row.project), logql::quote(row.id)),
                      row.start_ns, end_ns, kEventsMax));
  std::string out =
      fmt::format("<h2>Events <span class=\"soft number\">{}</span></h2>\n", answer.lines.size());
  if (!answer.lines.empty()) out += "<ul class=\"list\">\n";
  for (const LogLine& line : answer.lines) {
    std::string_view who = line.label("actor");
    if (who.empty()) who = line.label("agent_id");
    out += fmt::format(
        "<li><span class=\"soft small\">{}</span><span class=\"what\">{}</span>"
        "<span class=\"soft small\">{}</span>",
        format_minute(line.time_ns), escape_html(line.label("event")), escape_html(who));
    if (std::string detail = event_detail(line); !detail.empty()) {
      out += "<span class=\"note\">" + detail + "</span>";
    }
    out += "</li>\n";
  }
  if (!answer.lines.empty()) out += "</ul>\n";
  if (answer.lines.size() >= static_cast<size_t>(kEventsMax)) {
    out += "<p class=\"warning\">The newest ones; there are more.</p>\n";
  }
  return out + query_note("LogQL", answer.query);
}

Result<std::string> insights_section(const Subject& subject) {
  CC_ASSIGN(SpanAnswer answer,
            run_traceql(
                subject.read,
                fmt::format("{{ name =~ \"insight.*\" && span.insight.task_id = {} && "
                            "span.project.id = {} }} | {}",
                            quoted(subject.row.id), quoted(subject.row.project), kInsightSelect)));
  keep_journal_spans(subject.read, store::WorkKind::insight, answer);
  std::string out =
      fmt::format("<h2>Insights <span class=\"soft number\">{}</span></h2>\n", answer.spans.size());
  if (!answer.spans.empty()) out += "<ul class=\"list\">\n";
  for (const PageSpan& span : answer.spans) {
    std::string confidence = span.text("insight.confidence");
    out += fmt::format(
        "<li><span class=\"status insight\">{}</span><span class=\"what\">{}</span>"
        "<span class=\"soft small\">{}</span><span class=\"note\">{} · {}{}</span></li>\n",
        escape_html(span.text("insight.type")), escape_html(span.text("insight.summary")),
        format_minute(span.start_ns), escape_html(span.text("insight.status")),
        escape_html(span.text("agent.id")),
        confidence.empty() ? "" : " · confidence " + escape_html(confidence));
  }
  if (!answer.spans.empty()) out += "</ul>\n";
  return out + query_note("TraceQL", answer.query);
}

}  // namespace

Result<std::string> render_task(const ServiceOptions&, const store::Store::Read& read,
                                const std::string& project, const std::string& id,
                                std::string& title) {
  CC_ASSIGN(const store::WorkRow* row, work::resolve_task(*read.work, project, id));
  Subject subject{*row, read,
                  fmt::format("span.task.id = {} && span.project.id = {}", quoted(row->id),
                              quoted(row->project))};
  CC_ASSIGN(std::string out, head_section(subject, title));
  CC_ASSIGN(std::string waterfall, waterfall_section(subject));
  CC_ASSIGN(std::string insights, insights_section(subject));
  CC_ASSIGN(std::string events, events_section(subject));
  return out + waterfall + insights + events;
}

}  // namespace contextcore::api
