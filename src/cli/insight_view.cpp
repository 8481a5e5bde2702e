#include "cli/insight_view.h"

#include "cli/task_view.h"

namespace contextcore::cli {
namespace {

const Json& insight_of(const Json& answer) {
  const Json* insight = answer.find("insight");
  return insight != nullptr ? *insight : answer;
}

}  // namespace

std::string insight_change_text(const std::string&, const Json& answer, const Terminal& terminal) {
  const Json& insight = insight_of(answer);
  const std::string status = text_of(insight, "status");
  return terminal.paint(Style::bold, text_of(insight, "id")) + "  " + text_of(insight, "type") +
         "  " + terminal.paint(status_style(status), status) + "  " + text_of(insight, "summary") +
         "\n";
}

std::string insight_list_text(const Json& answer, const Terminal& terminal, int64_t now_ns) {
  const JsonArray& items = items_of(answer);
  if (items.empty()) return "No insights.\n";
  Table table({"ID", "TYPE", "STATUS", "CONF", "AGENT", "AGE", "SUBJECT", "SUMMARY"});
  for (const Json& insight : items) {
    const std::string status = text_of(insight, "status");
    table.row(
        {text_of(insight, "id"), text_of(insight, "type"), status, text_of(insight, "confidence"),
         text_of(insight, "agent_id"), age_text(text_of(insight, "created"), now_ns),
         text_of(insight, "subject"), text_of(insight, "summary")},
        {Style::bold, Style::plain, status_style(status)});
  }
  return table.render(terminal);
}

std::string insight_details_text(const Json& answer, const Terminal& terminal) {
  const Json& insight = insight_of(answer);
  std::string out = insight_change_text({}, answer, terminal);
  const auto line = [&](const std::string& label, const std::string& value) {
    out += "  " +
           terminal.paint(Style::dim,
                          label + std::string(label.size() < 13 ? 13 - label.size() : 1, ' ')) +
           value + "\n";
  };
  if (const JsonObject* members = insight.as_object()) {
    for (const auto& [key, value] : *members) {
      if (key == "id" || key == "type" || key == "status" || key == "summary") continue;
      if (const JsonObject* nested = value.as_object()) {
        for (const auto& [name, part] : *nested)
          line(name, text_of(value, name).empty() ? to_string(part) : text_of(value, name));
      } else {
        line(key, text_of(insight, key));
      }
    }
  }
  return out;
}

}  // namespace contextcore::cli
