// What ties runtime traces to tasks: run, traceparent, task traces, trace task.

#include <algorithm>
#include <set>

#include "base/child_process.h"
#include "base/process.h"
#include "base/time.h"
#include "cli/arguments.h"
#include "cli/linked_traces.h"
#include "cli/task_view.h"
#include "work/execute.h"
#include "work/names.h"

namespace contextcore::cli {
namespace {

constexpr int64_t kTracesMax = 1000;
constexpr std::string_view kRunScope = "contextcore.run";
constexpr std::string_view kImplementsTask = "implements_task";

struct Subject {
  std::string id, project;
  otlp::TraceId trace_id;
  otlp::SpanId span_id;
};

Result<Subject> subject_of(Context& context, const std::string& id) {
  CC_ASSIGN(const Json task, context.question("task.get", JsonObject{{"id", id}}));
  Subject subject{
      std::string(task.string_or("id")), std::string(task.string_or("project")), {}, {}};
  if (!otlp::parse_hex(task.string_or("trace_id"), subject.trace_id) ||
      !otlp::parse_hex(task.string_or("span_id"), subject.span_id)) {
    return Error{Code::internal, "the task has no span", {}, {}, {}};
  }
  return subject;
}

std::string traceparent(const otlp::TraceId& trace, const otlp::SpanId& span) {
  return "00-" + otlp::to_hex(trace) + "-" + otlp::to_hex(span) + "-01";
}

// As OTEL_RESOURCE_ATTRIBUTES wants values: what W3C Baggage does not allow is percent-encoded.
std::string baggage_value(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= ' ' || byte >= 0x7f || c == '"' || c == ',' || c == ';' || c == '\\' || c == '%' ||
        c == '=') {
      out += {'%', kHex[byte >> 4], kHex[byte & 15]};
    } else {
      out += c;
    }
  }
  return out;
}

