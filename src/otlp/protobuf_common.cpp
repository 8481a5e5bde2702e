#include "otlp/protobuf_common.h"

#include <fmt/format.h>

#include <bit>

namespace contextcore::otlp {

bool CommonDecoder::value(std::string_view all, int depth, Value& out) {
  return each_field(all, "AnyValue", [&](pbf_reader& reader) {
    switch (reader.tag()) {
      case 1: {
        std::string* text = std::get_if<std::string>(&out.data);
        return string(reader, "AnyValue.string_value",
                      text != nullptr ? *text : out.data.emplace<std::string>());
      }
      case 2: {
        uint64_t number = 0;
        if (!varint(reader, "AnyValue.bool_value", number)) return false;
        out.data.emplace<bool>(number != 0);
        return true;
      }
      case 3:
        return varint(reader, "AnyValue.int_value", out.data.emplace<int64_t>());
      case 4: {
        uint64_t bits = 0;
        if (!fixed64(reader, "AnyValue.double_value", bits)) return false;
        out.data.emplace<double>(std::bit_cast<double>(bits));
        return true;
      }
      case 5:
        if (out.as_array() == nullptr) out.data.emplace<Array>();
        return message(reader, "AnyValue.array_value", [&](std::string_view view) {
          return array(view, depth + 1, *std::get_if<Array>(&out.data));
        });
      case 6:
        if (out.as_kvlist() == nullptr) out.data.emplace<KeyValueList>();
        return message(reader, "AnyValue.kvlist_value", [&](std::string_view view) {
          return key_value_list(view, depth + 1, *std::get_if<KeyValueList>(&out.data));
        });
      case 7: {
        std::string_view view;
        if (!bytes(reader, "AnyValue.bytes_value", view)) return false;
        out.data.emplace<Bytes>().data.assign(view);
        return true;
      }
      default:
        return skip(reader);
    }
  });
}

bool CommonDecoder::array(std::string_view all, int depth, Array& out) {
  if (depth > limits_.value_depth_max) {
    return fail(all.data(),
                fmt::format("ArrayValue is nested deeper than {} levels", limits_.value_depth_max));
  }
  return each_field(all, "ArrayValue", [&](pbf_reader& reader) {
    if (reader.tag() != 1) return skip(reader);
    return message(reader, "ArrayValue.values",
                   [&](std::string_view view) { return value(view, depth, out.emplace_back()); });
  });
}

bool CommonDecoder::key_value_list(std::string_view all, int depth, KeyValueList& out) {
  if (depth > limits_.value_depth_max) {
    return fail(all.data(), fmt::format("KeyValueList is nested deeper than {} levels",
                                        limits_.value_depth_max));
  }
  return each_field(all, "KeyValueList", [&](pbf_reader& reader) {
    if (reader.tag() != 1) return skip(reader);
    return message(reader, "KeyValueList.values", [&](std::string_view view) {
      return key_value(view, depth, out.emplace_back());
    });
  });
}

bool CommonDecoder::key_value(std::string_view all, int depth, KeyValue& out) {
  return each_field(all, "KeyValue", [&](pbf_reader& reader) {
    switch (reader.tag()) {
      case 1:
        return string(reader, "KeyValue.key", out.key);
      case 2:
        return message(reader, "KeyValue.value",
                       [&](std::string_view view) { return value(view, depth, out.value); });
      default:
        return skip(reader);
    }
  });
}

bool CommonDecoder::entity_ref(std::string_view all, EntityRef& out) {
  return each_field(all, "EntityRef", [&](pbf_reader& reader) {
    switch (reader.tag()) {
      case 1:
        return string(reader, "EntityRef.schema_url", out.schema_url);
      case 2:
        return string(reader, "EntityRef.type", out.type);
      case 3:
        return string(reader, "EntityRef.id_keys", out.id_keys.emplace_back());
      case 4:
        return string(reader, "EntityRef.description_keys", out.description_keys.emplace_back());
      default:
        return skip(reader);
    }
  });
}

bool CommonDecoder::resource(std::string_view all, Resource& out) {
  return each_field(all, "Resource", [&](pbf_reader& reader) {
    switch (reader.tag()) {
      case 1:
        return attribute(reader, "Resource.attributes", out.attributes);
      case 2:
        return varint(reader, "Resource.dropped_attributes_count", out.dropped_attributes_count);
      case 3:
        return message(reader, "Resource.entity_refs", [&](std::string_view view) {
          return entity_ref(view, out.entity_refs.emplace_back());
        });
      default:
        return skip(reader);
    }
  });
}

bool CommonDecoder::scope(std::string_view all, Scope& out) {
  return each_field(all, "InstrumentationScope", [&](pbf_reader& reader) {
    switch (reader.tag()) {
      case 1:
        return string(reader, "InstrumentationScope.name", out.name);
      case 2:
        return string(reader, "InstrumentationScope.version", out.version);
      case 3:
        return attribute(reader, "InstrumentationScope.attributes", out.attributes);
      case 4:
        return varint(reader, "InstrumentationScope.dropped_attributes_count",
                      out.dropped_attributes_count);
      default:
        return skip(reader);
    }
  });
}

}  // namespace contextcore::otlp
