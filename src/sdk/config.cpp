#include "sdk/config.h"

#include <cassert>
#include <tuple>

#include "base/process.h"
#include "base/time.h"
#include "query/logql/text.h"
#include "sdk/export_config.h"
#include "sdk/tenant_config.h"
#include "sdk/toml_file.h"

namespace contextcore::sdk {
namespace {

constexpr char kProjectFile[] = ".contextcore.toml";

std::string absolute(const std::string& base, const std::string& path) {
  if (path.empty() || path.front() == '/') return path;
  if (path == "~" || path.starts_with("~/")) return home_directory() + path.substr(1);
  return join_path(base, path);
}

// The nearest project file from directory upward, or "".
std::string find_project_file(FileSystem& files, std::string directory) {
  while (!directory.empty()) {
    std::string candidate = join_path(directory, kProjectFile);
    if (files.exists(candidate)) return candidate;
    if (directory == "/") break;
    const std::string parent = parent_path(directory);
    if (parent == directory) break;
    directory = parent;
  }
  return {};
}

// user.name of one git configuration file, or "". Reads the plain form only; includes are not
// followed.
std::string git_user_name(FileSystem& files, const std::string& path) {
  auto text = files.read_file(path);
  if (!text.ok()) return {};
  bool in_user = false;
  std::string name;
  size_t at = 0;
  while (at < text->size()) {
    size_t end = text->find('\n', at);
    if (end == std::string::npos) end = text->size();
    std::string_view line(text->data() + at, end - at);
    at = end + 1;
    while (!line.empty() && (line.front() == ' ' || line.front() == '\t')) line.remove_prefix(1);
    while (!line.empty() && (line.back() == ' ' || line.back() == '\r')) line.remove_suffix(1);
    if (line.starts_with('[')) {
      in_user = line.starts_with("[user]");
    } else if (in_user && line.starts_with("name")) {
      const size_t equals = line.find('=');
      if (equals == std::string_view::npos) continue;
      line.remove_prefix(equals + 1);
      while (!line.empty() && line.front() == ' ') line.remove_prefix(1);
      if (line.size() >= 2 && line.front() == '"' && line.back() == '"')
        line = line.substr(1, line.size() - 2);
      name = std::string(line);
    }
  }
  return name;
}

Setting user_setting(FileSystem& files, const std::string& git_directory) {
  Setting user{"user", "", "", "", "name of the person who acts"};
  const std::string config_home =
      environment("XDG_CONFIG_HOME").value_or(home_directory() + "/.config");
  std::vector<std::string> sources;
  if (!git_directory.empty()) sources.push_back(join_path(git_directory, "config"));
  sources.push_back(home_directory() + "/.gitconfig");
  sources.push_back(config_home + "/git/config");
  for (const std::string& source : sources) {
    user.value = git_user_name(files, source);
    user.origin = source;
    if (!user.value.empty()) return user;
  }
  user.value = user_name();
  user.origin = "login name";
  return user;
}

// Takes the first of flag, environment, file, default.
struct Resolver {
  const TomlFile& file;
  const std::string& file_path;

