#include "store/digest_file.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "store/store_codec.h"
#include "store/store_version.h"

namespace contextcore::store {
namespace {

constexpr std::string_view kMagic = "ctxcdig1";
constexpr size_t kDigestBytes = 16;

}  // namespace

size_t digest_count(const std::vector<DigestRun>& runs) {
  size_t sum = 0;
  for (const DigestRun& run : runs) sum += run.digests.size();
  return sum;
}

std::vector<DigestRun> kept_digests(std::vector<DigestRun> runs, int64_t now_ns, size_t max) {
  std::erase_if(runs, [now_ns](const DigestRun& run) {
    return run.digests.empty() || digests_expired(run.time_ns, now_ns);
  });
  size_t room = max;
  auto oldest = runs.end();
  while (oldest != runs.begin() && room > 0) {
    --oldest;
    std::vector<Hash128>& digests = oldest->digests;
    if (digests.size() > room) digests.erase(digests.begin(), digests.end() - static_cast<std::ptrdiff_t>(room));
    room -= digests.size();
  }
  runs.erase(runs.begin(), oldest);
  return runs;
}

std::vector<DigestFileInfo> kept_files(std::vector<DigestFileInfo> files, int64_t now_ns, size_t max) {
  std::erase_if(files, [now_ns](const DigestFileInfo& file) { return digests_expired(file.newest_ns, now_ns); });
  uint64_t newer = 0;
  auto oldest = files.end();
  while (oldest != files.begin() && newer < max) newer += (--oldest)->digests;
  files.erase(files.begin(), oldest);
  return files;
}

Status write_digests(FileSystem& files, const std::string& path, const std::vector<DigestRun>& runs) {
  std::string bytes;
  RecordWriter writer(bytes);
  for (const DigestRun& run : runs) {
    writer.i64(run.time_ns);
    writer.u32(static_cast<uint32_t>(run.digests.size()));
    for (const Hash128& digest : run.digests) {
      writer.u64(digest.high);
      writer.u64(digest.low);
    }
  }
  return write_small_file(files, path, kMagic, bytes);
}

Result<std::vector<DigestRun>> read_digests(FileSystem& files, const std::string& path) {
  CC_ASSIGN(const std::string bytes, read_small_file(files, path, kMagic));
  std::vector<DigestRun> runs;
  RecordReader reader(bytes);
  while (reader.ok() && !reader.done()) {
    DigestRun& run = runs.emplace_back();
    run.time_ns = reader.i64();
    run.digests.resize(reader.count(kDigestBytes));
    for (Hash128& digest : run.digests) {
      digest.high = reader.u64();
      digest.low = reader.u64();
    }
  }
  if (!reader.ok()) return {Code::corruption, path + " is damaged"};
  return runs;
}

}  // namespace contextcore::store
