#include "query/common/regex.h"

#include <re2/re2.h>

namespace contextcore::query {

Result<Regex> Regex::compile(std::string_view pattern, const RegexOptions& options) {
  re2::RE2::Options settings;
  settings.set_log_errors(false);
  settings.set_dot_nl(options.dot_is_newline);
  settings.set_max_mem(options.memory_bytes_max);
  Regex regex;
  regex.pattern_ = std::string(pattern);
  regex.anchored_ = options.anchored;
  regex.literal_ =
      options.anchored && pattern.find_first_of("\\.+*?()|[]{}^$") == std::string_view::npos;
  regex.re2_ =
      std::make_shared<const re2::RE2>(re2::StringPiece(pattern.data(), pattern.size()), settings);
  if (!regex.re2_->ok()) {
    return Error{Code::invalid_argument, "invalid regex: " + regex.re2_->error(), {}, {}, {}};
  }
  return regex;
}

bool Regex::matches(std::string_view text) const {
  if (literal_) return text == pattern_;
  const re2::StringPiece piece(text.data(), text.size());
  return anchored_ ? re2::RE2::FullMatch(piece, *re2_) : re2::RE2::PartialMatch(piece, *re2_);
}

}  // namespace contextcore::query
