#pragma once
// A journal in memory, as small as the contract allows: what the real store promises of
// transactions, work index, leases, replays of commands and log entries, and nothing else.

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "store/fetch.h"
#include "store/journal.h"
#include "store/rows.h"
#include "work/hooks.h"

namespace contextcore::work::testing {

class MemoryJournal : public store::Journal,
                      public store::WorkView,
                      public store::WorkIndexView,
                      public store::Source {
 public:
  int64_t now = 1'795'000'000'000'000'000;
  std::map<otlp::SpanId, store::JournalSpan> spans;
  std::map<otlp::SpanId, store::WorkRow> rows;
  std::vector<store::JournalEvent> events_written;
  std::map<std::string, std::string> results;
  std::map<otlp::TraceId, otlp::TraceId> forwards;
  mutable int64_t span_reads = 0;

  // Journal
  Result<store::CommitResult> commit(const std::string& command_id,
                                     const store::WorkPlan& plan) override {
    if (const auto known = results.find(command_id);
        !command_id.empty() && known != results.end()) {
      return store::CommitResult{0, true, known->second};
    }
    CC_ASSIGN(store::WorkTransaction transaction, plan(*this));
    apply(transaction);
    if (!command_id.empty()) results[command_id] = transaction.result;
    return store::CommitResult{transaction.empty() ? 0 : ++sequence_, false, transaction.result};
  }

  void apply(const store::WorkTransaction& transaction) {
    for (const auto& event : transaction.events) events_written.push_back(event);
    for (const auto& span : transaction.spans) {
      spans[span.span.span_id] = span;
      rows[span.span.span_id] = hooks_.row(span);
    }
    for (const auto& lease : transaction.leases) {
      const auto row = rows.find(lease.span_id);
      if (row != rows.end() && row->second.claim_token == lease.claim_token) {
        row->second.lease_end_ns = lease.lease_end_ns;
        row->second.heartbeats = lease.heartbeats;
      }
    }
    for (const auto& [from, to] : transaction.forwards) forwards[from] = to;
  }

  // WorkView
  int64_t now_ns() const override { return now; }
  const store::WorkIndexView& index() const override { return *this; }
  Result<std::optional<store::JournalSpan>> span(const otlp::SpanId& id) const override {
    span_reads++;
    const auto found = spans.find(id);
    if (found == spans.end()) return std::optional<store::JournalSpan>();
    return std::optional<store::JournalSpan>(found->second);
  }
  Result<std::vector<otlp::LogRecord>> events(const otlp::SpanId& id) const override {
    std::vector<otlp::LogRecord> records;
    for (const auto& event : events_written) {
      if (event.record.span_id == id) records.push_back(event.record);
    }
    std::sort(records.begin(), records.end(),
              [](const auto& a, const auto& b) { return order(a) < order(b); });
    return records;
  }

  // WorkIndexView
  const store::WorkRow* find(const otlp::SpanId& id) const override {
    const auto found = rows.find(id);
    return found == rows.end() ? nullptr : &found->second;
  }
  std::vector<const store::WorkRow*> children(const otlp::SpanId& id) const override {
    return where([&](const store::WorkRow& row) { return row.parent_span_id == id; });
  }
  std::vector<const store::WorkRow*> dependents(const otlp::SpanId& id) const override {
    return where([&](const store::WorkRow& row) {
      return std::any_of(row.depends_on.begin(), row.depends_on.end(),
                         [&](const store::WorkEdge& edge) { return edge.target == id; });
    });
  }
  void scan(const std::function<bool(const store::WorkRow&)>& fn) const override {
    for (const auto& [id, row] : rows) {
      if (!fn(row)) return;
    }
  }
  size_t size() const override { return rows.size(); }

  // Source: log entries only.
  Result<std::unique_ptr<store::TraceIterator>> fetch(const store::FetchRequest&) const override {
    return Error{Code::unsupported, "no spans here", {}, {}, {}};
  }
  Result<std::unique_ptr<store::LogIterator>> fetch_logs(
      const store::LogFetchRequest& request) const override {
    return std::unique_ptr<store::LogIterator>(std::make_unique<Entries>(*this, request.backward));
  }
  Result<std::vector<store::LabelPairs>> streams(int64_t, int64_t) const override {
    return std::vector<store::LabelPairs>();
  }
  Result<std::optional<otlp::TracesData>> trace(const otlp::TraceId&) const override {
    return std::optional<otlp::TracesData>();
  }

 private:
  class Entries : public store::LogIterator {
   public:
    Entries(const MemoryJournal& journal, bool backward) {
      for (const auto& event : journal.events_written) events_.push_back(&event);
      std::sort(events_.begin(), events_.end(), [](const auto* a, const auto* b) {
        return std::pair(a->record.time_ns, a) < std::pair(b->record.time_ns, b);  // then arrival
      });
      if (backward) std::reverse(events_.begin(), events_.end());
    }
    Result<bool> next(store::LogEntry& entry) override {
      if (at_ == events_.size()) return false;
      const store::JournalEvent& event = *events_[at_++];
      stream_ = store::stream_labels(event.resource);
      metadata_ = store::structured_metadata(event.resource, event.scope, event.record);
      line_ = store::log_line(event.record);
      entry.time_ns = static_cast<int64_t>(event.record.time_ns);
      entry.stream = &stream_;
      entry.metadata = &metadata_;
      entry.line = line_;
      entry.journal = true;
      return true;
    }

   private:
    std::vector<const store::JournalEvent*> events_;
    size_t at_ = 0;
    store::LabelPairs stream_, metadata_;
    std::string line_;
  };

  static std::pair<int64_t, int64_t> order(const otlp::LogRecord& record) {
    const auto integer = [&](std::string_view key) {
      const otlp::Value* value = otlp::find(record.attributes, key);
      return value && value->as_int() ? *value->as_int() : int64_t{-1};
    };
    return {integer("revision"), integer("event_seq")};
  }
  std::vector<const store::WorkRow*> where(const auto& wanted) const {
    std::vector<const store::WorkRow*> result;
    for (const auto& [id, row] : rows) {
      if (wanted(row)) result.push_back(&row);
    }
    return result;
  }

  store::WorkHooks hooks_ = hooks();
  uint64_t sequence_ = 0;
};

}  // namespace contextcore::work::testing
