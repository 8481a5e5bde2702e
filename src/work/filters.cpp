#include "work/filters.h"

#include <re2/re2.h>

#include <algorithm>
#include <set>

#include "base/time.h"
#include "work/names.h"
#include "work/questions.h"
#include "work/read.h"
#include "work/status.h"
#include "work/task.h"

namespace contextcore::work {
namespace {

using store::WorkKind;
using store::WorkKey;
using store::WorkRow;

constexpr std::array<std::string_view, 3> kCategories = {"not_started", "active", "ended"};
constexpr int kAncestorsMax = 10'000;  // a ring of parents must not hang a reader

bool one_of(const std::vector<std::string>& list, std::string_view value) {
  return list.empty() || std::find(list.begin(), list.end(), value) != list.end();
}

std::string_view status_text(const WorkKey& row) {
  return row.status_name.empty() ? status_name(row_status(row)) : row.status_name;
}

bool is_below(const store::WorkView& view, const WorkKey& row, const WorkRow& ancestor) {
  otlp::SpanId parent = row.parent_span_id;
  for (int i = 0; i < kAncestorsMax && !parent.empty(); i++) {
    if (parent == ancestor.span_id) return true;
    const WorkRow* at = view.index().find(parent);
    if (at == nullptr) return false;
    parent = at->parent_span_id;
  }
  return false;
}

bool accepts_status(const TaskFilter& filter, const WorkKey& row) {
  if (filter.statuses.empty() && filter.categories.empty()) return true;
  const auto holds = [](const std::vector<std::string>& list, std::string_view value) {
    return std::find(list.begin(), list.end(), value) != list.end();
  };
  return holds(filter.statuses, status_text(row)) ||
         holds(filter.categories, category_name(row_status(row)));
}

using Texts = std::set<std::string, std::less<>>;

Texts in_use(const store::WorkView& view, std::string_view project, const auto& value_of) {
  Texts values;
  const uint32_t kinds = store::WorkFilter::bit(WorkKind::task) | store::WorkFilter::bit(WorkKind::sprint);
  view.index().scan_keys({kinds, false, project}, [&](const WorkKey& key) {
    const std::string_view value = value_of(key);
    if (!value.empty() && !values.contains(value)) values.emplace(value);
    return true;
  });
  return values;
}

std::vector<std::string_view> names_of(std::span<const std::string_view> fixed,
                                       const Texts& more) {
  std::vector<std::string_view> names(fixed.begin(), fixed.end());
  names.insert(names.end(), more.begin(), more.end());
  return names;
}

Status read_status(const store::WorkView& view, const Vocabulary& vocabulary, const Args& args,
                   TaskFilter& filter) {
  CC_ASSIGN(const auto words, args.list("status"));
  if (words.empty()) return {};
  Texts own = in_use(view, {}, [](const WorkKey& row) { return row.status_name; });
  filter.own_statuses.assign(own.begin(), own.end());
  for (const auto& [name, base] : vocabulary.statuses) own.insert(name);
  for (const std::string& word : words) {
    if (std::find(kCategories.begin(), kCategories.end(), word) != kCategories.end()) {
      filter.categories.push_back(word);
    } else if (word == "open") {
      filter.categories.insert(filter.categories.end(), {"not_started", "active"});
    } else if (parse_status(word) || own.contains(word)) {
      filter.statuses.push_back(word);
    } else {
      std::vector<std::string_view> known = names_of(kTaskStatusNames, own);
      known.insert(known.end(), kCategories.begin(), kCategories.end());
      known.push_back("open");
      return Status(unknown_name("status", word, known));
    }
  }
  return {};
}

// last: the one that ended last; current: the one that started last and is open.
std::optional<WorkKey> named_sprint(const store::WorkView& view, const std::string& project,
                                    std::string_view name) {
  std::optional<WorkKey> found;
  view.index().scan_keys({store::WorkFilter::bit(WorkKind::sprint), false, project}, [&](const WorkKey& key) {
    const bool ended = key.end_ns != 0;
    if (ended != (name == "last")) return true;
    const auto order = [&](const WorkKey& one) { return std::tuple(ended ? one.end_ns : one.start_ns, one.id); };
    if (!found || order(key) > order(*found)) found = key;
    return true;
  });
  return found;
}

Status read_sprint(const store::WorkView& view, const Args& args, TaskFilter& filter) {
  if (!args.has("sprint")) return {};
  CC_ASSIGN(std::string sprint, args.text("sprint"));
  if (sprint == "last" || sprint == "current") {
    const std::optional<WorkKey> row = named_sprint(view, filter.project, sprint);
    if (!row) {
      const std::string where = filter.project.empty() ? "this store" : "project " + filter.project;
      return Status(Error{Code::not_found,
                          sprint == "last" ? "no sprint of " + where + " has ended yet"
                                           : "no sprint of " + where + " is open",
                          "name a sprint by its id",
                          {},
                          {}});
    }
    sprint = row->id;
  } else if (!sprint.empty()) {
    const Texts known = in_use(view, filter.project, [](const WorkKey& row) {
      return row.kind == WorkKind::sprint ? row.id : row.sprint;
    });
    if (!known.contains(sprint)) {
      Error error{Code::not_found, "no sprint \"" + sprint + "\"", {}, {}, {}};
      error.candidates = close_matches(sprint, names_of({}, known));
      return Status(std::move(error));
    }
  }
  filter.sprint = std::move(sprint);
  return {};
}

Result<TimeRange> time_range(const Args& args, const std::string& name, int64_t now_ns) {
  TimeRange range;
  CC_ASSIGN(const std::string from, args.text(name + "_from"));
  if (!from.empty()) {
    CC_ASSIGN(range.from_ns, parse_time(from, now_ns));
  }
  CC_ASSIGN(const std::string to, args.text(name + "_to"));
  if (!to.empty()) {
    CC_ASSIGN(range.to_ns, parse_time(to, now_ns));
  }
  if (range.from_ns && range.to_ns && *range.to_ns < *range.from_ns) {
    return Error{Code::invalid_argument, name + "_to is before " + name + "_from", {}, {}, {}};
  }
  return range;
}

Status read_relatives(const store::WorkView& view, const Args& args, TaskFilter& filter) {
  CC_ASSIGN(const std::string parent, args.text("parent"));
  if (!parent.empty()) {
    CC_ASSIGN(filter.parent, resolve_task(view, filter.project, parent));
  }
  CC_ASSIGN(const std::string subtree, args.text("subtree"));
  if (!subtree.empty()) {
    CC_ASSIGN(filter.subtree, resolve_task(view, filter.project, subtree));
  }
  return {};
}

// The conditions of one spanset filter.
class Conditions {
 public:
  void add(std::string condition) { text_ += (text_.empty() ? "" : " && ") + std::move(condition); }
  // && and || are of one level in TraceQL: alternatives stand in parentheses.
  void add_any(const std::vector<std::string>& alternatives) {
    std::string text;
    for (const std::string& one : alternatives) text += (text.empty() ? "" : " || ") + one;
    add(alternatives.size() > 1 ? "(" + text + ")" : text);
  }
  void equal_any(std::string_view key, const std::vector<std::string>& values) {
    if (values.empty()) return;
    std::vector<std::string> all;
    for (const std::string& value : values) all.push_back(equal(key, value));
    add_any(all);
  }
  static std::string equal(std::string_view key, std::string_view value) {
    return "span." + std::string(key) + " = " + traceql_string(value);
  }
  void equal_or_none(std::string_view key, const std::optional<std::string>& value) {
    if (!value) return;
    add(value->empty() ? "span." + std::string(key) + " = nil" : equal(key, *value));
  }
  std::string take() { return "{ " + text_ + " }"; }

