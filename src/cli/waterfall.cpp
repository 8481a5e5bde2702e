#include "cli/waterfall.h"

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "base/sort.h"
#include "base/time.h"

namespace contextcore::cli {
namespace {

struct Line {
  const otlp::Span* span = nullptr;
  std::string_view service;
  std::string label;
};

struct Tree {
  std::vector<Line> spans;
  std::map<otlp::SpanId, std::vector<size_t>> children;  // by parent, in order of start
  std::vector<size_t> roots, orphans;
};

bool is_open(const otlp::Span& span) {
  const otlp::Value* open = otlp::find(span.attributes, "contextcore.open");
  return span.end_ns == 0 || (open != nullptr && open->as_bool() != nullptr && *open->as_bool());
}

Tree build_tree(const otlp::TracesData& trace) {
  Tree tree;
  for (const auto& resource : trace.resource_spans) {
    const std::string_view service =
        otlp::find_string(resource.resource.attributes, "service.name");
    for (const auto& scope : resource.scope_spans) {
      for (const auto& span : scope.spans) tree.spans.push_back({&span, service, {}});
    }
  }
  sort_stably(tree.spans,
              [](const Line& a, const Line& b) { return a.span->start_ns < b.span->start_ns; });
  std::set<otlp::SpanId> present;
  for (const Line& line : tree.spans) present.insert(line.span->span_id);
  for (size_t i = 0; i < tree.spans.size(); ++i) {
    const otlp::SpanId& parent = tree.spans[i].span->parent_span_id;
    if (parent.empty()) {
      tree.roots.push_back(i);
    } else if (present.contains(parent) && parent != tree.spans[i].span->span_id) {
      tree.children[parent].push_back(i);
    } else {
      tree.orphans.push_back(i);
    }
  }
  return tree;
}

std::string name_of(const otlp::Span& span) {
  const std::string_view task = otlp::find_string(span.attributes, "task.id");
  if (!task.empty()) {
    return std::string(task) + "  " + std::string(otlp::find_string(span.attributes, "task.title"));
  }
  const std::string_view phase = otlp::find_string(span.attributes, "phase.status");
  if (!phase.empty()) return "· " + std::string(phase);
  const std::string_view insight = otlp::find_string(span.attributes, "insight.summary");
  if (!insight.empty()) return "◆ " + span.name + "  " + std::string(insight);
  return span.name;
}

// The bar of [start, end] in [first, last] over columns cells.
std::string bar(uint64_t start, uint64_t end, uint64_t first, uint64_t last, int columns) {
  const double total = static_cast<double>(std::max<uint64_t>(1, last - first));
  const int from =
      std::min(columns - 1, static_cast<int>(static_cast<double>(start - first) / total * columns));
  const int to = std::max(
      from + 1, static_cast<int>(static_cast<double>(end - first) / total * columns + 0.5));
  std::string out(static_cast<size_t>(from), ' ');
  for (int i = from; i < std::min(to, columns); ++i) out += end == start ? "▏" : "█";
  out.append(static_cast<size_t>(std::max(0, columns - std::min(to, columns))), ' ');
  return out;
}

Style span_style(const otlp::Span& span) {
  if (span.status_code == otlp::StatusCode::error) return Style::red;
  if (span.status_code == otlp::StatusCode::ok) return Style::green;
  return is_open(span) ? Style::cyan : Style::plain;
}

// Pre-order walk without recursion (a hostile trace may be a long chain or a ring); skips what was
// seen.
std::vector<std::pair<size_t, int>> walk(const Tree& tree, const std::vector<size_t>& starts,
                                         int depth, std::vector<bool>& seen) {
  std::vector<std::pair<size_t, int>> order, stack;
  for (auto it = starts.rbegin(); it != starts.rend(); ++it) stack.emplace_back(*it, depth);
  while (!stack.empty()) {
    const auto [index, level] = stack.back();
    stack.pop_back();
    if (seen[index]) continue;
    seen[index] = true;
    order.emplace_back(index, level);
    const auto found = tree.children.find(tree.spans[index].span->span_id);
    if (found == tree.children.end()) continue;
    for (auto it = found->second.rbegin(); it != found->second.rend(); ++it) {
      stack.emplace_back(*it, level + 1);
    }
  }
  return order;
}

}  // namespace

std::string render_waterfall(const otlp::TracesData& trace, const Terminal& terminal,
                             int64_t now_ns) {
  Tree tree = build_tree(trace);
  if (tree.spans.empty()) return "The trace has no spans.\n";
  const auto now = static_cast<uint64_t>(std::max<int64_t>(0, now_ns));
  const auto end_of = [&](const otlp::Span& span) {
    return std::max(span.start_ns, span.end_ns != 0 ? span.end_ns : std::max(now, span.start_ns));
  };
  uint64_t first = UINT64_MAX, last = 0;
  for (const Line& line : tree.spans) {
    first = std::min(first, line.span->start_ns);
    last = std::max(last, end_of(*line.span));
  }

  const int columns = terminal.columns > 0 ? terminal.columns : 120;
  const int label_columns = std::clamp(columns / 2, 24, 64);
  const int bar_columns = std::clamp(columns - label_columns - 24, 10, 60);
  std::string out;
  const auto print = [&](size_t index, int depth) {
    const Line& line = tree.spans[index];
    const otlp::Span& span = *line.span;
    const std::string label =
        fit(std::string(static_cast<size_t>(std::min(depth, 12)) * 2, ' ') + name_of(span),
            label_columns);
    std::string text = label;
    text.append(static_cast<size_t>(std::max(1, label_columns - display_width(label) + 1)), ' ');
    text += terminal.paint(span_style(span),
                           bar(span.start_ns, end_of(span), first, last, bar_columns));
    text += " " + format_duration_short(static_cast<int64_t>(end_of(span) - span.start_ns));
    if (is_open(span)) text += terminal.paint(Style::dim, " open");
    if (span.status_code == otlp::StatusCode::error) {
      text += terminal.paint(
          Style::red, span.status_message.empty() ? " error" : " " + fit(span.status_message, 40));
    }
    out += text + "\n";
  };
  std::vector<bool> seen(tree.spans.size());
  for (const auto& [index, depth] : walk(tree, tree.roots, 0, seen)) print(index, depth);
  bool heading = false;
  const auto print_rest = [&](const std::vector<size_t>& starts) {
    for (const auto& [index, depth] : walk(tree, starts, 1, seen)) {
      if (!heading) out += terminal.paint(Style::dim, "(parent not in this trace)") + "\n";
      heading = true;
      print(index, depth);
    }
  };
  print_rest(tree.orphans);
  for (size_t i = 0; i < tree.spans.size(); ++i) {
    if (!seen[i]) print_rest({i});  // a ring has no root: start anywhere
  }
  return out;
}

}  // namespace contextcore::cli
