#include "otlp/span_view.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace contextcore::otlp {
namespace {

std::vector<AttributeView> views_of(const Attributes& attributes) {
  std::vector<AttributeView> views;
  views.reserve(attributes.size());
  for (const KeyValue& attribute : attributes) views.push_back(view_of(attribute));
  return views;
}

Attributes attributes_of(AttributesView views) {
  Attributes attributes;
  attributes.reserve(views.size());
  for (const AttributeView& view : views) attributes.push_back({std::string(view.key), value_of(view)});
  return attributes;
}

EventView event_of(const SpanEvent& event) {
  return {event.time_ns, event.name, {}, event.dropped_attributes_count};
}
LinkView link_of(const SpanLink& link) {
  return {link.trace_id, link.span_id, link.trace_state, {}, link.dropped_attributes_count, link.flags};
}

// Without attributes, events and links.
SpanView core_of(const Span& span) {
  SpanView view;
  view.trace_id = span.trace_id;
  view.span_id = span.span_id;
  view.parent_span_id = span.parent_span_id;
  view.trace_state = span.trace_state;
  view.flags = span.flags;
  view.name = span.name;
  view.kind = span.kind;
  view.start_ns = span.start_ns;
  view.end_ns = span.end_ns;
  view.dropped_attributes_count = span.dropped_attributes_count;
  view.dropped_events_count = span.dropped_events_count;
  view.dropped_links_count = span.dropped_links_count;
  view.status_code = span.status_code;
  view.status_message = span.status_message;
  return view;
}

}  // namespace

AttributeView view_of(const KeyValue& attribute) {
  AttributeView view;
  view.key = attribute.key;
  const Value& value = attribute.value;
  if (const auto* text = value.as_string()) {
    view.type = AttributeView::Type::string;
    view.text = *text;
  } else if (const auto* flag = value.as_bool()) {
    view.type = AttributeView::Type::boolean;
    view.bits = *flag ? 1 : 0;
  } else if (const auto* integer = value.as_int()) {
    view.type = AttributeView::Type::integer;
    view.bits = static_cast<uint64_t>(*integer);
  } else if (const auto* real = value.as_double()) {
    view.type = AttributeView::Type::real;
    view.bits = std::bit_cast<uint64_t>(*real);
  } else {
    view.value = &value;
  }
  return view;
}

Value value_of(const AttributeView& attribute) {
  switch (attribute.type) {
    case AttributeView::Type::string:
      return Value(attribute.text);
    case AttributeView::Type::boolean:
      return Value(attribute.bits != 0);
    case AttributeView::Type::integer:
      return Value(static_cast<int64_t>(attribute.bits));
    case AttributeView::Type::real:
      return Value(std::bit_cast<double>(attribute.bits));
    case AttributeView::Type::other:
      break;
  }
  return *attribute.value;
}

const AttributeView* find(AttributesView attributes, std::string_view key) {
  for (const AttributeView& attribute : attributes) {
    if (attribute.key == key) return &attribute;
  }
  return nullptr;
}

Span span_of(const SpanView& view) {
  Span span;
  span.trace_id = view.trace_id;
  span.span_id = view.span_id;
  span.parent_span_id = view.parent_span_id;
  span.trace_state = view.trace_state;
  span.flags = view.flags;
  span.name = view.name;
  span.kind = view.kind;
  span.start_ns = view.start_ns;
  span.end_ns = view.end_ns;
  span.attributes = attributes_of(view.attributes);
  span.dropped_attributes_count = view.dropped_attributes_count;
  for (const EventView& event : view.events) {
    span.events.push_back({event.time_ns, std::string(event.name), attributes_of(event.attributes),
                           event.dropped_attributes_count});
  }
  span.dropped_events_count = view.dropped_events_count;
  for (const LinkView& link : view.links) {
    span.links.push_back({link.trace_id, link.span_id, std::string(link.trace_state),
                          attributes_of(link.attributes), link.dropped_attributes_count, link.flags});
  }
  span.dropped_links_count = view.dropped_links_count;
  span.status_code = view.status_code;
  span.status_message = view.status_message;
  return span;
}

// ---- TracesView
// ---------------------------------------------------------------------------------

TracesData TracesView::to_data() const {
  TracesData data;
  data.resource_spans.reserve(resources_.size());
  for (const ResourceGroup& resource : resources_) {
    ResourceSpans& out = data.resource_spans.emplace_back();
    out.resource = *resource.resource;
    out.scope_spans.reserve(resource.scopes.size());
    for (const ScopeGroup& scope : resource.scopes) {
      ScopeSpans& spans = out.scope_spans.emplace_back();
      spans.scope = *scope.scope;
      spans.spans.reserve(scope.spans.size());
      for (const SpanView& span : scope.spans) spans.spans.push_back(span_of(span));
    }
  }
  return data;
}

