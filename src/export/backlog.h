#pragma once
// What destinations have not sent yet of what was received, for a store's retention
// (StoreOptions::arrivals_wanted). A destination that is further behind than export.max_lag, or that
// is no longer configured, wants nothing.

#include <map>
#include <mutex>
#include <string>

#include "base/file_system.h"
#include "base/result.h"
#include "export/settings.h"
#include "export/state.h"
#include "store/store.h"

namespace contextcore::exporter {

// From where on a destination wants what was received.
store::ArrivalsWanted wanted_of(Kind kind, bool received, const State& state);

// Thread-safe.
class Backlog {
 public:
  void want(const std::string& destination, const store::ArrivalsWanted& wanted);
  void forget(const std::string& destination);
  // Of all of them.
  store::ArrivalsWanted wanted() const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, store::ArrivalsWanted> by_destination_;
};

// The same of a store that no server has open: what the last one has left of the destinations of
// these settings. One that has never run wants nothing. corruption, io_error
Result<store::ArrivalsWanted> stored_backlog(FileSystem& files, const std::string& store,
                                             const Settings& settings);

}  // namespace contextcore::exporter
