#include "api/work_api.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "api/responses.h"
#include "base/hash.h"
#include "work/read.h"
#include "work/rebuild.h"
#include "work/transfer.h"

namespace contextcore::api {

namespace {

constexpr size_t kIdempotencyKeyBytesMax = 256;
// Members of a form's body that belong to the command and not to the operation.
constexpr std::array<std::string_view, 3> kCommandMembers = {"actor", "time", "expected_revision"};

Error invalid(std::string message, std::string hint = {}) {
  return Error{Code::invalid_argument, std::move(message), std::move(hint), {}, {}};
}

Result<Json> parse_object(const std::string& body, bool empty_is_object) {
  if (body.empty() && empty_is_object) return Json(JsonObject{});
  CC_ASSIGN(Json json, parse_json(body));
  if (json.as_object() == nullptr) return invalid("the request body has to be a JSON object");
  return json;
}

// A command id is 32 hexadecimal digits; any other key is hashed to one.
Result<std::string> command_id_of(std::string_view key) {
  if (key.size() > kIdempotencyKeyBytesMax) {
    return invalid("Idempotency-Key is longer than 256 bytes");
  }
  bool is_id = key.size() == 32 && std::all_of(key.begin(), key.end(), [](char c) {
                 return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
               });
  if (is_id) return std::string(key);
  auto digest = sha256(key);
  return to_hex(std::string_view(reinterpret_cast<const char*>(digest.data()), 16));
}

// Query parameters are text: what reads as true, false or an integer becomes that, and a parameter
// that is given more than once a list.
Json typed(std::string_view name, const std::string& text) {
  static constexpr std::array<std::string_view, 4> kIntegers = {"limit", "offset", "lease_seconds",
                                                                "percent"};
  static constexpr std::array<std::string_view, 5> kBooleans = {
      "open", "events", "comments", "include_backlog", "include_deleted"};
  if (std::find(kBooleans.begin(), kBooleans.end(), name) != kBooleans.end()) {
    if (text == "true" || text == "1" || text.empty()) return Json(true);
    if (text == "false" || text == "0") return Json(false);
  }
  if (std::find(kIntegers.begin(), kIntegers.end(), name) != kIntegers.end()) {
    int64_t value = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc() && end == text.data() + text.size()) return Json(value);
  }
  if (name == "min_confidence") {
    double value = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc() && end == text.data() + text.size()) return Json(value);
  }
  return Json(text);
}

void add_arg(JsonObject& args, const std::string& name, Json value) {
  for (auto& [key, existing] : args) {
    if (key != name) continue;
    if (auto* list = std::get_if<JsonArray>(&existing.data)) {
      list->push_back(std::move(value));
    } else {
      JsonArray both{std::move(existing), std::move(value)};
      existing = Json(std::move(both));
    }
    return;
  }
  args.emplace_back(name, std::move(value));
}

// Sets the id of a path; a different one in the body is a mistake.
Status set_id(JsonObject& args, std::string_view id) {
  if (id.empty()) return {};
  for (const auto& [key, value] : args) {
    if (key != "id") continue;
    if (value.as_string() != nullptr && *value.as_string() == id) return {};
    return invalid("the body names another id than the path");
  }
  args.emplace_back("id", id);
  return {};
}

}  // namespace

void WorkApi::mount(Router& router) {
  router.add("POST", "/tracker/v1/commands",
             [this](const Call& call) { return command(call.request); });
  router.add("POST", "/tracker/v1/questions",
             [this](const Call& call) { return question(call.request); });
  mount_tasks(router);
  mount_insights(router);
  mount_server(router);
}

void WorkApi::mount_tasks(Router& router) {
  router.add("GET", "/tracker/v1/tasks",
             [this](const Call& call) { return question_form(call.request, "task.list", {}); });
  router.add("POST", "/tracker/v1/tasks",
             [this](const Call& call) { return command_form(call.request, "task.create", {}); });
  router.add("GET", "/tracker/v1/tasks/{id}", [this](const Call& call) {
    return question_form(call.request, "task.get", call.capture("id"));
  });
  router.add("GET", "/tracker/v1/tasks/{id}/history", [this](const Call& call) {
    return question_form(call.request, "task.history", call.capture("id"));
  });
  router.add("GET", "/tracker/v1/tasks/{id}/why", [this](const Call& call) {
    return question_form(call.request, "task.why", call.capture("id"));
  });
  router.add("POST", "/tracker/v1/tasks/{id}/{verb}", [this](const Call& call) {
    return command_form(call.request, "task." + call.capture("verb"), call.capture("id"));
  });
  router.add("GET", "/tracker/v1/ready",
             [this](const Call& call) { return question_form(call.request, "task.ready", {}); });
  router.add("POST", "/tracker/v1/ready/claim", [this](const Call& call) {
    return command_form(call.request, "task.claim_ready", {});
  });
  router.add("GET", "/tracker/v1/projects",
             [this](const Call& call) { return question_form(call.request, "project.list", {}); });
}

void WorkApi::mount_insights(Router& router) {
  router.add("GET", "/tracker/v1/insights",
             [this](const Call& call) { return question_form(call.request, "insight.query", {}); });
  router.add("POST", "/tracker/v1/insights",
             [this](const Call& call) { return command_form(call.request, "insight.emit", {}); });
  router.add("GET", "/tracker/v1/insights/{id}", [this](const Call& call) {
    return question_form(call.request, "insight.get", call.capture("id"));
  });
  router.add("POST", "/tracker/v1/insights/{id}/{verb}", [this](const Call& call) {
    return command_form(call.request, "insight." + call.capture("verb"), call.capture("id"));
  });
}

