#pragma once
// The event log in bulk, for folds that look at each span by itself: events of different spans come in no order, and of
// each line only the fields are read that the fold asks for.

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

class EventFold {
 public:
  virtual ~EventFold() = default;
  virtual Status add(Event& event) = 0;
  // What the span's events have made so far is to be forgotten; they all come once more.
  virtual void forget(const otlp::SpanId& span) = 0;
};

// The events that read_events gives (filter.enough is ignored), those of one span in order of time, revision and ordinal.
Status scan_events(const store::Source& source, const EventFilter& filter, const FieldsOf& fields, EventFold& fold);

}  // namespace contextcore::work
