// Arrivals of a snapshot: of all files and the head the rows that came first after a place.

#include <algorithm>
#include <tuple>
#include <utility>
#include <vector>

#include "base/give_way.h"
#include "base/hash.h"
#include "store/arrivals.h"
#include "store/snapshot.h"

namespace contextcore::store {
namespace {

// Rows that one pass looks at; what they refer to is read when its turn comes.
constexpr size_t kPassRows = size_t{32} << 10;

struct Ref {
  uint64_t sequence = 0;
  uint64_t key = 0;  // order within the transaction
  uint64_t second = 0;
  uint32_t source = 0;
  uint32_t row = 0;
};

bool earlier(const Ref& a, const Ref& b) {
  return std::tie(a.sequence, a.key, a.second, a.source, a.row) <
         std::tie(b.sequence, b.key, b.second, b.source, b.row);
}

// Keeps the first ones of all that are added.
class FirstRefs {
 public:
  explicit FirstRefs(size_t wanted) : wanted_(wanted) {}
  void add(const Ref& ref) {
    refs_.push_back(ref);
    if (refs_.size() >= 2 * wanted_) shrink();
  }
  // Ascending; cut: some were left out.
  std::vector<Ref> take(bool& cut) {
    if (refs_.size() > wanted_) shrink();
    std::sort(refs_.begin(), refs_.end(), earlier);
    cut = cut_;
    return std::move(refs_);
  }

