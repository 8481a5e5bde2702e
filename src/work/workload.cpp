// project.workload (who has how much open work) and project.critical_path (the longest chain of
// open dependencies).

#include <algorithm>
#include <map>

#include "work/filters.h"
#include "work/questions.h"
#include "work/status.h"
#include "work/view_json.h"

namespace contextcore::work {
namespace {

using store::WorkRow;
using Rows = std::vector<const WorkRow*>;

struct Load {
  int64_t open = 0, active = 0, blocked = 0, ready = 0, overdue = 0, points = 0, without_points = 0;

  void add(const WorkRow& row, int64_t now_ns) {
    const TaskStatus status = row_status(row);
    open++;
    if (status == TaskStatus::in_progress || status == TaskStatus::in_review) active++;
    if (status == TaskStatus::blocked) blocked++;
    if (is_ready(row, now_ns, false)) ready++;
    if (row.due_ns != 0 && row.due_ns < now_ns) overdue++;
    points += row.points;
    if (!row_has_points(row)) without_points++;
  }
};

Json load_json(const std::string& assignee, const Load& load) {
  return Json(JsonObject{{"assignee", assignee.empty() ? Json() : Json(assignee)},
                         {"open", Json(load.open)},
                         {"active", Json(load.active)},
                         {"blocked", Json(load.blocked)},
                         {"ready", Json(load.ready)},
                         {"overdue", Json(load.overdue)},
                         {"story_points", Json(load.points)},
                         {"without_points", Json(load.without_points)}});
}

constexpr std::array<std::string_view, 3> kWeights = {"points", "estimate", "count"};
constexpr int64_t kPointsWithout = 1, kMinutesWithout = 60;

// The open tasks and what each waits for, each weighted.
class Chain {
 public:
  struct Node {
    const WorkRow* row = nullptr;
    int64_t weight = 0;
    bool guessed = false;  // has no weight of its own
    std::vector<size_t> waits_for;
    std::vector<size_t> waited_by;
    int64_t longest = 0;  // of the chain that ends here
    size_t before = SIZE_MAX;
  };

  explicit Chain(const Rows& rows) {
    std::map<otlp::SpanId, size_t> at;
    for (const WorkRow* row : rows) {
      at.emplace(row->span_id, nodes_.size());
      nodes_.push_back(Node{row, 0, false, {}, {}, 0, SIZE_MAX});
    }
    for (size_t i = 0; i < nodes_.size(); i++) {
      for (const store::WorkEdge& edge : nodes_[i].row->depends_on) {
        const auto target = at.find(edge.target);
        if (target == at.end()) continue;
        nodes_[i].waits_for.push_back(target->second);
        nodes_[target->second].waited_by.push_back(i);
      }
    }
  }

  std::vector<Node>& nodes() { return nodes_; }

  // The longest chain, first to do first. A ring (there is none: cycles are refused) adds nothing.
  std::vector<const Node*> longest() {
    std::vector<size_t> pending(nodes_.size()), free;
    for (size_t i = 0; i < nodes_.size(); i++) {
      pending[i] = nodes_[i].waits_for.size();
      nodes_[i].longest = nodes_[i].weight;
      if (pending[i] == 0) free.push_back(i);
    }
    for (size_t done = 0; done < free.size(); done++) {
      const Node& node = nodes_[free[done]];
      for (const size_t next : node.waited_by) {
        Node& waiting = nodes_[next];
        if (node.longest + waiting.weight > waiting.longest || waiting.before == SIZE_MAX) {
          waiting.longest = node.longest + waiting.weight;
          waiting.before = free[done];
        }
        if (--pending[next] == 0) free.push_back(next);
      }
    }
    return path_to(best(free));
  }

 private:
  // The heaviest end of a chain of two or more; ties by id.
  size_t best(const std::vector<size_t>& order) const {
    size_t found = SIZE_MAX;
    for (const size_t i : order) {
      if (nodes_[i].before == SIZE_MAX) continue;
      if (found == SIZE_MAX || nodes_[i].longest > nodes_[found].longest ||
          (nodes_[i].longest == nodes_[found].longest && nodes_[i].row->id < nodes_[found].row->id))
        found = i;
    }
    return found;
  }
  std::vector<const Node*> path_to(size_t last) const {
    std::vector<const Node*> path;
    for (size_t i = last; i != SIZE_MAX; i = nodes_[i].before) path.push_back(&nodes_[i]);
    std::reverse(path.begin(), path.end());
    return path;
  }

  std::vector<Node> nodes_;
};

Status weigh(const store::WorkView& view, std::string_view by, std::vector<Chain::Node>& nodes) {
  for (Chain::Node& node : nodes) {
    if (by == "count") {
      node.weight = 1;
    } else if (by == "points") {
      node.guessed = !row_has_points(*node.row);
      node.weight = node.guessed ? kPointsWithout : node.row->points;
    } else if (!node.waits_for.empty() || !node.waited_by.empty()) {
      CC_ASSIGN(const Task task, read_task(view, *node.row));
      node.guessed = !task.estimate_minutes;
      node.weight = task.estimate_minutes.value_or(kMinutesWithout);
    }
  }
  return {};
}

}  // namespace

Result<Json> ask_workload(const Reading& reading, const Question& question, const Args& args) {
  CC_ASSIGN(TaskFilter filter, task_filter(reading.view, question, args));
  filter.open = true;
  CC_ASSIGN(const Rows rows, filter.find(reading.view));
  std::map<std::string, Load> loads;
  for (const WorkRow* row : rows) loads[row->assignee].add(*row, reading.view.now_ns());
  std::vector<std::pair<std::string, Load>> order(loads.begin(), loads.end());
  std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
    return a.second.open != b.second.open ? a.second.open > b.second.open : a.first < b.first;
  });
  JsonArray items;
  for (const auto& [assignee, load] : order) items.push_back(load_json(assignee, load));
  const auto total = static_cast<int64_t>(items.size());
  return Json(JsonObject{{"items", Json(std::move(items))},
                         {"total", Json(total)},
                         {"traceql", Json(filter.traceql())}});
}

Result<Json> ask_critical_path(const Reading& reading, const Question& question, const Args& args) {
  CC_ASSIGN(TaskFilter filter, task_filter(reading.view, question, args));
  CC_ASSIGN(std::string by, args.choice("by", kWeights));
  filter.open = true;
  CC_ASSIGN(const Rows rows, filter.find(reading.view));
  if (by.empty()) {
    const bool pointed = std::any_of(rows.begin(), rows.end(),
                                     [](const WorkRow* row) { return row_has_points(*row); });
    by = pointed ? "points" : "count";
  }
  Chain chain(rows);
  CC_TRY(weigh(reading.view, by, chain.nodes()));
  JsonArray items;
  int64_t total = 0, guessed = 0;
  for (const Chain::Node* node : chain.longest()) {
    CC_ASSIGN(const Task task, read_task(reading.view, *node->row));
    Json item = task_json(task, *node->row, reading.view.now_ns());
    std::get<JsonObject>(item.data).emplace_back("weight", Json(node->weight));
    items.push_back(std::move(item));
    total += node->weight;
    guessed += node->guessed ? 1 : 0;
  }
  const auto count = static_cast<int64_t>(items.size());
  return Json(JsonObject{{"by", Json(by)},
                         {"weight", Json(total)},
                         {"without_weight", Json(guessed)},
                         {"items", Json(std::move(items))},
                         {"total", Json(count)}});
}

}  // namespace contextcore::work
