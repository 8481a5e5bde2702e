#pragma once
// Pattern expressions: literal text with captures <name> or <_>, of `| pattern`, `|>` and `!>`.

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace contextcore::logql {

struct PatternPart {
  bool capture = false;
  std::string text;  // literal, or the capture's name ("_" for none)
};

// `| pattern`: at least one named capture, no two alike, no two adjacent.
Result<std::vector<PatternPart>> parse_capture_pattern(std::string_view text);
// `|>`: unnamed captures only, no two adjacent.
Result<std::vector<PatternPart>> parse_line_pattern(std::string_view text);

// The whole line matches; each capture takes at least one byte.
bool matches_pattern(std::string_view line, const std::vector<PatternPart>& parts);
// What the named captures take, in order, as (name, value); a missing literal gives the rest of the
// line to the capture before it.
std::vector<std::pair<std::string_view, std::string_view>> captures_of(
    std::string_view line, const std::vector<PatternPart>& parts);

}  // namespace contextcore::logql
