// Trace runs: every block is readable and in order, the filter lets every entry pass, and the segments
// that name a run are listed in it. Whether all of their traces are is checked with their rows.

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "store/trace_run.h"
#include "store/verify_parts.h"

namespace contextcore::store {
namespace {

// Empty: they are sound. lists: fingerprints by index of the segment.
std::string check_entries(const TraceRun& run, std::vector<std::vector<uint64_t>>& lists) {
  std::string said;
  uint64_t last = 0;
  const Status read = run.for_each([&](uint64_t fingerprint, uint32_t segment) {
    const uint64_t entry = run_entry(fingerprint, segment);
    if (said.empty() && entry <= last && last != 0) said = "its entries are not in order";
    if (said.empty() && !run.passes_filter(fingerprint)) said = "its filter denies one of its entries";
    last = entry;
    lists[segment].push_back(fingerprint);
  });
  if (!read.ok()) return reason_of(read);
  for (size_t i = 0; i < lists.size() && said.empty(); ++i) {
    if (lists[i].size() != run.segments()[i].entries) {
      said = fmt::format("it has {} entries of segment {} and says {}", lists[i].size(),
                         run.segments()[i].number, run.segments()[i].entries);
    }
  }
  return said;
}

void verify_run(Verification& all, uint64_t number) {
  const std::string path = data_path(all.files().directory(), number, "traces");
  if (!all.files().data_files().contains(path)) {
    all.add(path, {}, "it does not exist, but " + all.files().manifest_path() + " names it", kRunRemedy);
    return;
  }
  verify_header(all, path, kTraceRunMagic, kTraceRunVersion, 0);
  const auto run = TraceRun::open(all.files(), path);
  if (!run.ok()) {
    const bool unsupported = run.error().code == Code::unsupported;
    all.add(path, "directory", unsupported ? run.error().message : reason_of(run.status()), kRunRemedy);
    return;
  }
  all.report().pages += (*run)->blocks();
  std::vector<std::vector<uint64_t>> lists((*run)->segments().size());
  if (const std::string said = check_entries(**run, lists); !said.empty()) {
    all.add(path, "entries", said, kRunRemedy);
    return;
  }
  for (size_t i = 0; i < lists.size(); ++i) {
    all.listed_traces[(*run)->segments()[i].number] = std::move(lists[i]);
  }
}

}  // namespace

void verify_trace_runs(Verification& all) {
  std::set<uint64_t> runs;
  for (const SegmentInfo& info : all.files().manifest().segments) {
    if (info.run_number != 0) runs.insert(info.run_number);
  }
  for (const uint64_t number : runs) verify_run(all, number);
}

}  // namespace contextcore::store
