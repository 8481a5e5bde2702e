#pragma once
// What the files of verify share. Each verify_* checks files of one kind and goes on after damage.

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "store/pinned_files.h"
#include "store/store_version.h"
#include "store/verify.h"
#include "store/work_table.h"

namespace contextcore::store {

inline constexpr const char* kRunRemedy =
    "nothing is lost: traces are looked for in the segments themselves, and a later cut lists them again";
inline constexpr const char* kRestoreRemedy =
    "restore the file from a backup; until then answers that need it fail and the rest stays readable";

class Verification {
 public:
  Verification(PinnedFiles& files, const WorkHooks& hooks) : files_(files), hooks_(hooks) {}

  PinnedFiles& files() { return files_; }
  const WorkHooks& hooks() const { return hooks_; }
  VerifyReport& report() { return report_; }

  void add(Damage damage) {
    if (report_.damages.size() < kDamagesMax) {
      report_.damages.push_back(std::move(damage));
    } else {
      ++report_.more_damages;
    }
  }
  void add(const std::string& file, const std::string& part, const std::string& what,
           const std::string& remedy = kRestoreRemedy) {
    add(Damage{file, part, {}, what, {}, remedy});
  }
  // An error of a reader; the path at its start is left out, since the damage has it.
  void add(const std::string& file, const std::string& part, const Status& status,
           const std::string& remedy = kRestoreRemedy);

  // What the work table calls a span ("task demo-1"), else its id.
  std::string name_of(const otlp::SpanId& id) const;

  // Rows of journal spans that are not masked, as the index has to have them.
  std::vector<WorkRow> journal_rows;
  bool journal_whole = true;  // nothing of them was unreadable
  // Fingerprints of traces that a readable trace run lists, ascending, by segment.
  std::map<uint64_t, std::vector<uint64_t>> listed_traces;
  std::shared_ptr<const WorkTable> table;  // null: unreadable
  bool work_table_whole = false;

 private:
  PinnedFiles& files_;
  const WorkHooks& hooks_;
  VerifyReport report_;
};

// What a damaged page's error says without the place.
std::string reason_of(const Status& status);
// False: the first 16 bytes are not magic, version, kind; said.
bool verify_header(Verification& all, const std::string& path, std::string_view magic,
                   uint32_t version, uint32_t kind);

void verify_rows(Verification& all, const SegmentInfo& info);     // segments of spans and logs
void verify_metrics(Verification& all, const SegmentInfo& info);  // verify_metrics.cpp
void verify_trace_runs(Verification& all);                        // verify_traces.cpp; before the segments
void verify_log(Verification& all);                               // verify_log.cpp
void open_work_table(Verification& all);                          // verify_work.cpp
void verify_work_table(Verification& all);

}  // namespace contextcore::store
