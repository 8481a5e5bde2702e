#pragma once
// The contract between whoever has metrics (received ones, views over the event log) and the engine
// that asks for them: a selector and a range give series of samples. The source knows no query
// language.

#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "store/fetch.h"

namespace contextcore::store {

// Samples of one value at equal distances: what does not change costs one run however long it
// lasts.
struct SampleRun {
  int64_t start_ms = 0;
  int64_t step_ms = 0;  // unused where count is 1
  int64_t count = 1;
  double value = 0;
  int64_t end_ms() const { return start_ms + step_ms * (count - 1); }
};

// The value that says: from here on the series is gone. A NaN like no other.
inline double stale_marker() {
  constexpr uint64_t kBits = 0x7ff0000000000002;
  double value = 0;
  std::memcpy(&value, &kBits, sizeof(value));
  return value;
}
inline bool is_stale_marker(double value) {
  uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof(bits));
  return bits == 0x7ff0000000000002;
}

struct MetricSeries {
  LabelPairs labels;            // __name__ among them
  std::vector<SampleRun> runs;  // rising, not overlapping
};

struct LabelMatcher {
  std::string name;
  bool equals = false;  // accepts value alone: a source may look it up
  std::string value;
  std::function<bool(std::string_view)> accepts;  // asked with "" where the label is not there
};

struct MetricRequest {
  std::vector<LabelMatcher> matchers;  // all of them
  int64_t start_ms = INT64_MIN;        // closed
  int64_t end_ms = INT64_MAX;
  // Labels that the query names anywhere: labels that are left out for their number come only when
  // asked for.
  std::vector<std::string> named_labels;
  bool labels_only = false;  // no runs are wanted; only series with samples in the range come
};

// Series of a selection whose samples are made when they are asked for: who takes one series after the other never has
// the samples of all in memory. For one thread.
class SeriesSet {
 public:
  virtual ~SeriesSet() = default;
  virtual size_t size() const = 0;
  virtual const LabelPairs& labels(size_t series) const = 0;
  // Not empty, unless labels alone were wanted. Borrowed until the next call.
  virtual const std::vector<SampleRun>& runs(size_t series) = 0;
};

// Series that are there as a whole.
class SeriesAtHand final : public SeriesSet {
 public:
  explicit SeriesAtHand(std::vector<MetricSeries> series) : series_(std::move(series)) {}
  size_t size() const override { return series_.size(); }
  const LabelPairs& labels(size_t series) const override { return series_[series].labels; }
  const std::vector<SampleRun>& runs(size_t series) override { return series_[series].runs; }

 private:
  std::vector<MetricSeries> series_;
};

struct MetricDescription {
  std::string name, type, unit, help;  // type: counter, gauge, histogram
};

// Thread-safe; one consistent state.
class MetricSource {
 public:
  virtual ~MetricSource() = default;
  // Series with a sample in the range. Distinct labels, in any order.
  virtual Result<std::vector<MetricSeries>> select(const MetricRequest& request) const = 0;
  // The same series. The set holds what it needs of the source's state, but not the source.
  virtual Result<std::unique_ptr<SeriesSet>> find(const MetricRequest& request) const {
    CC_ASSIGN(std::vector<MetricSeries> series, select(request));
    return std::unique_ptr<SeriesSet>(std::make_unique<SeriesAtHand>(std::move(series)));
  }
  virtual std::vector<MetricDescription> describe() const = 0;
  // Labels that come only when they are named.
  virtual std::vector<std::string> labels_on_request() const { return {}; }
};

inline bool matches(const std::vector<LabelMatcher>& matchers, const LabelPairs& labels) {
  for (const LabelMatcher& matcher : matchers) {
    std::string_view value;
    for (const auto& [name, text] : labels) {
      if (name == matcher.name) value = text;
    }
    if (matcher.equals ? value != matcher.value : !matcher.accepts(value)) return false;
  }
  return true;
}

}  // namespace contextcore::store
