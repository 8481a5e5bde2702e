#include "work/ready.h"

#include <algorithm>

#include "work/filters.h"
#include "work/names.h"
#include "work/status.h"

namespace contextcore::work {
namespace {

using store::WorkKey;
using store::WorkRow;

bool is_one_of(const std::vector<std::string>& list, std::string_view value) {
  return list.empty() || std::find(list.begin(), list.end(), value) != list.end();
}

// By priority (none last), then due date (none last), then age, then id.
bool before(const WorkKey& a, const WorkKey& b) {
  const auto key = [](const WorkKey& row) {
    return std::tuple(row.priority == 0 ? 5 : int{row.priority},
                      row.due_ns == 0 ? INT64_MAX : row.due_ns, row.start_ns, row.project, row.id);
  };
  return key(a) < key(b);
}

}  // namespace

Result<bool> has_label(const store::WorkView& view, const WorkRow& row, std::string_view label) {
  CC_ASSIGN(const std::optional<store::JournalSpan> span, view.span(row.span_id));
  if (!span) return false;
  const otlp::Value* labels = otlp::find(span->span.attributes, names::attr::kTaskLabels);
  if (!labels || !labels->as_array()) return false;
  return std::any_of(
      labels->as_array()->begin(), labels->as_array()->end(),
      [&](const otlp::Value& value) { return value.as_string() && *value.as_string() == label; });
}

Result<ReadyFilter> ready_filter(const store::WorkView& view, const Args& args,
                                 std::string_view project, const Actor& actor,
                                 std::span<const std::string_view> own_types) {
  ReadyFilter filter;
  filter.project = project;
  CC_ASSIGN(filter.types, types_of(view, args, own_types));
  CC_ASSIGN(filter.priorities, args.choices("priority", kPriorityNames));
  CC_ASSIGN(filter.label, args.text("label"));
  CC_ASSIGN(filter.include_backlog, args.flag("include_backlog"));
  CC_ASSIGN(filter.assignee, args.text("assignee"));
  if (filter.assignee.empty())
    filter.assignee = actor.agent_id.empty() ? actor.actor : actor.agent_id;
  return filter;
}

Result<ReadyPage> find_ready(const store::WorkView& view, const ReadyFilter& filter) {
  const int64_t now = view.now_ns();
  std::vector<WorkKey> found;
  const store::WorkFilter wanted{store::WorkFilter::bit(store::WorkKind::task), true, filter.project};
  view.index().scan_keys(wanted, [&](const WorkKey& row) {
    if (!is_ready(row, now, filter.include_backlog)) return true;
    // The claim made its holder the assignee; both are over when the lease is.
    const bool given_up = is_abandoned(row, now) && row.assignee == row.claimed_by;
    if (!row.assignee.empty() && row.assignee != filter.assignee && !given_up) return true;
    if (!is_one_of(filter.types, row.type)) return true;
    if (!filter.priorities.empty() &&
        (row.priority == 0 || !is_one_of(filter.priorities, kPriorityNames[row.priority - 1]))) {
      return true;
    }
    found.push_back(row);
    return true;
  });
  ReadyPage page;
  if (filter.label.empty()) {
    page.total = static_cast<int64_t>(found.size());
    const size_t shown = std::min(filter.limit, found.size());
    std::partial_sort(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(shown),
                      found.end(), before);
    found.resize(shown);
    page.rows = rows_of(view, found);
    return page;
  }
  std::sort(found.begin(), found.end(), before);
  for (const WorkKey& key : found) {
    const WorkRow* row = view.index().find(key.span_id);
    if (row == nullptr) continue;
    CC_ASSIGN(const bool labelled, has_label(view, *row, filter.label));
    if (!labelled) continue;
    page.total++;
    if (page.rows.size() < filter.limit) page.rows.push_back(row);
    if (filter.limit == 1) break;  // a claim wants the first only
  }
  return page;
}

}  // namespace contextcore::work
