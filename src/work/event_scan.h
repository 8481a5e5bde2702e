#pragma once
// The event log in bulk, for folds that look at each span by itself: events of different spans come in no order, and of
// each line only the fields are read that the fold asks for.

#include <cstddef>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "work/event_view.h"
#include "work/fold.h"

namespace contextcore::work {

// Which fields of the line an event of that name is wanted with: nullopt all of them, read as a whole event
// (EventView::whole).
using Fields = std::optional<std::vector<std::string_view>>;

// A fold of the events of each span by itself. Spans have numbers, from 0 without gaps.
class SpanFold {
 public:
  virtual ~SpanFold() = default;
  // Which events are given, and with what. Asked once in a while for each name, by another thread too.
  virtual bool wants(std::string_view /*event_name*/) const { return true; }
  virtual Fields fields(std::string_view event_name) const = 0;
  // The event is borrowed until the return.
  virtual Status add(size_t span, const EventView& event) = 0;
  // The span's events were not in order: they come again from the first.
  virtual void forget(size_t span, const otlp::SpanId& id) = 0;
  // An event of the span comes soon.
  virtual void prefetch(size_t /*span*/) const {}
};

// Gives fold the events that read_events gives (filter.enough is ignored) as far as it wants them; those of one span in
// order of time, revision and ordinal. The events of lines with more fields than are wanted may have those too.
Status scan_events(const store::Source& source, const EventFilter& filter, SpanFold& fold);

}  // namespace contextcore::work
