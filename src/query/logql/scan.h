#pragma once
// Entries of the store through a pipeline. Private to this folder.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "query/logql/engine.h"
#include "query/logql/pipeline.h"

namespace contextcore::logql {

struct ScanRequest {
  int64_t start_ns = 0;  // start ≤ time < end
  int64_t end_ns = 0;
  bool backward = false;
};

// Calls visit for each entry that passes; its arguments are valid during the call. visit returns
// false to stop.
using Visit =
    std::function<Result<bool>(const store::LogEntry&, EntryLabels&, std::string_view line)>;
Status scan(const store::Source& source, const Pipeline& pipeline, const ScanRequest& request,
            const std::function<bool()>& cancelled, Statistics& statistics, const Visit& visit);

// The same for answers that depend on few labels only (needed_labels.h) and on no order: entries come with the metadata of
// these names, in any order but by sequence for those of one stream and one time, and nothing else is read of them.
// members: of lines that are JSON objects; nullopt: the whole line.
Status scan_needed(const store::Source& source, const Pipeline& pipeline, const ScanRequest& request,
                   const std::vector<std::string>& names, const std::optional<std::vector<std::string>>& members,
                   const std::function<bool()>& cancelled, Statistics& statistics, const Visit& visit);

}  // namespace contextcore::logql
