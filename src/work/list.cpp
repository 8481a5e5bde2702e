// task.list, and the lists that are a filter and an order: blocked, overdue, stale, and the
// overview of all.

#include <algorithm>

#include "base/time.h"
#include "work/filters.h"
#include "work/questions.h"
#include "work/ready.h"
#include "work/status.h"
#include "work/view_json.h"

namespace contextcore::work {
namespace {

using store::WorkKey;
using store::WorkRow;
using Rows = std::vector<const WorkRow*>;
using Keys = std::vector<WorkKey>;

constexpr std::array<std::string_view, 5> kOrders = {"updated", "created", "due", "priority", "id"};
constexpr int64_t kStaleDays = 14;

bool by_id(const WorkKey& a, const WorkKey& b) {
  return std::tie(a.project, a.id) < std::tie(b.project, b.id);
}

// Latest change first, latest created first, soonest due first, most urgent first.
std::pair<int64_t, int64_t> order_key(std::string_view order, const WorkKey& row) {
  if (order == "created") return {-row.start_ns, 0};
  if (order == "due") return {row.due_ns == 0 ? INT64_MAX : row.due_ns, 0};
  if (order == "priority")
    return {row.priority == 0 ? 5 : row.priority, row.due_ns == 0 ? INT64_MAX : row.due_ns};
  if (order == "id") return {0, 0};
  return {-row.updated_ns, 0};
}

// The rows of the first `limit` keys.
Rows first_of(const store::WorkView& view, Keys& keys, size_t limit, const auto& before) {
  const size_t shown = std::min(limit, keys.size());
  std::partial_sort(keys.begin(), keys.begin() + static_cast<std::ptrdiff_t>(shown), keys.end(), before);
  return rows_of(view, std::span(keys).first(shown));
}

Rows first_by(const store::WorkView& view, std::string_view order, Keys& keys, size_t limit) {
  return first_of(view, keys, limit, [&](const WorkKey& a, const WorkKey& b) {
    const auto ka = order_key(order, a), kb = order_key(order, b);
    return ka != kb ? ka < kb : by_id(a, b);
  });
}

void add_query(const Reading& reading, const TaskFilter& filter, Json& page) {
  JsonObject& out = std::get<JsonObject>(page.data);
  out.emplace_back("traceql", Json(filter.traceql()));
  JsonArray missing;
  for (const std::string& name : filter.not_in_traceql()) missing.emplace_back(name);
  if (reading.moment.as_of_ns) missing.emplace_back("as_of");
  if (reading.moment.known_at_ns) missing.emplace_back("known_at");
  if (!missing.empty()) out.emplace_back("not_in_traceql", Json(std::move(missing)));
}

// Adds members to the item of each row.
using Extra = std::function<Status(const WorkRow& row, JsonObject& item)>;

Result<Json> page_of(const Reading& reading, const TaskFilter& filter, const Rows& rows,
                     int64_t total, const Extra& extra) {
  CC_ASSIGN(Json page, task_page(reading.view, rows, total));
  if (extra) {
    JsonArray& items = std::get<JsonArray>(std::get<JsonObject>(page.data).front().second.data);
    for (size_t i = 0; i < rows.size(); i++)
      CC_TRY(extra(*rows[i], std::get<JsonObject>(items[i].data)));
  }
  add_query(reading, filter, page);
  return page;
}

Result<Json> list(const Reading& reading, const TaskFilter& filter, std::string_view order,
                  size_t limit, const Extra& extra = {}) {
  CC_ASSIGN(Keys keys, filter.find_keys(reading.view));
  const auto total = static_cast<int64_t>(keys.size());
  const Rows rows = first_by(reading.view, order, keys, limit);
  return page_of(reading, filter, rows, total, extra);
}

// Since when a task is in the status it has.
int64_t in_status_since(const store::WorkView& view, const WorkRow& row) {
  for (const WorkRow* child : view.index().children(row.span_id)) {
    if (child->kind == store::WorkKind::phase && child->end_ns == 0) return child->start_ns;
  }
  return row.updated_ns;
}

void add_time(JsonObject& item, std::string_view since, std::string_view seconds, int64_t since_ns,
              int64_t now_ns) {
  item.emplace_back(since, Json(format_rfc3339(since_ns)));
  item.emplace_back(seconds, Json((now_ns - since_ns) / kSecondNs));
}

Result<Json> blocked_page(const Reading& reading, TaskFilter filter, size_t limit) {
  const int64_t now_ns = reading.view.now_ns();
  filter.open = true;
  filter.like = TaskStatus::blocked;
  CC_ASSIGN(Keys keys, filter.find_keys(reading.view));
  const auto total = static_cast<int64_t>(keys.size());
  for (const WorkKey& key : keys) {
    if (!key.status_name.empty() && filter.own_statuses.empty())
      filter.own_statuses.emplace_back(key.status_name);
  }
  const Rows rows = first_by(reading.view, "priority", keys, limit);
  return page_of(reading, filter, rows, total, [&](const WorkRow& row, JsonObject& item) {
    add_time(item, "blocked_since", "blocked_seconds", in_status_since(reading.view, row), now_ns);
    return Status();
  });
}

Result<Json> overdue_page(const Reading& reading, TaskFilter filter, size_t limit) {
  const int64_t now_ns = reading.view.now_ns();
  filter.open = true;
  filter.due = {{}, now_ns};
  return list(reading, filter, "due", limit, [&](const WorkRow& row, JsonObject& item) {
    item.emplace_back("overdue_seconds", Json((now_ns - row.due_ns) / kSecondNs));
    return Status();
  });
}

}  // namespace

Result<Json> ask_list(const Reading& reading, const Question& question, const Args& args) {
  CC_ASSIGN(const TaskFilter filter, task_filter(reading.view, question, args));
  CC_ASSIGN(const size_t limit, limit_of(args));
  CC_ASSIGN(const std::string order, args.choice("sort", kOrders));
  return list(reading, filter, order, limit);
}

Result<Json> ask_blocked(const Reading& reading, const Question& question, const Args& args) {
  CC_ASSIGN(TaskFilter filter, task_filter(reading.view, question, args));
  CC_ASSIGN(const size_t limit, limit_of(args));
  return blocked_page(reading, std::move(filter), limit);
}

Result<Json> ask_overdue(const Reading& reading, const Question& question, const Args& args) {
  CC_ASSIGN(TaskFilter filter, task_filter(reading.view, question, args));
  CC_ASSIGN(const size_t limit, limit_of(args));
  return overdue_page(reading, std::move(filter), limit);
}

// Open, and nothing has happened to them for so many days; the longest first.
Result<Json> ask_stale(const Reading& reading, const Question& question, const Args& args) {
  const int64_t now_ns = reading.view.now_ns();
  CC_ASSIGN(TaskFilter filter, task_filter(reading.view, question, args));
  CC_ASSIGN(const size_t limit, limit_of(args));
  CC_ASSIGN(const auto days, args.integer("days", 0, 36'500));
  filter.open = true;
  filter.updated.to_ns = now_ns - days.value_or(kStaleDays) * kDayNs + 1;
  CC_ASSIGN(Keys keys, filter.find_keys(reading.view));
  const auto total = static_cast<int64_t>(keys.size());
  const Rows rows = first_of(reading.view, keys, limit, [](const WorkKey& a, const WorkKey& b) {
    return a.updated_ns != b.updated_ns ? a.updated_ns < b.updated_ns : by_id(a, b);
  });
  return page_of(reading, filter, rows, total, [&](const WorkRow& row, JsonObject& item) {
    item.emplace_back("idle_seconds", Json((now_ns - row.updated_ns) / kSecondNs));
    return Status();
  });
}

// What somebody wants to see first: mine, ready, blocked, overdue.
Result<Json> ask_overview(const Reading& reading, const Question& question, const Args& args) {
  CC_ASSIGN(const TaskFilter all, task_filter(reading.view, question, args));
  CC_ASSIGN(const auto given, args.integer("limit", 1, 1'000));
  const auto limit = static_cast<size_t>(given.value_or(10));
  TaskFilter mine = all;
  mine.open = true;
  mine.mine = question.actor.agent_id.empty() ? question.actor.actor : question.actor.agent_id;
  JsonObject out;
  if (!mine.mine.empty()) {
    CC_ASSIGN(Json page, list(reading, mine, "priority", limit));
    out.emplace_back("mine", std::move(page));
  }
  ReadyFilter ready;
  ready.project = all.project;
  ready.assignee = mine.mine;
  ready.limit = limit;
  CC_ASSIGN(const ReadyPage takeable, find_ready(reading.view, ready));
  CC_ASSIGN(Json ready_page, task_page(reading.view, takeable.rows, takeable.total));
  out.emplace_back("ready", std::move(ready_page));
  CC_ASSIGN(Json blocked, blocked_page(reading, all, limit));
  out.emplace_back("blocked", std::move(blocked));
  CC_ASSIGN(Json overdue, overdue_page(reading, all, limit));
  out.emplace_back("overdue", std::move(overdue));
  return Json(std::move(out));
}

}  // namespace contextcore::work
