// Log queries of a snapshot: rows of all files and the head that may match, merged in time order.

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "store/log_parts.h"
#include "store/snapshot.h"

namespace contextcore::store {
namespace {

struct LogSource {
  const LogRows* rows = nullptr;
  bool journal = false;
  bool in_head = false;
};

struct LogRef {
  int64_t time_ns = 0;
  uint64_t sequence = 0;
  uint32_t source = 0;
  uint32_t row = 0;
};

// after: rows that came with it or before are not wanted, and files have rows up to the manifest's.
Result<std::vector<LogSource>> log_sources(const Snapshot& snapshot, bool journal_only,
                                           std::optional<uint64_t> after = std::nullopt) {
  std::vector<LogSource> sources;
  const Head& head = snapshot.head();
  const Version& version = snapshot.version();
  const bool in_files = !after || *after < version.manifest.sequence;
  if (in_files)
    for (const LogSegment& segment : version.logs) {
      if ((journal_only && !segment.journal()) || !snapshot.sees(segment.info)) continue;
      CC_TRY(segment.rows.load());
      sources.push_back({segment.rows.get(), segment.journal(), false});
    }
  if (snapshot.sees(true)) sources.push_back({&head.logs(true), true, true});
  if (!journal_only && snapshot.sees(false)) sources.push_back({&head.logs(false), false, true});
  return sources;
}

// The labels of a stream, with its tenant's name where that is asked for.
LabelPairs labels_of(const Snapshot& snapshot, const LogRows& rows, size_t stream) {
  LabelPairs labels = rows.streams()[stream];
  if (!snapshot.tenants().federated()) return labels;
  add_tenant_label(labels, snapshot.tenants().name(rows.tenant_of_stream(stream)));
  return labels;
}

// The streams of a source; those of tenants that are not asked for have no labels.
using SeenStreams = std::vector<std::optional<LabelPairs>>;
SeenStreams streams_of(const Snapshot& snapshot, const LogRows& rows) {
  SeenStreams out(rows.streams().size());
  for (size_t i = 0; i < out.size(); ++i) {
    if (snapshot.tenants().contains(rows.tenant_of_stream(i))) out[i] = labels_of(snapshot, rows, i);
  }
  return out;
}

// Calls fn while holding the head's lock if the source lies there.
template <typename Fn>
auto with_source(const Head& head, const LogSource& source, const Fn& fn) {
  if (!source.in_head) return fn(*source.rows);
  const auto lock = head.read_lock();
  return fn(*source.rows);
}

bool arrived_earlier(const LogRef& a, const LogRef& b) {
  if (a.sequence != b.sequence) return a.sequence < b.sequence;
  return a.source != b.source ? a.source < b.source : a.row < b.row;
}

// Arrival order within one time.
bool earlier(const LogRef& a, const LogRef& b) {
  return a.time_ns != b.time_ns ? a.time_ns < b.time_ns : arrived_earlier(a, b);
}

enum class Direction : uint8_t { forward, backward, arrival };

class Entries : public LogIterator {
 public:
  Entries(const Snapshot& snapshot, std::vector<LogSource> sources, std::vector<LogRef> refs,
          Direction direction)
      : snapshot_(snapshot),
        sources_(std::move(sources)),
        refs_(std::move(refs)),
        direction_(direction) {
    // A heap and not a sort: most queries stop after their limit.
    std::make_heap(refs_.begin(), refs_.end(), order());
  }

  Result<bool> next(LogEntry& entry) override {
    if (refs_.empty()) return false;
    std::pop_heap(refs_.begin(), refs_.end(), order());
    const LogRef ref = refs_.back();
    refs_.pop_back();
    const LogSource& source = sources_[ref.source];
    const Status status = with_source(snapshot_.head(), source, [&](const LogRows& rows) -> Status {
      CC_ASSIGN(line_, rows.line(ref.row));
      CC_ASSIGN(metadata_, rows.metadata(ref.row));
      const uint32_t stream = rows.stream(ref.row);
      const LabelPairs*& known = stream_of_[{ref.source, stream}];
      if (known == nullptr) known = &*streams_.insert(labels_of(snapshot_, rows, stream)).first;
      entry.stream = known;
      return rows.status();
    });
    if (!status.ok()) return status;
    entry.time_ns = ref.time_ns;
    entry.line = line_;
    entry.metadata = &metadata_;
    entry.journal = source.journal;
    entry.sequence = ref.sequence;
    return true;
  }

