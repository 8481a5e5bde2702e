#include "export/lag.h"

#include <algorithm>

#include "base/time.h"

namespace contextcore::exporter {
namespace {

constexpr int64_t kNotesOfMax = 16;  // so many while a destination may be behind

}  // namespace

Lag::Lag(int64_t max_ns, const std::vector<LagNote>& notes, int64_t now_ns) : max_ns_(max_ns) {
  for (const LagNote& note : notes) marks_.push_back({note.sequence, now_ns - note.ago_ns});
}

bool Lag::note(uint64_t sequence, int64_t now_ns) {
  next_ns_ = now_ns + std::max(max_ns_ / kNotesOfMax, kSecondNs);
  const bool news = marks_.empty() ? sequence >= reached_ : sequence > marks_.back().sequence;
  if (news) marks_.push_back({sequence, now_ns});
  // Of those that say "too long" the last says it of all before.
  while (marks_.size() > 1 && now_ns - marks_[1].time_ns > max_ns_) marks_.pop_front();
  return !marks_.empty();
}

void Lag::reached(uint64_t sequence) {
  reached_ = sequence;
  while (!marks_.empty() && marks_.front().sequence < sequence) marks_.pop_front();
}

bool Lag::beyond(int64_t now_ns) const {
  return !marks_.empty() && now_ns - marks_.front().time_ns > max_ns_;
}

std::vector<LagNote> Lag::notes(int64_t now_ns) const {
  std::vector<LagNote> out;
  for (const Mark& mark : marks_) out.push_back({mark.sequence, now_ns - mark.time_ns});
  return out;
}

}  // namespace contextcore::exporter