 private:
  std::string text_;
};

void add_status(const TaskFilter& filter, Conditions& conditions) {
  if (filter.like) {
    std::vector<std::string> either{
        Conditions::equal(names::attr::kTaskStatus, status_name(*filter.like))};
    if (!filter.own_statuses.empty())
      either.push_back(Conditions::equal(names::attr::kTaskBaseStatus, status_name(*filter.like)));
    conditions.add_any(either);
    return;
  }
  if (filter.statuses.empty() && filter.categories.empty()) {
    conditions.add("span.task.status != nil");
    return;
  }
  std::vector<std::string> any;
  for (const std::string& status : filter.statuses)
    any.push_back(Conditions::equal(names::attr::kTaskStatus, status));
  std::string of_categories;
  for (size_t i = 0; i < kTaskStatusNames.size(); i++) {
    const std::string_view category = category_name(static_cast<TaskStatus>(i + 1));
    if (std::find(filter.categories.begin(), filter.categories.end(), category) !=
        filter.categories.end())
      of_categories += (of_categories.empty() ? "" : "|") + std::string(kTaskStatusNames[i]);
  }
  if (!of_categories.empty()) {
    any.push_back("span.task.status =~ " + traceql_string(of_categories));
    if (!filter.own_statuses.empty())
      any.push_back("span.task.base_status =~ " + traceql_string(of_categories));
  }
  conditions.add_any(any);
}

void add_due(const TimeRange& due, Conditions& conditions) {
  if (due.from_ns)
    conditions.add("span.task.due_date >= " + traceql_string(format_rfc3339(*due.from_ns)));
  if (due.to_ns)
    conditions.add("span.task.due_date < " + traceql_string(format_rfc3339(*due.to_ns)));
}

}  // namespace

TextPattern::TextPattern(std::string_view text) {
  const std::string quoted = re2::RE2::QuoteMeta(re2::StringPiece(text.data(), text.size()));
  anchored_ = "(?i).*" + quoted + ".*";
  compiled_ = std::make_shared<const re2::RE2>("(?i)" + quoted);
}

bool TextPattern::occurs_in(std::string_view text) const {
  return re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *compiled_);
}

