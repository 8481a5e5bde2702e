#include "cli/context.h"

#include <charconv>
#include <cstdio>

#include "base/clock.h"
#include "base/process.h"
#include "base/random.h"
#include "base/time.h"

namespace contextcore::cli {

Result<const sdk::Config*> Context::config() {
  if (!config_) {
    CC_ASSIGN(const std::string directory, current_directory());
    CC_ASSIGN(config_, sdk::load_config(real_file_system(), directory, flags.config));
  }
  return &*config_;
}

Result<sdk::Backend*> Context::backend(bool create) {
  if (!backend_) {
    CC_ASSIGN(const sdk::Config* settings, config());
    sdk::BackendOptions options;
    options.store = settings->get("store");
    options.server = settings->get("server");
    options.create = create;
    options.durability = settings->get("durability");
    options.work.emit_mode = settings->get("emit_mode");
    options.work.vocabulary = settings->vocabulary;
    const std::string& lease = settings->get("lease_seconds");
    const auto [end, failure] =
        std::from_chars(lease.data(), lease.data() + lease.size(), options.work.lease_seconds);
    if (failure != std::errc() || end != lease.data() + lease.size() ||
        options.work.lease_seconds <= 0) {
      return Error{Code::invalid_argument,
                   "lease_seconds is '" + lease + "' (from " +
                       settings->setting("lease_seconds").origin + ")",
                   "use a positive number of seconds",
                   {},
                   {}};
    }
    backend_ = sdk::Backend::make(std::move(options));
  }
  return backend_.get();
}

Result<work::Actor> Context::actor() {
  CC_ASSIGN(const sdk::Config* settings, config());
  work::Actor actor;
  const std::string& agent = settings->get("agent");
  actor.actor_type = agent.empty() ? "user" : "agent";
  actor.actor = agent.empty() ? settings->get("user") : agent;
  actor.agent_id = actor.actor;
  actor.session_id = settings->get("session");
  if (actor.session_id.empty()) {
    // Two processes never share a claim unless they name the same session.
    if (session_.empty()) session_ = uuid_v7(real_clock().wall_ns(), real_random());
    actor.session_id = session_;
  }
  return actor;
}

Result<Json> Context::command(const std::string& op, JsonObject args, const std::string& at,
                              std::optional<int64_t> expected_revision) {
  work::Command command;
  command.op = op;
  command.args = Json(std::move(args));
  command.expected_revision = expected_revision;
  if (!at.empty()) {
    CC_ASSIGN(command.time_ns, parse_time(at, real_clock().wall_ns()));
  }
  CC_ASSIGN(command.actor, actor());
  CC_ASSIGN(const sdk::Config* settings, config());
  command.project = settings->get("project");
  CC_ASSIGN(sdk::Backend * door, backend());
  auto answer = door->command(std::move(command));
  if (answer.ok() && door->created_store()) {
    print_error("new store: " + settings->get("store") + "\n");
  }
  return answer;
}

Result<work::Question> Context::make_question(const std::string& op, JsonObject args) {
  work::Question question;
  question.op = op;
  question.args = Json(std::move(args));
  CC_ASSIGN(question.actor, actor());
  CC_ASSIGN(const sdk::Config* settings, config());
  question.project = settings->get("project");
  return question;
}

Result<Json> Context::question(const std::string& op, JsonObject args, std::span<const std::string_view> shown) {
  CC_ASSIGN(const work::Question question, make_question(op, std::move(args)));
  CC_ASSIGN(sdk::Backend * door, backend(false));
  return door->question(question, shown);
}

Status Context::print_answer(const std::string& op, JsonObject args, std::string_view kind) {
  CC_ASSIGN(const work::Question question, make_question(op, std::move(args)));
  CC_ASSIGN(sdk::Backend * door, backend(false));
  CC_ASSIGN(const std::string members, door->question_text(question));
  print(json_line_begin(kind));
  print(members);
  print("}\n");
  return {};
}

Result<std::string> Context::read_input(const std::string& path) {
  if (path != "-") return real_file_system().read_file(path);
  std::string text;
  char buffer[65536];
  while (const size_t size = std::fread(buffer, 1, sizeof buffer, stdin)) text.append(buffer, size);
  return text;
}

void Context::print(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }

void Context::print_error(std::string_view text) {
  std::fflush(stdout);
  std::fwrite(text.data(), 1, text.size(), stderr);
}

int Context::fail(const Error& error) {
  print_error(flags.json ? error_json(error) : error_text(error, terminal));
  return exit_code(error.code);
}

}  // namespace contextcore::cli
