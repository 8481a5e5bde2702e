#include "sim/oracle.h"

#include <algorithm>
#include <set>

namespace contextcore::sim {
namespace {

std::string name_of(const Op& op) { return "operation " + std::to_string(op.number); }

uint32_t op_of(uint32_t op) { return op; }
uint32_t op_of(const SeenSpan& span) { return span.op; }

uint32_t events_of(const Op& op) {
  if (op.kind == OpKind::lease) return 0;
  return op.kind == OpKind::pair && op.second_task != op.task ? 2 : 1;
}

}  // namespace

Op& Oracle::add(Op op) {
  const uint32_t number = op.number;
  return ops_.emplace(number, std::move(op)).first->second;
}

// ---- attempts

uint64_t Oracle::begin(Op& op) {
  const uint64_t now = tick();
  if (op.first_start == 0) op.first_start = now;
  ++op.running;
  if (op.kind == OpKind::lease) ++leases_[op.task].running;
  return now;
}

void Oracle::end(Op& op) {
  --op.running;
  op.last_end = tick();
  if (op.kind == OpKind::lease) --leases_[op.task].running;
}

void Oracle::committed(Op& op, uint64_t began, const store::CommitResult& result) {
  end(op);
  if (op.kind == OpKind::lease) {
    ++leases_[op.task].acked;
    return;
  }
  if (result.result != mark(op.number, 0)) complain(name_of(op) + " was answered with " + result.result);
  if (result.sequence == 0) complain(name_of(op) + " was acknowledged without a sequence");
  if (op.acked != 0 && op.acked < began && !result.replayed) complain(name_of(op) + " was done twice");
  if (op.sequence != 0 && op.sequence != result.sequence) {
    complain(name_of(op) + " has sequence " + std::to_string(op.sequence) + " and was answered with " +
             std::to_string(result.sequence));
  }
  if (op.refused != 0) complain(name_of(op) + " was refused and then done");
  op.sequence = result.sequence;
  const auto owner = owners_.emplace(result.sequence, op.number).first;
  if (owner->second != op.number) {
    complain("sequence " + std::to_string(result.sequence) + " was given to operations " +
             std::to_string(owner->second) + " and " + std::to_string(op.number));
  }
  if (op.acked == 0) op.acked = tick();
}

void Oracle::ingested(Op& op, const store::IngestResult& result) {
  end(op);
  const bool nothing_kept = result.accepted == 0 && !result.duplicate;
  const auto forged = std::count_if(op.spans.begin(), op.spans.end(),
                                    [](const SpanKey& key) { return key.refused(); });
  // A task that a power failure took away owns its ids no longer.
  if (result.rejected > forged || (result.rejected < forged && !tasks_lost_)) {
    complain(name_of(op) + ": " + std::to_string(result.rejected) + " rejected, " +
             std::to_string(forged) + " forged");
  }
  if (result.duplicate) {
    if (op.copies_max == 0 && !op.in_doubt && op.running == 0) {
      complain(name_of(op) + " was called a duplicate and was never written");
    }
    // At least one is there, which being acknowledged says already.
  } else if (!nothing_kept) {
    ++op.copies_min;
    ++op.copies_max;
  }
  if (op.acked == 0) op.acked = tick();
}

void Oracle::refused(Op& op, const Error& error) {
  end(op);
  if (op.running > 0) return;
  if (op.acked != 0) {
    if (op.kind != OpKind::lease) complain(name_of(op) + " was repeated and refused: " + error.message);
    return;
  }
  op.refused = tick();
}

void Oracle::failed(Op& op) {
  end(op);
  op.in_doubt = true;
  ++op.copies_max;
  if (op.kind == OpKind::lease) ++leases_[op.task].doubtful;
}

void Oracle::power_failed() {
  if (interval_) power_failed_ = tasks_lost_ = true;
}

// After a power failure with durability interval: what is left is everything up to one sequence.
void Oracle::meet_again(const Seen& seen) {
  power_failed_ = false;
  seen_sequence_ = 0;
  leases_.clear();
  std::map<uint32_t, uint32_t> copies;
  for (const SeenLine& line : seen.lines) ++copies[line.op];
  for (auto& [number, op] : ops_) {
    const bool whole = op.sequence != 0 && op.sequence <= seen.sequence;
    if (whole) {
      op.copies_min = std::min(op.copies_min, 1U);  // later copies may have been in what is gone
      continue;
    }
    if (op.sequence != 0 && is_work(op.kind)) {
      owners_.erase(op.sequence);
      if (copies.contains(number)) {
        complain(name_of(op) + " survived the power failure and what was before it did not");
      }
    }
    op.sequence = 0;
    op.acked = 0;
    op.seen = 0;
    op.in_doubt = op.in_doubt || op.first_start != 0;
    op.copies_max += op.copies_min;
    op.copies_min = 0;
    if (op.kind == OpKind::logs && op.refused == 0) op.copies_max = std::max(op.copies_max, 1U);
  }
}

// ---- reads

Op* Oracle::known(uint32_t number, const char* where) {
  const auto op = ops_.find(number);
  if (op == ops_.end() || op->second.first_start == 0) {
    complain(std::string(where) + " of operation " + std::to_string(number) + ", which nobody did");
    return nullptr;
  }
  if (op->second.refused != 0) {
    complain(std::string(where) + " of " + name_of(op->second) + ", which was refused");
    return nullptr;
  }
  return &op->second;
}

void Oracle::check(const Seen& seen, uint64_t began, bool stale) {
  stale_ = stale;
  if (!seen.nonsense.empty()) complain(seen.nonsense);
  if (power_failed_) meet_again(seen);
  if (!stale && seen_tick_ < began && seen.sequence < seen_sequence_) {
    complain("a reader saw sequence " + std::to_string(seen.sequence) + " after " +
             std::to_string(seen_sequence_) + " had been seen");
  }
  check_lines(seen, began);
  check_spans(seen, began);
  check_samples(seen, began);
  check_tasks(seen, began);
  if (seen.sequence > seen_sequence_) {
    seen_sequence_ = seen.sequence;
    seen_tick_ = tick();
  }
}

void Oracle::check_lines(const Seen& seen, uint64_t began) {
  std::map<uint32_t, std::map<uint64_t, std::vector<uint32_t>>> found;  // by operation, sequence
  for (const SeenLine& line : seen.lines) {
    Op* op = known(line.op, "a log line");
    if (op == nullptr) return;
    if (line.journal != is_work(op->kind)) complain("a line of the wrong kind of " + name_of(*op));
    if (line.other_tenant != op->other_tenant) complain("another tenant sees a line of " + name_of(*op));
    if (line.sequence > seen.sequence) complain("a line of the future of " + name_of(*op));
    found[line.op][line.sequence].push_back(line.item);
  }
  for (auto& [number, op] : ops_) {
    const auto copies = found.find(number);
    const bool there = copies != found.end();
    if (is_work(op.kind)) {
      check_journal(op, there ? copies->second : std::map<uint64_t, std::vector<uint32_t>>(), began);
      continue;
    }
    if (op.kind != OpKind::logs) continue;
    const size_t count = there ? copies->second.size() : 0;
    if (count == 0 && must_be_there(op, began)) complain(name_of(op) + " is lost (log lines)");
    if (!stale_ && op.copies_min > count && op.last_end < began) {
      complain(name_of(op) + " is there " + std::to_string(count) + " times and was acknowledged " +
               std::to_string(op.copies_min) + " times");
    }
    if (count > op.copies_max + op.running) {
      complain(name_of(op) + " is there " + std::to_string(count) + " times and was sent " +
               std::to_string(op.copies_max + op.running) + " times");
    }
    if (!there) continue;
    see(op);
    op.sequence = copies->second.begin()->first;
    for (auto& [sequence, items] : copies->second) {
      std::sort(items.begin(), items.end());
      items.erase(std::unique(items.begin(), items.end()), items.end());
      if (items.size() != op.lines) complain(name_of(op) + " is half there (log lines)");
    }
  }
}

void Oracle::check_journal(Op& op, const std::map<uint64_t, std::vector<uint32_t>>& copies,
                           uint64_t began) {
  if (op.kind == OpKind::lease) return;
  if (copies.empty()) {
    if (must_be_there(op, began)) complain(name_of(op) + " is lost");
    return;
  }
  see(op);
  const auto& [sequence, items] = *copies.begin();
  if (copies.size() > 1 || items.size() > events_of(op)) complain(name_of(op) + " is there twice");
  if (items.size() < events_of(op)) complain(name_of(op) + " is half there");
  if (op.sequence != 0 && op.sequence != sequence) {
    complain(name_of(op) + " has sequence " + std::to_string(sequence) + " and had " +
             std::to_string(op.sequence));
  }
  op.sequence = sequence;
}

// Of several writes to one key: none that was over before an acknowledged one began.
template <typename Key, typename Value>
void Oracle::check_last_counts(const std::map<Key, Value>& found, uint64_t began,
                               const std::vector<Key> Op::*keys) {
  std::map<Key, uint64_t> latest;  // start of the latest write that was acknowledged before the read
  std::map<Key, bool> must;
  for (const auto& [number, op] : ops_) {
    for (const Key& key : op.*keys) {
      if constexpr (std::is_same_v<Key, SpanKey>) {
        if (key.refused()) continue;
      }
      if (stale_) continue;
      if (op.acked != 0 && op.acked < began) {
        latest[key] = std::max(latest[key], op.first_start);
        if (!found.contains(key)) complain(name_of(op) + " is lost or half there");
      } else if (op.seen != 0 && op.seen < began && !found.contains(key)) {
        complain(name_of(op) + " was seen and is lost or half there");
      }
    }
  }
  for (const auto& [key, value] : found) {
    Op* op = known(op_of(value), "a span or sample");
    if (op == nullptr) return;
    if (std::find((op->*keys).begin(), (op->*keys).end(), key) == (op->*keys).end()) {
      complain(name_of(*op) + " shows a span or sample that it did not write");
    }
    see(*op);
    const auto newer = latest.find(key);
    const bool over = op->running == 0 && op->last_end < began;
    if (over && newer != latest.end() && op->last_end < newer->second) {
      complain(name_of(*op) + " shows a span or sample that was written over");
    }
  }
}

void Oracle::check_spans(const Seen& seen, uint64_t began) {
  std::map<uint32_t, uint64_t> sequences;
  for (const auto& [key, span] : seen.spans) {
    if (key.refused() && !tasks_lost_) return complain("operation " + std::to_string(span.op) + " forged a span");
    if (span.sequence > seen.sequence) return complain("a span of the future");
    uint64_t& sequence = sequences[span.op];
    sequence = std::max(sequence, span.sequence);
  }
  check_last_counts<SpanKey, SeenSpan>(seen.spans, began, &Op::spans);
  // Whoever wrote one of the spans wrote all; the others may only be hidden by later ones.
  for (const auto& [number, sequence] : sequences) {
    Op& op = ops_.at(number);
    op.sequence = sequence;
    for (const SpanKey& key : op.spans) {
      if (key.refused()) continue;
      const auto other = seen.spans.find(key);
      if (other == seen.spans.end() || other->second.sequence < sequence) {
        complain(name_of(op) + " is half there (spans)");
      }
    }
  }
}

void Oracle::check_samples(const Seen& seen, uint64_t began) {
  check_last_counts<SampleKey, uint32_t>(seen.samples, began, &Op::samples);
  for (const auto& [key, number] : seen.samples) {
    for (const SampleKey& other : ops_.at(number).samples) {
      if (!seen.samples.contains(other)) {
        complain(name_of(ops_.at(number)) + " is half there (samples)");
      }
    }
  }
}

void Oracle::check_tasks(const Seen& seen, uint64_t began) {
  std::map<uint32_t, std::vector<std::pair<uint32_t, uint32_t>>> events;
  for (const SeenLine& line : seen.lines) {
    if (!line.journal) continue;
    const Op& op = ops_.at(line.op);
    events[line.item == 0 ? op.task : op.second_task].push_back({line.op, line.item});
  }
  if (events.size() != seen.tasks.size()) complain("tasks without events, or events without tasks");
  for (const auto& [number, task] : seen.tasks) {
    const std::string name = "task " + std::to_string(number);
    SeenTask model;
    for (const auto& [op_number, item] : events[number]) {
      const Op& op = ops_.at(op_number);
      const std::string text = std::to_string(op_number);
      if ((op.kind == OpKind::create) != (model.revision == 0)) complain(name + " begins twice");
      if (op.kind == OpKind::comment) continue;
      ++model.revision;
      model.attributes["last"] = text;
      if (op.kind == OpKind::create) {
        model.attributes["title"] = text;
      } else if (op.kind == OpKind::claim) {
        if (model.attributes.contains("holder")) complain(name + " was claimed twice");
        model.attributes["holder"] = text;
      } else if (op.kind == OpKind::complete) {
        if (model.end_ns != 0) complain(name + " was completed twice");
        model.end_ns = 3'000'000'000 + op_number;
      } else {
        model.attributes["k" + std::to_string((op_number + number) % 3)] = text;
      }
    }
    if (task.events != events[number]) complain(name + " shows other events than the log");
    if (task.revision != model.revision || task.end_ns != model.end_ns) {
      complain(name + " has revision " + std::to_string(task.revision) + ", its events lead to " +
               std::to_string(model.revision));
    }
    for (const char* key : {"title", "last", "holder", "k0", "k1", "k2"}) {
      const auto has = task.attributes.find(key);
      const auto should = model.attributes.find(key);
      const std::string value = has == task.attributes.end() ? "" : has->second;
      if (value != (should == model.attributes.end() ? "" : should->second)) {
        complain(name + ": " + key + " is " + value + " after its events");
      }
    }
    const auto leases = leases_.find(number);
    if (interval_ || leases == leases_.end()) continue;
    const int64_t renewed = task.lease_end_ns - 1;
    const Leases& count = leases->second;
    if (renewed > count.acked + count.doubtful + count.running) {
      complain(name + " was renewed more often than asked");
    }
  }
  for (const auto& [number, op] : ops_) {
    if (stale_ || op.refused == 0 || op.refused > began || op.kind != OpKind::claim) continue;
    const auto task = seen.tasks.find(op.task);
    if (task == seen.tasks.end() ? false : !task->second.attributes.contains("holder")) {
      complain(name_of(op) + " was refused for a claim that is gone");
    }
  }
}

}  // namespace contextcore::sim
