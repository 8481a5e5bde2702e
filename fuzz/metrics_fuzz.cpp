// Arbitrary bytes as parts of the metric signal's files: the columns of a chunk, an index page, a
// frame's batch, and a whole segment whose footer has the right checksum. Each gives answers or
// errors.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/hash.h"
#include "memory_files.h"
#include "store/column_value.h"
#include "store/frame_metrics.h"
#include "store/metric_segment.h"

namespace {

using namespace contextcore;
using namespace contextcore::store;

constexpr size_t kFileBytes = 1 << 16;

void read_samples(std::string_view input) {
  if (input.empty()) return;
  std::string bytes(input.substr(1));
  const size_t size = bytes.size();
  bytes.append(8, '\0');
  std::vector<StoredSample> samples;
  ByteReader reader(std::string_view(bytes).substr(0, size));
  const size_t count = 1 + static_cast<uint8_t>(input[0]);
  if (!decode_samples(reader, count, samples)) return;
  if (samples.size() != count) std::abort();
  settle(samples, input[0] % 2 == 0);
  std::ignore = runs_of(samples);
  std::string written;
  encode_samples(samples.data(), samples.size(), written);
  const size_t written_size = written.size();
  written.append(8, '\0');
  std::vector<StoredSample> again;
  ByteReader second(std::string_view(written).substr(0, written_size));
  if (!decode_samples(second, samples.size(), again) || again.size() != samples.size())
    std::abort();
  for (size_t i = 0; i < again.size(); ++i) {
    if (again[i].time_ms != samples[i].time_ms || again[i].sequence != samples[i].sequence)
      std::abort();
  }
}

void read_file(std::string_view input) {
  std::string file = "CCMETRC\n";
  append_u32(1, file);
  append_u32(0, file);
  file += input;
  append_u64(xxh3_64(input), file);
  append_u64(input.size(), file);
  append_u32(1, file);
  file += "CCMETRC\n";
  fuzz::MemoryFiles files;
  if (!files.write_file_atomically("/file", file).ok()) return;
  const auto segment = MetricSegment::open(files, "/file");
  if (!segment.ok()) return;
  std::ignore = (*segment)->families();
  for (size_t i = 0; i < std::min<size_t>((*segment)->pages().size(), 8); ++i)
    std::ignore = (*segment)->page(i);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if (input.empty()) return 0;
  const std::string_view rest = input.substr(1);
  switch (input[0] % 4) {
    case 0:
      read_samples(rest);
      break;
    case 1: {
      MetricPage page;
      std::ignore = decode_metric_page(rest, kFileBytes, page);
      break;
    }
    case 2: {
      const auto batch = decode_batch(rest);
      if (!batch.ok()) break;
      const auto again = decode_batch(encode_batch(*batch));
      if (!again.ok() || !(*again == *batch)) std::abort();
      break;
    }
    default:
      read_file(rest);
  }
  return 0;
}
