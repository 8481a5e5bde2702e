#include "export/backlog.h"

#include <algorithm>

#include "export/lag.h"
#include "export/streams.h"

namespace contextcore::exporter {
namespace {

store::ArrivalsWanted both(const store::ArrivalsWanted& a, const store::ArrivalsWanted& b) {
  return {std::min(a.spans, b.spans), std::min(a.logs, b.logs)};
}

// The first transaction that does not lie before the place in whole.
uint64_t first_after(const State& state, std::string_view stream) {
  const auto found = state.places.find(std::string(stream));
  if (found == state.places.end()) return 0;
  const store::ArrivalPlace& place = found->second;
  return place.done == store::ArrivalPlace::kAll ? place.sequence + 1 : place.sequence;
}

}  // namespace

store::ArrivalsWanted wanted_of(Kind kind, bool received, const State& state) {
  store::ArrivalsWanted wanted;
  if (!received || kind == Kind::metrics) return wanted;
  if (kind == Kind::traces) {
    wanted.spans = first_after(state, kReceivedStream);
  } else {
    wanted.logs = first_after(state, kLogsStream);
  }
  return wanted;
}

void Backlog::want(const std::string& destination, const store::ArrivalsWanted& wanted) {
  const std::lock_guard lock(mutex_);
  by_destination_[destination] = wanted;
}

void Backlog::forget(const std::string& destination) {
  const std::lock_guard lock(mutex_);
  by_destination_.erase(destination);
}

store::ArrivalsWanted Backlog::wanted() const {
  const std::lock_guard lock(mutex_);
  store::ArrivalsWanted all;
  for (const auto& [name, wanted] : by_destination_) all = both(all, wanted);
  return all;
}

Result<store::ArrivalsWanted> stored_backlog(FileSystem& files, const std::string& store,
                                             const Settings& settings) {
  store::ArrivalsWanted all;
  if (settings.max_lag_ns == 0) return all;
  for (const DestinationSettings& destination : settings.destinations) {
    CC_ASSIGN(const std::optional<State> state,
              StateFiles(files, store, state_name(destination)).load());
    if (!state || Lag(settings.max_lag_ns, state->lag, 0).beyond(0)) continue;
    all = both(all, wanted_of(destination.kind, settings.received, *state));
  }
  return all;
}

}  // namespace contextcore::exporter
