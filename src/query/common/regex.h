#pragma once
// Regular expressions of the query languages: RE2, as in the originals. A Regex is compiled once
// and immutable after that; copies share it; matching is thread-safe.

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace re2 {
class RE2;
}

namespace contextcore::query {

struct RegexOptions {
  bool anchored = true;        // the whole text has to match (TraceQL, label matchers)
  bool dot_is_newline = true;  // . matches a line break too
  int64_t memory_bytes_max = 8 << 20;
};

class Regex {
 public:
  // invalid_argument with RE2's reason when the pattern does not compile.
  static Result<Regex> compile(std::string_view pattern, const RegexOptions& options = {});
  bool matches(std::string_view text) const;
  const std::string& pattern() const { return pattern_; }
  // For callers that need captures or sets; valid as long as this Regex or a copy lives.
  const re2::RE2& re2() const { return *re2_; }

 private:
  Regex() = default;
  std::string pattern_;
  bool anchored_ = true;
  bool literal_ = false;  // no metacharacters and anchored: plain comparison
  std::shared_ptr<const re2::RE2> re2_;
};

}  // namespace contextcore::query