 private:
  // The heap's greatest comes first.
  struct Order {
    Direction direction;
    bool operator()(const LogRef& a, const LogRef& b) const {
      switch (direction) {
        case Direction::forward:
          return earlier(b, a);
        case Direction::backward:
          return earlier(a, b);
        case Direction::arrival:
          return arrived_earlier(b, a);
      }
      return false;
    }
  };
  Order order() const { return {direction_}; }

  const Snapshot& snapshot_;
  std::vector<LogSource> sources_;
  std::vector<LogRef> refs_;
  Direction direction_;
  std::set<LabelPairs> streams_;  // node-based: pointers stay
  std::map<std::pair<uint32_t, uint32_t>, const LabelPairs*> stream_of_;
  std::string line_;
  LabelPairs metadata_;
};

// Which streams of each source are wanted; the request's filter is asked once per distinct stream.
class StreamChoice {
 public:
  explicit StreamChoice(const LogFetchRequest& request) : request_(request) {}

  // Empty: none of them.
  std::vector<bool> of(const SeenStreams& streams) {
    std::vector<bool> wanted(streams.size());
    bool any = false;
    for (size_t s = 0; s < streams.size(); ++s) {
      wanted[s] = streams[s].has_value() && accepts(*streams[s]);
      any |= wanted[s];
    }
    if (!any) wanted.clear();
    return wanted;
  }

 private:
  bool accepts(const LabelPairs& labels) {
    if (!request_.stream_filter) return true;
    const auto [it, added] = accepted_.try_emplace(labels, false);
    if (added) it->second = request_.stream_filter(labels);
    return it->second;
  }

  const LogFetchRequest& request_;
  std::map<LabelPairs, bool> accepted_;
};

// Source after source, part after part.
class Batches : public LogBatchIterator {
 public:
  Batches(const Snapshot& snapshot, std::vector<LogSource> sources, LogFetchRequest request, LogProjection projection)
      : snapshot_(snapshot), sources_(std::move(sources)), request_(std::move(request)),
        projection_(std::move(projection)), choice_(request_) {
    scan_.start_ns = request_.start_ns;
    scan_.end_ns = request_.end_ns;
    scan_.line_contains = request_.line_contains;
    scan_.after = request_.after_sequence.value_or(0);
    scan_.until = snapshot_.visible();
    scan_.projection = &projection_;
  }

  Result<bool> next(LogBatch& batch) override {
    for (;; ++part_) {
      while (source_ < sources_.size() && (!opened_ || part_ >= parts_)) {
        if (opened_) ++source_;
        opened_ = true;
        if (source_ < sources_.size()) open();
      }
      batch = {};
      if (source_ >= sources_.size()) return false;
      numbers_.clear();
      CC_TRY(with_source(snapshot_.head(), sources_[source_], [&](const LogRows& rows) {
        scan_.streams_wanted.resize(rows.streams().size(), false);  // newer streams have no visible entry
        return LogParts::of(rows).read_part(part_, scan_, batch, numbers_);
      }));
      if (batch.size == 0) continue;
      for (const uint32_t number : numbers_) batch.streams.push_back(stream(number));
      ++part_;
      return true;
    }
  }

 private:
  // The filter is the caller's code: it runs while no lock is held.
  void open() {
    part_ = parts_ = 0;
    streams_here_.clear();
    const auto [streams, parts] = with_source(snapshot_.head(), sources_[source_], [this](const LogRows& rows) {
      return std::pair(streams_of(snapshot_, rows), LogParts::of(rows).parts());
    });
    scan_.streams_wanted = choice_.of(streams);
    if (scan_.streams_wanted.empty()) return;
    parts_ = parts;
    for (const auto& labels : streams) {
      streams_here_.push_back(labels ? &*streams_.insert(*labels).first : nullptr);
    }
  }
  const LabelPairs* stream(uint32_t number) const { return streams_here_[number]; }

