#pragma once
// Who is whose parent within one whole trace, from span ids alone. A forest whatever the data: an
// edge that would close a circle is dropped, a parent that is not there leaves an orphan, which is
// a top of its own but no root.

#include <cstdint>
#include <vector>

#include "store/fetch.h"

namespace contextcore::traceql {

struct NestedSet {
  int64_t left = 0, right = 0, parent = 0;  // all 0 for spans that no root reaches
};

class TraceTree {
 public:
  static constexpr int32_t kNone = -1;

  explicit TraceTree(const store::TraceView& view);

  int32_t parent(size_t span) const { return parents_[span]; }
  int64_t child_count(size_t span) const { return child_counts_[span]; }
  // Every span once, parents before their children.
  const std::vector<uint32_t>& order() const { return order_; }
  // Spans numbered from roots as Tempo does: 1 for the first root; its parent is -1.
  const NestedSet& nested_set(size_t span) const { return nested_sets_[span]; }

 private:
  void link(const store::TraceView& view);
  void cut_circles();
  void number(const store::TraceView& view);

  std::vector<int32_t> parents_;
  std::vector<int64_t> child_counts_;
  std::vector<uint32_t> order_;
  std::vector<NestedSet> nested_sets_;
};

}  // namespace contextcore::traceql
