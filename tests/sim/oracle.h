#pragma once
// The model of what was acknowledged, and the judge of what readers see.
//
// - What was acknowledged before a read began is in it, exactly once.
// - What was refused, or never tried, is not. What failed in between is there wholly or not at all,
//   and once a reader has seen it, it stays.
// - A task is the fold of its events; of several writes to one span or sample the last counts.
// - Transactions keep their sequence numbers; the state that readers see never steps back.
//
// With durability `interval` a power failure may take the end of the log: then what is left is
// everything up to one sequence.

#include <cstdint>
#include <map>
#include <string>

#include "sim/observe.h"
#include "sim/operation.h"

namespace contextcore::sim {

class Oracle {
 public:
  explicit Oracle(bool interval) : interval_(interval) {}

  uint64_t tick() { return ++ticks_; }
  Op& add(Op op);
  std::map<uint32_t, Op>& ops() { return ops_; }

  // An attempt: begin, then one of the others.
  uint64_t begin(Op& op);
  void committed(Op& op, uint64_t began, const store::CommitResult& result);
  void ingested(Op& op, const store::IngestResult& result);
  void refused(Op& op, const Error& error);
  void failed(Op& op);  // perhaps written
  void power_failed();

  // began: a tick before the read. stale: by a store that failed for good, which goes on showing
  // what it had seen until then.
  void check(const Seen& seen, uint64_t began, bool stale);
  // What is wrong, "" while nothing is.
  const std::string& problem() const { return problem_; }
  void complain(const std::string& what) {
    if (problem_.empty()) problem_ = what;
  }
  // Sequence up to which everything was seen by a read that has ended.
  uint64_t seen_sequence() const { return seen_sequence_; }

 private:
  bool must_be_there(const Op& op, uint64_t began) const {
    const auto before = [&](uint64_t tick) { return tick != 0 && tick < began; };
    return !stale_ && (before(op.seen) || before(op.acked));
  }
  void end(Op& op);
  void see(Op& op) {
    if (op.seen == 0 && !stale_) op.seen = tick();
  }
  Op* known(uint32_t number, const char* where);
  void meet_again(const Seen& seen);
  void check_lines(const Seen& seen, uint64_t began);
  void check_journal(Op& op, const std::map<uint64_t, std::vector<uint32_t>>& copies, uint64_t began);
  void check_spans(const Seen& seen, uint64_t began);
  void check_samples(const Seen& seen, uint64_t began);
  void check_tasks(const Seen& seen, uint64_t began);
  template <typename Key, typename Value>
  void check_last_counts(const std::map<Key, Value>& found, uint64_t began,
                         const std::vector<Key> Op::*keys);

  bool interval_;
  bool stale_ = false;  // is the read that is being looked at
  bool power_failed_ = false;  // and nobody has read since
  bool tasks_lost_ = false;    // perhaps: a power failure has been
  uint64_t ticks_ = 0;
  uint64_t seen_sequence_ = 0;
  uint64_t seen_tick_ = 0;  // when a reader had seen it
  std::map<uint32_t, Op> ops_;
  struct Leases {
    int64_t acked = 0, doubtful = 0, running = 0;
  };
  std::map<uint32_t, Leases> leases_;
  std::map<uint64_t, uint32_t> owners_;  // of acknowledged sequences
  std::string problem_;
};

}  // namespace contextcore::sim
