#pragma once
// One destination: reads its streams, sends batch after batch, and keeps its place. One step sends
// at most one request, so that whoever calls it decides about threads and waiting.
//
// The place is written when a batch has been acknowledged, and not before: after a crash a batch
// may be sent again, with the same ids. A batch that fails is tried again until it is taken; one
// that is refused is tried in halves, so that a bad item is alone in the end and becomes a dead
// letter. At most one batch is in memory.

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "export/backlog.h"
#include "export/lag.h"
#include "export/sender.h"
#include "export/settings.h"
#include "export/state.h"
#include "export/streams.h"
#include "store/store.h"

namespace contextcore::exporter {

// Exponential back-off with full jitter: a wait is drawn from [0, min(max, min · 2^failures)].
int64_t backoff_ns(int64_t min_ns, int64_t max_ns, int failures, Random& random);

struct DestinationStatus {
  std::string name;     // "traces-1f2e3d4c"
  std::string kind;     // "traces"
  std::string address;  // without a user
  std::string state;    // "idle", "sending", "failing"
  int64_t sent = 0;     // items acknowledged since the start
  int64_t requests = 0;
  int64_t failed = 0;   // requests that were not taken and will be tried again
  int64_t retried = 0;  // items sent again because of that
  int64_t refused = 0;  // items
  int64_t dead_letters = 0, dropped = 0;
  bool overdue = false;       // further behind than export.max_lag: retention does not wait
  int64_t overdue_count = 0;  // how often it came to that
  int64_t lag_transactions = 0;  // not sent yet, what waits for its settle time left out
  double lag_seconds = 0;        // since the oldest item that is not sent arrived
  std::string last_error;
  int64_t last_error_ns = 0, last_success_ns = 0, next_attempt_ns = 0;  // 0: none
};
Json status_json(const DestinationStatus& status);

struct DestinationParts {
  DestinationSettings settings;
  std::vector<std::unique_ptr<Stream>> streams;
  std::unique_ptr<Sender> sender;
  store::Store* store = nullptr;
  FileSystem* files = nullptr;
  Clock* clock = nullptr;
  Random* random = nullptr;
  Backlog* backlog = nullptr;  // null: nobody asks
};

class Destination {
 public:
  // Reads what it remembers. corruption, io_error.
  static Result<std::unique_ptr<Destination>> open(const Settings& common, DestinationParts parts);

  // Sends the next request if there is one and its time has come. Returns how long to wait before
  // the next step; 0: more to do.
  int64_t step();
  // Tries the dead letters again, and whatever is being waited for, at once. How many letters.
  Result<int64_t> retry();
  // Writes the place down where it has moved without a batch. To be called when steps have ended.
  void finish();

  DestinationStatus status() const;
  const std::string& name() const { return name_; }
  Kind kind() const { return parts_.settings.kind; }
  Result<DeadLetters> dead_letters() const;

 private:
  // A batch on its way.
  struct Work {
    const Stream* stream = nullptr;  // null: a dead letter again
    std::vector<Item> items;
    store::ArrivalPlace next;
    std::deque<std::pair<size_t, size_t>> ranges;  // still to be sent
    size_t halvings = 0;
    std::vector<DeadLetter> dead;
    int64_t oldest_ns = 0;
    uint64_t first_sequence = 0;  // of its items
  };

  Destination(const Settings& common, DestinationParts parts);
  Status load();
  int64_t next_step();
  void watch_lag();
  Status save();
  Result<bool> take_work(const store::Store::Read& read);
  Result<bool> take_letter(const ReadContext& context);
  Result<bool> take_batch(const Stream& stream, const ReadContext& context);
  int64_t send();
  int64_t fail(const Outcome& outcome);
  void refuse(std::pair<size_t, size_t> range, const Outcome& outcome);
  Status finish_work();
  Status keep_dead(std::vector<DeadLetter> dead);
  int64_t rest() const;
  Status save_if_due();
  void trouble(const std::string& message);
  void update(const std::function<void(DestinationStatus&)>& fn);

  const Settings& common_;
  DestinationParts parts_;
  std::string name_;
  StateFiles files_;

  std::mutex step_mutex_;  // one step at a time
  State state_;
  DeadLetters dead_;
  std::optional<Lag> lag_;  // once loaded
  bool unsaved_ = false;
  int64_t saved_ns_ = 0;  // monotonic
  std::optional<Work> work_;
  int64_t letters_to_retry_ = 0;  // the first ones of dead_
  int failures_ = 0;
  int64_t not_before_ns_ = 0;   // monotonic
  int64_t wake_ns_ = 0;         // wall; 0: none
  size_t turn_ = 0;             // stream that is asked first
  uint64_t seen_sequence_ = 0;  // the store's, when there was nothing to send

  mutable std::mutex status_mutex_;
  DestinationStatus status_;
  uint64_t unsent_sequence_ = 0;  // of the oldest item that is on its way, 0: none or no sequence
  int64_t unsent_ns_ = 0;         // its arrival
};

}  // namespace contextcore::exporter
