#pragma once
// The store's contract over a vector of entries.

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "store/fetch.h"

namespace contextcore::logql {

struct MemoryEntry {
  int64_t time_ns = 0;
  store::LabelPairs stream;
  std::string line;
  store::LabelPairs metadata;
};

class MemorySource : public store::Source {
 public:
  // exact: applies everything that a request asks for. Otherwise the answer is as big as the
  // contract allows: conditions are not applied.
  explicit MemorySource(std::vector<MemoryEntry> entries, bool exact = true) : exact_(exact) {
    std::multimap<int64_t, MemoryEntry> by_time;  // ties keep their order
    for (MemoryEntry& entry : entries) by_time.emplace(entry.time_ns, std::move(entry));
    for (auto& [time, entry] : by_time) {
      streams_.insert(entry.stream);
      entries_.push_back(std::move(entry));
    }
  }

  int64_t now_ns() const override { return 0; }
  Result<std::unique_ptr<store::TraceIterator>> fetch(const store::FetchRequest&) const override {
    return Error{Code::unsupported, "no spans here", {}, {}, {}};
  }
  Result<std::optional<otlp::TracesData>> trace(const otlp::TraceId&) const override {
    return std::optional<otlp::TracesData>();
  }

  Result<std::unique_ptr<store::LogIterator>> fetch_logs(
      const store::LogFetchRequest& request) const override {
    std::vector<const MemoryEntry*> selected;
    for (const MemoryEntry& entry : entries_) {
      const bool in_range = entry.time_ns >= request.start_ns && entry.time_ns < request.end_ns;
      const bool matches = (!request.stream_filter || request.stream_filter(entry.stream)) &&
                           std::all_of(request.line_contains.begin(), request.line_contains.end(),
                                       [&](const std::string& text) {
                                         return entry.line.find(text) != std::string::npos;
                                       });
      if (!exact_ || (in_range && matches)) selected.push_back(&entry);
    }
    if (request.backward) std::reverse(selected.begin(), selected.end());
    return std::unique_ptr<store::LogIterator>(
        std::make_unique<Iterator>(*this, std::move(selected)));
  }

  Result<std::vector<store::LabelPairs>> streams(int64_t start_ns, int64_t end_ns) const override {
    std::set<store::LabelPairs> out;
    for (const MemoryEntry& entry : entries_) {
      if (entry.time_ns >= start_ns && entry.time_ns < end_ns) out.insert(entry.stream);
    }
    return std::vector<store::LabelPairs>(out.begin(), out.end());
  }

 private:
  class Iterator : public store::LogIterator {
   public:
    Iterator(const MemorySource& source, std::vector<const MemoryEntry*> entries)
        : source_(source), entries_(std::move(entries)) {}
    Result<bool> next(store::LogEntry& out) override {
      if (at_ >= entries_.size()) return false;
      // A copy that dies with the next call, so that a borrowed view shows under ASan.
      current_ = std::make_unique<MemoryEntry>(*entries_[at_++]);
      out = {};
      out.time_ns = current_->time_ns;
      out.stream = &*source_.streams_.find(current_->stream);
      out.line = current_->line;
      out.metadata = &current_->metadata;
      return true;
    }

   private:
    const MemorySource& source_;
    std::vector<const MemoryEntry*> entries_;
    std::unique_ptr<MemoryEntry> current_;
    size_t at_ = 0;
  };

  std::vector<MemoryEntry> entries_;
  std::set<store::LabelPairs> streams_;
  bool exact_;
};

}  // namespace contextcore::logql
