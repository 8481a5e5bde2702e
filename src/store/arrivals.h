#pragma once
// What has come into the store, of all tenants, whole and in the order of arrival: for whoever hands
// telemetry on and keeps a place in it. Queries want fetch.h.

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "otlp/model.h"
#include "store/fetch.h"

namespace contextcore::store {

// A place in the order of arrival: transactions before `sequence` lie behind it, and of that one
// what comes before `done` in an order of its own, the same wherever and however often it is read.
// Opaque but for its comparison; the default is the beginning of all.
struct ArrivalPlace {
  static constexpr uint64_t kAll = UINT64_MAX;
  uint64_t sequence = 0;
  uint64_t done = kAll;
  auto operator<=>(const ArrivalPlace&) const = default;
  // The place just before the entry that this one is just behind.
  ArrivalPlace before() const { return {sequence, done - 1}; }
};

struct ArrivedSpan {   // received; the journal's own are told by their events
  ArrivalPlace place;  // just behind it
  std::shared_ptr<const otlp::Resource> resource;
  std::shared_ptr<const otlp::Scope> scope;
  otlp::Span span;
  std::string tenant;
};

struct ArrivedLog {
  ArrivalPlace place;
  bool journal = false;
  std::shared_ptr<const otlp::Resource> resource;
  std::shared_ptr<const otlp::Scope> scope;
  otlp::LogRecord record;
  std::string tenant;
};

enum class ArrivedLogs : uint8_t { all, journal, received };

// One pass over at most some ten thousand entries. Must not outlive its source.
template <typename Entry>
class ArrivalIterator {
 public:
  virtual ~ArrivalIterator() = default;
  // False at the end of the pass.
  virtual Result<bool> next(Entry& entry) = 0;
  // Where to go on when the pass has ended.
  virtual ArrivalPlace end() const = 0;
};

// What came after a place, in the order of arrival: received spans (of those that were sent again
// the last), and log records. unsupported: a source that is not a store's.
Result<std::unique_ptr<ArrivalIterator<ArrivedSpan>>> arrived_spans(const Source& source,
                                                                    const ArrivalPlace& after);
Result<std::unique_ptr<ArrivalIterator<ArrivedLog>>> arrived_logs(const Source& source,
                                                                  const ArrivalPlace& after,
                                                                  ArrivedLogs which);

}  // namespace contextcore::store
