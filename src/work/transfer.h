#pragma once
// The lossless own format: every event of the log as one JSON object.
//
//   {"time":…,"observed":…,"project":…,"service":…,"trace_id":…,"span_id":…,"revision":…,"seq":…,
//    "event_id":…,"command_id":…,"line":{…}}
//
// Exported by the question log.export, page by page. An import adds what a store does not have;
// what it has already changes nothing.

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "store/store.h"
#include "work/event.h"

namespace contextcore::work {

Json export_json(const Event& event);
// Errors (invalid_argument): a field is missing, or event_id is not of these contents.
Result<Event> event_from_export(const Json& json);

// NDJSON; an error names the line.
Result<std::vector<Event>> read_export(std::string_view text);

struct ImportReport {
  int64_t imported = 0;  // events
  int64_t known = 0;     // of those that the store had already
  int64_t spans = 0;     // written
};

// Several transactions, each of them whole. Errors: conflict (this store tells another story of a
// task, or the task was changed meanwhile).
Result<ImportReport> import_events(store::Store& store, std::vector<Event> events);

}  // namespace contextcore::work
