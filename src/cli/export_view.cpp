#include "cli/export_view.h"

#include "base/time.h"

namespace contextcore::cli {
namespace {

std::string number(const Json& object, std::string_view key) {
  const Json* value = object.find(key);
  return value != nullptr && value->as_int() != nullptr ? std::to_string(*value->as_int()) : "";
}

std::string lag(const Json& destination) {
  const Json* seconds = destination.find("lag_seconds");
  if (seconds == nullptr || !seconds->is_number()) return {};
  if (seconds->number() <= 0) return "none";
  return format_duration_short(static_cast<int64_t>(seconds->number() * 1e9));
}

Style state_style(std::string_view state) {
  if (state == "failing") return Style::red;
  return state == "stopped" ? Style::dim : Style::green;
}

void append_letters(const Json& destination, std::string& out) {
  const Json* letters = destination.find("letters");
  if (letters == nullptr || letters->as_array() == nullptr) return;
  for (const Json& letter : *letters->as_array()) {
    const Json* items = letter.find("items");
    const size_t count = items != nullptr && items->as_array() ? items->as_array()->size() : 0;
    out += "  " + std::string(letter.string_or("time")) + "  " + number(letter, "refused") +
           " of " + std::to_string(count) + "  " + std::string(letter.string_or("message")) + "\n";
    for (size_t i = 0; i < count; ++i) {
      const Json& item = (*items->as_array())[i];
      out += "    " + std::string(item.string_or("stream")) + " " + number(item, "sequence");
      if (const auto span = item.string_or("span_id"); !span.empty())
        out += " span " + std::string(span);
      out += "\n";
    }
  }
}

}  // namespace

std::string export_status_text(const Json& status, const Terminal& terminal) {
  const Json* destinations = status.find("destinations");
  if (destinations == nullptr || destinations->as_array() == nullptr ||
      destinations->as_array()->empty()) {
    return "Nothing is exported: `contextcore config` lists the settings export.*.\n";
  }
  Table table({"DESTINATION", "STATE", "SENT", "LAG", "DEAD", "ADDRESS"});
  std::string below;
  for (const Json& one : *destinations->as_array()) {
    const std::string name(one.string_or("name"));
    const std::string state(one.string_or("state"));
    table.row({name, state, number(one, "sent"), lag(one), number(one, "dead_letters"),
               std::string(one.string_or("address"))},
              {Style::bold, state_style(state)});
    if (const auto error = one.string_or("last_error"); state == "failing" && !error.empty()) {
      below += name + ": " + std::string(error) + "\n";
      if (const auto next = one.string_or("next_attempt"); !next.empty())
        below += "  next attempt " + std::string(next) + "\n";
    }
    std::string letters;
    append_letters(one, letters);
    if (!letters.empty()) below += name + ": dead letters\n" + letters;
  }
  const Json* running = status.find("running");
  if (running != nullptr && running->as_bool() != nullptr && !*running->as_bool())
    below += "No server runs: nothing is sent until one does.\n";
  return table.render(terminal) + below;
}

std::string export_retry_text(const Json& answer) {
  const Json* names = answer.find("destinations");
  const size_t count = names != nullptr && names->as_array() ? names->as_array()->size() : 0;
  if (count == 0) return "Nothing is exported, so there is nothing to try again.\n";
  return "Trying again: " + number(answer, "letters") + " dead letters of " +
         std::to_string(count) + (count == 1 ? " destination.\n" : " destinations.\n");
}

}  // namespace contextcore::cli
