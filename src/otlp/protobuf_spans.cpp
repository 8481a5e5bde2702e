// Traces: wire bytes → views in one pass (wire_reader.h), and copies of what those see.
//
// Merging follows proto3, as in protobuf_decode.cpp. An attribute as nearly all are sent, a key and
// then one scalar, is read where it lies; any other is decoded to a model that the view keeps.

#include <bit>
#include <cstring>
#include <memory>
#include <utility>

#include "otlp/protobuf_common.h"
#include "otlp/span_view.h"

namespace contextcore::otlp {
namespace {

// The bytes of a field of that key at the front, and what follows; false: something else is there.
bool take_bytes(std::string_view& rest, char key, std::string_view& out) {
  if (rest.size() < 2 || rest[0] != key) return false;
  size_t length = static_cast<uint8_t>(rest[1]), at = 2;
  if (length >= 0x80) {
    if (rest.size() < 3 || static_cast<uint8_t>(rest[2]) >= 0x80) return false;
    length = (length & 0x7F) | size_t{static_cast<uint8_t>(rest[2])} << 7;
    at = 3;
  }
  if (rest.size() - at < length) return false;
  out = rest.substr(at, length);
  rest.remove_prefix(at + length);
  return true;
}

// A varint that takes all of the bytes.
bool whole_varint(std::string_view bytes, uint64_t& out) {
  if (bytes.empty() || bytes.size() > 10) return false;
  out = 0;
  for (size_t i = 0; i < bytes.size(); ++i) {
    const auto byte = static_cast<uint8_t>(bytes[i]);
    if ((byte >= 0x80) != (i + 1 < bytes.size()) || (i == 9 && byte > 1)) return false;
    out |= uint64_t{static_cast<uint8_t>(byte & 0x7F)} << (7 * i);
  }
  return true;
}

bool plain_value(std::string_view any, AttributeView& out) {
  if (any.empty()) return false;
  switch (any[0]) {
    case 0x0A: {
      out.type = AttributeView::Type::string;
      return take_bytes(any, 0x0A, out.text) && any.empty() && is_valid_utf8(out.text);
    }
    case 0x10:
      out.type = AttributeView::Type::boolean;
      if (!whole_varint(any.substr(1), out.bits)) return false;
      out.bits = out.bits != 0 ? 1 : 0;
      return true;
    case 0x18:
      out.type = AttributeView::Type::integer;
      return whole_varint(any.substr(1), out.bits);
    case 0x21:
      out.type = AttributeView::Type::real;
      if (any.size() != 9) return false;
      out.bits = 0;
      for (size_t i = 0; i < 8; ++i) out.bits |= uint64_t{static_cast<uint8_t>(any[1 + i])} << (8 * i);
      return true;
    default:
      return false;
  }
}

bool plain_attribute(std::string_view bytes, AttributeView& out) {
  std::string_view any;
  return take_bytes(bytes, 0x0A, out.key) && take_bytes(bytes, 0x12, any) && bytes.empty() &&
         is_valid_utf8(out.key) && plain_value(any, out);
}

class SpanDecoder : public CommonDecoder {
 public:
  using CommonDecoder::CommonDecoder;

  bool traces(std::string_view all) {
    return each_field(all, "TracesData", [&](pbf_reader& reader) {
      if (reader.tag() != 1) return skip(reader);
      return message(reader, "TracesData.resource_spans",
                     [&](std::string_view view) { return resource_spans(view); });
    });
  }
  bool span(std::string_view all);
  TracesViewBuilder& builder() { return builder_; }

 private:
  bool resource_spans(std::string_view all);
  bool scope_spans(std::string_view all);
  bool event(std::string_view all);
  bool link(std::string_view all);
  bool status(std::string_view all, SpanView& out);
  bool attribute_view(pbf_reader& reader, const char* name, std::vector<AttributeView>& out);

