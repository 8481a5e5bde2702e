// Editing, reopening, deleting; exceptions and commits of a task.

#include <algorithm>

#include "work/execute_ops.h"
#include "work/names.h"
#include "work/task_changes.h"
#include "work/task_fields.h"

namespace contextcore::work {
namespace {

namespace field = names::field;
namespace ev = names::event;

std::string list_text(const std::vector<std::string>& values) {
  JsonArray array;
  for (const std::string& value : values) array.emplace_back(value);
  return values.empty() ? std::string() : to_string(Json(std::move(array)));
}

class Editor {
 public:
  Editor(Transaction& transaction, Entry& entry, const Args& args)
      : transaction_(transaction), entry_(entry), args_(args) {}

  // A field that null or "" clears; `given` reads and checks it.
  template <typename Read>
  Status field(std::string_view arg, std::string_view name, Read read) {
    if (!args_.has(arg) && !args_.is_null(arg)) return {};
    CC_ASSIGN(const std::string to, read());
    return set(name, to);
  }
  Status set(std::string_view name, const std::string& to) {
    CC_ASSIGN(const bool changed, edit_field(transaction_, entry_, name, to));
    changed_ = changed_ || changed;
    return {};
  }
  bool changed() const { return changed_; }

 private:
  Transaction& transaction_;
  Entry& entry_;
  const Args& args_;
  bool changed_ = false;
};

Status edit_texts(Editor& editor, const Transaction& transaction, const Args& args) {
  const auto text = [&](std::string_view name) {
    return [&args, name] { return args.text(name); };
  };
  if (args.is_null("title")) {
    return Status(Code::invalid_argument, "a task needs a title");
  }
  CC_TRY(editor.field("title", "title", [&] { return title_of(args); }));
  if (args.is_null("type")) return Status(Code::invalid_argument, "a task needs a type");
  CC_TRY(
      editor.field("type", "type", [&] { return args.choice("type", transaction.type_names()); }));
  CC_TRY(editor.field("priority", "priority",
                      [&] { return args.choice("priority", kPriorityNames); }));
  CC_TRY(editor.field("due_date", "due", [&] { return args.time("due_date"); }));
  CC_TRY(editor.field("defer_until", "defer", [&] { return args.time("defer_until"); }));
  CC_TRY(editor.field("sprint_id", "sprint", text("sprint_id")));
  CC_TRY(editor.field("url", "url", text("url")));
  return editor.field("description", "description", text("description"));
}

Status edit_numbers(Editor& editor, const Args& args) {
  const auto number = [&](std::string_view name, int64_t max) -> Result<std::string> {
    CC_ASSIGN(const auto value, args.integer(name, 0, max));
    return value ? std::to_string(*value) : std::string();
  };
  CC_TRY(
      editor.field("story_points", "points", [&] { return number("story_points", kPointsMax); }));
  return editor.field("estimate_minutes", "estimate",
                      [&] { return number("estimate_minutes", kMinutesMax); });
}

Status edit_lists(Editor& editor, const Entry& entry, const Args& args) {
  CC_ASSIGN(const auto added, args.list("add_labels"));
  CC_ASSIGN(const auto removed, args.list("remove_labels"));
  std::vector<std::string> labels = entry.task().labels;
  if (args.has("labels") || args.is_null("labels")) {
    CC_ASSIGN(labels, args.list("labels"));
  }
  for (const std::string& label : added) {
    if (std::find(labels.begin(), labels.end(), label) == labels.end()) labels.push_back(label);
  }
  std::erase_if(labels, [&](const std::string& label) {
    return std::find(removed.begin(), removed.end(), label) != removed.end();
  });
  CC_TRY(editor.set("labels", list_text(labels)));
  CC_TRY(editor.field("acceptance_criteria", "acceptance_criteria", [&]() -> Result<std::string> {
    CC_ASSIGN(const auto list, args.list("acceptance_criteria"));
    return list_text(list);
  }));
  return editor.field("deliverables", "deliverables", [&]() -> Result<std::string> {
    CC_ASSIGN(const auto list, deliverables_of(args));
    return list_text(list);
  });
}

Status edit_attributes(Editor& editor, const Args& args) {
  CC_ASSIGN(const JsonObject attributes, args.object("attributes"));
  CC_TRY(check_attributes(attributes));
  for (const auto& [key, value] : attributes) {
    // As it will be read back from the span.
    const auto kept = attribute_value(value);
    CC_TRY(editor.set(std::string(kAttributeField) + key,
                      kept ? to_typed_json(json_of(*kept)) : std::string()));
  }
  return {};
}

Result<bool> has_commit(const Transaction& transaction, const Task& task, std::string_view commit,
                        std::string_view repository) {
  CC_ASSIGN(const auto records, transaction.view().events(task.span_id));
  for (const otlp::LogRecord& record : records) {
    if (record.event_name != ev::kCommitLinked) continue;
    CC_ASSIGN(const Event event, event_from_record(record, nullptr));
    if (event.text(field::kCommit) == commit && event.text(field::kRepository) == repository) {
      return true;
    }
  }
  return false;
}

}  // namespace

Status run_task_edit(Transaction& transaction, const Args& args, Answer& answer) {
  CC_ASSIGN(Entry * entry, subject_of(transaction, args));
  answer.task = entry;
  if (entry->task().ended()) return Status(ended_error(entry->task()));
  Editor editor(transaction, *entry, args);
  CC_TRY(edit_texts(editor, transaction, args));
  CC_TRY(edit_numbers(editor, args));
  CC_TRY(edit_lists(editor, *entry, args));
  CC_TRY(edit_attributes(editor, args));
  answer.changed = editor.changed();
  if (!args.has("assignee") && !args.is_null("assignee")) return {};
  CC_ASSIGN(const std::string assignee, args.text("assignee"));
  const std::string from = entry->task().assignee;
  if (from == assignee) return {};
  answer.changed = true;
  return transaction.emit(
      *entry, ev::kTaskAssigned,
      Line().text(field::kFromAssignee, from).text(field::kToAssignee, assignee));
}

Status run_task_reopen(Transaction& transaction, const Args& args, Answer& answer) {
  CC_ASSIGN(const std::string text, args.text("to_status"));
  CC_ASSIGN(const std::string reason, args.text("reason"));
  CC_ASSIGN(const StatusName to, status_of(transaction, text.empty() ? "todo" : text));
  if (is_ended(to.base) || to.base == TaskStatus::blocked) {
    return Status(Error{Code::invalid_argument,
                        "a task is reopened to an open status that is not blocked, not to " + text,
                        "block it after that",
                        {},
                        {}});
  }
  CC_ASSIGN(Entry * entry, subject_of(transaction, args));
  answer.task = entry;
  answer.changed = entry->task().ended();
  if (!answer.changed) {
    transaction.warn("task " + entry->task().id +
                     " is open: " + std::string(entry->task().status_text()));
    return {};
  }
  return reopen(transaction, *entry, to, reason);
}

Status run_task_delete(Transaction& transaction, const Args& args, Answer& answer) {
  CC_ASSIGN(const std::string reason, args.text("reason"));
  CC_ASSIGN(const bool subtree, args.flag("subtree"));
  CC_ASSIGN(Entry * entry, subject_of(transaction, args));
  answer.task = entry;
  return delete_task(transaction, *entry, reason, subtree);
}

Status run_task_undelete(Transaction& transaction, const Args& args, Answer& answer) {
  CC_ASSIGN(const std::string id, args.required("id"));
  CC_ASSIGN(const std::string reason, args.text("reason"));
  CC_ASSIGN(const bool subtree, args.flag("subtree"));
  CC_TRY(args.flag("resolve").status());
  CC_ASSIGN(Entry * entry, transaction.deleted_subject(id));
  answer.task = entry;
  answer.changed = entry->task().deleted;
  if (!answer.changed) {
    transaction.warn("task " + entry->task().id + " is not deleted");
    return {};
  }
  return undelete_task(transaction, *entry, reason, subtree);
}

Status run_task_exception(Transaction& transaction, const Args& args, Answer& answer) {
  CC_ASSIGN(const std::string type, args.required("type"));
  CC_ASSIGN(const std::string message, args.text("message"));
  CC_ASSIGN(const std::string stacktrace, args.text("stacktrace"));
  CC_ASSIGN(Entry * entry, subject_of(transaction, args));
  answer.task = entry;
  return transaction.emit(*entry, ev::kTaskException,
                          Line()
                              .text(field::kExceptionType, type)
                              .text(field::kExceptionMessage, message)
                              .text(field::kExceptionStacktrace, stacktrace));
}

Status run_task_commit(Transaction& transaction, const Args& args, Answer& answer) {
  CC_ASSIGN(const std::string commit, args.required("commit"));
  CC_ASSIGN(const std::string repository, args.text("repository"));
  CC_ASSIGN(const std::string author, args.text("author"));
  CC_ASSIGN(const std::string message, args.text("message"));
  CC_ASSIGN(Entry * entry, subject_of(transaction, args));
  answer.task = entry;
  CC_ASSIGN(const bool known, has_commit(transaction, entry->task(), commit, repository));
  answer.changed = !known;
  if (known) return {};
  return transaction.emit(*entry, ev::kCommitLinked,
                          Line()
                              .text(field::kCommit, commit)
                              .text(field::kRepository, repository)
                              .text(field::kAuthor, author)
                              .text(field::kMessage, message));
}

}  // namespace contextcore::work
