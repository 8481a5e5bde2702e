#pragma once
// For how long a destination has been behind, without a time for every transaction: now and then it
// is noted how far the store has come, and the oldest note that the destination has not reached
// tells it, late by the time between two notes at most. Time in which no server runs does not count:
// nothing could be sent then. Pure; times are monotonic.

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

namespace contextcore::exporter {

// As it is written down.
struct LagNote {
  uint64_t sequence = 0;  // the store had come so far
  int64_t ago_ns = 0;     // so much time of servers ago
  bool operator==(const LagNote&) const = default;
};

class Lag {
 public:
  // max_ns: how long behind a destination may be.
  Lag(int64_t max_ns, const std::vector<LagNote>& notes, int64_t now_ns);

  bool due(int64_t now_ns) const { return !next_ns_ || now_ns >= *next_ns_; }
  // The store has come to `sequence`. True: something waits, so that the notes are to be written down.
  bool note(uint64_t sequence, int64_t now_ns);
  // What lies before `sequence` was taken.
  void reached(uint64_t sequence);
  // Something has waited for longer than the destination may be behind.
  bool beyond(int64_t now_ns) const;
  std::vector<LagNote> notes(int64_t now_ns) const;

 private:
  struct Mark {
    uint64_t sequence = 0;
    int64_t time_ns = 0;
  };
  int64_t max_ns_;
  std::optional<int64_t> next_ns_;
  uint64_t reached_ = 0;
  std::deque<Mark> marks_;  // ascending; none that was reached
};

}  // namespace contextcore::exporter
