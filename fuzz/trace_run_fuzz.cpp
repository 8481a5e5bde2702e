// Arbitrary bytes as a trace run: opening, look-ups and reading all of it give answers or errors, and
// what is read is in order. The checksums would turn nearly every input away, so the input is taken as
// entries, filter and directory, and the checksums are put right.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "memory_files.h"
#include "store/column_value.h"
#include "store/trace_run.h"

namespace {

using namespace contextcore;
using namespace contextcore::store;

uint8_t byte(std::string_view input, size_t at) {
  return at < input.size() ? static_cast<uint8_t>(input[at]) : uint8_t{0};
}

// First four bytes: how many words are entries, lines of the filter, segments; whether entries are
// sorted. Then the entries and the filter.
std::string run_of(std::string_view input) {
  const size_t lines = byte(input, 1) % 4, segments = byte(input, 2) % 5;
  std::vector<uint64_t> entries;
  ByteReader reader(input.substr(std::min<size_t>(4, input.size())));
  for (size_t i = byte(input, 0) * 8; i > 0; --i) {
    const uint64_t entry = reader.u64();
    if (!reader.ok()) break;
    entries.push_back(byte(input, 3) % 8 < 7 ? entry & ~uint64_t{0xFFFC} : entry);
  }
  if (byte(input, 3) % 2 == 0) std::sort(entries.begin(), entries.end());
  std::string file(kTraceRunMagic);
  append_u32(kTraceRunVersion, file);
  append_u32(0, file);
  for (const uint64_t entry : entries) append_u64(entry, file);
  std::string filter(lines * 64, '\xFF');
  const std::string_view rest = reader.rest();
  std::copy_n(rest.begin(), std::min(rest.size(), filter.size()), filter.begin());
  file += filter;
  std::string directory;
  append_u64(entries.size(), directory);
  append_u64(lines, directory);
  append_u64(xxh3_64(filter), directory);
  append_u32(static_cast<uint32_t>(segments), directory);
  for (size_t i = 0; i < segments; ++i) {
    append_u64(i + 1, directory);
    append_u64(entries.size() / segments, directory);
  }
  for (size_t begin = 0; begin < entries.size(); begin += 1024) {
    const size_t count = std::min<size_t>(1024, entries.size() - begin);
    append_u64(entries[begin], directory);
    append_u64(xxh3_64(std::string_view(file).substr(16 + begin * 8, count * 8)), directory);
  }
  file += directory;
  append_u64(xxh3_64(directory), file);
  append_u64(directory.size(), file);
  append_u32(kTraceRunVersion, file);
  file += kTraceRunMagic;
  return file;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if (input.empty()) return 0;
  const bool as_is = input[0] == 0;
  fuzz::MemoryFiles files;
  if (!files.write_file_atomically("/run", as_is ? std::string(input.substr(1)) : run_of(input)).ok()) return 0;
  const auto run = TraceRun::open(files, "/run");
  if (!run.ok()) return 0;
  uint64_t first = 0, entries = 0;
  const Status read = (*run)->for_each([&](uint64_t fingerprint, uint32_t segment) {
    if (segment >= (*run)->segments().size() || fingerprint >> 48 != 0) __builtin_trap();
    if (entries++ == 0) first = fingerprint;
  });
  if (read.ok() && entries != (*run)->entries()) __builtin_trap();
  std::vector<uint32_t> found;
  for (const uint64_t fingerprint : {first, first + 1, uint64_t{0}, (uint64_t{1} << 48) - 1}) {
    found.clear();
    const Status status = (*run)->find(fingerprint, found);
    for (const uint32_t segment : found) {
      if (segment >= (*run)->segments().size()) __builtin_trap();
    }
    if (read.ok() && !status.ok()) __builtin_trap();
  }
  return 0;
}
