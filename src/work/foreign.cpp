// task.foreign: received spans that look like tasks but are not the journal's.

#include <algorithm>

#include "base/time.h"
#include "work/ids.h"
#include "work/names.h"
#include "work/questions.h"
#include "work/read.h"

namespace contextcore::work {
namespace {

namespace attr = names::attr;
using store::ColumnScope;

enum Wanted : size_t { kId, kTitle, kStatus, kType, kProject, kResourceProject, kService };

store::FetchRequest request() {
  store::FetchRequest request;
  store::Condition condition;
  condition.column = {ColumnScope::span, std::string(attr::kTaskId)};
  request.conditions.push_back(std::move(condition));
  for (const std::string_view key :
       {attr::kTaskId, attr::kTaskTitle, attr::kTaskStatus, attr::kTaskType, attr::kProjectId})
    request.columns.push_back({ColumnScope::span, std::string(key)});
  for (const std::string_view key : {attr::kProjectId, attr::kServiceName})
    request.columns.push_back({ColumnScope::resource, std::string(key)});
  return request;
}

std::string text(const store::TraceView& trace, size_t span, Wanted column) {
  const store::Cell cell = trace.cell(span, column);
  return cell.type == store::Cell::Type::string ? std::string(cell.string) : std::string();
}

void add_text(JsonObject& out, std::string_view name, const std::string& value) {
  if (!value.empty()) out.emplace_back(name, Json(value));
}

Json foreign_json(const store::WorkView& view, const store::TraceView& trace, size_t span,
                  const std::string& id, const std::string& project) {
  const store::SpanCore& core = trace.core(span);
  JsonObject out{{"id", Json(id)}};
  add_text(out, "project", project);
  add_text(out, "title", text(trace, span, kTitle));
  add_text(out, "status", text(trace, span, kStatus));
  add_text(out, "type", text(trace, span, kType));
  add_text(out, "service", text(trace, span, kService));
  add_text(out, "name", std::string(core.name));
  out.emplace_back("start", Json(format_rfc3339(core.start_ns)));
  out.emplace_back("end", Json(format_rfc3339(core.end_ns)));
  out.emplace_back("trace_id", Json(otlp::to_hex(trace.trace_id())));
  out.emplace_back("span_id", Json(otlp::to_hex(core.span_id)));
  // Whether the journal has a task of that name too.
  out.emplace_back("known", Json(view.index().find(span_id("task", project, id)) != nullptr));
  return Json(std::move(out));
}

}  // namespace

// Newest trace first. A span without a project counts to every project.
Result<Json> ask_foreign(const Reading& reading, const Question& question, const Args& args) {
  CC_ASSIGN(const std::string wanted, args.text("id"));
  CC_ASSIGN(const size_t limit, limit_of(args));
  CC_ASSIGN(std::string project, args.text("project"));
  CC_ASSIGN(const bool all_projects, args.flag("all_projects"));
  if (project.empty() && !all_projects) project = question.project;
  CC_ASSIGN(const auto traces, reading.source.fetch(request()));
  JsonArray items;
  int64_t total = 0;
  while (true) {
    CC_ASSIGN(const store::TraceView* trace, traces->next());
    if (!trace) break;
    for (size_t span = 0; span < trace->span_count(); span++) {
      const std::string id = text(*trace, span, kId);
      if (id.empty() || trace->core(span).journal) continue;
      if (!wanted.empty() && id != wanted && otlp::to_hex(trace->core(span).span_id) != wanted)
        continue;
      std::string its = text(*trace, span, kProject);
      if (its.empty()) its = text(*trace, span, kResourceProject);
      if (!project.empty() && !its.empty() && its != project) continue;
      if (++total <= static_cast<int64_t>(limit))
        items.push_back(foreign_json(reading.view, *trace, span, id, its));
    }
  }
  return Json(JsonObject{{"items", Json(std::move(items))}, {"total", Json(total)}});
}

}  // namespace contextcore::work
