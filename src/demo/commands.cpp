#include "demo/commands.h"

#include <array>
#include <string_view>

#include "base/time.h"
#include "demo/texts.h"

namespace contextcore::demo {
namespace {

constexpr int64_t kSprintDays = 14;

constexpr std::array<std::string_view, 7> kTypes = {"epic", "story", "task",    "subtask",
                                                    "bug",  "spike", "incident"};
constexpr std::array<std::string_view, 4> kPriorities = {"critical", "high", "medium", "low"};

Json person(const std::string& name, std::string_view trigger = "manual") {
  return JsonObject{
      {"actor", name}, {"actor_type", "user"}, {"agent_id", name}, {"trigger", trigger}};
}

Json agent(const History& history, uint32_t item) {
  const std::string name = agent_name(history, history.items[item].worker);
  return JsonObject{{"actor", name},
                    {"actor_type", "agent"},
                    {"agent_id", name},
                    {"session_id", "demo-" + item_id(history, item)},
                    {"trigger", "agent"}};
}

// Who plans, creates and comments: somebody of the team, the same for the same number.
std::string somebody(const History& history, uint32_t number) {
  return person_name(history, (number * 2654435761u >> 8) % history.people);
}

class Writer {
 public:
  Writer(const History& history, const Step& step, JsonArray& out)
      : history_(history),
        step_(step),
        out_(out),
        time_(format_rfc3339(step.time_ns)),
        id_(step.item == kNoItem ? std::string() : item_id(history, step.item)) {}

  void write();

 private:
  const Item& item() const { return history_.items[step_.item]; }
  Json worker() const {
    return item().agent ? agent(history_, step_.item)
                        : person(person_name(history_, item().worker));
  }
  void add(std::string_view op, JsonObject args, Json actor) {
    out_.push_back(JsonObject{{"op", op},
                              {"project", history_.project},
                              {"args", std::move(args)},
                              {"time", time_},
                              {"actor", std::move(actor)}});
  }
  // An operation on the item by who works on it.
  void by_worker(std::string_view op, JsonObject more = {}) {
    JsonObject args{{"id", id_}};
    for (auto& member : more) args.push_back(std::move(member));
    add(op, std::move(args), worker());
  }

  void create();
  void plan();
  void insight();
  void commit();
  void sprint_start();

