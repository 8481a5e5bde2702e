#include "store/column_value.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace contextcore::store {
namespace {

enum Tag : uint8_t { kUnset, kString, kFalse, kTrue, kInteger, kReal, kArray, kList, kBytes };

bool decode_value_at(ByteReader& reader, otlp::Value& out, int depth);

bool decode_list_at(ByteReader& reader, otlp::KeyValueList& out, int depth) {
  const uint64_t count = reader.count(2);
  out.clear();
  out.reserve(std::min<uint64_t>(count, 16));  // damaged counts must not add up to much memory
  for (uint64_t i = 0; i < count; ++i) {
    otlp::KeyValue& member = out.emplace_back();
    member.key = reader.string();
    if (!decode_value_at(reader, member.value, depth)) return false;
  }
  return reader.ok();
}

bool decode_value_at(ByteReader& reader, otlp::Value& out, int depth) {
  if (depth == 0) return false;
  switch (reader.u8()) {
    case kUnset:
      out.data = std::monostate();
      break;
    case kString:
      out.data.emplace<std::string>(reader.string());
      break;
    case kFalse:
      out.data = false;
      break;
    case kTrue:
      out.data = true;
      break;
    case kInteger:
      out.data = reader.signed_varint();
      break;
    case kReal:
      out.data = std::bit_cast<double>(reader.u64());
      break;
    case kBytes:
      out.data = otlp::Bytes{std::string(reader.string())};
      break;
    case kArray: {
      otlp::Array array;
      for (uint64_t left = reader.count(); left > 0; --left) {
        if (!decode_value_at(reader, array.emplace_back(), depth - 1)) return false;
      }
      out.data = std::move(array);
      break;
    }
    case kList: {
      otlp::KeyValueList list;
      if (!decode_list_at(reader, list, depth - 1)) return false;
      out.data = std::move(list);
      break;
    }
    default:
      return false;
  }
  return reader.ok();
}

void encode_strings(const std::vector<std::string>& strings, std::string& out) {
  append_varint(strings.size(), out);
  for (const std::string& text : strings) append_string(text, out);
}

void decode_strings(ByteReader& reader, std::vector<std::string>& out) {
  const uint64_t count = reader.count();
  for (uint64_t i = 0; i < count; ++i) out.emplace_back(reader.string());
}

// 32-bit fields of the wire; a bigger number is damage.
uint32_t narrow(ByteReader& reader) {
  const uint64_t value = reader.varint();
  if (value > UINT32_MAX) reader.fail();
  return static_cast<uint32_t>(value);
}

}  // namespace

void append_varint(uint64_t value, std::string& out) {
  while (value >= 0x80) {
    out += static_cast<char>(value | 0x80);
    value >>= 7;
  }
  out += static_cast<char>(value);
}

void append_u32(uint32_t value, std::string& out) {
  char bytes[4];
  std::memcpy(bytes, &value, 4);
  out.append(bytes, 4);
}

void append_u64(uint64_t value, std::string& out) {
  char bytes[8];
  std::memcpy(bytes, &value, 8);
  out.append(bytes, 8);
}

void append_string(std::string_view text, std::string& out) {
  append_varint(text.size(), out);
  out.append(text);
}

void encode_value(const otlp::Value& value, std::string& out) {
  if (const auto* text = value.as_string()) {
    out += static_cast<char>(kString);
    append_string(*text, out);
  } else if (const auto* flag = value.as_bool()) {
    out += static_cast<char>(*flag ? kTrue : kFalse);
  } else if (const auto* integer = value.as_int()) {
    out += static_cast<char>(kInteger);
    append_varint(zigzag(*integer), out);
  } else if (const auto* real = value.as_double()) {
    out += static_cast<char>(kReal);
    append_u64(std::bit_cast<uint64_t>(*real), out);
  } else if (const auto* array = value.as_array()) {
    out += static_cast<char>(kArray);
    append_varint(array->size(), out);
    for (const otlp::Value& element : *array) encode_value(element, out);
  } else if (const auto* list = value.as_kvlist()) {
    out += static_cast<char>(kList);
    encode_attributes(*list, out);
  } else if (const auto* bytes = value.as_bytes()) {
    out += static_cast<char>(kBytes);
    append_string(bytes->data, out);
  } else {
    out += static_cast<char>(kUnset);
  }
}

void encode_attributes(const otlp::Attributes& attributes, std::string& out) {
  append_varint(attributes.size(), out);
  for (const otlp::KeyValue& attribute : attributes) {
    append_string(attribute.key, out);
    encode_value(attribute.value, out);
  }
}

void encode_resource(const otlp::Resource& resource, std::string& out) {
  encode_attributes(resource.attributes, out);
  append_varint(resource.dropped_attributes_count, out);
  append_string(resource.schema_url, out);
  append_varint(resource.entity_refs.size(), out);
  for (const otlp::EntityRef& entity : resource.entity_refs) {
    append_string(entity.schema_url, out);
    append_string(entity.type, out);
    encode_strings(entity.id_keys, out);
    encode_strings(entity.description_keys, out);
  }
}

void encode_scope(const otlp::Scope& scope, std::string& out) {
  append_string(scope.name, out);
  append_string(scope.version, out);
  encode_attributes(scope.attributes, out);
  append_varint(scope.dropped_attributes_count, out);
  append_string(scope.schema_url, out);
}

bool decode_value(ByteReader& reader, otlp::Value& out) {
  return decode_value_at(reader, out, kValueDepthMax);
}

bool decode_attributes(ByteReader& reader, otlp::Attributes& out) {
  return decode_list_at(reader, out, kValueDepthMax);
}

bool decode_resource(std::string_view bytes, otlp::Resource& out) {
  ByteReader reader(bytes);
  if (!decode_attributes(reader, out.attributes)) return false;
  out.dropped_attributes_count = narrow(reader);
  out.schema_url = reader.string();
  const uint64_t entities = reader.count(4);
  for (uint64_t i = 0; i < entities; ++i) {
    otlp::EntityRef& entity = out.entity_refs.emplace_back();
    entity.schema_url = reader.string();
    entity.type = reader.string();
    decode_strings(reader, entity.id_keys);
    decode_strings(reader, entity.description_keys);
  }
  return reader.ok() && reader.at_end();
}

bool decode_scope(std::string_view bytes, otlp::Scope& out) {
  ByteReader reader(bytes);
  out.name = reader.string();
  out.version = reader.string();
  if (!decode_attributes(reader, out.attributes)) return false;
  out.dropped_attributes_count = narrow(reader);
  out.schema_url = reader.string();
  return reader.ok() && reader.at_end();
}

}  // namespace contextcore::store
