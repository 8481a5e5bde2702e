#pragma once
// Spans where they lie: in the bytes of a request, or in a TracesData. For who takes spans apart and
// has no use for copies of their strings. What is borrowed lives as long as those bytes (that data).

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "otlp/model.h"
#include "otlp/protobuf.h"

namespace contextcore::otlp {

struct AttributeView {
  enum class Type : uint8_t { string, boolean, integer, real, other };
  std::string_view key;
  Type type = Type::other;
  std::string_view text;         // string
  uint64_t bits = 0;             // boolean (0, 1), integer, real (its bits)
  const Value* value = nullptr;  // other: arrays, lists, bytes, none
};
using AttributesView = std::span<const AttributeView>;

AttributeView view_of(const KeyValue& attribute);
Value value_of(const AttributeView& attribute);
// First value of a key, or nullptr.
const AttributeView* find(AttributesView attributes, std::string_view key);

struct EventView {
  uint64_t time_ns = 0;
  std::string_view name;
  AttributesView attributes;
  uint32_t dropped_attributes_count = 0;
};

struct LinkView {
  TraceId trace_id;
  SpanId span_id;
  std::string_view trace_state;
  AttributesView attributes;
  uint32_t dropped_attributes_count = 0;
  uint32_t flags = 0;
};

struct SpanView {
  TraceId trace_id;
  SpanId span_id;
  SpanId parent_span_id;
  std::string_view trace_state;
  uint32_t flags = 0;
  std::string_view name;
  SpanKind kind = SpanKind::unspecified;
  uint64_t start_ns = 0;
  uint64_t end_ns = 0;
  AttributesView attributes;
  uint32_t dropped_attributes_count = 0;
  std::span<const EventView> events;
  uint32_t dropped_events_count = 0;
  std::span<const LinkView> links;
  uint32_t dropped_links_count = 0;
  StatusCode status_code = StatusCode::unset;
  std::string_view status_message;
};

// A deep copy.
Span span_of(const SpanView& view);

class TracesView {
 public:
  struct ScopeGroup {
    std::shared_ptr<const Scope> scope;
    std::span<const SpanView> spans;
  };
  struct ResourceGroup {
    std::shared_ptr<const Resource> resource;
    std::span<const ScopeGroup> scopes;
  };

  TracesView() = default;
  TracesView(TracesView&&) = default;
  TracesView& operator=(TracesView&&) = default;
  TracesView(const TracesView&) = delete;
  TracesView& operator=(const TracesView&) = delete;

  // As decode_traces_protobuf, with the same errors.
  static Result<TracesView> decode(std::string_view bytes, const DecodeLimits& limits = {});
  static TracesView of(const TracesData& data);

  std::span<const ResourceGroup> resources() const { return resources_; }
  size_t span_count() const { return spans_.size(); }
  TracesData to_data() const;  // a deep copy

 private:
  friend class TracesViewBuilder;
  std::vector<ResourceGroup> resources_;
  std::vector<ScopeGroup> scopes_;
  std::vector<SpanView> spans_;
  std::vector<EventView> events_;
  std::vector<LinkView> links_;
  std::vector<AttributeView> attributes_;
  std::deque<KeyValue> owned_;  // attributes that are no plain key and value on the wire
};

// A single span as a view.
class SingleSpanView {
 public:
  explicit SingleSpanView(const Span& span);
  SingleSpanView(const SingleSpanView&) = delete;
  SingleSpanView& operator=(const SingleSpanView&) = delete;
  const SpanView& view() const { return view_; }

 private:
  std::vector<AttributeView> attributes_;
  std::vector<EventView> events_;
  std::vector<LinkView> links_;
  SpanView view_;
};

// Puts a TracesView together, in order: resources, below each its scopes, below each its spans.
// Attributes of an event or a link are added between begin and end of it, those of a span at its end.
class TracesViewBuilder {
 public:
  void begin_resource() { resource_scopes_.push_back(count(view_.scopes_)); }
  void end_resource(std::shared_ptr<const Resource> resource);
  void begin_scope() { scope_spans_.push_back(count(view_.spans_)); }
  void end_scope(std::shared_ptr<const Scope> scope);
  void begin_span();
  void end_span(const SpanView& span, std::span<const AttributeView> attributes);
  void add_event(const EventView& event, std::span<const AttributeView> attributes);
  void add_link(const LinkView& link, std::span<const AttributeView> attributes);
  const KeyValue& own(KeyValue attribute) { return view_.owned_.emplace_back(std::move(attribute)); }
  void reserve_spans(size_t more);
  // Once.
  TracesView finish();

 private:
  template <typename T>
  static uint32_t count(const std::vector<T>& items) {
    return static_cast<uint32_t>(items.size());
  }
  struct Part {
    uint32_t begin = 0, end = 0;
  };
  Part add_attributes(std::span<const AttributeView> attributes);
  AttributesView attributes_in(const Part& part) const {
    return AttributesView(view_.attributes_).subspan(part.begin, part.end - part.begin);
  }

  TracesView view_;
  // Where the parts of each lie; the vectors still grow. Those of the next begin where these end.
  std::vector<uint32_t> resource_scopes_, scope_spans_, span_events_, span_links_;
  std::vector<Part> span_attributes_, event_attributes_, link_attributes_;
};

}  // namespace contextcore::otlp
