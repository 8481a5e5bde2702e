// Fields of a task as text, and task.edited.

#include <algorithm>

#include "work/names.h"
#include "work/task_changes.h"

namespace contextcore::work {
namespace {

namespace field = names::field;
namespace ev = names::event;

constexpr std::array<std::string_view, 12> kFields = {
    "title", "type",  "priority", "points", "estimate",    "labels",
    "due",   "defer", "sprint",   "url",    "description", "acceptance_criteria"};

std::string list_text(const std::vector<std::string>& values) {
  if (values.empty()) return {};
  JsonArray array;
  for (const std::string& value : values) array.emplace_back(value);
  return to_string(Json(std::move(array)));
}

std::string number_text(std::optional<int64_t> value) {
  return value ? std::to_string(*value) : std::string();
}

}  // namespace

std::string edit_text(const Task& task, std::string_view name) {
  if (name == "title") return task.title;
  if (name == "type") return task.type;
  if (name == "priority") return task.priority;
  if (name == "points") return number_text(task.story_points);
  if (name == "estimate") return number_text(task.estimate_minutes);
  if (name == "labels") return list_text(task.labels);
  if (name == "due") return task.due_date;
  if (name == "defer") return task.defer_until;
  if (name == "sprint") return task.sprint_id;
  if (name == "url") return task.url;
  if (name == "description") return task.description;
  if (name == "acceptance_criteria") return list_text(task.acceptance_criteria);
  if (name == "deliverables") return list_text(task.deliverables);
  if (name.starts_with(kAttributeField)) {
    const otlp::Value* value = otlp::find(task.extra, name.substr(kAttributeField.size()));
    return value ? to_typed_json(json_of(*value)) : std::string();
  }
  return {};
}

std::vector<std::string> edit_fields(const Task& a, const Task& b) {
  std::vector<std::string> names(kFields.begin(), kFields.end());
  names.emplace_back("deliverables");
  for (const Task* task : {&a, &b}) {
    for (const otlp::KeyValue& attribute : task->extra) {
      std::string name = std::string(kAttributeField) + attribute.key;
      if (std::find(names.begin(), names.end(), name) == names.end()) {
        names.push_back(std::move(name));
      }
    }
  }
  return names;
}

Result<bool> edit_field(Transaction& transaction, Entry& entry, std::string_view name,
                        const std::string& to) {
  const std::string from = edit_text(entry.task(), name);
  if (from == to) return false;
  CC_TRY(transaction.emit(
      entry, ev::kTaskEdited,
      Line().text(field::kField, name).text(field::kFrom, from).text(field::kTo, to)));
  return true;
}

}  // namespace contextcore::work
