#pragma once
// An event as a fold looks at it: borrowed, its fields wherever they lie, in a parsed line or in columns of the log. A fold
// of a million events must not build a million lines.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/log_batch.h"
#include "work/event.h"

namespace contextcore::work {

// The events that change a task, `other` being all that leave it as it is.
enum class TaskChange : uint8_t {
  other,
  created,
  status_changed,
  blocked,
  completed,
  failed,
  cancelled,
  progress_updated,
  assigned,
  claimed,
  released,
  linked,
  unlinked,
  edited,
  reopened,
  deleted,
  undeleted,
  undone,
  deliverables_verified,
};
TaskChange task_change(std::string_view event_name);

class EventFields {
 public:
  virtual ~EventFields() = default;
  // Type none: there is no such field. Nested values come as json, perhaps without a text.
  virtual store::FieldValue find(std::string_view field) const = 0;
};

struct EventView {
  std::string_view name;
  TaskChange change = TaskChange::other;  // of name
  std::string_view project;
  std::string_view service_name;
  otlp::TraceId trace_id;
  otlp::SpanId span_id;
  int64_t time_ns = 0;
  int64_t revision = 0;
  int64_t seq = 0;  // ordinal within the revision, from 1
  const EventFields* fields = nullptr;
  const Event* whole = nullptr;  // the event that this is a view of, if it is one

  // Fields of the line; "" / 0 / {} when absent.
  std::string_view text(std::string_view field) const;
  int64_t integer(std::string_view field) const { return integer_if(field).value_or(0); }
  std::optional<int64_t> integer_if(std::string_view field) const;
  std::optional<double> number_if(std::string_view field) const;
  // A field that holds a JSON list of strings, or a JSON object, as text.
  std::vector<std::string> list(std::string_view field) const;
  JsonObject object(std::string_view field) const;
};

// The view of an event that lives as long.
class ViewOfEvent : private EventFields {
 public:
  explicit ViewOfEvent(const Event& event);
  ViewOfEvent(const ViewOfEvent&) = delete;
  ViewOfEvent& operator=(const ViewOfEvent&) = delete;
  const EventView& view() const { return view_; }

 private:
  store::FieldValue find(std::string_view field) const override;
  EventView view_;
};

}  // namespace contextcore::work