  const History& history_;
  const Step& step_;
  JsonArray& out_;
  std::string time_, id_;
};

void Writer::create() {
  const Item& it = item();
  JsonObject args{{"id", id_},
                  {"title", item_title(history_, step_.item)},
                  {"type", kTypes[static_cast<size_t>(it.type)]}};
  if (it.priority < kPriorities.size()) args.emplace_back("priority", kPriorities[it.priority]);
  if (it.points > 0) args.emplace_back("story_points", int64_t{it.points});
  if (it.estimate_minutes > 0) args.emplace_back("estimate_minutes", it.estimate_minutes);
  if (it.first_parent != kNoItem)
    args.emplace_back("parent_id", item_id(history_, it.first_parent));
  if (it.depends_on != kNoItem)
    args.emplace_back("depends_on", JsonArray{Json(item_id(history_, it.depends_on))});
  if (step_.detail == 1) args.emplace_back("status", "backlog");
  if (it.type == ItemType::incident) args.emplace_back("labels", JsonArray{Json("on-call")});
  const std::string description = item_description(history_, step_.item);
  if (!description.empty()) args.emplace_back("description", description);
  add("task.create", std::move(args), person(somebody(history_, step_.item)));
}

void Writer::plan() {
  const std::string planner = person_name(history_, 0);
  // From the backlog; from todo this changes nothing.
  add("task.status", {{"id", id_}, {"status", "todo"}}, person(planner));
  add("task.edit", {{"id", id_}, {"sprint_id", sprint_id(history_, step_.detail)}},
      person(planner));
}

void Writer::insight() {
  const InsightText& text = insight_text(step_.detail);
  JsonObject args{{"type", text.type},
                  {"summary", text.summary},
                  {"category", text.category},
                  {"confidence", 0.6 + 0.01 * static_cast<double>(step_.detail % 40)},
                  {"task_id", id_}};
  if (!text.rationale.empty()) args.emplace_back("rationale", text.rationale);
  add("insight.emit", std::move(args), worker());
}

void Writer::commit() {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hash;
  for (uint64_t z = step_.detail * 0x9e3779b97f4a7c15 + step_.item; hash.size() < 40;) {
    z = (z ^ (z >> 29)) * 0xbf58476d1ce4e5b9 + 1;
    hash += kDigits[(z >> 40) & 15];
  }
  const std::string author =
      item().agent ? agent_name(history_, item().worker) : person_name(history_, item().worker);
  add("task.commit",
      {{"id", id_},
       {"commit", hash},
       {"repository", "example/" + history_.project},
       {"author", author},
       {"message", commit_message(history_, step_.item, step_.detail) + " (" + id_ + ")"}},
      person(author, "git"));
}

void Writer::sprint_start() {
  const int64_t first_ns = sprint_start_ns(history_, step_.detail);
  const auto date = [](int64_t ns) { return format_rfc3339(ns).substr(0, 10); };
  add("sprint.start",
      {{"id", sprint_id(history_, step_.detail)},
       {"name", history_.project + " sprint " + std::to_string(step_.detail)},
       {"goal", sprint_goal(history_, step_.detail)},
       {"start_date", date(first_ns)},
       {"end_date", date(first_ns + (kSprintDays - 3) * kDayNs)}},
      person(person_name(history_, 0)));
}

void Writer::write() {
  switch (step_.kind) {
    case StepKind::create:
      return create();
    case StepKind::plan:
      return plan();
    case StepKind::assign:
      return add("task.assign", {{"id", id_}, {"assignee", person_name(history_, item().worker)}},
                 person(person_name(history_, 0)));
    case StepKind::start:
      return by_worker("task.status", {{"status", "in_progress"}});
    case StepKind::claim:
      return by_worker("task.claim", {{"lease_seconds", kLeaseNs / kSecondNs}});
    case StepKind::block:
      return by_worker("task.block", {{"reason", block_reason(step_.detail)}});
    case StepKind::unblock:
      return by_worker("task.unblock", {{"resolution", block_resolution(step_.detail)}});
    case StepKind::comment: {
      const std::string author = somebody(history_, step_.detail);
      return add("task.comment",
                 {{"id", id_}, {"author", author}, {"text", comment_text(step_.detail)}},
                 person(author));
    }
    case StepKind::commit:
      return commit();
    case StepKind::insight:
      return insight();
    case StepKind::review:
      return by_worker("task.status", {{"status", "in_review"}});
    case StepKind::rework:
      return by_worker("task.status", {{"status", "in_progress"}, {"reason", "review"}});
    case StepKind::move:
      return add("task.parent", {{"id", id_}, {"parent_id", item_id(history_, item().parent)}},
                 person(person_name(history_, 0)));
    case StepKind::done:
      return by_worker("task.complete");
    case StepKind::fail:
      return by_worker("task.fail", {{"reason", fail_reason(step_.detail)}});
    case StepKind::cancel:
      return add("task.cancel", {{"id", id_}, {"reason", cancel_reason(step_.detail)}},
                 person(person_name(history_, 0)));
    case StepKind::reopen:
      return add(
          "task.reopen",
          {{"id", id_}, {"to_status", "in_progress"}, {"reason", reopen_reason(step_.detail)}},
          person(somebody(history_, step_.detail)));
    case StepKind::sprint_start:
      return sprint_start();
    case StepKind::sprint_end:
      return add("sprint.end", {{"id", sprint_id(history_, step_.detail)}},
                 person(person_name(history_, 0)));
  }
}

}  // namespace

std::string item_id(const History& history, uint32_t item) {
  return history.prefix + "-" + std::to_string(item + 1);
}

std::string sprint_id(const History& history, uint32_t number) {
  return history.prefix + "-S" + std::to_string(number);
}

void append_commands(const History& history, const Step& step, JsonArray& out) {
  Writer(history, step, out).write();
}

}  // namespace contextcore::demo
