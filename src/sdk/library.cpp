#include "sdk/library.h"

#include <charconv>

#include "base/process.h"
#include "sdk/config.h"

namespace contextcore {

Result<std::shared_ptr<TaskTracker::Impl>> TaskTracker::Impl::open(const ConnectOptions& options,
                                                                   bool project_needed) {
  CC_ASSIGN(const std::string directory, current_directory());
  const sdk::ConfigFlags flags{options.store, options.project, options.agent_id, options.session_id,
                               options.server};
  CC_ASSIGN(const sdk::Config config, sdk::load_config(real_file_system(), directory, flags));
  auto impl = std::make_shared<Impl>();
  impl->project = config.get("project");
  if (project_needed && impl->project.empty()) {
    return Error{Code::invalid_argument,
                 "no project",
                 "set ConnectOptions::project or CONTEXTCORE_PROJECT, or run `contextcore init`",
                 {},
                 {}};
  }
  const std::string& agent = config.get("agent");
  impl->agent_named = !agent.empty();
  impl->actor.actor_type = agent.empty() ? "user" : "agent";
  impl->actor.actor = !options.actor.empty() ? options.actor
                      : agent.empty()        ? config.get("user")
                                             : agent;
  impl->actor.agent_id = agent.empty() ? impl->actor.actor : agent;
  impl->actor.session_id = config.get("session");
  if (impl->actor.session_id.empty())
    impl->actor.session_id = uuid_v7(real_clock().wall_ns(), real_random());
  sdk::BackendOptions backend;
  backend.store = config.get("store");
  backend.server = config.get("server");
  backend.durability = config.get("durability");
  backend.work.emit_mode = config.get("emit_mode");
  backend.work.vocabulary = config.vocabulary;
  const std::string& lease = config.get("lease_seconds");
  const auto [end, failure] =
      std::from_chars(lease.data(), lease.data() + lease.size(), backend.work.lease_seconds);
  if (failure != std::errc() || end != lease.data() + lease.size() ||
      backend.work.lease_seconds <= 0) {
    return Error{Code::invalid_argument,
                 "lease_seconds is '" + lease + "'",
                 "use a positive number of seconds",
                 {},
                 {}};
  }
  impl->backend = sdk::Backend::make(std::move(backend));
  return impl;
}

Result<Json> TaskTracker::Impl::command(const std::string& op, JsonObject args,
                                        std::optional<int64_t> time_ns) {
  work::Command command;
  command.op = op;
  command.time_ns = time_ns;
  command.project = project;
  command.args = Json(std::move(args));
  command.actor = actor;
  return backend->command(std::move(command));
}

Result<Json> TaskTracker::Impl::question(const std::string& op, JsonObject args) {
  return backend->question(work::Question{op, project, Json(std::move(args)), actor});
}

namespace sdk {
namespace {

std::string text(const Json& object, std::string_view key) {
  return std::string(object.string_or(key));
}

int64_t integer(const Json& object, std::string_view key) {
  const Json* value = object.find(key);
  return value != nullptr && value->as_int() != nullptr ? *value->as_int() : 0;
}

void put(JsonObject& args, std::string_view key, std::string_view value) {
  if (!value.empty()) args.emplace_back(key, value);
}
void put(JsonObject& args, std::string_view key, const std::vector<std::string>& value) {
  if (!value.empty()) args.emplace_back(key, list_json(value));
}

}  // namespace

JsonObject start_args(std::string_view id, std::string_view title, const StartOptions& options) {
  JsonObject args{{"id", id}, {"title", title}, {"if_absent", true}};
  put(args, "type", options.type);
  put(args, "status", options.status);
  put(args, "priority", options.priority);
  put(args, "assignee", options.assignee);
  if (options.story_points) args.emplace_back("story_points", *options.story_points);
  put(args, "labels", options.labels);
  put(args, "parent_id", options.parent_id);
  put(args, "depends_on", options.depends_on);
  put(args, "url", options.url);
  put(args, "due_date", options.due_date);
  put(args, "sprint_id", options.sprint_id);
  put(args, "description", options.description);
  if (!options.attributes.empty())
    args.emplace_back("attributes", attributes_json(options.attributes));
  return args;
}

TaskState task_state(const Json& answer) {
  const Json* found = answer.find("task");
  const Json& task = found != nullptr ? *found : answer;
  TaskState state;
  state.id = text(task, "id");
  state.project = text(task, "project");
  state.title = text(task, "title");
  state.type = text(task, "type");
  state.status = text(task, "status");
  state.trace_id = text(task, "trace_id");
  state.span_id = text(task, "span_id");
  state.revision = integer(task, "revision");
  state.percent_complete = integer(task, "percent_complete");
  const Json* changed = answer.find("changed");
  state.changed = changed != nullptr && changed->as_bool() != nullptr && *changed->as_bool();
  state.ended = state.status == "done" || state.status == "failed" || state.status == "cancelled";
  if (const Json* claim = task.find("claim"); claim != nullptr && claim->find("token") != nullptr) {
    state.claim_token = integer(*claim, "token");
  }
  state.json = to_string(answer);
  return state;
}

Insight insight_of(const Json& answer) {
  const Json* found = answer.find("insight");
  const Json& json = found != nullptr ? *found : answer;
  Insight insight;
  insight.id = text(json, "id");
  insight.project = text(json, "project");
  insight.type = text(json, "type");
  insight.subject = text(json, "subject");
  insight.summary = text(json, "summary");
  insight.agent_id = text(json, "agent_id");
  insight.rationale = text(json, "rationale");
  insight.category = text(json, "category");
  insight.task_id = text(json, "task_id");
  insight.status = text(json, "status");
  if (const Json* confidence = json.find("confidence")) insight.confidence = confidence->number();
  insight.trace_id = text(json, "trace_id");
  insight.span_id = text(json, "span_id");
  insight.time = text(json, "created");
  insight.json = to_string(json);
  return insight;
}

Json list_json(const std::vector<std::string>& items) {
  JsonArray out;
  for (const std::string& item : items) out.emplace_back(item);
  return out;
}

Json attributes_json(const AttributeMap& attributes) {
  JsonObject out;
  for (const auto& [key, value] : attributes) {
    out.emplace_back(
        key,
        std::visit(
            [](const auto& one) -> Json {
              if constexpr (std::is_same_v<std::decay_t<decltype(one)>, std::vector<std::string>>) {
                return list_json(one);
              } else {
                return Json(one);
              }
            },
            value));
  }
  return out;
}

}  // namespace sdk
}  // namespace contextcore
