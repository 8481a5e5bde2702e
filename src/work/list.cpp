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
using Keys = std::vector<WorkKey>;

constexpr std::array<std::string_view, 5> kOrders = {"updated", "created", "due", "priority", "id"};
constexpr int64_t kStaleDays = 14;

bool by_id(const WorkKey& a, const WorkKey& b) {
  return std::tie(a.project, a.id) < std::tie(b.project, b.id);
}

int64_t due_or_never(const WorkKey& row) { return row.due_ns == 0 ? INT64_MAX : row.due_ns; }

// Latest change first, latest created first, soonest due first, most urgent first.
using OrderKey = std::pair<int64_t, int64_t> (*)(const WorkKey& row);
OrderKey order_named(std::string_view order) {
  if (order == "created") return [](const WorkKey& row) { return std::pair(-row.start_ns, int64_t{0}); };
  if (order == "due") return [](const WorkKey& row) { return std::pair(due_or_never(row), int64_t{0}); };
  if (order == "priority") {
    return [](const WorkKey& row) {
      return std::pair(int64_t{row.priority == 0 ? uint8_t{5} : row.priority}, due_or_never(row));
    };
  }
  if (order == "id") return [](const WorkKey&) { return std::pair(int64_t{0}, int64_t{0}); };
  return [](const WorkKey& row) { return std::pair(-row.updated_ns, int64_t{0}); };
}

using Order = std::pair<int64_t, int64_t>;

// The first `limit` keys by what order_of says, then by project and id; of many keys no more than these are kept.
template <typename OrderOf>
class FirstKeys {
 public:
  FirstKeys(size_t limit, const OrderOf& order_of) : limit_(limit), order_of_(order_of) {}

  void add(const WorkKey& key) {
    const Place place{order_of_(key), key};
    if (places_.size() < limit_) {
      places_.push_back(place);
      if (places_.size() == limit_) std::make_heap(places_.begin(), places_.end(), before);
    } else if (before(place, places_.front())) {
      std::pop_heap(places_.begin(), places_.end(), before);
      places_.back() = place;
      std::push_heap(places_.begin(), places_.end(), before);
    }
  }
  Keys take() {
    // Keys are large: their places are sorted.
    std::vector<const Place*> order;
    order.reserve(places_.size());
    for (const Place& place : places_) order.push_back(&place);
    std::sort(order.begin(), order.end(), [](const Place* a, const Place* b) { return before(*a, *b); });
    Keys keys;
    keys.reserve(order.size());
    for (const Place* place : order) keys.push_back(place->key);
    return keys;
  }

 private:
  struct Place {
    Order order;
    WorkKey key;
  };
  static bool before(const Place& a, const Place& b) {
    return a.order != b.order ? a.order < b.order : by_id(a.key, b.key);
  }
  const size_t limit_;
  const OrderOf& order_of_;
  std::vector<Place> places_;  // a heap when it is full, its last one in front
};

struct Chosen {
  Keys keys;
  int64_t total = 0;
};

template <typename OrderOf>
Result<Chosen> choose(const store::WorkView& view, const TaskFilter& filter, size_t limit, const OrderOf& order_of) {
  FirstKeys<OrderOf> first(limit, order_of);
  Chosen chosen;
  CC_TRY(filter.for_each_key(view, [&](const WorkKey& key) {
    ++chosen.total;
    first.add(key);
  }));
  chosen.keys = first.take();
  return chosen;
}

Result<Chosen> choose_by(const store::WorkView& view, const TaskFilter& filter, size_t limit, std::string_view order) {
  return choose(view, filter, limit, [order = order_named(order)](const WorkKey& key) { return order(key); });
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

// Adds members to the item of each task.
using Extra = std::function<Status(const WorkKey& key, JsonObject& item)>;

Result<Json> page_of(const Reading& reading, const TaskFilter& filter, const Chosen& chosen, const Extra& extra) {
  JsonArray items;
  items.reserve(chosen.keys.size());
  TaskReader tasks(reading.view);
  for (const WorkKey& key : chosen.keys) {
    CC_ASSIGN(const Task* task, tasks.read(key.span_id, key.id));
    items.push_back(task_json(*task, key, reading.view.now_ns(), reading.shown));
    if (extra) CC_TRY(extra(key, std::get<JsonObject>(items.back().data)));
  }
  Json page(JsonObject{{"items", Json(std::move(items))}, {"total", Json(chosen.total)}});
  add_query(reading, filter, page);
  return page;
}

Result<Json> list(const Reading& reading, const TaskFilter& filter, std::string_view order,
                  size_t limit, const Extra& extra = {}) {
  CC_ASSIGN(const Chosen chosen, choose_by(reading.view, filter, limit, order));
  return page_of(reading, filter, chosen, extra);
}

// Since when a task is in the status it has.
int64_t in_status_since(const store::WorkView& view, const WorkKey& row) {
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
  CC_TRY(filter.for_each_key(reading.view, [&](const WorkKey& key) {
    if (!key.status_name.empty() && filter.own_statuses.empty()) filter.own_statuses.emplace_back(key.status_name);
  }));
  CC_ASSIGN(const Chosen chosen, choose_by(reading.view, filter, limit, "priority"));
  return page_of(reading, filter, chosen, [&](const WorkKey& row, JsonObject& item) {
    add_time(item, "blocked_since", "blocked_seconds", in_status_since(reading.view, row), now_ns);
    return Status();
  });
}

Result<Json> overdue_page(const Reading& reading, TaskFilter filter, size_t limit) {
  const int64_t now_ns = reading.view.now_ns();
  filter.open = true;
  filter.due = {{}, now_ns};
  return list(reading, filter, "due", limit, [&](const WorkKey& row, JsonObject& item) {
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

Status write_list(const Reading& reading, const Question& question, const Args& args, std::string& out) {
  constexpr size_t kTaskBytes = 600;  // about
  CC_ASSIGN(const TaskFilter filter, task_filter(reading.view, question, args));
  CC_ASSIGN(const size_t limit, limit_of(args));
  CC_ASSIGN(const std::string order, args.choice("sort", kOrders));
  CC_ASSIGN(const Chosen chosen, choose_by(reading.view, filter, limit, order));
  out.reserve(out.size() + chosen.keys.size() * kTaskBytes);
  out += "\"items\":[";
  TaskReader tasks(reading.view);
  for (const WorkKey& key : chosen.keys) {
    CC_ASSIGN(const Task* task, tasks.read(key.span_id, key.id));
    if (out.back() != '[') out += ',';
    append_task_json(*task, key, reading.view.now_ns(), out);
  }
  out += "],";
  Json rest(JsonObject{{"total", Json(chosen.total)}});
  add_query(reading, filter, rest);
  append_members(rest, out);
  return {};
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
  CC_ASSIGN(const Chosen chosen, choose(reading.view, filter, limit, [](const WorkKey& key) {
              return Order(key.updated_ns, 0);
            }));
  return page_of(reading, filter, chosen, [&](const WorkKey& row, JsonObject& item) {
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
