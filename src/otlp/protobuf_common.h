#pragma once
// The messages that all signals share (AnyValue, KeyValue, Resource, InstrumentationScope), for the
// OTLP protobuf decoders of this room only.

#include <algorithm>

#include "otlp/protobuf.h"
#include "otlp/wire_reader.h"

namespace contextcore::otlp {

class CommonDecoder : public WireReader {
 public:
  CommonDecoder(std::string_view bytes, const DecodeLimits& limits)
      : WireReader(bytes, "OTLP protobuf"), limits_(limits) {}

  bool resource(std::string_view bytes, Resource& out);
  bool scope(std::string_view bytes, Scope& out);
  bool value(std::string_view bytes, int depth, Value& out);

 protected:
  bool attribute(pbf_reader& reader, const char* name, Attributes& out) {
    if (out.capacity() == out.size()) out.reserve(std::max<size_t>(8, 2 * out.size()));
    return message(reader, name,
                   [&](std::string_view view) { return key_value(view, 0, out.emplace_back()); });
  }

  bool key_value(std::string_view bytes, int depth, KeyValue& out);

 private:
  bool entity_ref(std::string_view bytes, EntityRef& out);
  bool array(std::string_view bytes, int depth, Array& out);
  bool key_value_list(std::string_view bytes, int depth, KeyValueList& out);

  const DecodeLimits limits_;
};

}  // namespace contextcore::otlp