  TracesViewBuilder builder_;
  std::vector<AttributeView> span_attributes_, child_attributes_;
};

bool SpanDecoder::attribute_view(pbf_reader& reader, const char* name,
                                 std::vector<AttributeView>& out) {
  return message(reader, name, [&](std::string_view view) {
    AttributeView& attribute = out.emplace_back();
    if (plain_attribute(view, attribute)) return true;
    KeyValue decoded;
    if (!key_value(view, 0, decoded)) return false;
    attribute = view_of(builder_.own(std::move(decoded)));
    return true;
  });
}

bool SpanDecoder::resource_spans(std::string_view all) {
  builder_.begin_resource();
  const auto out = std::make_shared<Resource>();
  const bool read = each_field(all, "ResourceSpans", [&](pbf_reader& reader) {
    switch (reader.tag()) {
      case 1:
        return message(reader, "ResourceSpans.resource",
                       [&](std::string_view view) { return resource(view, *out); });
      case 2:
        return message(reader, "ResourceSpans.scope_spans",
                       [&](std::string_view view) { return scope_spans(view); });
      case 3:
        return string(reader, "ResourceSpans.schema_url", out->schema_url);
      default:
        return skip(reader);
    }
  });
  builder_.end_resource(out);
  return read;
}

bool SpanDecoder::scope_spans(std::string_view all) {
  builder_.begin_scope();
  builder_.reserve_spans(count_fields(all, 2));
  const auto out = std::make_shared<Scope>();
  const bool read = each_field(all, "ScopeSpans", [&](pbf_reader& reader) {
    switch (reader.tag()) {
      case 1:
        return message(reader, "ScopeSpans.scope",
                       [&](std::string_view view) { return scope(view, *out); });
      case 2:
        return message(reader, "ScopeSpans.spans",
                       [&](std::string_view view) { return span(view); });
      case 3:
        return string(reader, "ScopeSpans.schema_url", out->schema_url);
      default:
        return skip(reader);
    }
  });
  builder_.end_scope(out);
  return read;
}

bool SpanDecoder::span(std::string_view all) {
  SpanView out;
  builder_.begin_span();
  span_attributes_.clear();
  const bool read = each_field(all, "Span", [&](pbf_reader& reader) {
    switch (reader.tag()) {
      case 1:
        return id(reader, "Span.trace_id", out.trace_id);
      case 2:
        return id(reader, "Span.span_id", out.span_id);
      case 3:
        return text(reader, "Span.trace_state", out.trace_state);
      case 4:
        return id(reader, "Span.parent_span_id", out.parent_span_id);
      case 5:
        return text(reader, "Span.name", out.name);
      case 6:
        return varint(reader, "Span.kind", out.kind);
      case 7:
        return fixed64(reader, "Span.start_time_unix_nano", out.start_ns);
      case 8:
        return fixed64(reader, "Span.end_time_unix_nano", out.end_ns);
      case 9:
        return attribute_view(reader, "Span.attributes", span_attributes_);
      case 10:
        return varint(reader, "Span.dropped_attributes_count", out.dropped_attributes_count);
      case 11:
        return message(reader, "Span.events", [&](std::string_view view) { return event(view); });
      case 12:
        return varint(reader, "Span.dropped_events_count", out.dropped_events_count);
      case 13:
        return message(reader, "Span.links", [&](std::string_view view) { return link(view); });
      case 14:
        return varint(reader, "Span.dropped_links_count", out.dropped_links_count);
      case 15:
        return message(reader, "Span.status",
                       [&](std::string_view view) { return status(view, out); });
      case 16:
        return fixed32(reader, "Span.flags", out.flags);
      default:
        return skip(reader);
    }
  });
  builder_.end_span(out, span_attributes_);
  return read;
}

bool SpanDecoder::event(std::string_view all) {
  EventView out;
  child_attributes_.clear();
  const bool read = each_field(all, "Span.Event", [&](pbf_reader& reader) {
    switch (reader.tag()) {
      case 1:
        return fixed64(reader, "Span.Event.time_unix_nano", out.time_ns);
      case 2:
        return text(reader, "Span.Event.name", out.name);
      case 3:
        return attribute_view(reader, "Span.Event.attributes", child_attributes_);
      case 4:
        return varint(reader, "Span.Event.dropped_attributes_count", out.dropped_attributes_count);
      default:
        return skip(reader);
    }
  });
  builder_.add_event(out, child_attributes_);
  return read;
}

bool SpanDecoder::link(std::string_view all) {
  LinkView out;
  child_attributes_.clear();
  const bool read = each_field(all, "Span.Link", [&](pbf_reader& reader) {
    switch (reader.tag()) {
      case 1:
        return id(reader, "Span.Link.trace_id", out.trace_id);
      case 2:
        return id(reader, "Span.Link.span_id", out.span_id);
      case 3:
        return text(reader, "Span.Link.trace_state", out.trace_state);
      case 4:
        return attribute_view(reader, "Span.Link.attributes", child_attributes_);
      case 5:
        return varint(reader, "Span.Link.dropped_attributes_count", out.dropped_attributes_count);
      case 6:
        return fixed32(reader, "Span.Link.flags", out.flags);
      default:
        return skip(reader);
    }
  });
  builder_.add_link(out, child_attributes_);
  return read;
}

// Field 1 is the code of before OTLP 0.9; it is skipped.
bool SpanDecoder::status(std::string_view all, SpanView& out) {
  return each_field(all, "Status", [&](pbf_reader& reader) {
    switch (reader.tag()) {
      case 2:
        return text(reader, "Status.message", out.status_message);
      case 3:
        return varint(reader, "Status.code", out.status_code);
      default:
        return skip(reader);
    }
  });
}

}  // namespace

Result<TracesView> TracesView::decode(std::string_view bytes, const DecodeLimits& limits) {
  SpanDecoder decoder(bytes, limits);
  if (!decoder.traces(bytes)) return decoder.take_error();
  return decoder.builder().finish();
}

Result<TracesData> decode_traces_protobuf(std::string_view bytes, const DecodeLimits& limits) {
  CC_ASSIGN(const TracesView view, TracesView::decode(bytes, limits));
  return view.to_data();
}

Result<Span> decode_span_protobuf(std::string_view bytes, const DecodeLimits& limits) {
  SpanDecoder decoder(bytes, limits);
  TracesViewBuilder& builder = decoder.builder();
  builder.begin_resource();
  builder.begin_scope();
  if (!decoder.span(bytes)) return decoder.take_error();
  builder.end_scope(nullptr);
  builder.end_resource(nullptr);
  const TracesView view = builder.finish();
  return span_of(view.resources()[0].scopes[0].spans[0]);
}

}  // namespace contextcore::otlp
