#pragma once
// The part of Go's text/template that is built: text, {{.name}}, {{__line__}}, the trim markers {{-
// -}}, and comments. Everything else is refused when the query is compiled.

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "query/logql/labels.h"

namespace contextcore::logql {

class Template {
 public:
  static Result<Template> compile(std::string_view text);
  // A missing label prints nothing.
  std::string render(const EntryLabels& labels, std::string_view line) const;

 private:
  struct Part {
    enum class Kind : uint8_t { text, label, line };
    Kind kind;
    std::string text;
  };
  std::vector<Part> parts_;
};

}  // namespace contextcore::logql
