#include "otlp/json_reader.h"

namespace contextcore::otlp {

// --- scalars ---

bool JsonReader::string(const Json& json, const Path& path, std::string& out) {
  const std::string* text = json.as_string();
  if (text == nullptr) return expected(path, "a string", json);
  // Escapes can spell what the document's own bytes may not.
  if (!is_valid_utf8(*text)) return fail(path, "is not valid Unicode");
  out = *text;
  return true;
}

bool JsonReader::strings(const Json& json, const Path& path, std::vector<std::string>& out) {
  return list(json, path, out, [this](const Json& item, const Path& at, std::string& text) {
    return string(item, at, text);
  });
}

bool JsonReader::real(const Json& json, const Path& path, double& out) {
  if (json.is_number()) {
    out = json.number();
    return true;
  }
  const std::string* text = json.as_string();
  if (text == nullptr) return expected(path, "a number", json);
  if (*text == "NaN") {
    out = std::numeric_limits<double>::quiet_NaN();
  } else if (*text == "Infinity") {
    out = std::numeric_limits<double>::infinity();
  } else if (*text == "-Infinity") {
    out = -std::numeric_limits<double>::infinity();
  } else {
    const std::optional<double> value = parse_double(*text);
    if (!value || !std::isfinite(*value)) {
      return fail(path, "must be a number, \"NaN\", \"Infinity\" or \"-Infinity\"");
    }
    out = *value;
  }
  return true;
}

bool JsonReader::bytes(const Json& json, const Path& path, std::string& out) {
  const std::string* text = json.as_string();
  if (text == nullptr) return expected(path, "a base64 string", json);
  if (!from_base64(*text, out)) return fail(path, "is not base64");
  return true;
}

// --- common and resource ---

bool JsonReader::value(const Json& json, const Path& path, int depth, Value& out) {
  return each_member(json, path, [&](std::string_view name, const Json& member, const Path& at) {
    if (is_field(name, "stringValue")) return string(member, at, out.data.emplace<std::string>());
    if (is_field(name, "boolValue")) {
      const bool* flag = member.as_bool();
      if (flag == nullptr) return expected(at, "true or false", member);
      out.data.emplace<bool>(*flag);
      return true;
    }
    if (is_field(name, "intValue")) return integer(member, at, out.data.emplace<int64_t>());
    if (is_field(name, "doubleValue")) return real(member, at, out.data.emplace<double>());
    if (is_field(name, "arrayValue")) {
      return array_value(member, at, depth + 1, out.data.emplace<Array>());
    }
    if (is_field(name, "kvlistValue")) {
      return kvlist_value(member, at, depth + 1, out.data.emplace<KeyValueList>());
    }
    if (is_field(name, "bytesValue")) return bytes(member, at, out.data.emplace<Bytes>().data);
    return true;
  });
}

bool JsonReader::array_value(const Json& json, const Path& path, int depth, Array& out) {
  if (depth > limits_.value_depth_max) {
    return fail(path, fmt::format("is nested deeper than {} levels", limits_.value_depth_max));
  }
  return each_member(json, path, [&](std::string_view name, const Json& member, const Path& at) {
    if (!is_field(name, "values")) return true;
    return list(member, at, out, [&](const Json& item, const Path& item_path, Value& element) {
      return value(item, item_path, depth, element);
    });
  });
}

bool JsonReader::kvlist_value(const Json& json, const Path& path, int depth, KeyValueList& out) {
  if (depth > limits_.value_depth_max) {
    return fail(path, fmt::format("is nested deeper than {} levels", limits_.value_depth_max));
  }
  return each_member(json, path, [&](std::string_view name, const Json& member, const Path& at) {
    if (!is_field(name, "values")) return true;
    return list(member, at, out, [&](const Json& item, const Path& item_path, KeyValue& element) {
      return key_value(item, item_path, depth, element);
    });
  });
}

bool JsonReader::key_value(const Json& json, const Path& path, int depth, KeyValue& out) {
  return each_member(json, path, [&](std::string_view name, const Json& member, const Path& at) {
    if (is_field(name, "key")) return string(member, at, out.key);
    if (is_field(name, "value")) {
      out.value = Value();
      return value(member, at, depth, out.value);
    }
    return true;
  });
}

bool JsonReader::attributes(const Json& json, const Path& path, Attributes& out) {
  return list(json, path, out, [this](const Json& item, const Path& at, KeyValue& element) {
    return key_value(item, at, 0, element);
  });
}

bool JsonReader::entity_ref(const Json& json, const Path& path, EntityRef& out) {
  return each_member(json, path, [&](std::string_view name, const Json& member, const Path& at) {
    if (is_field(name, "schemaUrl")) return string(member, at, out.schema_url);
    if (is_field(name, "type")) return string(member, at, out.type);
    if (is_field(name, "idKeys")) return strings(member, at, out.id_keys);
    if (is_field(name, "descriptionKeys")) return strings(member, at, out.description_keys);
    return true;
  });
}

bool JsonReader::resource(const Json& json, const Path& path, Resource& out) {
  return each_member(json, path, [&](std::string_view name, const Json& member, const Path& at) {
    if (is_field(name, "attributes")) return attributes(member, at, out.attributes);
    if (is_field(name, "droppedAttributesCount")) {
      return integer(member, at, out.dropped_attributes_count);
    }
    if (is_field(name, "entityRefs")) {
      return list(member, at, out.entity_refs,
                  [this](const Json& item, const Path& item_path, EntityRef& element) {
                    return entity_ref(item, item_path, element);
                  });
    }
    return true;
  });
}

bool JsonReader::scope(const Json& json, const Path& path, Scope& out) {
  return each_member(json, path, [&](std::string_view name, const Json& member, const Path& at) {
    if (is_field(name, "name")) return string(member, at, out.name);
    if (is_field(name, "version")) return string(member, at, out.version);
    if (is_field(name, "attributes")) return attributes(member, at, out.attributes);
    if (is_field(name, "droppedAttributesCount")) {
      return integer(member, at, out.dropped_attributes_count);
    }
    return true;
  });
}

}  // namespace contextcore::otlp
