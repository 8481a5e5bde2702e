#pragma once
// The fields of the messages that all signals share, over a sink of wire_writer.h; for the encoders
// of this room only. Canonical proto3: fields in rising order, defaults left out, members of a
// oneof always written.

#include "otlp/model.h"
#include "otlp/wire_writer.h"

namespace contextcore::otlp {

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

}  // namespace contextcore::otlp
