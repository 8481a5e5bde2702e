#pragma once
// Sums over children, kept with the parent's row: a change of one of thousands of children must not
// count the others again. A sum is what the rows of the index add up to, always: it is part of the
// transaction that changes one of them.

#include <functional>
#include <utility>
#include <vector>

#include "store/work_index.h"

namespace contextcore::store {

using TallyOf = std::function<WorkTally(const WorkRow& row)>;
using TallyChange = std::pair<otlp::SpanId, WorkTally>;

// Gives every row the sum over its children as it is once `rows` (of one transaction; the last one
// of an id counts) have replaced their namesakes in index. others: new sums of rows that are not
// among them. A row that an older version of this program wrote has no sum: its children are
// counted, once.
void tally_rows(const TallyOf& tally_of, const WorkIndexView& index, std::vector<WorkRow>& rows,
                std::vector<TallyChange>& others);

}  // namespace contextcore::store
