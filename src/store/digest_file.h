#pragma once
// Which requests the files of a store come from, so that a repeat of one is known whoever has made files
// of it since: the log has those after the last cut, this those before. A small file for each cut, of
// runs: a merge of several has one for each of its cuts. Only who is sent a request reads them.

#include <cstdint>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/hash.h"
#include "base/result.h"
#include "store/manifest.h"

namespace contextcore::store {

// Repeats are known for as long, and so many requests back.
inline constexpr int64_t kDigestKeptNs = 24ll * 3600 * 1'000'000'000;
inline constexpr size_t kDigestsKeptMax = size_t{1} << 18;

struct DigestRun {
  int64_t time_ns = 0;           // of the cut
  std::vector<Hash128> digests;  // in the order of arrival
  bool operator==(const DigestRun&) const = default;
};

inline bool digests_expired(int64_t time_ns, int64_t now_ns) { return now_ns - time_ns >= kDigestKeptNs; }

// What is kept of runs that are given oldest first: the newest `max` that have not expired.
std::vector<DigestRun> kept_digests(std::vector<DigestRun> runs, int64_t now_ns, size_t max = kDigestsKeptMax);
size_t digest_count(const std::vector<DigestRun>& runs);
// What is kept of files, likewise: those that have one of the newest `max` and have not expired.
std::vector<DigestFileInfo> kept_files(std::vector<DigestFileInfo> files, int64_t now_ns,
                                       size_t max = kDigestsKeptMax);

Status write_digests(FileSystem& files, const std::string& path, const std::vector<DigestRun>& runs);
// Oldest first. corruption: the file is damaged; io_error: it cannot be read now.
Result<std::vector<DigestRun>> read_digests(FileSystem& files, const std::string& path);

}  // namespace contextcore::store
