#pragma once
// One JSON object without nesting, read in place: for lines that are looked at by the million and of which little is
// wanted. What is not laid out as JsonWriter does (blanks, nested values, escapes in names) is left to parse_json.

#include <optional>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace contextcore {

class FlatJson {
 public:
  // False: not such an object, or no JSON; nothing can be found then. text is borrowed.
  bool parse(std::string_view text);
  // The first member of that name. nullopt: there is none, or its text is no value.
  std::optional<Json> find(std::string_view name) const;
  // All members, in order. nullopt: one of the texts is no value.
  std::optional<JsonObject> all() const;

 private:
  struct Member {
    std::string_view name, text;  // text as it stands there, quotes included
    bool plain = false;           // a string without escapes
  };
  static std::optional<Json> value_of(const Member& member);
  std::vector<Member> members_;
};

}  // namespace contextcore
