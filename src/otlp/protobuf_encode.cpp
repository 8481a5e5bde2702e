// Model → wire bytes. The fields of each message are listed once, as a function over a sink; it
// runs twice: over Sizer, which notes the length of every sub-message in the order it is met, and
// over Writer, which takes these lengths in the same order and fills a buffer of exactly the right
// size. Canonical proto3: fields in rising order, defaults left out, members of a oneof always
// written.

#include <bit>
#include <cassert>
#include <cstring>
#include <protozero/varint.hpp>

#include "otlp/protobuf.h"
#include "otlp/tempo_json.h"

namespace contextcore::otlp {
namespace {

enum class WireType : uint32_t { varint = 0, fixed64 = 1, length_delimited = 2, fixed32 = 5 };

constexpr uint64_t key_of(uint32_t field, WireType type) {
  return (static_cast<uint64_t>(field) << 3) | static_cast<uint64_t>(type);
}

size_t varint_size(uint64_t value) {
  return (static_cast<size_t>(std::bit_width(value | 1)) + 6) / 7;
}

using Sizes = std::vector<size_t>;

class Sizer {
 public:
  explicit Sizer(Sizes& sizes) : sizes_(sizes) {}
  void varint(uint32_t field, uint64_t value) {
    total_ += varint_size(key_of(field, WireType::varint)) + varint_size(value);
  }
  void fixed64(uint32_t field, uint64_t) {
    total_ += varint_size(key_of(field, WireType::fixed64)) + 8;
  }
  void fixed32(uint32_t field, uint32_t) {
    total_ += varint_size(key_of(field, WireType::fixed32)) + 4;
  }
  void bytes(uint32_t field, std::string_view data) { add_length_delimited(field, data.size()); }
  template <typename Fields>
  void message(uint32_t field, Fields&& fields) {
    const size_t slot = sizes_.size();
    sizes_.push_back(0);
    const size_t before = total_;
    fields(*this);
    const size_t size = total_ - before;
    sizes_[slot] = size;
    total_ = before;
    add_length_delimited(field, size);
  }
  size_t total() const { return total_; }

 private:
  void add_length_delimited(uint32_t field, size_t size) {
    total_ += varint_size(key_of(field, WireType::length_delimited)) + varint_size(size) + size;
  }

  Sizes& sizes_;
  size_t total_ = 0;
};

class Writer {
 public:
  Writer(const Sizes& sizes, char* out) : next_size_(sizes.data()), out_(out) {}
  void varint(uint32_t field, uint64_t value) {
    put_varint(key_of(field, WireType::varint));
    put_varint(value);
  }
  void fixed64(uint32_t field, uint64_t value) {
    put_varint(key_of(field, WireType::fixed64));
    put_little_endian(value);
  }
  void fixed32(uint32_t field, uint32_t value) {
    put_varint(key_of(field, WireType::fixed32));
    put_little_endian(value);
  }
  void bytes(uint32_t field, std::string_view data) {
    put_varint(key_of(field, WireType::length_delimited));
    put_varint(data.size());
    if (!data.empty()) std::memcpy(out_, data.data(), data.size());
    out_ += data.size();
  }
  template <typename Fields>
  void message(uint32_t field, Fields&& fields) {
    put_varint(key_of(field, WireType::length_delimited));
    put_varint(*next_size_++);
    fields(*this);
  }
  const char* position() const { return out_; }

 private:
  void put_varint(uint64_t value) { out_ += protozero::add_varint_to_buffer(out_, value); }
  template <typename T>
  void put_little_endian(T value) {
    for (size_t i = 0; i < sizeof(T); ++i) out_[i] = static_cast<char>(value >> (8 * i));
    out_ += sizeof(T);
  }