TracesView TracesView::of(const TracesData& data) {
  TracesViewBuilder builder;
  builder.reserve_spans(data.span_count());
  for (const ResourceSpans& resource : data.resource_spans) {
    builder.begin_resource();
    for (const ScopeSpans& scope : resource.scope_spans) {
      builder.begin_scope();
      for (const Span& span : scope.spans) {
        builder.begin_span();
        for (const SpanEvent& event : span.events) builder.add_event(event_of(event), views_of(event.attributes));
        for (const SpanLink& link : span.links) builder.add_link(link_of(link), views_of(link.attributes));
        builder.end_span(core_of(span), views_of(span.attributes));
      }
      builder.end_scope(std::make_shared<const Scope>(scope.scope));
    }
    builder.end_resource(std::make_shared<const Resource>(resource.resource));
  }
  return builder.finish();
}

SingleSpanView::SingleSpanView(const Span& span) : view_(core_of(span)) {
  size_t count = span.attributes.size();
  for (const SpanEvent& event : span.events) count += event.attributes.size();
  for (const SpanLink& link : span.links) count += link.attributes.size();
  attributes_.reserve(count);  // what points into it stays
  events_.reserve(span.events.size());
  links_.reserve(span.links.size());
  const auto add = [this](const Attributes& attributes) -> AttributesView {
    const size_t begin = attributes_.size();
    for (const KeyValue& attribute : attributes) attributes_.push_back(view_of(attribute));
    return AttributesView(attributes_).subspan(begin);
  };
  view_.attributes = add(span.attributes);
  for (const SpanEvent& event : span.events) events_.emplace_back(event_of(event)).attributes = add(event.attributes);
  for (const SpanLink& link : span.links) links_.emplace_back(link_of(link)).attributes = add(link.attributes);
  view_.events = events_;
  view_.links = links_;
}

// ---- TracesViewBuilder
// --------------------------------------------------------------------------

void TracesViewBuilder::reserve_spans(size_t more) {
  const size_t wanted = view_.spans_.size() + more;
  if (wanted <= view_.spans_.capacity()) return;
  const size_t room = std::max(wanted, 2 * view_.spans_.capacity());  // for many small scopes
  view_.spans_.reserve(room);
  span_attributes_.reserve(room);
  span_events_.reserve(room);
  span_links_.reserve(room);
}

TracesViewBuilder::Part TracesViewBuilder::add_attributes(
    std::span<const AttributeView> attributes) {
  const uint32_t begin = count(view_.attributes_);
  view_.attributes_.insert(view_.attributes_.end(), attributes.begin(), attributes.end());
  return {begin, count(view_.attributes_)};
}

void TracesViewBuilder::end_resource(std::shared_ptr<const Resource> resource) {
  view_.resources_.push_back({std::move(resource), {}});
}

void TracesViewBuilder::end_scope(std::shared_ptr<const Scope> scope) {
  view_.scopes_.push_back({std::move(scope), {}});
}

void TracesViewBuilder::begin_span() {
  span_events_.push_back(count(view_.events_));
  span_links_.push_back(count(view_.links_));
}

void TracesViewBuilder::add_event(const EventView& event, std::span<const AttributeView> attributes) {
  event_attributes_.push_back(add_attributes(attributes));
  view_.events_.push_back(event);
}

void TracesViewBuilder::add_link(const LinkView& link, std::span<const AttributeView> attributes) {
  link_attributes_.push_back(add_attributes(attributes));
  view_.links_.push_back(link);
}

void TracesViewBuilder::end_span(const SpanView& span, std::span<const AttributeView> attributes) {
  span_attributes_.push_back(add_attributes(attributes));
  view_.spans_.push_back(span);
}

TracesView TracesViewBuilder::finish() {
  // Items i of an outer vector have those of an inner one from begins[i] to begins[i + 1].
  const auto inner = [](const auto& all, const std::vector<uint32_t>& begins, size_t i) {
    const size_t end = i + 1 < begins.size() ? begins[i + 1] : all.size();
    return std::span(all).subspan(begins[i], end - begins[i]);
  };
  for (size_t i = 0; i < view_.events_.size(); ++i) {
    view_.events_[i].attributes = attributes_in(event_attributes_[i]);
  }
  for (size_t i = 0; i < view_.links_.size(); ++i) {
    view_.links_[i].attributes = attributes_in(link_attributes_[i]);
  }
  for (size_t i = 0; i < view_.spans_.size(); ++i) {
    SpanView& span = view_.spans_[i];
    span.attributes = attributes_in(span_attributes_[i]);
    span.events = inner(std::as_const(view_.events_), span_events_, i);
    span.links = inner(std::as_const(view_.links_), span_links_, i);
  }
  for (size_t i = 0; i < view_.scopes_.size(); ++i) {
    view_.scopes_[i].spans = inner(std::as_const(view_.spans_), scope_spans_, i);
  }
  for (size_t i = 0; i < view_.resources_.size(); ++i) {
    view_.resources_[i].scopes = inner(std::as_const(view_.scopes_), resource_scopes_, i);
  }
  return std::move(view_);
}

}  // namespace contextcore::otlp