std::vector<std::pair<std::string, std::string>> environment_of(const Subject& subject,
                                                                const otlp::Span& span,
                                                                const std::string& endpoint) {
  std::string attributes = environment("OTEL_RESOURCE_ATTRIBUTES").value_or("");
  if (!attributes.empty()) attributes += ',';
  attributes +=
      "task.id=" + baggage_value(subject.id) + ",project.id=" + baggage_value(subject.project);
  std::vector<std::pair<std::string, std::string>> out = {
      {"TRACEPARENT", traceparent(span.trace_id, span.span_id)},
      {"OTEL_RESOURCE_ATTRIBUTES", std::move(attributes)}};
  // Who sends elsewhere goes on doing so.
  const bool configured = environment("OTEL_EXPORTER_OTLP_ENDPOINT") ||
                          environment("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
  if (!endpoint.empty() && !configured) {
    out.emplace_back("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint);
    if (!environment("OTEL_EXPORTER_OTLP_PROTOCOL"))
      out.emplace_back("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf");
  }
  return out;
}

otlp::Span begin_span(const Subject& subject, bool join) {
  otlp::Span span;
  real_random().fill(span.span_id.bytes.data(), span.span_id.bytes.size());
  if (join) {
    span.trace_id = subject.trace_id;
    span.parent_span_id = subject.span_id;
  } else {
    real_random().fill(span.trace_id.bytes.data(), span.trace_id.bytes.size());
  }
  otlp::SpanLink link;
  link.trace_id = subject.trace_id;
  link.span_id = subject.span_id;
  link.attributes = {{std::string(work::names::attr::kType), std::string(kImplementsTask)},
                     {std::string(work::names::attr::kLinkType), std::string(kImplementsTask)},
                     {std::string(work::names::attr::kTaskId), subject.id},
                     {std::string(work::names::attr::kProjectId), subject.project}};
  span.links.push_back(std::move(link));
  span.name = kRunScope;
  span.kind = otlp::SpanKind::internal;
  span.start_ns = static_cast<uint64_t>(real_clock().wall_ns());
  return span;
}

void end_span(otlp::Span& span, const Subject& subject, const std::vector<std::string>& command,
              const ChildExit& exit) {
  span.end_ns = std::max(static_cast<uint64_t>(real_clock().wall_ns()), span.start_ns);
  std::string words;
  for (const std::string& word : command) words += (words.empty() ? "" : " ") + word;
  span.attributes = {{std::string(work::names::attr::kRunTaskId), subject.id},
                     {std::string(work::names::attr::kRunCommand), std::move(words)},
                     {std::string(work::names::attr::kRunExitCode), int64_t{exit.code}},
                     {std::string(work::names::attr::kProjectId), subject.project}};
  if (exit.code == 0) return;
  span.status_code = otlp::StatusCode::error;
  span.status_message = exit.signal != 0 ? "ended by signal " + std::to_string(exit.signal)
                                         : "exit code " + std::to_string(exit.code);
}

otlp::TracesData traces_of(const Subject& subject, otlp::Span span) {
  otlp::ResourceSpans resource;
  resource.resource.attributes = {
      {std::string(work::names::attr::kServiceName), work::Settings().service_name},
      {std::string(work::names::attr::kTaskId), subject.id},
      {std::string(work::names::attr::kProjectId), subject.project}};
  otlp::ScopeSpans scope;
  scope.scope.name = kRunScope;
  scope.spans.push_back(std::move(span));
  resource.scope_spans.push_back(std::move(scope));
  otlp::TracesData data;
  data.resource_spans.push_back(std::move(resource));
  return data;
}

int run_command(Context& context, const Arguments& arguments) {
  auto subject = subject_of(context, arguments.text_of("task"));
  if (!subject.ok()) return context.fail(subject.error());
  auto backend = context.backend(false);
  if (!backend.ok()) return context.fail(backend.error());
  const std::string endpoint = (*backend)->otlp_endpoint();
  if (endpoint.empty() && !environment("OTEL_EXPORTER_OTLP_ENDPOINT") && is_terminal(2)) {
    context.print_error(
        "no server runs, so what the command emits over OTLP goes nowhere; `contextcore serve` "
        "takes it\n");
  }
  const std::vector<std::string> command = arguments.texts_of("command");
  otlp::Span span = begin_span(*subject, arguments.given("join"));
  const Result<ChildExit> ended = run_program(command, environment_of(*subject, span, endpoint));
  if (!ended.ok()) {
    context.fail(ended.error());
    return ended.error().code == Code::not_found ? 127 : 126;
  }
  end_span(span, *subject, command, *ended);
  // Whatever becomes of the span, the caller gets the command's exit code.
  if (auto kept = (*backend)->ingest(traces_of(*subject, std::move(span))); !kept.ok()) {
    context.print_error("the run is not recorded: " + kept.error().to_string() + "\n");
  }
  return ended->code;
}

int print_traceparent(Context& context, const Arguments& arguments) {
  auto subject = subject_of(context, arguments.text_of("id"));
  if (!subject.ok()) return context.fail(subject.error());
  const std::string text = traceparent(subject->trace_id, subject->span_id);
  context.print(context.flags.json ? json_line("traceparent", JsonObject{{"traceparent", text}})
                                   : text + "\n");
  return kDone;
}

// Traces that link to the task or whose resource names it, newest first.
Result<std::vector<sdk::FoundTrace>> traces_for(sdk::Backend& backend, const Subject& subject) {
  // A task's own trace and insights are no runs.
  const std::string others =
      "span.task.status = nil && span.insight.id = nil && span.phase.task_id = nil";
  const auto quoted = [](const std::string& text) { return to_string(Json(text)); };
  const std::string query = "{ ((link:spanID = " + quoted(otlp::to_hex(subject.span_id)) +
                            ") || (resource.task.id = " + quoted(subject.id) +
                            " && resource.project.id = " + quoted(subject.project) + ")) && " +
                            others + " } | select(span.run.command, span.run.exit_code)";
  sdk::SearchOptions options;
  options.limit = kTracesMax;
  return backend.search(query, options);
}

int list_traces(Context& context, const Arguments& arguments) {
  auto subject = subject_of(context, arguments.text_of("id"));
  if (!subject.ok()) return context.fail(subject.error());
  auto backend = context.backend(false);
  if (!backend.ok()) return context.fail(backend.error());
  auto found = traces_for(**backend, *subject);
  if (!found.ok()) return context.fail(found.error());
  JsonArray items;
  Table table({"TRACE", "STARTED", "DURATION", "SERVICE", "ROOT", "RUN"});
  for (const sdk::FoundTrace& trace : *found) {
    std::string run, code;
    for (const sdk::FoundSpan& span : trace.spans) {
      for (const auto& [key, value] : span.attributes) {
        if (key == work::names::attr::kRunCommand && value.as_string() != nullptr)
          run = *value.as_string();
        if (key == work::names::attr::kRunExitCode) code = to_string(value);
      }
    }
    table.row({trace.trace_id, format_local_minute(trace.start_ns),
               format_duration_short(trace.duration_ns), trace.root_service, trace.root_name,
               run.empty() ? "" : run + " (exit " + code + ")"},
              {Style::plain, Style::dim, Style::plain, Style::plain, Style::bold, Style::plain});
    items.push_back(JsonObject{{"trace_id", trace.trace_id},
                               {"root_service", trace.root_service},
                               {"root_name", trace.root_name},
                               {"start", format_rfc3339(trace.start_ns)},
                               {"duration_ms", trace.duration_ns / 1'000'000},
                               {"run_command", run}});
  }
  if (context.flags.json) {
    context.print(json_line("task_traces",
                            JsonObject{{"task_id", subject->id}, {"items", std::move(items)}}));
  } else {
    context.print(table.empty() ? "No trace is linked to " + subject->id + ".\n"
                                : table.render(context.terminal));
  }
  return kDone;
}

using TaskNames = std::set<std::pair<std::string, std::string>>;  // project, id

std::string text_at(const otlp::Attributes& attributes, std::string_view key) {
  const otlp::Value* value = otlp::find(attributes, key);
  const std::string* text = value == nullptr ? nullptr : value->as_string();
  return text == nullptr ? std::string() : *text;
}

void add_name(const otlp::Attributes& attributes, const otlp::Attributes& resource,
              TaskNames& out) {
  const std::string id = text_at(attributes, work::names::attr::kTaskId);
  std::string project = text_at(attributes, work::names::attr::kProjectId);
  if (project.empty()) project = text_at(resource, work::names::attr::kProjectId);
  if (!id.empty()) out.emplace(std::move(project), id);
}

// The tasks that a trace belongs to: those its links implement, its resource names, or that it is.
TaskNames tasks_of(const otlp::TracesData& trace) {
  TaskNames out;
  for (const otlp::ResourceSpans& resource : trace.resource_spans) {
    add_name(resource.resource.attributes, {}, out);
    for (const otlp::ScopeSpans& scope : resource.scope_spans) {
      for (const otlp::Span& span : scope.spans) {
        if (otlp::find(span.attributes, work::names::attr::kTaskStatus) != nullptr) {
          add_name(span.attributes, resource.resource.attributes, out);
        }
        for (const otlp::SpanLink& link : span.links) {
          if (text_at(link.attributes, work::names::attr::kType) == kImplementsTask) {
            add_name(link.attributes, resource.resource.attributes, out);
          }
        }
      }
    }
  }
  return out;
}

int tasks_of_trace(Context& context, const Arguments& arguments) {
  const std::string hex = arguments.text_of("trace_id");
  otlp::TraceId id;
  if (hex.size() != 32 || !otlp::parse_hex(hex, id)) {
    return context.fail(
        Error{Code::invalid_argument, "'" + hex + "' is not a trace id", "32 hex digits", {}, {}});
  }
  auto backend = context.backend(false);
  if (!backend.ok()) return context.fail(backend.error());
  auto trace = (*backend)->trace(id);
  if (!trace.ok()) return context.fail(trace.error());
  if (!*trace) return context.fail(Error{Code::not_found, "no trace " + hex, {}, {}, {}});
  JsonArray items;
  Table table({"PROJECT", "TASK", "STATUS", "TITLE"});
  for (const auto& [project, task_id] : tasks_of(**trace)) {
    work::Question question;
    question.op = "task.get";
    question.project = project;
    question.args = JsonObject{{"id", task_id}};
    auto task = (*backend)->question(question);
    if (!task.ok() && task.error().code != Code::not_found) return context.fail(task.error());
    if (!task.ok()) continue;
    table.row({project, task_id, std::string(task->string_or("status")),
               std::string(task->string_or("title"))},
              {Style::dim, Style::bold, Style::plain, Style::plain});
    items.push_back(*std::move(task));
  }
  if (items.empty()) {
    return context.fail(Error{Code::not_found,
                              "no task is behind trace " + hex,
                              "`contextcore run --task ID` links what it runs",
                              {},
                              {}});
  }
  context.print(
      context.flags.json
          ? json_line("trace_tasks", JsonObject{{"trace_id", hex}, {"items", std::move(items)}})
          : table.render(context.terminal));
  return kDone;
}

}  // namespace

void add_run_commands(CLI::App& app, Action& chosen) {
  add_command(
      app, "run", "Run a command in a trace of its own, linked to a task: run --task ID -- cmd …",
      chosen,
      [](Arguments& a) {
        a.text("--task", "task", "the task that the command works for")
            .flag("--join", "join", "in the task's trace instead of one of its own")
            .rest("command", "the command and its arguments, after --");
      },
      run_command);
  add_command(
      app, "traceparent", "The W3C traceparent of a task, for a trace that is to be part of it",
      chosen, [](Arguments& a) { a.id(); }, print_traceparent);
  CLI::App* trace = app.add_subcommand("trace", "From runtime traces to work");
  trace->require_subcommand(1);
  add_command(
      *trace, "task", "The tasks that a trace worked for", chosen,
      [](Arguments& a) { a.positional("trace_id", "the trace"); }, tasks_of_trace);
}

void add_traces_command(CLI::App& task, Action& chosen) {
  add_command(
      task, "traces", "Runtime traces that link to the task", chosen, [](Arguments& a) { a.id(); },
      list_traces);
}

}  // namespace contextcore::cli
