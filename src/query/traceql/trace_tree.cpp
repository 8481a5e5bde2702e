#include "query/traceql/trace_tree.h"

#include <algorithm>

namespace contextcore::traceql {

namespace {

using store::SpanCore;

struct IdEntry {
  otlp::SpanId id;
  uint32_t span;
  bool operator<(const IdEntry& other) const {
    return id != other.id ? id < other.id : span < other.span;
  }
};

// Several spans may share an id: Zipkin gives client and server side of a call one id, and the
// server side then is the child of the client side and the parent of what follows.
int32_t find_parent(const store::TraceView& view, const std::vector<IdEntry>& ids, uint32_t span) {
  const auto range = [&ids](const otlp::SpanId& id) {
    const auto first = std::lower_bound(ids.begin(), ids.end(), IdEntry{id, 0});
    const auto last = std::find_if(first, ids.end(), [&](const IdEntry& e) { return e.id != id; });
    return std::pair(first, last);
  };
  const SpanCore& core = view.core(span);
  if (core.kind == otlp::SpanKind::server) {
    const auto [first, last] = range(core.span_id);
    for (auto it = first; it != last; ++it) {
      if (it->span != span && view.core(it->span).kind == otlp::SpanKind::client) {
        return static_cast<int32_t>(it->span);
      }
    }
  }
  if (core.parent_span_id.empty()) return TraceTree::kNone;
  int32_t found = TraceTree::kNone;
  const auto [first, last] = range(core.parent_span_id);
  for (auto it = first; it != last; ++it) {
    if (it->span == span) continue;
    const bool server = view.core(it->span).kind == otlp::SpanKind::server;
    if (found == TraceTree::kNone || server) found = static_cast<int32_t>(it->span);
    if (server) break;
  }
  return found;
}

}  // namespace

TraceTree::TraceTree(const store::TraceView& view) {
  link(view);
  cut_circles();
  number(view);
}

void TraceTree::link(const store::TraceView& view) {
  const size_t count = view.span_count();
  std::vector<IdEntry> ids;
  ids.reserve(count);
  for (uint32_t span = 0; span < count; ++span) ids.push_back({view.core(span).span_id, span});
  std::sort(ids.begin(), ids.end());
  parents_.resize(count);
  for (uint32_t span = 0; span < count; ++span) parents_[span] = find_parent(view, ids, span);
}

// Walks up from every span; what is met again on the same walk closes a circle.
void TraceTree::cut_circles() {
  const size_t count = parents_.size();
  constexpr uint32_t kDone = UINT32_MAX;
  std::vector<uint32_t> walk_of(count, 0);  // 0: not met, kDone: placed in order_
  std::vector<uint32_t> path;
  order_.reserve(count);
  for (uint32_t start = 0; start < count; ++start) {
    path.clear();
    auto at = static_cast<int32_t>(start);
    while (at != kNone && walk_of[static_cast<size_t>(at)] == 0) {
      walk_of[static_cast<size_t>(at)] = start + 1;
      path.push_back(static_cast<uint32_t>(at));
      at = parents_[static_cast<size_t>(at)];
    }
    if (at != kNone && walk_of[static_cast<size_t>(at)] == start + 1) {
      parents_[path.back()] = kNone;
    }
    for (auto it = path.rbegin(); it != path.rend(); ++it) {
      walk_of[*it] = kDone;
      order_.push_back(*it);
    }
  }
  child_counts_.assign(count, 0);
  for (const int32_t parent : parents_) {
    if (parent != kNone) ++child_counts_[static_cast<size_t>(parent)];
  }
}

void TraceTree::number(const store::TraceView& view) {
  const size_t count = parents_.size();
  nested_sets_.resize(count);
  // Children as lists: the first of each span, and the next beside each span, in order of start.
  std::vector<int32_t> first_child(count, kNone), next_sibling(count, kNone);
  for (size_t span = count; span-- > 0;) {
    const int32_t parent = parents_[span];
    if (parent == kNone) continue;
    next_sibling[span] = first_child[static_cast<size_t>(parent)];
    first_child[static_cast<size_t>(parent)] = static_cast<int32_t>(span);
  }
  int64_t next = 1;
  for (size_t root = 0; root < count; ++root) {
    if (parents_[root] != kNone || !view.core(root).parent_span_id.empty()) continue;
    auto at = static_cast<int32_t>(root);
    nested_sets_[root].parent = -1;
    nested_sets_[root].left = next++;
    while (at != kNone) {
      const auto here = static_cast<size_t>(at);
      if (const int32_t child = first_child[here]; child != kNone) {
        first_child[here] = next_sibling[static_cast<size_t>(child)];
        nested_sets_[static_cast<size_t>(child)].parent = nested_sets_[here].left;
        nested_sets_[static_cast<size_t>(child)].left = next++;
        at = child;
      } else {
        nested_sets_[here].right = next++;
        at = parents_[here];
      }
    }
  }
}

}  // namespace contextcore::traceql
