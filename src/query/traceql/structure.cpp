// Structural operators between the spans of one trace.

#include <algorithm>

#include "query/traceql/plan.h"

namespace contextcore::traceql {

namespace {

using Marks = std::vector<char>;
using Spans = std::vector<uint32_t>;

Marks mark(size_t count, const Spans& spans) {
  Marks marks(count, 0);
  for (const uint32_t span : spans) marks[span] = 1;
  return marks;
}

Marks children_of(const TraceTree& tree, const Marks& set) {
  Marks result(set.size(), 0);
  for (size_t span = 0; span < set.size(); ++span) {
    const int32_t parent = tree.parent(span);
    result[span] = parent != TraceTree::kNone && set[static_cast<size_t>(parent)] != 0;
  }
  return result;
}

Marks parents_of(const TraceTree& tree, const Marks& set) {
  Marks result(set.size(), 0);
  for (size_t span = 0; span < set.size(); ++span) {
    const int32_t parent = tree.parent(span);
    if (parent != TraceTree::kNone && set[span] != 0) result[static_cast<size_t>(parent)] = 1;
  }
  return result;
}

Marks descendants_of(const TraceTree& tree, const Marks& set) {
  Marks result(set.size(), 0);
  for (const uint32_t span : tree.order()) {
    const int32_t parent = tree.parent(span);
    if (parent == TraceTree::kNone) continue;
    const auto above = static_cast<size_t>(parent);
    result[span] = set[above] != 0 || result[above] != 0;
  }
  return result;
}

Marks ancestors_of(const TraceTree& tree, const Marks& set) {
  Marks result(set.size(), 0);
  for (auto it = tree.order().rbegin(); it != tree.order().rend(); ++it) {
    const int32_t parent = tree.parent(*it);
    if (parent != TraceTree::kNone && (set[*it] != 0 || result[*it] != 0)) {
      result[static_cast<size_t>(parent)] = 1;
    }
  }
  return result;
}

// Spans with the same parent id as some other span of the set, the parent known or not.
Marks siblings_of(const store::TraceView& view, const Marks& set) {
  std::vector<std::pair<otlp::SpanId, uint32_t>> by_parent;
  for (uint32_t span = 0; span < set.size(); ++span) {
    const otlp::SpanId& parent = view.core(span).parent_span_id;
    if (!parent.empty()) by_parent.emplace_back(parent, span);
  }
  std::sort(by_parent.begin(), by_parent.end());
  Marks result(set.size(), 0);
  for (size_t from = 0; from < by_parent.size();) {
    size_t to = from;
    size_t members = 0;
    for (; to < by_parent.size() && by_parent[to].first == by_parent[from].first; ++to) {
      members += set[by_parent[to].second] != 0 ? 1 : 0;
    }
    for (; from < to; ++from) {
      const uint32_t span = by_parent[from].second;
      result[span] = members > (set[span] != 0 ? 1u : 0u);
    }
  }
  return result;
}

enum class Relation : uint8_t { child, parent, descendant, ancestor, sibling };

Marks related(Relation relation, const TraceContext& trace, const Marks& set) {
  switch (relation) {
    case Relation::child:
      return children_of(trace.tree(), set);
    case Relation::parent:
      return parents_of(trace.tree(), set);
    case Relation::descendant:
      return descendants_of(trace.tree(), set);
    case Relation::ancestor:
      return ancestors_of(trace.tree(), set);
    case Relation::sibling:
      return siblings_of(trace.view(), set);
  }
  return {};
}

Relation inverse(Relation relation) {
  switch (relation) {
    case Relation::child:
      return Relation::parent;
    case Relation::parent:
      return Relation::child;
    case Relation::descendant:
      return Relation::ancestor;
    case Relation::ancestor:
      return Relation::descendant;
    case Relation::sibling:
      break;
  }
  return Relation::sibling;
}

// The operators come in the order of the relations: plain, negated, union.
constexpr auto kFirst = static_cast<uint8_t>(Operator::child);
constexpr uint8_t kRelations = 5;

Spans keep(const Spans& spans, const Marks& marks, bool wanted) {
  Spans result;
  for (const uint32_t span : spans) {
    if ((marks[span] != 0) == wanted) result.push_back(span);
  }
  return result;
}

}  // namespace

Spans relate(Operator op, const TraceContext& trace, const Spans& left, const Spans& right) {
  assert(is_structural(op));
  const auto offset = static_cast<uint8_t>(static_cast<uint8_t>(op) - kFirst);
  const auto relation = static_cast<Relation>(offset % kRelations);
  const bool negated = offset / kRelations == 1;
  const bool both = offset / kRelations == 2;
  const size_t count = trace.view().span_count();
  const Marks matching = related(relation, trace, mark(count, left));
  Spans result = keep(right, matching, !negated);
  if (!both) return result;
  const Spans partners = keep(left, related(inverse(relation), trace, mark(count, right)), true);
  Spans merged;
  std::set_union(result.begin(), result.end(), partners.begin(), partners.end(),
                 std::back_inserter(merged));
  return merged;
}

}  // namespace contextcore::traceql
