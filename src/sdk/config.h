#pragma once
// Which store, which project, who acts: flags > environment > file > defaults, each value with its
// origin (docs/architecture.md, 5 and 6). Only reads.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_system.h"
#include "base/result.h"
#include "work/command.h"

namespace contextcore::sdk {

struct Setting {
  std::string name;    // "store"
  std::string value;   // "" = not set
  std::string origin;  // "--store", "CONTEXTCORE_STORE", "/path/.contextcore.toml", "default" …
  std::string environment;  // variable that sets it, "" if none
  std::string brief;
};

// What the command line gave; empty = not given.
struct ConfigFlags {
  std::string store, project, agent, session, server;
};

struct Config {
  // Fixed order: store project prefix agent session server user emit_mode lease_seconds durability
  // retention_spans retention_logs retention_metrics ingest_rate metric_series query_slots
  // tenant_query_slots tenant_head_share server_traces, then those of export (export_config.h), whose
  // values may be secrets, and of tenants (tenant_config.h).
  std::vector<Setting> settings;
  std::string project_file;          // the .contextcore.toml that was found, or ""
  std::string git_common_directory;  // or ""
  work::Vocabulary vocabulary;       // types and statuses of the project's own, from the file

  const Setting& setting(std::string_view name) const;
  const std::string& get(std::string_view name) const { return setting(name).value; }
};

// Errors: invalid_argument (a .contextcore.toml that does not parse or has unknown keys, a bad
// value).
Result<Config> load_config(FileSystem& files, const std::string& directory,
                           const ConfigFlags& flags);

// Text of a new .contextcore.toml.
std::string project_file_text(std::string_view project, std::string_view prefix,
                              std::string_view store);

// The common git directory of a working tree ("/repo/.git" also from its worktrees), or "".
std::string git_common_directory(FileSystem& files, const std::string& directory);

}  // namespace contextcore::sdk
