#include "query/logql/template.h"

#include "query/logql/text.h"

namespace contextcore::logql {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";

std::string_view trim_left(std::string_view text) {
  const size_t start = text.find_first_not_of(kBlanks);
  return start == std::string_view::npos ? std::string_view() : text.substr(start);
}
std::string_view trim_right(std::string_view text) {
  const size_t end = text.find_last_not_of(kBlanks);
  return end == std::string_view::npos ? std::string_view() : text.substr(0, end + 1);
}

}  // namespace

Result<Template> Template::compile(std::string_view text) {
  Template out;
  bool trim_next = false;
  while (!text.empty()) {
    const size_t open = text.find("{{");
    std::string_view literal = text.substr(0, open);
    if (trim_next) literal = trim_left(literal);
    trim_next = false;
    std::string_view action;
    if (open != std::string_view::npos) {
      const size_t close = text.find("}}", open);
      if (close == std::string_view::npos) {
        return Error{Code::invalid_argument,
                     "invalid line template: template: line:1: unclosed action",
                     {},
                     {},
                     {}};
      }
      action = text.substr(open + 2, close - open - 2);
      text.remove_prefix(close + 2);
      if (action.size() > 1 && action.front() == '-' &&
          kBlanks.find(action[1]) != std::string_view::npos) {
        literal = trim_right(literal);
        action.remove_prefix(1);
      }
      if (action.size() > 1 && action.back() == '-' &&
          kBlanks.find(action[action.size() - 2]) != std::string_view::npos) {
        trim_next = true;
        action.remove_suffix(1);
      }
      action = trim_right(trim_left(action));
    } else {
      text = {};
    }
    if (!literal.empty()) out.parts_.push_back({Part::Kind::text, std::string(literal)});
    if (open == std::string_view::npos || (action.starts_with("/*") && action.ends_with("*/")))
      continue;
    if (action.starts_with('.') && is_label_name(action.substr(1))) {
      out.parts_.push_back({Part::Kind::label, std::string(action.substr(1))});
    } else if (action == "__line__") {
      out.parts_.push_back({Part::Kind::line, {}});
    } else {
      return Error{Code::unsupported,
                   "template action {{" + std::string(action) + "}} is not yet supported",
                   "only {{.label}} and {{__line__}} are",
                   {},
                   {}};
    }
  }
  return out;
}

std::string Template::render(const EntryLabels& labels, std::string_view line) const {
  std::string out;
  for (const Part& part : parts_) {
    switch (part.kind) {
      case Part::Kind::text:
        out += part.text;
        break;
      case Part::Kind::label:
        out += labels.get(part.text);
        break;
      case Part::Kind::line:
        out += line;
        break;
    }
  }
  return out;
}

}  // namespace contextcore::logql
