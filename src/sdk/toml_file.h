#pragma once
// A .contextcore.toml: flat keys with string, integer or boolean values. toml++ stays behind this.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace contextcore::sdk {

class TomlFile {
 public:
  // invalid_argument: syntax errors (with line), tables, unknown keys (with the known ones).
  static Result<TomlFile> parse(std::string_view text, const std::string& path);
  std::optional<std::string> find(std::string_view key) const;

 private:
  std::vector<std::pair<std::string, std::string>> values_;
};

// A TOML basic string.
std::string toml_quote(std::string_view text);

}  // namespace contextcore::sdk