  Setting resolve(std::string name, const std::string& flag, const char* variable,
                  std::string default_value, std::string brief) const {
    Setting setting{std::move(name), "", "default", variable, std::move(brief)};
    if (!flag.empty()) {
      setting.value = flag;
      setting.origin = "--" + setting.name;
    } else if (auto from_environment = *variable != '\0' ? environment(variable) : std::nullopt) {
      setting.value = *from_environment;
      setting.origin = variable;
    } else if (auto from_file = file.find(setting.name)) {
      setting.value = *from_file;
      setting.origin = file_path;
    } else {
      setting.value = std::move(default_value);
      if (setting.value.empty()) setting.origin = "not set";
    }
    return setting;
  }
};

}  // namespace

const Setting& Config::setting(std::string_view name) const {
  for (const Setting& one : settings) {
    if (one.name == name) return one;
  }
  assert(false && "unknown setting");
  static const Setting none;
  return none;
}

std::string git_common_directory(FileSystem& files, const std::string& start) {
  std::string directory = start;
  while (!directory.empty()) {
    const std::string dot_git = join_path(directory, ".git");
    if (auto info = files.stat(dot_git); info.ok()) {
      if (info->is_directory) return dot_git;
      // A worktree: ".git" is a file "gitdir: PATH"; PATH/commondir leads to the shared directory.
      auto text = files.read_file(dot_git);
      if (!text.ok() || !text->starts_with("gitdir: ")) return {};
      std::string git_directory = text->substr(8);
      while (!git_directory.empty() && git_directory.back() == '\n') git_directory.pop_back();
      git_directory = absolute(directory, git_directory);
      auto common = files.read_file(join_path(git_directory, "commondir"));
      if (!common.ok()) return git_directory;
      while (!common->empty() && common->back() == '\n') common->pop_back();
      return absolute(git_directory, *common);
    }
    const std::string parent = parent_path(directory);
    if (directory == "/" || parent == directory) return {};
    directory = parent;
  }
  return {};
}

Result<Config> load_config(FileSystem& files, const std::string& directory,
                           const ConfigFlags& flags) {
  Config config;
  config.git_common_directory = git_common_directory(files, directory);
  config.project_file = find_project_file(files, directory);
  if (config.project_file.empty() && config.git_common_directory.ends_with("/.git")) {
    // A worktree outside the main tree: what the main tree says holds for all.
    config.project_file = find_project_file(files, parent_path(config.git_common_directory));
  }
  TomlFile file;
  if (!config.project_file.empty()) {
    CC_ASSIGN(const std::string text, files.read_file(config.project_file));
    CC_ASSIGN(file, TomlFile::parse(text, config.project_file));
    auto vocabulary = work::checked({file.types(), file.statuses()});
    if (!vocabulary.ok()) {
      Error error = std::move(vocabulary).error();
      error.message = config.project_file + ": " + error.message;
      return error;
    }
    config.vocabulary = std::move(*vocabulary);
  }

  const Resolver resolver{file, config.project_file};
  const std::string data_home =
      environment("XDG_DATA_HOME").value_or(home_directory() + "/.local/share");
  Setting store = resolver.resolve("store", flags.store, "CONTEXTCORE_STORE",
                                   data_home + "/contextcore", "folder of the embedded store");
  store.value =
      absolute(store.origin == config.project_file ? parent_path(config.project_file) : directory,
               store.value);
  if (store.origin == "default" && !config.git_common_directory.empty()) {
    // `init --local` puts the store into git's common directory.
    const std::string local = join_path(config.git_common_directory, "contextcore");
    if (files.exists(join_path(local, "CURRENT"))) {
      store.value = local;
      store.origin = "store in git's common directory (init --local)";
    }
  }
  config.settings.push_back(std::move(store));
  const auto add = [&](std::string name, const std::string& flag, const char* variable,
                       std::string default_value, std::string brief) {
    config.settings.push_back(resolver.resolve(std::move(name), flag, variable,
                                               std::move(default_value), std::move(brief)));
  };
  add("project", flags.project, "CONTEXTCORE_PROJECT", "", "project.id of new work");
  std::string prefix;
  for (const char c : config.get("project")) {
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) prefix += c;
    if (prefix.size() == 8) break;
  }
  add("prefix", "", "CONTEXTCORE_PREFIX", prefix.empty() ? "task" : prefix,
      "what made-up task ids start with");
  add("agent", flags.agent, "CONTEXTCORE_AGENT", "", "agent that acts (agent.id)");
  add("session", flags.session, "CONTEXTCORE_SESSION", "",
      "session of the agent; a claim's holder");
  add("server", flags.server, "CONTEXTCORE_SERVER", "",
      "address of a server to use instead of the store");
  config.settings.push_back(user_setting(files, config.git_common_directory));
  add("emit_mode", "", "CONTEXTCORE_EMIT_MODE", "dual",
      "attribute names of agents: dual, legacy, otel");
  add("lease_seconds", "", "CONTEXTCORE_LEASE_SECONDS", "900",
      "how long a claim lives without a heartbeat");
  add("durability", "", "CONTEXTCORE_DURABILITY", "sync",
      "sync: on disk before it is acknowledged; interval: within 100 ms");
  for (const char* what : {"spans", "logs", "metrics"}) {
    std::string upper = what;
    for (char& c : upper) c = static_cast<char>(c - 'a' + 'A');
    add(std::string("retention_") + what, "", ("CONTEXTCORE_RETENTION_" + upper).c_str(), "14d",
        std::string("how long a server keeps received ") + what + " (30d, 12w); 0: for ever");
  }
  add("ingest_rate", "", "CONTEXTCORE_INGEST_RATE", "0",
      "telemetry that a server takes, bytes a second and tenant (20MB); 0: any");
  add("metric_series", "", "CONTEXTCORE_METRIC_SERIES", "150000",
      "series that a tenant's metrics may have between two cuts");
  add("query_slots", "", "CONTEXTCORE_QUERY_SLOTS", "8",
      "queries that a server answers at the same time; others wait");
  add("tenant_query_slots", "", "CONTEXTCORE_TENANT_QUERY_SLOTS", "0",
      "how many of them one tenant may have; 0: any");
  add("tenant_head_share", "", "CONTEXTCORE_TENANT_HEAD_SHARE", "1",
      "of what waits while files are written, what one tenant may fill (0.5)");
  add("server_traces", "", "CONTEXTCORE_SERVER_TRACES", "off",
      "a server's own requests as traces in its store: off, sampled (those of callers that sample), on");
  add_export_settings(file, config.project_file, config);
  CC_TRY(add_tenant_settings(file, config.project_file, config));

