#pragma once
// The event log in bulk, for folds that look at each span by itself: events of different spans come in no order, and of
// each line only the fields are read that the fold asks for.

#include <cstddef>
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

// A fold of the events of each span by itself. Spans have numbers, from 0 in the order of their first events.
class SpanFold {
 public:
  virtual ~SpanFold() = default;
  virtual Status add(size_t span, Event& event) = 0;
  // The span's events were not in order: they come again from the first.
  virtual void forget(size_t span, const otlp::SpanId& id) = 0;
};

// Gives fold the events that read_events gives (filter.enough is ignored), without their command ids; those of one span in
// order of time, revision and ordinal. The events of lines with more fields than are wanted may have those too.
Status scan_events(const store::Source& source, const EventFilter& filter, const FieldsOf& fields, SpanFold& fold);

}  // namespace contextcore::work
