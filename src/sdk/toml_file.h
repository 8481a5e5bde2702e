#pragma once
// A .contextcore.toml: flat keys with a string or a number, the project's own words (`types`, an
// array of strings, and the table [statuses] of strings), the table [export], whose keys are found as
// "export.settle", and a table [tenants.NAME] for each tenant that differs. toml++ stays behind this.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace contextcore::sdk {

class TomlFile {
 public:
  // invalid_argument: syntax errors (with line), wrong types, unknown keys (with the known ones).
  static Result<TomlFile> parse(std::string_view text, const std::string& path);
  std::optional<std::string> find(std::string_view key) const;
  const std::vector<std::string>& types() const { return types_; }
  const std::vector<std::pair<std::string, std::string>>& statuses() const { return statuses_; }
  // "NAME.key" and its value.
  const std::vector<std::pair<std::string, std::string>>& tenant_settings() const { return tenants_; }

 private:
  std::vector<std::pair<std::string, std::string>> values_;
  std::vector<std::string> types_;
  std::vector<std::pair<std::string, std::string>> statuses_;  // name, what it behaves like
  std::vector<std::pair<std::string, std::string>> tenants_;
};

// A TOML basic string.
std::string toml_quote(std::string_view text);

}  // namespace contextcore::sdk
