#pragma once
// Reading the arguments of commands and questions: every field is checked, unknown ones are errors
// that name close ones.

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace contextcore::work {

constexpr size_t kIdBytesMax = 256;

// Close matches of a name, best first, at most three.
std::vector<std::string> close_matches(std::string_view name,
                                       std::span<const std::string_view> known);
// invalid_argument: `what` is none of the known names.
Error unknown_name(std::string_view what, std::string_view name,
                   std::span<const std::string_view> known);
// "a, b or c"
std::string join_names(std::span<const std::string_view> names);

// Not empty, at most 256 bytes, no control characters. what: for the message.
Status check_id(std::string_view what, std::string_view id);
// Every string of a value (names of members too) is UTF-8.
Status check_utf8(const Json& json);

// The arguments of one operation. A null counts as absent, except for is_null().
class Args {
 public:
  // Errors: not an object, a field that is not among `allowed`, one that stands twice.
  static Result<Args> make(std::string_view op, const Json& json,
                           std::span<const std::string_view> allowed);

  bool has(std::string_view name) const;
  bool is_null(std::string_view name) const;  // stands and is null
  // Absent: "" / false / nullopt / {}.
  Result<std::string> text(std::string_view name) const;
  Result<std::string> required(std::string_view name) const;  // must not be empty
  Result<bool> flag(std::string_view name) const;
  Result<std::optional<int64_t>> integer(std::string_view name, int64_t min, int64_t max) const;
  Result<std::optional<double>> number(std::string_view name) const;
  // An array of strings; one string counts as a list of one.
  Result<std::vector<std::string>> list(std::string_view name) const;
  // One of names; absent: "".
  Result<std::string> choice(std::string_view name, std::span<const std::string_view> names) const;
  // A list of which every member is one of names.
  Result<std::vector<std::string>> choices(std::string_view name,
                                           std::span<const std::string_view> names) const;
  // RFC 3339 or a date; given back as RFC 3339 in UTC. Absent: "".
  Result<std::string> time(std::string_view name) const;
  Result<JsonObject> object(std::string_view name) const;
  const Json* find(std::string_view name) const;  // nullptr: absent or null
  std::string_view op() const { return op_; }

 private:
  Error wrong_type(std::string_view name, std::string_view expected) const;
  std::string op_;
  JsonObject members_;
};

}  // namespace contextcore::work
