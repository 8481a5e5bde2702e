// From what was typed to a row of the work index.

#include <algorithm>
#include <tuple>

#include "work/args.h"
#include "work/ids.h"
#include "work/read.h"
#include "work/status.h"

namespace contextcore::work {
namespace {

using store::WorkKey;
using store::WorkRow;

// What an id is looked for among.
struct Wanted {
  std::string_view what;  // for people
  std::string_view kind;  // of its identity
  store::WorkKind work_kind;
  bool (*holds)(const WorkKey&);
};
constexpr Wanted kTask{"task", "task", store::WorkKind::task, is_task<WorkKey>};
constexpr Wanted kInsight{"insight", "insight", store::WorkKind::insight, is_insight<WorkKey>};

std::string shown(const WorkRow& row, std::string_view project) {
  return row.project == project ? row.id : row.project + "/" + row.id;
}

Error ambiguous(std::string_view what, std::string_view id, std::string_view project,
                std::string_view why, std::vector<const WorkRow*> rows) {
  std::sort(rows.begin(), rows.end(), [](const auto* a, const auto* b) {
    return std::tie(a->id, a->project) < std::tie(b->id, b->project);
  });
  Error error{Code::invalid_argument,
              std::string(what) + " id \"" + std::string(id) + "\" " + std::string(why),
              {},
              {},
              {}};
  for (size_t i = 0; i < rows.size() && i < 5; i++)
    error.candidates.push_back(shown(*rows[i], project));
  error.hint = "say which one: the whole id, with its project";
  return error;
}

Error unknown(const store::WorkView& view, const Wanted& wanted, std::string_view project,
              std::string_view id) {
  std::vector<std::string_view> known;
  view.index().scan_keys({store::WorkFilter::bit(wanted.work_kind), false, project},
                         [&](const WorkKey& key) {
                           if (wanted.holds(key)) known.push_back(key.id);
                           return true;
                         });
  std::sort(known.begin(), known.end());
  std::string message = "no " + std::string(wanted.what) + " \"" + std::string(id) + "\"";
  message += project.empty() ? " in this store" : " in project " + std::string(project);
  Error error{Code::not_found, std::move(message), {}, {}, {}};
  error.candidates = close_matches(id, known);
  return error;
}

// project: "" = all
std::vector<const WorkRow*> rows_where(const store::WorkView& view, const Wanted& wanted,
                                       std::string_view project, const auto& matches) {
  std::vector<const WorkRow*> rows;
  const store::WorkFilter filter{store::WorkFilter::bit(wanted.work_kind), false, project};
  view.index().scan_keys(filter, [&](const WorkKey& key) {
    if (!wanted.holds(key) || !matches(key.id)) return true;
    if (const WorkRow* row = view.index().find(key.span_id)) rows.push_back(row);
    return true;
  });
  return rows;
}

Result<const WorkRow*> find_exact(const store::WorkView& view, const Wanted& wanted,
                                  std::string_view project, std::string_view id) {
  if (!project.empty()) {
    const WorkRow* row = view.index().find(span_id(wanted.kind, project, id));
    if (row && wanted.holds(WorkKey::of(*row))) return row;
    if (row && is_deleted(*row)) {
      return Error{Code::not_found,
                   std::string(wanted.what) + " " + std::string(id) + " is deleted",
                   "bring it back with task undelete",
                   {},
                   {}};
    }
    return unknown(view, wanted, project, id);
  }
  const auto rows = rows_where(view, wanted, {}, [&](std::string_view one) { return one == id; });
  if (rows.empty()) return unknown(view, wanted, project, id);
  if (rows.size() > 1) return ambiguous(wanted.what, id, {}, "is in several projects", rows);
  return rows.front();
}

}  // namespace

Result<const WorkRow*> find_task(const store::WorkView& view, std::string_view project,
                                 std::string_view id) {
  CC_TRY(check_id("task id", id));
  return find_exact(view, kTask, project, id);
}

Result<const WorkRow*> find_insight(const store::WorkView& view, std::string_view project,
                                    std::string_view id) {
  CC_TRY(check_id("insight id", id));
  return find_exact(view, kInsight, project, id);
}

Result<const WorkRow*> resolve_task(const store::WorkView& view, std::string_view project,
                                    std::string_view id) {
  CC_TRY(check_id("task id", id));
  if (!project.empty()) {
    const WorkRow* row = view.index().find(span_id("task", project, id));
    if (row && is_task(*row)) return row;
    if (row && is_deleted(*row)) return find_exact(view, kTask, project, id);
  }
  const auto exact = rows_where(view, kTask, {}, [&](std::string_view one) { return one == id; });
  if (exact.size() == 1) return exact.front();
  if (exact.size() > 1) return ambiguous("task", id, project, "is in several projects", exact);
  const auto begins = [&](std::string_view one) { return one.starts_with(id); };
  auto prefixed = rows_where(view, kTask, project, begins);
  if (prefixed.empty() && !project.empty()) prefixed = rows_where(view, kTask, {}, begins);
  if (prefixed.size() == 1) return prefixed.front();
  if (prefixed.size() > 1) {
    return ambiguous("task", id, project, "begins " + std::to_string(prefixed.size()) + " ids",
                     prefixed);
  }
  return unknown(view, kTask, project, id);
}

}  // namespace contextcore::work
