#include "store/snapshot_conditions.h"

#include <algorithm>

namespace contextcore::store {

bool is_computed(const Condition& condition, bool journal, const WorkHooks& hooks) {
  switch (condition.field) {
    case SpanField::duration:
    case SpanField::end:
    case SpanField::event_name:
      return journal;  // open spans end now; events are joined from the log
    case SpanField::attribute:
      break;
    default:
      return false;
  }
  const Column& column = condition.column;
  if (column.scope == ColumnScope::event) return journal;
  if (column.scope != ColumnScope::span) return false;
  if (!journal) return column.key == kEndMissingKey;
  return std::find(hooks.computed_keys.begin(), hooks.computed_keys.end(), column.key) !=
         hooks.computed_keys.end();
}

Result<RowSet> match_conditions(const SpanRows& rows, bool journal, const WorkHooks& hooks,
                                const FetchRequest& request) {
  CC_TRY(rows.status());  // a file that cannot be read has as many rows as the manifest says, which may be anything
  if (request.conditions.empty()) return RowSet(rows.size(), true);
  RowSet result(rows.size(), request.all_conditions);
  for (const Condition& condition : request.conditions) {
    if (is_computed(condition, journal, hooks)) {
      if (request.all_conditions) continue;
      return RowSet(rows.size(), true);
    }
    CC_ASSIGN(const RowSet matched, rows.match(condition));
    if (request.all_conditions) {
      result &= matched;
      if (result.none()) break;
    } else {
      result |= matched;
    }
  }
  return result;
}

}  // namespace contextcore::store
