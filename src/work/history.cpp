// task.history: every event of one task, oldest first.

#include "base/time.h"
#include "work/names.h"
#include "work/questions.h"
#include "work/read.h"
#include "work/view_json.h"

namespace contextcore::work {
namespace {

struct Range {
  int64_t from_ns = INT64_MIN, to_ns = INT64_MAX;
};

Result<Range> range_of(const Args& args, int64_t now_ns) {
  Range range;
  CC_ASSIGN(const std::string from, args.text("from"));
  if (!from.empty()) {
    CC_ASSIGN(range.from_ns, parse_time(from, now_ns));
  }
  CC_ASSIGN(const std::string to, args.text("to"));
  if (!to.empty()) {
    CC_ASSIGN(range.to_ns, parse_time(to, now_ns));
  }
  if (range.to_ns < range.from_ns) {
    return Error{Code::invalid_argument, "the range ends before it starts", {}, {}, {}};
  }
  return range;
}

}  // namespace

Result<Json> ask_history(const Reading& reading, const Question& question, const Args& args) {
  const store::WorkView& view = reading.view;
  CC_ASSIGN(const std::string id, args.required("id"));
  CC_ASSIGN(const Range range, range_of(args, view.now_ns()));
  CC_ASSIGN(const auto limit, args.integer("limit", 1, 1'000'000));
  CC_ASSIGN(const store::WorkRow* row, resolve_task(view, question.project, id));
  CC_ASSIGN(const Task task, read_task(view, *row));
  CC_ASSIGN(const auto records, view.events(row->span_id));
  JsonArray items;
  int64_t total = 0;
  for (const otlp::LogRecord& record : records) {
    const auto time_ns = static_cast<int64_t>(record.time_ns);
    if (time_ns < range.from_ns || time_ns > range.to_ns) continue;
    total++;
    if (limit && total > *limit) continue;
    CC_ASSIGN(const Event event, event_from_record(record, nullptr));
    Json json = event_json(event);
    JsonObject& out = std::get<JsonObject>(json.data);
    out.emplace_back("words", Json(event_text(event)));
    if (event.observed_ns != event.time_ns)
      out.emplace_back("observed", Json(format_rfc3339(event.observed_ns)));
    items.push_back(std::move(json));
  }
  return Json(JsonObject{{"id", Json(row->id)},
                         {"project", Json(row->project)},
                         {"title", Json(task.title)},
                         {"status", Json(status_name(task.status))},
                         {"items", Json(std::move(items))},
                         {"total", Json(total)}});
}

}  // namespace contextcore::work
