#pragma once
// What a destination remembers: how far it has come, and what was refused for good. Two small files
// of its own in the store's folder export/, written beside and renamed, so that a crash leaves the
// one before or the one after:
//
//   export/traces-1f2e3d4c.json       places of its streams, spans of time with their settle
//   export/traces-1f2e3d4c.dead.json  dead letters
//   export/traces-1f2e3d4c.retry      asks the next server to try the dead letters again
//
// The digits are of the address: another back end has a place of its own, and coming back to the
// former goes on where it was left. Who copies the store's folder copies the places with it; a
// place is never ahead of what was acknowledged, so a copy at worst sends twice what bears the same
// ids.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_system.h"
#include "base/json.h"
#include "base/result.h"
#include "export/lag.h"
#include "export/lives.h"
#include "export/settings.h"
#include "store/arrivals.h"

namespace contextcore::exporter {

// Where an item came from; enough to make it again.
struct Reference {
  std::string stream;         // of the destination: "received", "settled", "instants", "logs"
  store::ArrivalPlace place;  // just behind what it was made of
  std::string id;             // of the span, hex; "" for a log record
};

struct DeadLetter {
  int64_t time_ns = 0;  // refused at
  int status = 0;       // of HTTP, or of gRPC; 0: told in words only (OTLP partial success)
  std::string message;
  int64_t refused = 0;  // how many of the items; fewer than all: the destination did not say which
  std::vector<Reference> items;
};

struct State {
  std::string destination;  // "traces"
  std::string address;      // for people
  std::string store_id;
  std::map<std::string, store::ArrivalPlace> places;  // by stream
  SettleTimes settle;
  std::vector<LagNote> lag;
};

struct DeadLetters {
  int64_t dropped = 0;              // letters that gave way to later ones
  std::vector<DeadLetter> letters;  // oldest first
};

// "traces-1f2e3d4c"
std::string state_name(const DestinationSettings& destination);

class StateFiles {
 public:
  // name: state_name(), or one of list().
  StateFiles(FileSystem& files, std::string store, std::string name);

  // Empty: none yet. corruption: not a file of ours.
  Result<std::optional<State>> load() const;
  Status save(const State& state);
  Result<DeadLetters> load_dead() const;
  Status save_dead(const DeadLetters& letters);
  // Whether a retry was asked for while no server ran; answering it forgets it.
  Status ask_retry();
  bool take_retry();

  // Names of all destinations that have left a state in the store.
  static std::vector<std::string> list(FileSystem& files, const std::string& store);

 private:
  Status make_folder();
  FileSystem& files_;
  std::string folder_;
  std::string name_;
  bool made_ = false;
};

// A letter as answers show it.
Json letter_json(const DeadLetter& letter);

}  // namespace contextcore::exporter