  const size_t* next_size_;
  char* out_;
};

template <typename Fields>
void append(std::string& out, Fields&& fields) {
  Sizes sizes;
  Sizer sizer(sizes);
  fields(sizer);
  const size_t start = out.size();
  out.resize(start + sizer.total());
  Writer writer(sizes, out.data() + start);
  fields(writer);
  assert(writer.position() == out.data() + out.size());
}

// --- the messages ---

// Sign-extended to 64 bits, as protobuf writes negative 32-bit numbers.
template <typename Enum>
uint64_t enum_bits(Enum value) {
  return static_cast<uint64_t>(static_cast<int64_t>(static_cast<int32_t>(value)));
}

template <typename Sink>
void put_string(Sink& sink, uint32_t field, std::string_view text) {
  if (!text.empty()) sink.bytes(field, text);
}
template <typename Sink>
void put_varint(Sink& sink, uint32_t field, uint64_t value) {
  if (value != 0) sink.varint(field, value);
}
template <typename Sink>
void put_fixed64(Sink& sink, uint32_t field, uint64_t value) {
  if (value != 0) sink.fixed64(field, value);
}
template <typename Sink>
void put_fixed32(Sink& sink, uint32_t field, uint32_t value) {
  if (value != 0) sink.fixed32(field, value);
}
template <typename Sink, typename Id>
void put_id(Sink& sink, uint32_t field, const Id& id) {
  if (id.empty()) return;
  sink.bytes(field, {reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()});
}

template <typename Sink>
void value_fields(Sink& sink, const Value& value);

template <typename Sink>
void put_key_values(Sink& sink, uint32_t field, const KeyValueList& list) {
  for (const KeyValue& item : list) {
    sink.message(field, [&](Sink& inner) {
      put_string(inner, 1, item.key);
      inner.message(2, [&](Sink& any) { value_fields(any, item.value); });
    });
  }
}

template <typename Sink>
void value_fields(Sink& sink, const Value& value) {
  if (const auto* text = value.as_string()) {
    sink.bytes(1, *text);
  } else if (const auto* flag = value.as_bool()) {
    sink.varint(2, *flag ? 1 : 0);
  } else if (const auto* integer = value.as_int()) {
    sink.varint(3, static_cast<uint64_t>(*integer));
  } else if (const auto* real = value.as_double()) {
    sink.fixed64(4, std::bit_cast<uint64_t>(*real));
  } else if (const auto* array = value.as_array()) {
    sink.message(5, [&](Sink& inner) {
      for (const Value& item : *array) {
        inner.message(1, [&](Sink& any) { value_fields(any, item); });
      }
    });
  } else if (const auto* list = value.as_kvlist()) {
    sink.message(6, [&](Sink& inner) { put_key_values(inner, 1, *list); });
  } else if (const auto* bytes = value.as_bytes()) {
    sink.bytes(7, bytes->data);
  }
}

template <typename Sink>
void resource_fields(Sink& sink, const Resource& resource) {
  put_key_values(sink, 1, resource.attributes);
  put_varint(sink, 2, resource.dropped_attributes_count);
  for (const EntityRef& entity : resource.entity_refs) {
    sink.message(3, [&](Sink& inner) {
      put_string(inner, 1, entity.schema_url);
      put_string(inner, 2, entity.type);
      for (const std::string& key : entity.id_keys) inner.bytes(3, key);
      for (const std::string& key : entity.description_keys) inner.bytes(4, key);
    });
  }
}

template <typename Sink>
void scope_fields(Sink& sink, const Scope& scope) {
  put_string(sink, 1, scope.name);
  put_string(sink, 2, scope.version);
  put_key_values(sink, 3, scope.attributes);
  put_varint(sink, 4, scope.dropped_attributes_count);
}

template <typename Sink>
void event_fields(Sink& sink, const SpanEvent& event) {
  put_fixed64(sink, 1, event.time_ns);
  put_string(sink, 2, event.name);
  put_key_values(sink, 3, event.attributes);
  put_varint(sink, 4, event.dropped_attributes_count);
}

template <typename Sink>
void link_fields(Sink& sink, const SpanLink& link) {
  put_id(sink, 1, link.trace_id);
  put_id(sink, 2, link.span_id);
  put_string(sink, 3, link.trace_state);
  put_key_values(sink, 4, link.attributes);
  put_varint(sink, 5, link.dropped_attributes_count);
  put_fixed32(sink, 6, link.flags);
}

// What readers that look into sub-messages unchecked want to see even when it is empty.
enum class Presence : uint8_t { when_set, always };

template <typename Sink>
void span_fields(Sink& sink, const Span& span, Presence status) {
  put_id(sink, 1, span.trace_id);
  put_id(sink, 2, span.span_id);
  put_string(sink, 3, span.trace_state);
  put_id(sink, 4, span.parent_span_id);
  put_string(sink, 5, span.name);
  put_varint(sink, 6, enum_bits(span.kind));
  put_fixed64(sink, 7, span.start_ns);
  put_fixed64(sink, 8, span.end_ns);
  put_key_values(sink, 9, span.attributes);
  put_varint(sink, 10, span.dropped_attributes_count);
  for (const SpanEvent& event : span.events) {
    sink.message(11, [&](Sink& inner) { event_fields(inner, event); });
  }
  put_varint(sink, 12, span.dropped_events_count);
  for (const SpanLink& link : span.links) {
    sink.message(13, [&](Sink& inner) { link_fields(inner, link); });
  }
  put_varint(sink, 14, span.dropped_links_count);
  if (status == Presence::always || !span.status_message.empty() ||
      span.status_code != StatusCode::unset) {
    sink.message(15, [&](Sink& inner) {
      put_string(inner, 2, span.status_message);
      put_varint(inner, 3, enum_bits(span.status_code));
    });
  }
  put_fixed32(sink, 16, span.flags);
}

template <typename Sink>
void log_record_fields(Sink& sink, const LogRecord& record) {
  put_fixed64(sink, 1, record.time_ns);
  put_varint(sink, 2, enum_bits(record.severity_number));
  put_string(sink, 3, record.severity_text);
  if (record.body.is_set()) {
    sink.message(5, [&](Sink& inner) { value_fields(inner, record.body); });
  }
  put_key_values(sink, 6, record.attributes);
  put_varint(sink, 7, record.dropped_attributes_count);
  put_fixed32(sink, 8, record.flags);
  put_id(sink, 9, record.trace_id);
  put_id(sink, 10, record.span_id);
  put_fixed64(sink, 11, record.observed_time_ns);
  put_string(sink, 12, record.event_name);
}

// Resource and scope are written even when empty, as SDKs do.
template <typename Sink>
void traces_fields(Sink& sink, const TracesData& data, Presence status) {
  for (const ResourceSpans& resource_spans : data.resource_spans) {
    sink.message(1, [&](Sink& outer) {
      outer.message(1, [&](Sink& inner) { resource_fields(inner, resource_spans.resource); });
      for (const ScopeSpans& scope_spans : resource_spans.scope_spans) {
        outer.message(2, [&](Sink& middle) {
          middle.message(1, [&](Sink& inner) { scope_fields(inner, scope_spans.scope); });
          for (const Span& span : scope_spans.spans) {
            middle.message(2, [&](Sink& inner) { span_fields(inner, span, status); });
          }
          put_string(middle, 3, scope_spans.scope.schema_url);
        });
      }
      put_string(outer, 3, resource_spans.resource.schema_url);
    });
  }
}

template <typename Sink>
void logs_fields(Sink& sink, const LogsData& data) {
  for (const ResourceLogs& resource_logs : data.resource_logs) {
    sink.message(1, [&](Sink& outer) {
      outer.message(1, [&](Sink& inner) { resource_fields(inner, resource_logs.resource); });
      for (const ScopeLogs& scope_logs : resource_logs.scope_logs) {
        outer.message(2, [&](Sink& middle) {
          middle.message(1, [&](Sink& inner) { scope_fields(inner, scope_logs.scope); });
          for (const LogRecord& record : scope_logs.records) {
            middle.message(2, [&](Sink& inner) { log_record_fields(inner, record); });
          }
          put_string(middle, 3, scope_logs.scope.schema_url);
        });
      }
      put_string(outer, 3, resource_logs.resource.schema_url);
    });
  }
}

}  // namespace

std::string encode_protobuf(const TracesData& data) {
  std::string out;
  append(out, [&](auto& sink) { traces_fields(sink, data, Presence::when_set); });
  return out;
}
std::string encode_protobuf(const LogsData& data) {
  std::string out;
  append(out, [&](auto& sink) { logs_fields(sink, data); });
  return out;
}

void append_span_protobuf(const Span& span, std::string& out) {
  append(out, [&](auto& sink) { span_fields(sink, span, Presence::when_set); });
}
void append_log_record_protobuf(const LogRecord& record, std::string& out) {
  append(out, [&](auto& sink) { log_record_fields(sink, record); });
}
void append_resource_protobuf(const Resource& resource, std::string& out) {
  append(out, [&](auto& sink) { resource_fields(sink, resource); });
}
void append_scope_protobuf(const Scope& scope, std::string& out) {
  append(out, [&](auto& sink) { scope_fields(sink, scope); });
}
void append_value_protobuf(const Value& value, std::string& out) {
  append(out, [&](auto& sink) { value_fields(sink, value); });
}

std::string encode_export_response_protobuf(int64_t rejected, std::string_view message) {
  std::string out;
  if (rejected == 0 && message.empty()) return out;
  append(out, [&](auto& sink) {
    sink.message(1, [&](auto& inner) {
      put_varint(inner, 1, static_cast<uint64_t>(rejected));
      put_string(inner, 2, message);
    });
  });
  return out;
}

std::string encode_tempo_trace_protobuf(const TracesData& trace) {
  std::string out;
  append(out, [&](auto& sink) { traces_fields(sink, trace, Presence::always); });
  return out;
}

std::string encode_tempo_trace_by_id_protobuf(const TracesData& trace,
                                              const TempoTraceByIdInfo& info) {
  std::string out;
  append(out, [&](auto& sink) {
    sink.message(1, [&](auto& inner) { traces_fields(inner, trace, Presence::always); });
    sink.message(2, [&](auto& inner) { put_varint(inner, 1, info.inspected_bytes); });
    put_varint(sink, 3, info.partial ? 1 : 0);
    put_string(sink, 4, info.message);
  });
  return out;
}

}  // namespace contextcore::otlp
