#include "api/waterfall.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/sort.h"
#include "api/html.h"
#include "api/page_data.h"
#include "base/time.h"

namespace contextcore::api {

namespace {

constexpr int kDepthMax = 5;  // deeper rows are not indented further

struct Row {
  const WaterfallSpan* span;
  int depth;
};

// Depth first without recursion: trees may be as deep as they are long.
std::vector<Row> tree_order(const std::vector<WaterfallSpan>& spans) {
  std::map<otlp::SpanId, std::vector<const WaterfallSpan*>> children;
  std::set<otlp::SpanId> present;
  for (const WaterfallSpan& span : spans) present.insert(span.id);
  std::vector<const WaterfallSpan*> roots;
  for (const WaterfallSpan& span : spans) {
    bool has_parent = !span.parent_id.empty() && present.count(span.parent_id) > 0;
    (has_parent ? children[span.parent_id] : roots).push_back(&span);
  }
  auto later = [](const WaterfallSpan* a, const WaterfallSpan* b) {
    return a->start_ns != b->start_ns ? a->start_ns > b->start_ns : a->end_ns < b->end_ns;
  };
  std::vector<Row> rows, stack;
  std::set<const WaterfallSpan*> drawn;
  auto push = [&](std::vector<const WaterfallSpan*>& group, int depth) {
    sort_stably(group, later);
    for (const WaterfallSpan* span : group) stack.push_back(Row{span, depth});
  };
  auto drain = [&] {
    while (!stack.empty()) {
      Row row = stack.back();
      stack.pop_back();
      if (!drawn.insert(row.span).second) continue;  // a circle closes
      rows.push_back(row);
      if (auto found = children.find(row.span->id); found != children.end()) {
        push(found->second, row.depth + 1);
      }
    }
  };
  push(roots, 0);
  drain();
  for (const WaterfallSpan& span : spans) {  // circles have no root
    if (drawn.count(&span) > 0) continue;
    stack.push_back(Row{&span, 0});
    drain();
  }
  return rows;
}

std::string css_class(const std::string& name) {
  bool plain = std::all_of(name.begin(), name.end(),
                           [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
  return plain ? name : "todo";
}

struct Axis {
  int64_t start_ns, end_ns;
  double percent(int64_t time_ns) const {
    double width = static_cast<double>(end_ns) - static_cast<double>(start_ns);
    if (width <= 0) return 0;
    return 100.0 * (static_cast<double>(time_ns) - static_cast<double>(start_ns)) / width;
  }
};

std::string draw_row(const Row& row, const Axis& axis) {
  const WaterfallSpan& span = *row.span;
  // A bar of no width is still to be seen; viewBox units are permille of the axis.
  double width = std::max(6.0, 10.0 * (axis.percent(span.end_ns) - axis.percent(span.start_ns)));
  double x = std::min(10.0 * axis.percent(span.start_ns), 1000.0 - width);
  std::string duration = format_duration_short(span.end_ns - span.start_ns);
  std::string label = escape_html(span.label);
  return fmt::format(
      "<div class=\"row\"><span class=\"label d{}\" title=\"{}\">{}</span>"
      "<svg viewBox=\"0 0 1000 10\" preserveAspectRatio=\"none\" height=\"14\" role=\"img\" "
      "aria-label=\"{} to {}\"><rect class=\"track\" y=\"4\" width=\"1000\" height=\"2\"/>"
      "<rect class=\"{}{}\" x=\"{:.1f}\" width=\"{:.1f}\" height=\"10\"/></svg>"
      "<span class=\"time\">{}{}</span></div>\n",
      std::min(row.depth, kDepthMax), label, label, format_minute(span.start_ns),
      span.open ? "now" : format_minute(span.end_ns), css_class(span.css), span.open ? " open" : "",
      x, width, duration, span.open ? "…" : "");
}

}  // namespace

std::string render_waterfall(const std::vector<WaterfallSpan>& own,
                             const std::vector<WaterfallSpan>& telemetry) {
  Axis axis{INT64_MAX, INT64_MIN};
  for (const auto* spans : {&own, &telemetry}) {
    for (const WaterfallSpan& span : *spans) {
      axis.start_ns = std::min(axis.start_ns, span.start_ns);
      axis.end_ns = std::max(axis.end_ns, span.end_ns);
    }
  }
  if (axis.start_ns > axis.end_ns) return "<p class=\"empty\">No spans.</p>\n";
  std::string out = "<div class=\"fall\">\n";
  for (const auto* spans : {&own, &telemetry}) {
    for (const Row& row : tree_order(*spans)) out += draw_row(row, axis);
  }
  return out + fmt::format("<div class=\"axis\"><span>{}</span><span>{}</span></div>\n</div>\n",
                           format_minute(axis.start_ns), format_minute(axis.end_ns));
}

}  // namespace contextcore::api