size_t TextPattern::find_in(std::string_view text) const {
  const re2::StringPiece piece(text.data(), text.size());
  re2::StringPiece found;
  if (!compiled_->Match(piece, 0, piece.size(), re2::RE2::UNANCHORED, &found, 1))
    return std::string_view::npos;
  return static_cast<size_t>(found.data() - piece.data());
}

bool TaskFilter::accepts(const store::WorkView& view, const WorkKey& row) const {
  if (row.kind != WorkKind::task || is_task(row) == deleted) return false;
  if (!project.empty() && row.project != project) return false;
  if (open && *open != (row.end_ns == 0)) return false;
  if (assignee && row.assignee != *assignee) return false;
  if (sprint && row.sprint != *sprint) return false;
  if (like && row_status(row) != *like) return false;
  if (!mine.empty() && row.assignee != mine &&
      !(has_live_claim(row, view.now_ns()) && row.claimed_by == mine))
    return false;
  if (!accepts_status(*this, row) || !one_of(types, row.type)) return false;
  if (!priorities.empty() &&
      (row.priority == 0 || !one_of(priorities, kPriorityNames[row.priority - 1])))
    return false;
  if (!created.unbounded() && !created.holds(row.start_ns)) return false;
  if (!updated.unbounded() && !updated.holds(row.updated_ns)) return false;
  if (!ended.unbounded() && (row.end_ns == 0 || !ended.holds(row.end_ns))) return false;
  if (!due.unbounded() && (row.due_ns == 0 || !due.holds(row.due_ns))) return false;
  if (parent && row.parent_span_id != parent->span_id) return false;
  return !subtree || is_below(view, row, *subtree);
}

bool TaskFilter::accepts_text(const Task& task) const {
  for (const std::string& label : labels) {
    if (std::find(task.labels.begin(), task.labels.end(), label) == task.labels.end()) return false;
  }
  return text.empty() || text.occurs_in(task.title) || text.occurs_in(task.description);
}

Status TaskFilter::for_each_key(const store::WorkView& view, const std::function<void(const WorkKey&)>& fn) const {
  TaskReader tasks(view);
  Status status;
  view.index().scan_keys({store::WorkFilter::bit(WorkKind::task), open.value_or(false), project},
                         [&](const WorkKey& key) {
                           if (!accepts(view, key)) return true;
                           if (!needs_span()) return fn(key), true;
                           const Result<const Task*> task = tasks.read(key.span_id, key.id);
                           status = task.status();
                           if (task.ok() && accepts_text(**task)) fn(key);
                           return status.ok();
                         });
  return status;
}

Result<std::vector<WorkKey>> TaskFilter::find_keys(const store::WorkView& view) const {
  std::vector<WorkKey> keys;
  CC_TRY(for_each_key(view, [&](const WorkKey& key) { keys.push_back(key); }));
  return keys;
}

Result<std::vector<const WorkRow*>> TaskFilter::find(const store::WorkView& view) const {
  CC_ASSIGN(const std::vector<WorkKey> keys, find_keys(view));
  return rows_of(view, keys);
}

std::vector<const WorkRow*> rows_of(const store::WorkView& view, std::span<const WorkKey> keys) {
  std::vector<const WorkRow*> rows;
  rows.reserve(keys.size());
  for (const WorkKey& key : keys) {
    if (const WorkRow* row = view.index().find(key.span_id)) rows.push_back(row);
  }
  return rows;
}