 private:
  void shrink() {
    const auto end = refs_.begin() + static_cast<std::ptrdiff_t>(wanted_);
    std::nth_element(refs_.begin(), end, refs_.end(), earlier);
    refs_.erase(end, refs_.end());
    cut_ = true;
  }
  size_t wanted_;
  std::vector<Ref> refs_;
  bool cut_ = false;
};

// Of rows that were appended one after another the first of a later transaction.
template <typename Rows>
uint32_t first_after(const Rows& rows, uint64_t sequence) {
  uint32_t low = 0, high = static_cast<uint32_t>(rows.size());
  while (low < high) {
    const uint32_t middle = low + (high - low) / 2;
    if (rows.meta(middle).sequence > sequence) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

std::string name_of(const std::vector<std::string>& tenants, uint32_t tenant) {
  return tenant < tenants.size() ? tenants[tenant] : std::string();
}

uint64_t key_of(const otlp::TraceId& trace, const otlp::SpanId& span, otlp::SpanKind kind) {
  std::string bytes(reinterpret_cast<const char*>(trace.bytes.data()), trace.bytes.size());
  bytes.append(reinterpret_cast<const char*>(span.bytes.data()), span.bytes.size());
  bytes += static_cast<char>(kind);
  // 0 and the greatest are ends of a place.
  return std::clamp<uint64_t>(xxh3_64(bytes), 1, ArrivalPlace::kAll - 1);
}

uint64_t key_of(const LabelPairs& stream) {
  std::string text;
  for (const auto& [name, value] : stream) text += name + '\0' + value + '\0';
  return xxh3_64(text);
}

// The last transaction that may lie behind the place in whole.
uint64_t whole_before(const ArrivalPlace& place) {
  if (place.done == ArrivalPlace::kAll) return place.sequence;
  return place.sequence == 0 ? 0 : place.sequence - 1;
}

// ---- spans

struct SpanSource {
  const SpanRows* rows = nullptr;
  bool in_head = false;
};

void add_span(const SpanRows& rows, uint32_t row, uint32_t source, const ArrivalPlace& after,
              FirstRefs& refs) {
  const uint64_t sequence = rows.meta(row).sequence;
  if (sequence < after.sequence) return;
  const uint64_t key = key_of(rows.trace_id(row), rows.span_id(row), rows.kind(row));
  if (sequence == after.sequence && key <= after.done) return;
  refs.add({sequence, key, 0, source, row});
}

class Spans : public ArrivalIterator<ArrivedSpan> {
 public:
  Spans(const Head& head, std::vector<SpanSource> sources, std::vector<Ref> refs, ArrivalPlace end)
      : head_(head),
        sources_(std::move(sources)),
        refs_(std::move(refs)),
        end_(end),
        tenants_(head.tenants()) {}

  Result<bool> next(ArrivedSpan& entry) override {
    if (at_ == refs_.size()) return false;
    give_way();  // arrivals are read in the background
    const Ref& ref = refs_[at_++];
    const SpanSource& source = sources_[ref.source];
    CC_ASSIGN(SpanRows::Whole whole, read(source, ref.row, entry.tenant));
    entry.place = {ref.sequence, ref.key};
    entry.resource = std::move(whole.resource);
    entry.scope = std::move(whole.scope);
    entry.span = std::move(whole.span);
    return true;
  }
  ArrivalPlace end() const override { return end_; }

 private:
  Result<SpanRows::Whole> read(const SpanSource& source, uint32_t row, std::string& tenant) const {
    std::shared_lock<std::shared_mutex> lock;
    if (source.in_head) lock = head_.read_lock();
    tenant = name_of(tenants_, source.rows->tenant(row));
    return source.rows->materialize(row);
  }

  const Head& head_;
  std::vector<SpanSource> sources_;
  std::vector<Ref> refs_;
  ArrivalPlace end_;
  const std::vector<std::string> tenants_;
  size_t at_ = 0;
};

// ---- logs

struct LogSource {
  const LogRows* rows = nullptr;
  bool journal = false;
  bool in_head = false;
};

class Logs : public ArrivalIterator<ArrivedLog> {
 public:
  Logs(const Head& head, std::vector<LogSource> sources, std::vector<Ref> refs,
       const ArrivalPlace& after, ArrivalPlace end)
      : head_(head),
        sources_(std::move(sources)),
        refs_(std::move(refs)),
        end_(end),
        tenants_(head.tenants()) {
    // Those of the transaction in which the place lies are counted from its beginning.
    if (after.done == ArrivalPlace::kAll) return;
    while (at_ < refs_.size() && refs_[at_].sequence == after.sequence && number_ < after.done) {
      ++at_, ++number_;
    }
    sequence_ = after.sequence;
  }

  Result<bool> next(ArrivedLog& entry) override {
    if (at_ == refs_.size()) return false;
    give_way();  // arrivals are read in the background
    const Ref& ref = refs_[at_++];
    if (ref.sequence != sequence_) {
      sequence_ = ref.sequence;
      number_ = 0;
    }
    const LogSource& source = sources_[ref.source];
    CC_ASSIGN(LogRows::Whole whole, read(source, ref.row, entry.tenant));
    entry.place = {ref.sequence, ++number_};
    entry.journal = source.journal;
    entry.resource = std::move(whole.resource);
    entry.scope = std::move(whole.scope);
    entry.record = std::move(whole.record);
    return true;
  }
  ArrivalPlace end() const override { return end_; }

 private:
  Result<LogRows::Whole> read(const LogSource& source, uint32_t row, std::string& tenant) const {
    std::shared_lock<std::shared_mutex> lock;
    if (source.in_head) lock = head_.read_lock();
    tenant = name_of(tenants_, source.rows->tenant(row));
    return source.rows->materialize(row);
  }

  const Head& head_;
  std::vector<LogSource> sources_;
  std::vector<Ref> refs_;
  ArrivalPlace end_;
  const std::vector<std::string> tenants_;
  size_t at_ = 0;
  uint64_t sequence_ = 0;
  uint64_t number_ = 0;
};

void add_logs(const LogSource& source, uint32_t number, uint64_t before, uint64_t visible,
              FirstRefs& refs) {
  const LogRows& rows = *source.rows;
  std::vector<uint64_t> streams;
  for (const LabelPairs& stream : rows.streams()) streams.push_back(key_of(stream));
  const uint32_t first = source.in_head ? first_after(rows, before) : 0;
  for (uint32_t row = first; row < rows.size(); ++row) {
    const uint64_t sequence = rows.meta(row).sequence;
    if (sequence > visible && source.in_head) break;
    if (sequence <= before || sequence > visible) continue;
    const uint32_t stream = rows.stream(row);
    refs.add({sequence, static_cast<uint64_t>(rows.time_ns(row)),
              stream < streams.size() ? streams[stream] : 0, number, row});
  }
}

Result<const Snapshot*> snapshot_of(const Source& source) {
  if (const auto* snapshot = dynamic_cast<const Snapshot*>(&source)) return snapshot;
  return Error{Code::unsupported, "this source keeps no order of arrival", {}, {}, {}};
}

}  // namespace

Result<std::unique_ptr<ArrivalIterator<ArrivedSpan>>> arrived_spans(const Source& source,
                                                                    const ArrivalPlace& after) {
  CC_ASSIGN(const Snapshot* snapshot, snapshot_of(source));
  const Head& head = snapshot->head();
  const uint64_t visible = snapshot->visible();
  std::vector<SpanSource> sources;
  FirstRefs refs(kPassRows);
  const uint64_t before = whole_before(after);
  if (before < snapshot->version().manifest.sequence) {
    for (const SpanSegment& segment : snapshot->version().spans) {
      if (segment.journal()) continue;
      CC_TRY(segment.rows->status());
      RowSet rows(segment.rows->size(), true);
      if (segment.mask != nullptr) rows.subtract(*segment.mask);
      head.hide_superseded(segment.info.number, visible, rows);
      const auto number = static_cast<uint32_t>(sources.size());
      rows.for_each([&](size_t row) {
        add_span(*segment.rows, static_cast<uint32_t>(row), number, after, refs);
      });
      CC_TRY(segment.rows->status());
      sources.push_back({segment.rows.get(), false});
    }
  }
  {
    const auto lock = head.read_lock();
    const SpanRows& rows = head.spans(false);
    for (uint32_t row = first_after(rows, before); row < rows.size(); ++row) {
      if (rows.meta(row).sequence > visible) break;
      if (!head.visible(false, row, visible)) continue;
      add_span(rows, row, static_cast<uint32_t>(sources.size()), after, refs);
    }
    sources.push_back({&rows, true});
  }
  bool cut = false;
  std::vector<Ref> found = refs.take(cut);
  const ArrivalPlace end = cut ? ArrivalPlace{found.back().sequence, found.back().key}
                               : std::max(after, ArrivalPlace{visible, ArrivalPlace::kAll});
  return std::unique_ptr<ArrivalIterator<ArrivedSpan>>(
      std::make_unique<Spans>(head, std::move(sources), std::move(found), end));
}

Result<std::unique_ptr<ArrivalIterator<ArrivedLog>>> arrived_logs(const Source& source,
                                                                  const ArrivalPlace& after,
                                                                  ArrivedLogs which) {
  CC_ASSIGN(const Snapshot* snapshot, snapshot_of(source));
  const Head& head = snapshot->head();
  const uint64_t visible = snapshot->visible();
  CC_TRY(head.settle_logs());
  std::vector<LogSource> sources;
  const uint64_t before = whole_before(after);
  const size_t skipped = after.done == ArrivalPlace::kAll ? 0 : after.done;
  FirstRefs refs(kPassRows + skipped);
  const auto wanted = [which](bool journal) {
    return which == ArrivedLogs::all || (which == ArrivedLogs::journal) == journal;
  };
  if (before < snapshot->version().manifest.sequence) {
    for (const LogSegment& segment : snapshot->version().logs) {
      if (!wanted(segment.journal())) continue;
      sources.push_back({segment.rows.get(), segment.journal(), false});
      add_logs(sources.back(), static_cast<uint32_t>(sources.size() - 1), before, visible, refs);
      CC_TRY(segment.rows->status());
    }
  }
  for (const bool journal : {true, false}) {
    if (!wanted(journal)) continue;
    const auto lock = head.read_lock();
    sources.push_back({&head.logs(journal), journal, true});
    add_logs(sources.back(), static_cast<uint32_t>(sources.size() - 1), before, visible, refs);
  }
  bool cut = false;
  std::vector<Ref> found = refs.take(cut);
  ArrivalPlace end = std::max(after, ArrivalPlace{visible, ArrivalPlace::kAll});
  if (cut) {
    uint64_t number = 0;
    for (const Ref& ref : found) number += ref.sequence == found.back().sequence ? 1 : 0;
    end = {found.back().sequence, number};
  }
  return std::unique_ptr<ArrivalIterator<ArrivedLog>>(
      std::make_unique<Logs>(head, std::move(sources), std::move(found), after, end));
}

}  // namespace contextcore::store