  const Snapshot& snapshot_;
  const std::vector<LogSource> sources_;
  const LogFetchRequest request_;
  const LogProjection projection_;
  StreamChoice choice_;
  LogScan scan_;
  size_t source_ = 0, part_ = 0, parts_ = 0;
  bool opened_ = false;
  std::set<LabelPairs> streams_;  // node-based: pointers stay
  std::vector<const LabelPairs*> streams_here_;
  std::vector<uint32_t> numbers_;
};

}  // namespace

namespace {

// The oldest files first, then the head: whoever wants order has little left to do.
Result<std::vector<LogSource>> sources_in_order(const Snapshot& snapshot, const LogFetchRequest& request) {
  CC_TRY(snapshot.head().settle_logs());
  CC_ASSIGN(std::vector<LogSource> sources, log_sources(snapshot, request.journal_only, request.after_sequence));
  const auto files_end = std::find_if(sources.begin(), sources.end(), [](const LogSource& one) { return one.in_head; });
  std::sort(sources.begin(), files_end, [](const LogSource& a, const LogSource& b) {
    return LogParts::of(*a.rows).first_sequence() < LogParts::of(*b.rows).first_sequence();
  });
  return sources;
}

}  // namespace

Result<std::unique_ptr<LogBatchIterator>> scan_logs(const Source& source, const LogFetchRequest& request,
                                                    const LogProjection& projection) {
  const auto* snapshot = dynamic_cast<const Snapshot*>(&source);
  if (snapshot == nullptr) return batches_of_entries(source, request, projection);
  CC_ASSIGN(std::vector<LogSource> sources, sources_in_order(*snapshot, request));
  return std::unique_ptr<LogBatchIterator>(
      std::make_unique<Batches>(*snapshot, std::move(sources), request, projection));
}

Result<std::vector<std::unique_ptr<LogBatchIterator>>> scan_log_parts(const Source& source,
                                                                      const LogFetchRequest& request,
                                                                      const LogProjection& projection) {
  std::vector<std::unique_ptr<LogBatchIterator>> parts;
  const auto* snapshot = dynamic_cast<const Snapshot*>(&source);
  if (snapshot == nullptr) {
    CC_ASSIGN(parts.emplace_back(), batches_of_entries(source, request, projection));
    return parts;
  }
  CC_ASSIGN(const std::vector<LogSource> sources, sources_in_order(*snapshot, request));
  std::vector<LogSource> in_head;
  for (const LogSource& one : sources) {
    if (one.in_head) {
      in_head.push_back(one);
    } else {
      parts.push_back(std::make_unique<Batches>(*snapshot, std::vector<LogSource>{one}, request, projection));
    }
  }
  parts.push_back(std::make_unique<Batches>(*snapshot, std::move(in_head), request, projection));
  return parts;
}

Result<std::unique_ptr<LogIterator>> Snapshot::fetch_logs(const LogFetchRequest& request) const {
  CC_TRY(head_->settle_logs());
  CC_ASSIGN(std::vector<LogSource> sources,
            log_sources(*this, request.journal_only, request.after_sequence));
  std::vector<LogRef> refs;
  StreamChoice choice(request);
  for (uint32_t i = 0; i < sources.size(); ++i) {
    // The filter is the caller's code: it runs before the lock is taken.
    const SeenStreams streams =
        with_source(*head_, sources[i], [this](const LogRows& rows) { return streams_of(*this, rows); });
    std::vector<bool> wanted = choice.of(streams);
    if (wanted.empty()) continue;
    CC_TRY(with_source(*head_, sources[i], [&](const LogRows& rows) -> Status {
      wanted.resize(rows.streams().size(), false);  // newer streams have no visible entry
      CC_ASSIGN(const RowSet matched,
                rows.match(request.start_ns, request.end_ns, wanted, request.line_contains));
      matched.for_each([&](size_t row) {
        const uint64_t sequence = rows.meta(row).sequence;
        if (sequence > visible_ || (request.after_sequence && sequence <= *request.after_sequence))
          return;
        refs.push_back({rows.time_ns(row), sequence, i, static_cast<uint32_t>(row)});
      });
      return rows.status();
    }));
  }
  const Direction direction = request.after_sequence ? Direction::arrival
                              : request.backward     ? Direction::backward
                                                     : Direction::forward;
  return std::unique_ptr<LogIterator>(
      std::make_unique<Entries>(*this, std::move(sources), std::move(refs), direction));
}

Result<std::vector<LabelPairs>> Snapshot::streams(int64_t start_ns, int64_t end_ns) const {
  CC_TRY(head_->settle_logs());
  std::set<LabelPairs> found;
  CC_ASSIGN(const std::vector<LogSource> sources, log_sources(*this, false));
  for (const LogSource& source : sources) {
    CC_TRY(with_source(*head_, source, [&](const LogRows& rows) -> Status {
      const SeenStreams labels = streams_of(*this, rows);
      std::vector<bool> wanted(labels.size());
      for (size_t s = 0; s < labels.size(); ++s) wanted[s] = labels[s].has_value();
      CC_ASSIGN(const RowSet matched, rows.match(start_ns, end_ns, wanted, {}));
      std::vector<bool> seen(labels.size(), false);
      matched.for_each([&](size_t row) {
        if (rows.meta(row).sequence <= visible_) seen[rows.stream(row)] = true;
      });
      for (size_t s = 0; s < labels.size(); ++s) {
        if (seen[s]) found.insert(*labels[s]);
      }
      return rows.status();
    }));
  }
  return std::vector<LabelPairs>(found.begin(), found.end());
}

}  // namespace contextcore::store
