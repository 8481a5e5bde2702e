#include "store/work_tally.h"

#include <map>

namespace contextcore::store {
namespace {

WorkTally sum_of(const TallyOf& tally_of, const WorkIndexView& index, const otlp::SpanId& id) {
  if (const WorkTally* kept = index.tally(id)) return *kept;
  WorkTally sum;
  for (const WorkRow* child : index.children(id)) sum += tally_of(*child);
  return sum;
}

}  // namespace

void tally_rows(const TallyOf& tally_of, const WorkIndexView& index, std::vector<WorkRow>& rows,
                std::vector<TallyChange>& others) {
  std::map<otlp::SpanId, const WorkRow*> last;
  for (const WorkRow& row : rows) last[row.span_id] = &row;
  std::map<otlp::SpanId, WorkTally> moved;
  for (const auto& [id, row] : last) {
    const WorkRow* before = index.find(id);
    if (before != nullptr && !before->parent_span_id.empty()) {
      moved[before->parent_span_id] -= tally_of(*before);
    }
    if (!row->parent_span_id.empty()) moved[row->parent_span_id] += tally_of(*row);
  }
  for (WorkRow& row : rows) {
    row.below = sum_of(tally_of, index, row.span_id);
    if (const auto change = moved.find(row.span_id); change != moved.end()) {
      row.below += change->second;
    }
    row.tallied = true;
  }
  for (const auto& [id, change] : moved) {
    if (change == WorkTally() || last.contains(id) || index.find(id) == nullptr) continue;
    others.emplace_back(id, sum_of(tally_of, index, id));
    others.back().second += change;
  }
}

}  // namespace contextcore::store