void WorkApi::mount_server(Router& router) {
  router.add("POST", "/tracker/v1/rebuild", [this](const Call&) { return rebuild(); });
  router.add("POST", "/tracker/v1/import",
             [this](const Call& call) { return import_events(call.request); });
  router.add("GET", "/tracker/v1/server",
             [this](const Call& call) { return server(call.request); });
}

Response WorkApi::command(const Request& request) const {
  Result<Json> json = parse_object(request.body, false);
  if (!json.ok()) return json_error(json.error());
  Result<work::Command> command = work::command_from_json(*json);
  if (!command.ok()) return json_error(command.error());
  return run(request, std::move(*command));
}

Response WorkApi::question(const Request& request) const {
  Result<Json> json = parse_object(request.body, false);
  if (!json.ok()) return json_error(json.error());
  Result<work::Question> question = work::question_from_json(*json);
  if (!question.ok()) return json_error(question.error());
  return ask(*question);
}

Response WorkApi::command_form(const Request& request, std::string op,
                               std::string_view id_from_path) const {
  Result<Json> body = parse_object(request.body, true);
  if (!body.ok()) return json_error(body.error());
  JsonObject command{{"op", std::move(op)}};
  JsonObject args;
  for (auto& [key, value] : std::get<JsonObject>(body->data)) {
    bool of_command =
        std::find(kCommandMembers.begin(), kCommandMembers.end(), key) != kCommandMembers.end();
    bool project = key == "project" && !request.has_param("project");
    (of_command || project ? command : args).emplace_back(key, std::move(value));
  }
  if (request.has_param("project")) command.emplace_back("project", request.param("project"));
  if (Status status = set_id(args, id_from_path); !status.ok()) return json_error(status.error());
  command.emplace_back("args", std::move(args));
  Result<work::Command> parsed = work::command_from_json(Json(std::move(command)));
  if (!parsed.ok()) return json_error(parsed.error());
  return run(request, std::move(*parsed));
}

Response WorkApi::question_form(const Request& request, std::string op,
                                std::string_view id_from_path) const {
  JsonObject args;
  for (const auto& [name, value] : request.query) {
    if (name == "project") continue;
    add_arg(args, name, typed(name, value));
  }
  if (Status status = set_id(args, id_from_path); !status.ok()) return json_error(status.error());
  JsonObject question{
      {"op", std::move(op)}, {"project", request.param("project")}, {"args", std::move(args)}};
  Result<work::Question> parsed = work::question_from_json(Json(std::move(question)));
  if (!parsed.ok()) return json_error(parsed.error());
  return ask(*parsed);
}

Response WorkApi::run(const Request& request, work::Command command) const {
  std::string_view key = request.header("idempotency-key");
  if (!key.empty()) {
    Result<std::string> id = command_id_of(key);
    if (!id.ok()) return json_error(id.error());
    if (!command.command_id.empty() && command.command_id != *id) {
      return json_error(invalid("command_id and Idempotency-Key differ", "send one of them"));
    }
    command.command_id = std::move(*id);
  } else if (command.command_id.empty()) {
    std::array<char, 16> bytes;
    options_.random->fill(bytes.data(), bytes.size());
    command.command_id = to_hex(std::string_view(bytes.data(), bytes.size()));
  }
  Result<std::string> answer = work::execute(*options_.store, command, options_.work);
  if (!answer.ok()) return json_error(answer.error());
  return raw_json_response(200, std::move(*answer));
}

Response WorkApi::ask(const work::Question& question) const {
  Result<store::Store::Read> read = options_.store->read();
  if (!read.ok()) return json_error(read.error());
  Result<Json> answer = work::ask(*read->work, *read->source, question);
  if (!answer.ok()) return json_error(answer.error());
  return json_response(200, *answer);
}

Response WorkApi::rebuild() const {
  Result<work::RebuildReport> report = work::rebuild_store(*options_.store);
  if (!report.ok()) return json_error(report.error());
  return json_response(200, JsonObject{{"schema", int64_t{1}},
                                       {"spans", report->spans},
                                       {"changed", report->changed},
                                       {"forwards", report->forwards}});
}

Response WorkApi::import_events(const Request& request) const {
  Result<std::vector<work::Event>> events = work::read_export(request.body);
  if (!events.ok()) return json_error(events.error());
  Result<work::ImportReport> report = work::import_events(*options_.store, std::move(*events));
  if (!report.ok()) return json_error(report.error());
  return json_response(200, JsonObject{{"schema", int64_t{1}},
                                       {"imported", report->imported},
                                       {"known", report->known},
                                       {"spans", report->spans}});
}

Response WorkApi::server(const Request& request) const {
  JsonObject answer{{"schema", int64_t{1}},
                    {"version", options_.version},
                    {"store_id", options_.store->store_id()},
                    {"path", options_.store->path()}};
  // Over TCP anybody on this machine could ask, and then answer others in our name.
  if (request.trusted) answer.emplace_back("token", options_.server_token);
  return json_response(200, Json(std::move(answer)));
}

}  // namespace contextcore::api
