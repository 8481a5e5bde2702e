#include "work/command.h"

#include <algorithm>
#include <array>
#include <span>

#include "base/time.h"
#include "work/args.h"
#include "work/status.h"

namespace contextcore::work {
namespace {

constexpr std::array<std::string_view, 8> kCommandFields = {
    "op", "project", "args", "actor", "command_id", "time", "expected_revision", "vocabulary"};
constexpr std::array<std::string_view, 2> kVocabularyFields = {"types", "statuses"};
constexpr size_t kOwnNamesMax = 64;

bool is_plain_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 && name.front() >= 'a' && name.front() <= 'z' &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
         });
}

Status check_own_name(std::string_view what, std::string_view name,
                      std::span<const std::string_view> taken) {
  if (!is_plain_name(name)) {
    return Status(Error{Code::invalid_argument,
                        "the " + std::string(what) + " \"" + std::string(name) + "\" is no name",
                        "lower-case letters, digits, '_' and '-', at most 64, a letter first",
                        {},
                        {}});
  }
  if (std::find(taken.begin(), taken.end(), name) == taken.end()) return {};
  return Status(Code::invalid_argument, "the " + std::string(what) + " " + std::string(name) +
                                            " is built in and cannot be defined anew");
}

Result<Vocabulary> vocabulary_from_json(const Json* json) {
  Vocabulary vocabulary;
  if (!json) return vocabulary;
  CC_ASSIGN(const Args args, Args::make("vocabulary", *json, kVocabularyFields));
  CC_ASSIGN(vocabulary.types, args.list("types"));
  CC_ASSIGN(const JsonObject statuses, args.object("statuses"));
  for (const auto& [name, base] : statuses) {
    vocabulary.statuses.emplace_back(name, base.as_string() ? *base.as_string() : std::string());
  }
  return checked(std::move(vocabulary));
}

Json to_json(const Vocabulary& vocabulary) {
  JsonArray types;
  JsonObject statuses;
  for (const std::string& type : vocabulary.types) types.emplace_back(type);
  for (const auto& [name, base] : vocabulary.statuses) statuses.emplace_back(name, Json(base));
  return Json(
      JsonObject{{"types", Json(std::move(types))}, {"statuses", Json(std::move(statuses))}});
}

constexpr std::array<std::string_view, 5> kQuestionFields = {"op", "project", "args", "actor",
                                                             "vocabulary"};
constexpr std::array<std::string_view, 5> kActorFields = {"actor", "actor_type", "agent_id",
                                                          "session_id", "trigger"};

Result<Actor> actor_from_json(const Json* json) {
  Actor actor;
  if (!json) return actor;
  CC_ASSIGN(const Args args, Args::make("actor", *json, kActorFields));
  CC_ASSIGN(actor.actor, args.text("actor"));
  CC_ASSIGN(actor.agent_id, args.text("agent_id"));
  CC_ASSIGN(actor.session_id, args.text("session_id"));
  CC_ASSIGN(const std::string type, args.text("actor_type"));
  CC_ASSIGN(const std::string trigger, args.text("trigger"));
  if (!type.empty()) actor.actor_type = type;
  if (!trigger.empty()) actor.trigger = trigger;
  return actor;
}

Json actor_to_json(const Actor& actor) {
  JsonObject out;
  if (!actor.actor.empty()) out.emplace_back("actor", Json(actor.actor));
  out.emplace_back("actor_type", Json(actor.actor_type));
  if (!actor.agent_id.empty()) out.emplace_back("agent_id", Json(actor.agent_id));
  if (!actor.session_id.empty()) out.emplace_back("session_id", Json(actor.session_id));
  out.emplace_back("trigger", Json(actor.trigger));
  return Json(std::move(out));
}

Json args_of(const Args& args) {
  const Json* json = args.find("args");
  return json ? *json : Json(JsonObject());
}

}  // namespace

Result<Vocabulary> checked(Vocabulary vocabulary) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kCategories = {
      {{"not_started", "todo"}, {"active", "in_progress"}, {"ended", "done"}}};
  if (vocabulary.types.size() + vocabulary.statuses.size() > kOwnNamesMax) {
    return Error{Code::invalid_argument,
                 "a project may have at most 64 types and statuses of its own",
                 {},
                 {},
                 {}};
  }
  for (const std::string& type : vocabulary.types) {
    CC_TRY(check_own_name("task type", type, kTaskTypes));
  }
  for (auto& [name, base] : vocabulary.statuses) {
    CC_TRY(check_own_name("status", name, kTaskStatusNames));
    for (const auto& [category, status] : kCategories) {
      if (base == category) base = status;
    }
    if (!parse_status(base)) {
      Error error = unknown_name("status", base, kTaskStatusNames);
      error.message += ", which " + name + " is mapped to";
      error.hint += "; or a category: not_started, active, ended";
      return error;
    }
  }
  return vocabulary;
}

Result<Command> command_from_json(const Json& json) {
  CC_ASSIGN(const Args args, Args::make("command", json, kCommandFields));
  Command command;
  CC_ASSIGN(command.op, args.required("op"));
  CC_ASSIGN(command.project, args.text("project"));
  CC_TRY(args.object("args").status());
  command.args = args_of(args);
  CC_ASSIGN(command.actor, actor_from_json(args.find("actor")));
  CC_ASSIGN(command.command_id, args.text("command_id"));
  CC_ASSIGN(const std::string time, args.time("time"));
  if (!time.empty()) {
    CC_ASSIGN(const int64_t time_ns, parse_rfc3339(time));
    command.time_ns = time_ns;
  }
  CC_ASSIGN(command.expected_revision, args.integer("expected_revision", 0, INT64_MAX));
  CC_ASSIGN(command.vocabulary, vocabulary_from_json(args.find("vocabulary")));
  return command;
}

Json to_json(const Command& command) {
  JsonObject out;
  out.emplace_back("op", Json(command.op));
  if (!command.project.empty()) out.emplace_back("project", Json(command.project));
  out.emplace_back("args", command.args);
  out.emplace_back("actor", actor_to_json(command.actor));
  if (!command.command_id.empty()) out.emplace_back("command_id", Json(command.command_id));
  if (command.time_ns) out.emplace_back("time", Json(format_rfc3339(*command.time_ns)));
  if (command.expected_revision)
    out.emplace_back("expected_revision", Json(*command.expected_revision));
  if (!(command.vocabulary == Vocabulary())) {
    out.emplace_back("vocabulary", to_json(command.vocabulary));
  }
  return Json(std::move(out));
}

Result<Question> question_from_json(const Json& json) {
  CC_ASSIGN(const Args args, Args::make("question", json, kQuestionFields));
  Question question;
  CC_ASSIGN(question.op, args.required("op"));
  CC_ASSIGN(question.project, args.text("project"));
  CC_TRY(args.object("args").status());
  question.args = args_of(args);
  CC_ASSIGN(question.actor, actor_from_json(args.find("actor")));
  CC_ASSIGN(question.vocabulary, vocabulary_from_json(args.find("vocabulary")));
  return question;
}

Json to_json(const Question& question) {
  JsonObject out;
  out.emplace_back("op", Json(question.op));
  if (!question.project.empty()) out.emplace_back("project", Json(question.project));
  out.emplace_back("args", question.args);
  out.emplace_back("actor", actor_to_json(question.actor));
  if (!(question.vocabulary == Vocabulary()))
    out.emplace_back("vocabulary", to_json(question.vocabulary));
  return Json(std::move(out));
}

}  // namespace contextcore::work
