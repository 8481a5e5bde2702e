#pragma once
// A .contextcore.toml: flat keys with string or integer values, the project's own words (`types`, an
// array of strings, and the table [statuses] of strings), and the table [export], whose keys are
// found as "export.settle". toml++ stays behind this.

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

 private:
  std::vector<std::pair<std::string, std::string>> values_;
  std::vector<std::string> types_;
  std::vector<std::pair<std::string, std::string>> statuses_;  // name, what it behaves like
};

// A TOML basic string.
std::string toml_quote(std::string_view text);

}  // namespace contextcore::sdk
