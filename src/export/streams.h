#pragma once
// What a destination sends, read from the store piece by piece: each stream is the order of arrival
// of one sort of thing, and a place in it says how far it has been sent. Nothing is copied or
// queued; what is not sent yet is simply still ahead.
//
//   received   spans that were received, as they came
//   instants   insights and facts about them, at once
//   settled    tasks, phases and sprints, when their end has settled (lives.h)
//   logs       log records: the journal's events and what was received
//   views      metrics, by time (views.cpp)

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "export/state.h"
#include "otlp/remote_write.h"
#include "store/store.h"

namespace contextcore::exporter {

struct Item {
  Reference reference;
  std::shared_ptr<const otlp::Resource> resource;
  std::shared_ptr<const otlp::Scope> scope;
  std::string tenant;  // who has sent it; "": the default tenant, or our own
  std::variant<otlp::Span, otlp::LogRecord, otlp::RemoteWriteSeries> what;
  int64_t arrived_ns = 0;  // 0: not known
  size_t bytes = 0;        // on the wire, about
};

struct Batch {
  std::vector<Item> items;
  store::ArrivalPlace next;        // behind all of them
  bool more = false;               // there is more at once
  std::optional<int64_t> wake_ns;  // nothing more before this wall time
};

struct ReadContext {
  const store::Store::Read& read;
  const SettleTimes& settle;
  int64_t now_ns = 0;
  size_t items_max = 0, bytes_max = 0;
};

// Names of the streams of what was received.
inline constexpr std::string_view kReceivedStream = "received", kLogsStream = "logs";

class Stream {
 public:
  virtual ~Stream() = default;
  virtual std::string_view name() const = 0;
  virtual Result<Batch> next(const ReadContext& context,
                             const store::ArrivalPlace& after) const = 0;
  // The place behind all that there is now.
  virtual store::ArrivalPlace present(const ReadContext& context) const {
    return {context.read.sequence, store::ArrivalPlace::kAll};
  }
  // What a reference stood for; empty when the store has it no longer.
  virtual Result<std::vector<Item>> find(const ReadContext& context,
                                         const Reference& reference) const = 0;
};

// The streams of a destination.
std::vector<std::unique_ptr<Stream>> trace_streams(bool received);
std::vector<std::unique_ptr<Stream>> log_streams(bool received);
std::vector<std::unique_ptr<Stream>> metric_streams();

}  // namespace contextcore::exporter
