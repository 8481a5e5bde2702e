// Deliverables: what was found of them, by itself or with the end of the task.

#include <algorithm>
#include <array>

#include "work/execute_ops.h"
#include "work/names.h"
#include "work/task_changes.h"

namespace contextcore::work {
namespace {

namespace field = names::field;
namespace ev = names::event;

bool is_declared(const Task& task, std::string_view path) {
  return std::any_of(task.deliverables.begin(), task.deliverables.end(), [&](const auto& text) {
    const auto json = parse_json(text);
    return json.ok() && json->string_or("path") == path;
  });
}

// How many of the results are good; each is checked to be of a deliverable of the task.
Result<int64_t> count_verified(const Json& results, const Task& task) {
  static constexpr std::array<std::string_view, 4> kResultFields = {"type", "path", "verified",
                                                                    "detail"};
  int64_t count = 0;
  std::vector<std::string> seen;
  for (const Json& one : *results.as_array()) {
    CC_ASSIGN(const Args result, Args::make("a result", one, kResultFields));
    CC_ASSIGN(const std::string path, result.required("path"));
    CC_ASSIGN(const bool verified, result.flag("verified"));
    CC_TRY(result.text("type").status());
    CC_TRY(result.text("detail").status());
    const bool declared = is_declared(task, path);
    if (!declared || std::find(seen.begin(), seen.end(), path) != seen.end()) {
      return Error{Code::invalid_argument,
                   declared ? "there are two results for deliverable " + path
                            : "task " + task.id + " has no deliverable " + path,
                   "one result for each deliverable of the task",
                   {},
                   {}};
    }
    seen.push_back(path);
    count += verified ? 1 : 0;
  }
  return count;
}

}  // namespace

Status verify_deliverables(Transaction& transaction, Entry& entry, const Args& args) {
  const Task& task = entry.task();
  const Json* results = args.find("results");
  if (!results || !results->as_array()) {
    return Status(Code::invalid_argument,
                  std::string(args.op()) + " needs results: a list of {path, verified}");
  }
  if (task.deliverables.empty()) {
    return Status(Error{Code::failed_precondition,
                        "task " + task.id + " has no deliverables",
                        "name them when it is created, or with task edit",
                        {},
                        {}});
  }
  CC_ASSIGN(const int64_t verified, count_verified(*results, task));
  const auto count = static_cast<int64_t>(task.deliverables.size());
  // What was not looked at has not been found good.
  return transaction.emit(entry, ev::kTaskDeliverablesVerified,
                          Line()
                              .integer(field::kDeliverableCount, count)
                              .integer(field::kVerifiedCount, verified)
                              .integer(field::kFailedCount, count - verified)
                              .text(field::kResults, to_string(*results)));
}

Status restore_verification(Transaction& transaction, Entry& entry,
                            const std::optional<int64_t>& verified) {
  const Task& task = entry.task();
  if (task.deliverables_verified == verified) return {};
  const auto count = static_cast<int64_t>(task.deliverables.size());
  Line line;
  line.integer(field::kDeliverableCount, count);
  if (verified) {
    line.integer(field::kVerifiedCount, *verified).integer(field::kFailedCount, count - *verified);
  }
  return transaction.emit(entry, ev::kTaskDeliverablesVerified, line);
}

Status run_task_verify(Transaction& transaction, const Args& args, Answer& answer) {
  CC_ASSIGN(Entry * entry, subject_of(transaction, args));
  answer.task = entry;
  if (entry->task().ended()) return Status(ended_error(entry->task()));
  return verify_deliverables(transaction, *entry, args);
}

}  // namespace contextcore::work
