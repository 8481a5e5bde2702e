// From what was typed to a row of the work index.

#include <algorithm>

#include "work/args.h"
#include "work/ids.h"
#include "work/read.h"
#include "work/status.h"

namespace contextcore::work {
namespace {

using store::WorkRow;
using Wanted = bool (*)(const WorkRow&);

std::string shown(const WorkRow& row, std::string_view project) {
  return row.project == project ? row.id : row.project + "/" + row.id;
}

Error ambiguous(std::string_view what, std::string_view id, std::string_view project,
                std::string_view why, std::vector<const WorkRow*> rows) {
  std::sort(rows.begin(), rows.end(), [](const auto* a, const auto* b) { return a->id < b->id; });
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

Error unknown(const store::WorkView& view, std::string_view what, Wanted wanted,
              std::string_view project, std::string_view id) {
  std::vector<std::string_view> known;
  view.index().scan([&](const WorkRow& row) {
    if (wanted(row) && (project.empty() || row.project == project)) known.push_back(row.id);
    return true;
  });
  std::string message = "no " + std::string(what) + " \"" + std::string(id) + "\"";
  message += project.empty() ? " in this store" : " in project " + std::string(project);
  Error error{Code::not_found, std::move(message), {}, {}, {}};
  error.candidates = close_matches(id, known);
  return error;
}

std::vector<const WorkRow*> rows_where(const store::WorkView& view, Wanted wanted,
                                       const auto& matches) {
  std::vector<const WorkRow*> rows;
  view.index().scan([&](const WorkRow& row) {
    if (wanted(row) && matches(row)) rows.push_back(&row);
    return true;
  });
  return rows;
}

Result<const WorkRow*> find_exact(const store::WorkView& view, std::string_view what, Wanted wanted,
                                  std::string_view kind, std::string_view project,
                                  std::string_view id) {
  if (!project.empty()) {
    const WorkRow* row = view.index().find(span_id(kind, project, id));
    if (row && wanted(*row)) return row;
    if (row && is_deleted(*row)) {
      return Error{Code::not_found,
                   std::string(what) + " " + std::string(id) + " is deleted",
                   "bring it back with task undelete",
                   {},
                   {}};
    }
    return unknown(view, what, wanted, project, id);
  }
  const auto rows = rows_where(view, wanted, [&](const WorkRow& row) { return row.id == id; });
  if (rows.empty()) return unknown(view, what, wanted, project, id);
  if (rows.size() > 1) return ambiguous(what, id, {}, "is in several projects", rows);
  return rows.front();
}

}  // namespace

Result<const WorkRow*> find_task(const store::WorkView& view, std::string_view project,
                                 std::string_view id) {
  CC_TRY(check_id("task id", id));
  return find_exact(view, "task", is_task, "task", project, id);
}

Result<const WorkRow*> find_insight(const store::WorkView& view, std::string_view project,
                                    std::string_view id) {
  CC_TRY(check_id("insight id", id));
  return find_exact(view, "insight", is_insight, "insight", project, id);
}

Result<const WorkRow*> resolve_task(const store::WorkView& view, std::string_view project,
                                    std::string_view id) {
  CC_TRY(check_id("task id", id));
  if (!project.empty()) {
    const WorkRow* row = view.index().find(span_id("task", project, id));
    if (row && is_task(*row)) return row;
  }
  if (!project.empty()) {
    const WorkRow* row = view.index().find(span_id("task", project, id));
    if (row && is_deleted(*row)) return find_exact(view, "task", is_task, "task", project, id);
  }
  const auto exact = rows_where(view, is_task, [&](const WorkRow& row) { return row.id == id; });
  if (exact.size() == 1) return exact.front();
  if (exact.size() > 1) return ambiguous("task", id, project, "is in several projects", exact);
  auto prefixed = rows_where(view, is_task, [&](const WorkRow& row) {
    return row.id.starts_with(id) && (project.empty() || row.project == project);
  });
  if (prefixed.empty() && !project.empty()) {
    prefixed =
        rows_where(view, is_task, [&](const WorkRow& row) { return row.id.starts_with(id); });
  }
  if (prefixed.size() == 1) return prefixed.front();
  if (prefixed.size() > 1) {
    return ambiguous("task", id, project, "begins " + std::to_string(prefixed.size()) + " ids",
                     prefixed);
  }
  return unknown(view, "task", is_task, project, id);
}

}  // namespace contextcore::work