std::string TaskFilter::traceql() const {
  namespace attr = names::attr;
  Conditions conditions;
  add_status(*this, conditions);
  if (!project.empty()) conditions.add(Conditions::equal(attr::kProjectId, project));
  if (open) conditions.add(std::string("span.contextcore.open = ") + (*open ? "true" : "false"));
  conditions.equal_any(attr::kTaskType, types);
  conditions.equal_any(attr::kTaskPriority, priorities);
  conditions.equal_or_none(attr::kTaskAssignee, assignee);
  conditions.equal_or_none(attr::kSprintId, sprint);
  if (!mine.empty()) {
    conditions.add_any({Conditions::equal(attr::kTaskAssignee, mine),
                        Conditions::equal(attr::kTaskClaimedBy, mine)});
  }
  for (const std::string& label : labels)
    conditions.add(Conditions::equal(attr::kTaskLabels, label));
  if (!text.empty()) {
    const std::string pattern = traceql_string(text.anchored());
    conditions.add_any({"span.task.title =~ " + pattern, "span.task.description =~ " + pattern});
  }
  add_due(due, conditions);
  if (parent) conditions.add(Conditions::equal(attr::kTaskParentId, parent->id));
  std::string query = conditions.take();
  if (!subtree) return query;
  Conditions above;
  above.add(Conditions::equal(attr::kTaskId, subtree->id));
  above.add(Conditions::equal(attr::kProjectId, subtree->project));
  return above.take() + " >> " + query;
}

std::vector<std::string> TaskFilter::not_in_traceql() const {
  std::vector<std::string> fields;
  const auto add = [&](std::string_view name, const TimeRange& range) {
    if (range.from_ns) fields.push_back(std::string(name) + "_from");
    if (range.to_ns) fields.push_back(std::string(name) + "_to");
  };
  add("created", created);
  add("updated", updated);
  add("ended", ended);
  if (deleted) fields.emplace_back("deleted");
  return fields;
}

Result<TaskFilter> task_filter(const store::WorkView& view, const Question& question,
                               const Args& args) {
  TaskFilter filter;
  CC_ASSIGN(filter.project, args.text("project"));
  CC_ASSIGN(const bool all_projects, args.flag("all_projects"));
  if (filter.project.empty() && !all_projects) filter.project = question.project;
  CC_TRY(read_status(view, question.vocabulary, args, filter));
  const std::vector<std::string_view> own_types(question.vocabulary.types.begin(),
                                                question.vocabulary.types.end());
  CC_ASSIGN(filter.types, types_of(view, args, own_types));
  CC_ASSIGN(filter.priorities, args.choices("priority", kPriorityNames));
  CC_ASSIGN(filter.labels, args.list("label"));
  if (args.has("assignee") || args.is_null("assignee")) {
    CC_ASSIGN(filter.assignee, args.text("assignee"));
  }
  CC_TRY(read_sprint(view, args, filter));
  CC_ASSIGN(const bool mine, args.flag("mine"));
  if (mine) {
    filter.mine = question.actor.agent_id.empty() ? question.actor.actor : question.actor.agent_id;
    if (filter.mine.empty()) {
      return Error{
          Code::invalid_argument, "mine: it is not known who asks", "name an actor", {}, {}};
    }
  }
  if (args.has("open")) {
    CC_ASSIGN(filter.open, args.flag("open"));
  }
  CC_ASSIGN(filter.deleted, args.flag("deleted"));
  CC_ASSIGN(const std::string text, args.text("text"));
  if (!text.empty()) filter.text = TextPattern(text);
  CC_TRY(read_relatives(view, args, filter));
  CC_ASSIGN(filter.created, time_range(args, "created", view.now_ns()));
  CC_ASSIGN(filter.updated, time_range(args, "updated", view.now_ns()));
  CC_ASSIGN(filter.ended, time_range(args, "ended", view.now_ns()));
  CC_ASSIGN(filter.due, time_range(args, "due", view.now_ns()));
  return filter;
}

Result<std::vector<std::string>> types_of(const store::WorkView& view, const Args& args,
                                          std::span<const std::string_view> own) {
  CC_ASSIGN(std::vector<std::string> types, args.list("type"));
  const auto holds = [](std::span<const std::string_view> names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  Texts known;
  for (const std::string& type : types) {
    if (holds(kTaskTypes, type) || holds(own, type)) continue;
    if (known.empty()) {
      known = in_use(view, {}, [](const WorkKey& row) {
        return row.kind == WorkKind::task ? row.type : std::string_view();
      });
      known.insert(own.begin(), own.end());
      for (const std::string_view builtin : kTaskTypes) known.erase(std::string(builtin));
    }
    if (!known.contains(type)) return unknown_name("type", type, names_of(kTaskTypes, known));
  }
  return types;
}

std::string traceql_string(std::string_view text) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      out += "\\x";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    } else {
      out += c;
    }
  }
  return out + "\"";
}

}  // namespace contextcore::work
