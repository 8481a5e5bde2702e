#pragma once
// Received metrics in the one form that is stored: series of labels with samples in milliseconds,
// and what is known of metric families. Both ways in come here: OTLP metrics under the names and
// labels that Prometheus' own OTLP endpoint gives them (docs/compatibility.md), and remote-write.
//
// Deltas stay deltas (SampleSeries::delta): whoever reads adds them up in order of time, so that a
// late or repeated one corrects the sum. A delta of -0.0 is a start mark: nothing was counted up to
// there. It never takes the place of another sample. Pure; reentrant.

#include <bit>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "otlp/metrics_model.h"
#include "otlp/remote_write.h"

namespace contextcore::otlp {

using SampleLabels = std::vector<RemoteWriteLabel>;
using SeriesSample = RemoteWriteSample;

struct SampleSeries {
  SampleLabels labels;  // by name, distinct, no value empty, __name__ among them
  bool delta = false;
  std::vector<SeriesSample> samples;  // as they came; of two at one time the later counts
  bool operator==(const SampleSeries&) const = default;
};

struct MetricFamily {
  std::string name;
  std::string type;  // counter, gauge, histogram, summary, unknown, …
  std::string unit, help;
  bool operator==(const MetricFamily&) const = default;
};

struct MetricBatch {
  std::vector<SampleSeries> series;  // distinct
  std::vector<MetricFamily> families;
  size_t sample_count() const;
  bool operator==(const MetricBatch&) const = default;
};

// Samples are taken up to here and from its negative (the year 2255): times in nanoseconds end
// there.
inline constexpr int64_t kSampleTimeMaxMs = 9'000'000'000'000;

inline bool is_start_mark(double delta) {
  return std::bit_cast<uint64_t>(delta) == uint64_t{1} << 63;
}

// Why a series is not taken; nullopt: it is.
using SeriesCheck = std::function<std::optional<std::string>(const SampleLabels&)>;

struct Translation {
  MetricBatch batch;
  int64_t accepted = 0;  // data points (OTLP) or samples (remote-write)
  int64_t rejected = 0;
  std::vector<std::string> reasons;  // the first few different ones
  bool complete() const { return rejected == 0; }
};

// check may be empty. A data point is taken with all of its series or not at all.
Translation translate(const MetricsData& data, const SeriesCheck& check);
Translation translate(const RemoteWriteRequest& request, const SeriesCheck& check);

// The value of __name__.
std::string_view metric_name(const SampleLabels& labels);
// {__name__="up", job="x"} as Prometheus writes it: up{job="x"}; cut at 200 bytes.
std::string describe(const SampleLabels& labels);

// Names as Prometheus' otlptranslator makes them by default: other characters become underscores,
// units and _total are appended. type: what the suffixes depend on.
enum class NameType : uint8_t { gauge, counter, other };
std::string prometheus_metric_name(std::string_view name, std::string_view unit, NameType type);
std::string prometheus_label_name(std::string_view name);
// A value as label text: strings as they are, arrays and maps as JSON, bytes in base64.
std::string label_text(const Value& value);

}  // namespace contextcore::otlp
