#pragma once
// The event log in bulk, for folds that look at each span by itself: events of different spans come in no order, and of
// each line only the fields are read that the fold asks for.

#include <cstring>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "work/event.h"
#include "work/fold.h"

namespace contextcore::work {

// Which fields of the line an event of that name is wanted with: nullopt all of them.
using Fields = std::optional<std::vector<std::string_view>>;
using FieldsOf = std::function<Fields(std::string_view event_name)>;

// For tables by span.
struct SpanIdHash {
  size_t operator()(const otlp::SpanId& id) const {
    size_t number = 0;  // ids are hashes already
    std::memcpy(&number, id.bytes.data(), sizeof(number));
    return number;
  }
};

// Calls fn for the events that read_events gives (filter.enough is ignored), those of one span in order of time, revision
// and ordinal. The events of lines with more fields than are wanted may have those too.
Status scan_events(const store::Source& source, const EventFilter& filter, const FieldsOf& fields,
                   const std::function<Status(Event&)>& fn);

}  // namespace contextcore::work
