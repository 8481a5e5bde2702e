// sprint.list.

#include <algorithm>

#include "work/questions.h"
#include "work/sprint.h"
#include "work/view_json.h"

namespace contextcore::work {

Result<Json> ask_sprints(const Reading& reading, const Question& question, const Args& args) {
  CC_ASSIGN(const bool open_only, args.flag("open"));
  CC_ASSIGN(const size_t limit, limit_of(args));
  std::vector<const store::WorkRow*> found;
  const store::WorkFilter sprints{store::WorkFilter::bit(store::WorkKind::sprint), open_only,
                                  question.project};
  const store::WorkIndexView& index = reading.view.index();
  index.scan_keys(sprints, [&](const store::WorkKey& key) {
    if (const store::WorkRow* row = index.find(key.span_id)) found.push_back(row);
    return true;
  });
  std::sort(found.begin(), found.end(), [](const store::WorkRow* a, const store::WorkRow* b) {
    if (a->start_ns != b->start_ns) return a->start_ns > b->start_ns;
    return std::tie(a->project, a->id) < std::tie(b->project, b->id);
  });
  const auto total = static_cast<int64_t>(found.size());
  found.resize(std::min(limit, found.size()));
  JsonArray items;
  for (const store::WorkRow* row : found) {
    CC_ASSIGN(const std::optional<store::JournalSpan> span, reading.view.span(row->span_id));
    if (!span) continue;
    CC_ASSIGN(const Sprint sprint, sprint_from_span(*span));
    items.push_back(sprint_json(sprint));
  }
  return Json(JsonObject{{"items", Json(std::move(items))}, {"total", Json(total)}});
}

}  // namespace contextcore::work
