#pragma once
// One JSON object, its members read in place: for lines that are looked at by the million and of which little is wanted.
// Two layouts are known, that of JsonWriter and that with one blank behind each colon and comma; everything else (more
// blanks, escapes in names) is left to parse_json.

#include <optional>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace contextcore {

class FlatJson {
 public:
  struct Member {
    std::string_view name, text;  // text as it stands there, quotes included
    bool plain = false;           // a string without escapes
  };

  // False: not such an object, or no JSON; nothing can be found then. text is borrowed.
  bool parse(std::string_view text);
  const std::vector<Member>& members() const { return members_; }
  // The layout with blanks; false as well where there is nothing to tell by.
  bool spaced() const { return spaced_; }
  // The first member of that name. nullopt: there is none, or its text is no value.
  std::optional<Json> find(std::string_view name) const;
  // All members, in order. nullopt: one of the texts is no value.
  std::optional<JsonObject> all() const;

 private:
  static std::optional<Json> value_of(const Member& member);
  std::vector<Member> members_;
  bool spaced_ = false;
};

// The number that a text is in JsonWriter's spelling. nullopt: it is none, or spelled otherwise ("007", "-0").
std::optional<int64_t> canonical_integer(std::string_view text);

}  // namespace contextcore
