// What the last server has left in a store, told without one; apart from exporter.cpp, so that the
// command line links nothing of the senders.

#include "export/exporter.h"

namespace contextcore::exporter {

Result<Json> stored_status(FileSystem& files, const std::string& store, bool letters) {
  JsonArray out;
  for (const std::string& name : StateFiles::list(files, store)) {
    const StateFiles state_files(files, store, name);
    CC_ASSIGN(const std::optional<State> state, state_files.load());
    CC_ASSIGN(const DeadLetters dead, state_files.load_dead());
    if (!state) continue;
    JsonObject one{{"name", name},
                   {"kind", state->destination},
                   {"address", state->address},
                   {"state", "stopped"},
                   {"dead_letters", static_cast<int64_t>(dead.letters.size())},
                   {"dropped", dead.dropped}};
    JsonArray array;
    for (const DeadLetter& letter : dead.letters) array.push_back(letter_json(letter));
    if (letters) one.emplace_back("letters", std::move(array));
    out.push_back(std::move(one));
  }
  return Json(
      JsonObject{{"schema", int64_t{1}}, {"running", false}, {"destinations", std::move(out)}});
}

Result<Json> stored_retry(FileSystem& files, const std::string& store,
                          std::string_view destination) {
  int64_t letters = 0;
  JsonArray names;
  for (const std::string& name : StateFiles::list(files, store)) {
    const std::string kind = name.substr(0, name.find('-'));
    if (!destination.empty() && destination != name && destination != kind) continue;
    StateFiles state_files(files, store, name);
    CC_ASSIGN(const DeadLetters dead, state_files.load_dead());
    CC_TRY(state_files.ask_retry());
    letters += static_cast<int64_t>(dead.letters.size());
    names.push_back(name);
  }
  if (names.empty() && !destination.empty()) {
    return Error{Code::not_found,
                 "no destination " + std::string(destination),
                 "contextcore export status lists them",
                 {},
                 {}};
  }
  return Json(
      JsonObject{{"schema", int64_t{1}}, {"letters", letters}, {"destinations", std::move(names)}});
}

}  // namespace contextcore::exporter
