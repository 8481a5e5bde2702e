#include "api/tempo_json.h"

#include <cmath>

#include "base/hash.h"

namespace contextcore::api {

namespace {

struct ValueWriter {
  JsonWriter& writer;

  void operator()(std::monostate) const {}
  void operator()(const std::string& value) const { writer.field("stringValue", value); }
  void operator()(bool value) const { writer.field("boolValue", value); }
  void operator()(int64_t value) const { writer.field("intValue", std::to_string(value)); }
  void operator()(double value) const {
    writer.key("doubleValue");
    write_double(value, writer);
  }
  void operator()(const otlp::Array& values) const {
    writer.key("arrayValue");
    writer.begin_object();
    writer.key("values");
    writer.begin_array();
    for (const otlp::Value& value : values) write(value);
    writer.end_array();
    writer.end_object();
  }
  void operator()(const otlp::KeyValueList& values) const {
    writer.key("kvlistValue");
    writer.begin_object();
    writer.key("values");
    write_attributes(values);
    writer.end_object();
  }
  void operator()(const otlp::Bytes& value) const {
    writer.field("bytesValue", to_base64(value.data));
  }

  void write(const otlp::Value& value) const {
    writer.begin_object();
    std::visit(*this, value.data);
    writer.end_object();
  }
  void write_attributes(const otlp::Attributes& attributes) const {
    writer.begin_array();
    for (const otlp::KeyValue& attribute : attributes) {
      writer.begin_object();
      writer.field("key", attribute.key);
      writer.key("value");
      write(attribute.value);
      writer.end_object();
    }
    writer.end_array();
  }
};

}  // namespace

void write_attributes(std::string_view name, const otlp::Attributes& attributes,
                      JsonWriter& writer) {
  if (attributes.empty()) return;
  writer.key(name);
  ValueWriter{writer}.write_attributes(attributes);
}

void write_double(double value, JsonWriter& writer) {
  if (std::isfinite(value)) {
    writer.number(value);
  } else {
    writer.string(std::isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity");
  }
}

}  // namespace contextcore::api
