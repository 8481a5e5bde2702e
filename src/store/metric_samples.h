#pragma once
// Samples of one series as the store has them: with the sequence of the write (in segments: of the
// cut) that brought them, which decides between two at one time. Columns of a chunk, runs for
// readers, deltas added up. docs/store-format.md, "Metric segments".

#include <cstdint>
#include <string>
#include <vector>

#include "store/column_value.h"
#include "store/metric_source.h"

namespace contextcore::store {

struct StoredSample {
  int64_t time_ms = 0;
  double value = 0;
  uint64_t sequence = 0;
};

// One series: labels and whether its samples are deltas. The order of series in a segment.
struct SeriesId {
  LabelPairs labels;
  bool delta = false;
};
std::string_view name_of(const LabelPairs& labels);
bool operator<(const SeriesId& a, const SeriesId& b);
inline bool operator==(const SeriesId& a, const SeriesId& b) {
  return a.delta == b.delta && a.labels == b.labels;
}

// By time, of two at one time the later written; among deltas a start mark never wins.
void settle(std::vector<StoredSample>& samples, bool delta);
double sum_of(const std::vector<StoredSample>& samples);
// REQUIRES: settled. Equal values at equal distances become one run.
std::vector<SampleRun> runs_of(const std::vector<StoredSample>& samples);

void encode_samples(const StoredSample* samples, size_t count, std::string& out);
// False when the bytes are not such columns. The bytes behind the reader must be followed by 8
// readable ones.
bool decode_samples(ByteReader& reader, size_t count, std::vector<StoredSample>& out);

}  // namespace contextcore::store
