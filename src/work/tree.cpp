// task.tree: the hierarchy with its progress. A flat list in tree order, each with its depth: trees
// may be deeper than JSON should be.

#include <algorithm>
#include <map>

#include "base/time.h"
#include "work/filters.h"
#include "work/questions.h"
#include "work/read.h"
#include "work/view_json.h"

namespace contextcore::work {
namespace {

using store::WorkRow;
using Rows = std::vector<const WorkRow*>;

constexpr size_t kTreeLimit = 1000;

struct Node {
  const WorkRow* row = nullptr;
  int64_t depth = 0;
};

class Tree {
 public:
  explicit Tree(Rows rows) : rows_(std::move(rows)) {
    for (const WorkRow* row : rows_) known_.emplace(row->span_id, row);
    for (const WorkRow* row : rows_) {
      const bool below = known_.contains(row->parent_span_id);
      (below ? children_[row->parent_span_id] : roots_).push_back(row);
    }
    sort(roots_);
    for (auto& [parent, children] : children_) sort(children);
  }

  // Depth first, without recursion; each row once, whatever the parents say.
  std::vector<Node> nodes(const WorkRow* root, int64_t depth_max) {
    std::vector<Node> out, stack;
    push(root ? Rows{root} : roots_, 0, stack);
    while (!stack.empty()) {
      const Node node = stack.back();
      stack.pop_back();
      if (known_.erase(node.row->span_id) == 0) continue;
      out.push_back(node);
      const auto below = children_.find(node.row->span_id);
      if (below != children_.end() && node.depth < depth_max)
        push(below->second, node.depth + 1, stack);
    }
    return out;
  }

 private:
  static void push(const Rows& rows, int64_t depth, std::vector<Node>& stack) {
    for (auto row = rows.rbegin(); row != rows.rend(); ++row) stack.push_back({*row, depth});
  }
  static void sort(Rows& rows) {
    std::sort(rows.begin(), rows.end(), [](const WorkRow* a, const WorkRow* b) {
      if (a->start_ns != b->start_ns) return a->start_ns < b->start_ns;
      return std::tie(a->project, a->id) < std::tie(b->project, b->id);
    });
  }

  Rows rows_, roots_;
  std::map<otlp::SpanId, const WorkRow*> known_;
  std::map<otlp::SpanId, Rows> children_;
};

}  // namespace

Result<Json> ask_tree(const Reading& reading, const Question& question, const Args& args) {
  const store::WorkView& view = reading.view;
  CC_ASSIGN(const std::string id, args.text("id"));
  CC_ASSIGN(const auto depth, args.integer("depth", 0, 10'000));
  CC_ASSIGN(const auto given, args.integer("limit", 1, 1'000'000));
  CC_ASSIGN(TaskFilter filter, task_filter(view, question, args));
  const WorkRow* root = nullptr;
  if (!id.empty()) {
    CC_ASSIGN(root, resolve_task(view, question.project, id));
    filter.project = root->project;
  }
  CC_ASSIGN(Rows rows, filter.find(view));
  // What was asked for by its id is shown, whatever is filtered below it.
  if (root && std::find(rows.begin(), rows.end(), root) == rows.end()) rows.push_back(root);
  Tree tree(std::move(rows));
  const std::vector<Node> nodes = tree.nodes(root, depth.value_or(INT64_MAX));
  const size_t limit = given ? static_cast<size_t>(*given) : kTreeLimit;
  JsonArray items;
  for (size_t i = 0; i < nodes.size() && i < limit; i++) {
    CC_ASSIGN(const Task task, read_task(view, *nodes[i].row));
    Json item = task_json(task, *nodes[i].row, view.now_ns());
    std::get<JsonObject>(item.data).emplace_back("depth", Json(nodes[i].depth));
    items.push_back(std::move(item));
  }
  return Json(JsonObject{{"items", Json(std::move(items))},
                         {"total", Json(static_cast<int64_t>(nodes.size()))}});
}

}  // namespace contextcore::work
