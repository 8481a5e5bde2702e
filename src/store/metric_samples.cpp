#include "store/metric_samples.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <tuple>

#include "base/sort.h"
#include "otlp/metric_batch.h"
#include "store/codec_integers.h"

namespace contextcore::store {
namespace {

enum ValueForm : uint8_t {
  kIntegers = 0,
  kDecimals = 1,  // integers, and by which power of ten they are to be divided
  kBits = 2,
};
constexpr double kExactMax = 9007199254740992.0;  // 2^53
constexpr std::array<double, 10> kPowers = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};

// The integer that divided by 10^power is value to the bit.
bool scaled(double value, size_t power, int64_t& out) {
  const double product = value * kPowers[power];
  if (!(std::abs(product) < kExactMax)) return false;
  const double rounded = std::nearbyint(product);
  if (std::bit_cast<uint64_t>(rounded / kPowers[power]) != std::bit_cast<uint64_t>(value)) {
    return false;
  }
  out = static_cast<int64_t>(rounded);
  return rounded != 0 || std::bit_cast<uint64_t>(value) == 0;  // not -0.0
}

// The least power of ten at which all values are integers, or none.
bool as_integers(const StoredSample* samples, size_t count, size_t& power,
                 std::vector<uint64_t>& out) {
  power = 0;
  for (size_t i = 0; i < count; ++i) {
    int64_t integer = 0;
    while (!scaled(samples[i].value, power, integer)) {
      if (++power == kPowers.size()) return false;
    }
  }
  out.resize(count);
  for (size_t i = 0; i < count; ++i) {
    int64_t integer = 0;
    if (!scaled(samples[i].value, power, integer)) return false;
    out[i] = static_cast<uint64_t>(integer);
  }
  return true;
}

}  // namespace

std::string_view name_of(const LabelPairs& labels) {
  for (const auto& [name, value] : labels) {
    if (name == "__name__") return value;
  }
  return {};
}

bool operator<(const SeriesId& a, const SeriesId& b) {
  const std::string_view a_name = name_of(a.labels);
  const std::string_view b_name = name_of(b.labels);
  return std::tie(a_name, a.labels, a.delta) < std::tie(b_name, b.labels, b.delta);
}

void settle(std::vector<StoredSample>& samples, bool delta) {
  const auto before = [](const StoredSample& a, const StoredSample& b) {
    return std::tie(a.time_ms, a.sequence) < std::tie(b.time_ms, b.sequence);
  };
  if (!std::is_sorted(samples.begin(), samples.end(), before)) sort_stably(samples, before);
  size_t kept = 0;
  for (const StoredSample& sample : samples) {
    if (kept == 0 || samples[kept - 1].time_ms != sample.time_ms) {
      samples[kept++] = sample;
    } else if (!delta || !otlp::is_start_mark(sample.value)) {
      samples[kept - 1] = sample;
    }
  }
  samples.resize(kept);
}

double sum_of(const std::vector<StoredSample>& samples) {
  double sum = 0;
  for (const StoredSample& sample : samples) sum += sample.value;
  return sum;
}

std::vector<SampleRun> runs_of(const std::vector<StoredSample>& samples) {
  std::vector<SampleRun> runs;
  for (const StoredSample& sample : samples) {
    if (!runs.empty()) {
      SampleRun& last = runs.back();
      const int64_t step = sample.time_ms - last.end_ms();
      const bool same =
          std::bit_cast<uint64_t>(last.value) == std::bit_cast<uint64_t>(sample.value);
      if (same && (last.count == 1 || last.step_ms == step)) {
        last.step_ms = step;
        ++last.count;
        continue;
      }
    }
    runs.push_back({sample.time_ms, 0, 1, sample.value});
  }
  return runs;
}

void encode_samples(const StoredSample* samples, size_t count, std::string& out) {
  std::vector<uint64_t> column(count);
  for (size_t i = 0; i < count; ++i) column[i] = static_cast<uint64_t>(samples[i].time_ms);
  encode_integers(column.data(), count, out);
  size_t power = 0;
  if (as_integers(samples, count, power, column)) {
    out.push_back(static_cast<char>(power == 0 ? kIntegers : kDecimals));
    if (power > 0) out.push_back(static_cast<char>(power));
  } else {
    out.push_back(static_cast<char>(kBits));
    column.resize(count);
    for (size_t i = 0; i < count; ++i) column[i] = std::bit_cast<uint64_t>(samples[i].value);
  }
  encode_integers(column.data(), count, out);
  for (size_t i = 0; i < count; ++i) column[i] = samples[i].sequence;
  encode_integers(column.data(), count, out);
}

bool decode_samples(ByteReader& reader, size_t count, std::vector<StoredSample>& out) {
  std::vector<uint64_t> times, values, sequences;
  if (!decode_integers(reader, count, times)) return false;
  const uint8_t form = reader.u8();
  const size_t power = form == kDecimals ? reader.u8() : 0;
  if (form > kBits || power >= kPowers.size()) return false;
  if (!decode_integers(reader, count, values)) return false;
  if (!decode_integers(reader, count, sequences)) return false;
  for (size_t i = 0; i < count; ++i) {
    const auto time_ms = static_cast<int64_t>(times[i]);
    if (time_ms < -otlp::kSampleTimeMaxMs || time_ms > otlp::kSampleTimeMaxMs) return false;
    const double value =
        form == kBits ? std::bit_cast<double>(values[i])
                      : static_cast<double>(static_cast<int64_t>(values[i])) / kPowers[power];
    out.push_back({time_ms, value, sequences[i]});
  }
  return true;
}

}  // namespace contextcore::store
