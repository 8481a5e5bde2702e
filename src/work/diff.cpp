// project.diff: what changed between two times, grouped by task. Told from the events alone, so
// that a week costs a week's lines: the first `from` and the last `to` of each field.

#include <algorithm>
#include <map>

#include "base/time.h"
#include "work/names.h"
#include "work/questions.h"

namespace contextcore::work {
namespace {

namespace field = names::field;
namespace ev = names::event;

struct FieldChange {
  std::string from, to;
};

struct TaskChanges {
  std::string project, id, title;
  bool created = false;
  int64_t events = 0, comments = 0, first_ns = 0, last_ns = 0;
  std::map<std::string, FieldChange> fields;
  JsonArray log;

  void change(const std::string& name, const std::string& from, const std::string& to) {
    const auto [at, is_new] = fields.try_emplace(name);
    if (is_new) at->second.from = from;
    at->second.to = to;
  }
};

std::string who(const Event& event) {
  const std::string actor = event.text(field::kActor);
  return actor.empty() ? event.text(field::kAgentId) : actor;
}

// The value that a list or number field tells, as text.
std::string value_text(const Event& event, std::string_view name) {
  const Json* value = event.find(name);
  if (!value) return {};
  return value->as_string() ? *value->as_string() : to_string(*value);
}

void add_created(TaskChanges& task, const Event& event) {
  task.created = true;
  task.change("status", {}, event.text(field::kStatus));
  for (const std::string_view name : {field::kAssignee, field::kPriority, field::kParentId,
                                      field::kSprintId, field::kDueDate, field::kStoryPoints}) {
    const std::string value = value_text(event, name);
    if (!value.empty()) task.change(std::string(name), {}, value);
  }
}

void add_fields(TaskChanges& task, const Event& event) {
  if (event.name == ev::kTaskCreated || event.name == ev::kTaskImported) {
    add_created(task, event);
  } else if (event.name == ev::kTaskStatusChanged) {
    task.change("status", event.text(field::kFromStatus), event.text(field::kToStatus));
  } else if (event.name == ev::kTaskAssigned) {
    task.change("assignee", event.text(field::kFromAssignee), event.text(field::kToAssignee));
  } else if (event.name == ev::kTaskEdited) {
    task.change(event.text(field::kField), value_text(event, field::kFrom),
                value_text(event, field::kTo));
  } else if (event.name == ev::kTaskCommented) {
    task.comments++;
  }
}

void add(TaskChanges& task, const Event& event) {
  if (task.events == 0) task.first_ns = event.time_ns;
  task.project = event.project;
  task.id = event.text(field::kTaskId);
  task.title = event.text(field::kTaskTitle);
  task.last_ns = event.time_ns;
  task.events++;
  add_fields(task, event);
  JsonObject line{{"time", Json(format_rfc3339(event.time_ns))}, {"event", Json(event.name)}};
  if (const std::string actor = who(event); !actor.empty()) line.emplace_back("actor", Json(actor));
  line.emplace_back("words", Json(event_text(event)));
  task.log.emplace_back(std::move(line));
}

Json changes_json(TaskChanges& task) {
  JsonArray fields;
  for (const auto& [name, change] : task.fields) {
    if (change.from == change.to) continue;
    JsonObject one{{"field", Json(name)}};
    if (!change.from.empty()) one.emplace_back("from", Json(change.from));
    if (!change.to.empty()) one.emplace_back("to", Json(change.to));
    fields.emplace_back(std::move(one));
  }
  return Json(JsonObject{{"id", Json(task.id)},
                         {"project", Json(task.project)},
                         {"title", Json(task.title)},
                         {"created", Json(task.created)},
                         {"first", Json(format_rfc3339(task.first_ns))},
                         {"last", Json(format_rfc3339(task.last_ns))},
                         {"changes", Json(std::move(fields))},
                         {"comments", Json(task.comments)},
                         {"events", Json(std::move(task.log))}});
}

struct Range {
  int64_t from_ns = 0, to_ns = 0;
};

Result<Range> range_of(const Args& args, int64_t now_ns) {
  Range range;
  CC_ASSIGN(const std::string from, args.required("from"));
  CC_ASSIGN(range.from_ns, parse_time(from, now_ns));
  CC_ASSIGN(const std::string to, args.text("to"));
  CC_ASSIGN(range.to_ns, parse_time(to.empty() ? "now" : to, now_ns));
  if (range.to_ns < range.from_ns) {
    return Error{Code::invalid_argument,
                 "the range ends before it starts",
                 "from is the earlier time, to the later one",
                 {},
                 {}};
  }
  return range;
}

}  // namespace

// Changes after `from`, up to and with `to`: what as_of = from did not show and as_of = to does.
Result<Json> ask_diff(const Reading& reading, const Question& question, const Args& args) {
  CC_ASSIGN(const Range range, range_of(args, reading.view.now_ns()));
  CC_ASSIGN(const auto limit, args.integer("limit", 1, 1'000'000));
  EventFilter filter;
  CC_ASSIGN(filter.project, args.text("project"));
  CC_ASSIGN(const bool all_projects, args.flag("all_projects"));
  if (filter.project.empty() && !all_projects) filter.project = question.project;
  filter.from_ns = range.from_ns + 1;
  filter.as_of_ns = range.to_ns;
  std::map<otlp::SpanId, TaskChanges> tasks;
  CC_TRY(read_events(reading.source, filter, [&](Event& event) -> Status {
    if (!is_insight_event(event.name) && !event.text(field::kTaskId).empty())
      add(tasks[event.span_id], event);
    return {};
  }));
  std::vector<TaskChanges*> order;
  for (auto& [span, changes] : tasks) order.push_back(&changes);
  std::sort(order.begin(), order.end(), [](const TaskChanges* a, const TaskChanges* b) {
    return std::tie(a->first_ns, a->project, a->id) < std::tie(b->first_ns, b->project, b->id);
  });
  JsonArray items;
  int64_t events = 0;
  for (TaskChanges* task : order) {
    events += task->events;
    if (!limit || static_cast<int64_t>(items.size()) < *limit) items.push_back(changes_json(*task));
  }
  return Json(JsonObject{{"from", Json(format_rfc3339(range.from_ns))},
                         {"to", Json(format_rfc3339(range.to_ns))},
                         {"items", Json(std::move(items))},
                         {"total", Json(static_cast<int64_t>(order.size()))},
                         {"events_total", Json(events)}});
}

}  // namespace contextcore::work