  const auto bad_value = [&config](const char* name, std::string hint,
                                   std::vector<std::string> candidates = {}) {
    const Setting& setting = config.setting(name);
    return Error{Code::invalid_argument,
                 std::string(name) + " is '" + setting.value + "' (from " + setting.origin + ")",
                 std::move(hint), std::move(candidates), {}};
  };
  const std::string& mode = config.get("emit_mode");
  if (mode != "dual" && mode != "legacy" && mode != "otel") {
    return bad_value("emit_mode", "use dual, legacy or otel", {"dual", "legacy", "otel"});
  }
  for (const char* name : {"retention_spans", "retention_logs", "retention_metrics"}) {
    const std::string& kept = config.get(name);
    const auto parsed = parse_prometheus_duration(kept);
    if (kept != "0" && (!parsed.ok() || *parsed < 0))
      return bad_value(name, "use a duration such as 14d or 12w, or 0 for ever");
  }
  for (const auto& [name, least, example] : {std::tuple("ingest_rate", uint64_t{0}, "20MB"),
                                             std::tuple("metric_series", uint64_t{1}, "150000"),
                                             std::tuple("query_slots", uint64_t{1}, "8"),
                                             std::tuple("tenant_query_slots", uint64_t{0}, "4")}) {
    uint64_t value = 0;
    if (!logql::parse_bytes(config.get(name), value) || value < least)
      return bad_value(name, "use a number such as " + std::string(example));
  }
  if (!parse_share(config.get("tenant_head_share")))
    return bad_value("tenant_head_share", "use a number above 0 and at most 1, such as 0.5");
  const std::string& traces = config.get("server_traces");
  if (traces != "off" && traces != "sampled" && traces != "on")
    return bad_value("server_traces", "use off, sampled or on", {"off", "sampled", "on"});
  const std::string& durability = config.get("durability");
  if (durability != "sync" && durability != "interval")
    return bad_value("durability", "use sync or interval", {"sync", "interval"});
  return config;
}

std::string project_file_text(std::string_view project, std::string_view prefix,
                              std::string_view store) {
  std::string text =
      "# ContextCore: which project this repository's work belongs to. Commit this file.\n";
  text += "project = " + toml_quote(project) + "\n";
  text += "prefix = " + toml_quote(prefix) + "  # new task ids look like " + std::string(prefix) +
          "-k3x9\n";
  if (!store.empty()) text += "store = " + toml_quote(store) + "\n";
  return text;
}

}  // namespace contextcore::sdk
