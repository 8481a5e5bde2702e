// Wire bytes → model in one pass, on protozero. Its exceptions end in each_field(), which knows the
// offset; everything above works with bool, the first error being kept in the decoder.
//
// Merging follows proto3: a scalar sent twice: the last wins; a sub-message sent twice is merged;
// of a oneof the last member wins, and two lists of the same member are joined.

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <protozero/pbf_reader.hpp>

#include "base/utf8.h"
#include "otlp/protobuf.h"

namespace contextcore::otlp {
namespace {

using protozero::pbf_reader;
using protozero::pbf_wire_type;

std::string_view wire_type_name(pbf_wire_type type) {
  switch (type) {
    case pbf_wire_type::varint:
      return "varint";
    case pbf_wire_type::fixed64:
      return "fixed64";
    case pbf_wire_type::length_delimited:
      return "length-delimited";
    case pbf_wire_type::fixed32:
      return "fixed32";
    default:
      return "unknown";
  }
}

std::string_view describe(const protozero::exception& error) {
  if (dynamic_cast<const protozero::end_of_buffer_exception*>(&error) != nullptr) {
    return "ends in the middle of a field";
  }
  if (dynamic_cast<const protozero::varint_too_long_exception*>(&error) != nullptr) {
    return "has a varint longer than 10 bytes";
  }
  if (dynamic_cast<const protozero::unknown_pbf_wire_type_exception*>(&error) != nullptr) {
    return "has a field with an unknown wire type";
  }
  if (dynamic_cast<const protozero::invalid_tag_exception*>(&error) != nullptr) {
    return "has an invalid field number";
  }
  if (dynamic_cast<const protozero::invalid_length_exception*>(&error) != nullptr) {
    return "has a field of an impossible length";
  }
  return "is not valid protobuf";
}

// Field keys and lengths have 32 bits, but protozero cuts longer varints down to that.
bool fits_32_bits(const char* varint, const char* end) {
  const auto size = end - varint;
  return size < 5 || (size == 5 && static_cast<uint8_t>(varint[4]) < 0x10);
}

// How many fields of that number a message has; 0 when it is malformed (decoding will say so).
size_t count_fields(std::string_view bytes, protozero::pbf_tag_type tag) {
  size_t count = 0;
  try {
    pbf_reader reader(bytes.data(), bytes.size());
    while (reader.next()) {
      if (reader.tag() == tag) ++count;
      reader.skip();
    }
  } catch (const protozero::exception&) {
    return 0;
  }
  return count;
}

class Decoder {
 public:
  Decoder(std::string_view bytes, const DecodeLimits& limits)
      : begin_(bytes.data()), limits_(limits) {}

  Error take_error() { return std::move(error_); }

  bool traces(std::string_view bytes, TracesData& out);
  bool logs(std::string_view bytes, LogsData& out);
  bool span(std::string_view bytes, Span& out);
  bool log_record(std::string_view bytes, LogRecord& out);
  bool resource(std::string_view bytes, Resource& out);
  bool scope(std::string_view bytes, Scope& out);
  bool value(std::string_view bytes, int depth, Value& out);

 private:
  bool resource_spans(std::string_view bytes, ResourceSpans& out);
  bool scope_spans(std::string_view bytes, ScopeSpans& out);
  bool event(std::string_view bytes, SpanEvent& out);
  bool link(std::string_view bytes, SpanLink& out);
  bool status(std::string_view bytes, Span& out);
  bool resource_logs(std::string_view bytes, ResourceLogs& out);
  bool scope_logs(std::string_view bytes, ScopeLogs& out);
  bool entity_ref(std::string_view bytes, EntityRef& out);
  bool key_value(std::string_view bytes, int depth, KeyValue& out);
  bool array(std::string_view bytes, int depth, Array& out);
  bool key_value_list(std::string_view bytes, int depth, KeyValueList& out);

  bool fail(const char* at, std::string message) {
    const int64_t offset = at - begin_;
    error_ = {Code::invalid_argument,
              fmt::format("OTLP protobuf: {} (byte {})", message, offset),
              {},
              {},
              offset};
    return false;
  }

  // Calls field(reader) for every field of a message; field reads or skips it.
  template <typename Field>
  bool each_field(std::string_view bytes, const char* message, Field&& field) {
    pbf_reader reader(bytes.data(), bytes.size());
    try {
      const char* key = reader.data().data();
      while (reader.next()) {
        if (!fits_32_bits(key, reader.data().data())) throw protozero::invalid_tag_exception();
        if (!field(reader)) return false;
        key = reader.data().data();
      }
      return true;
    } catch (const protozero::exception& error) {
      return fail(reader.data().data(), fmt::format("{} {}", message, describe(error)));
    }
  }

  bool has_type(const pbf_reader& reader, pbf_wire_type type, const char* name) {
    if (reader.wire_type() == type) return true;
    return fail(reader.data().data(),
                fmt::format("{} has wire type {}, {} expected", name,
                            wire_type_name(reader.wire_type()), wire_type_name(type)));
  }

  // Throws when the length is no 32-bit number.
  static std::string_view get_view(pbf_reader& reader) {
    const char* length = reader.data().data();
    const protozero::data_view view = reader.get_view();
    if (!fits_32_bits(length, view.data())) throw protozero::invalid_length_exception();
    return {view.data(), view.size()};
  }

  static bool skip(pbf_reader& reader) {
    if (reader.wire_type() == pbf_wire_type::length_delimited) {
      get_view(reader);
    } else {
      reader.skip();
    }
    return true;
  }

  template <typename T>
  bool varint(pbf_reader& reader, const char* name, T& out) {
    if (!has_type(reader, pbf_wire_type::varint, name)) return false;
    out = static_cast<T>(reader.get_uint64());
    return true;
  }
  bool fixed64(pbf_reader& reader, const char* name, uint64_t& out) {
    if (!has_type(reader, pbf_wire_type::fixed64, name)) return false;
    out = reader.get_fixed64();
    return true;
  }
  bool fixed32(pbf_reader& reader, const char* name, uint32_t& out) {
    if (!has_type(reader, pbf_wire_type::fixed32, name)) return false;
    out = reader.get_fixed32();
    return true;
  }
  bool bytes(pbf_reader& reader, const char* name, std::string_view& out) {
    if (!has_type(reader, pbf_wire_type::length_delimited, name)) return false;
    out = get_view(reader);
    return true;
  }
  bool string(pbf_reader& reader, const char* name, std::string& out) {
    std::string_view text;
    if (!bytes(reader, name, text)) return false;
    if (!is_valid_utf8(text)) {
      return fail(text.data() + first_invalid_utf8(text), fmt::format("{} is not UTF-8", name));
    }
    out.assign(text);
    return true;
  }
  template <typename Id>
  bool id(pbf_reader& reader, const char* name, Id& out) {
    std::string_view view;
    if (!bytes(reader, name, view)) return false;
    if (view.empty()) {
      out = Id{};
      return true;
    }
    if (view.size() != out.bytes.size()) {
      return fail(view.data(), fmt::format("{} has {} bytes, {} (or none) expected", name,
                                           view.size(), out.bytes.size()));
    }
    std::memcpy(out.bytes.data(), view.data(), view.size());
    return true;
  }
  // Reads a sub-message and gives its bytes to decode(bytes).
  template <typename Decode>
  bool message(pbf_reader& reader, const char* name, Decode&& decode) {
    std::string_view view;
    return bytes(reader, name, view) && decode(view);
  }
  bool attribute(pbf_reader& reader, const char* name, Attributes& out) {
    if (out.capacity() == out.size()) out.reserve(std::max<size_t>(8, 2 * out.size()));
    return message(reader, name,
                   [&](std::string_view view) { return key_value(view, 0, out.emplace_back()); });
  }

  const char* begin_;
  const DecodeLimits limits_;
  Error error_;
};

// --- common and resource ---

bool Decoder::value(std::string_view all, int depth, Value& out) {
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

bool Decoder::array(std::string_view all, int depth, Array& out) {
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

bool Decoder::key_value_list(std::string_view all, int depth, KeyValueList& out) {
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

bool Decoder::key_value(std::string_view all, int depth, KeyValue& out) {
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

bool Decoder::entity_ref(std::string_view all, EntityRef& out) {
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

bool Decoder::resource(std::string_view all, Resource& out) {
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

bool Decoder::scope(std::string_view all, Scope& out) {
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

// --- traces ---

bool Decoder::traces(std::string_view all, TracesData& out) {
  return each_field(all, "TracesData", [&](pbf_reader& reader) {
    if (reader.tag() != 1) return skip(reader);
    return message(reader, "TracesData.resource_spans", [&](std::string_view view) {
      return resource_spans(view, out.resource_spans.emplace_back());
    });
  });
}

bool Decoder::resource_spans(std::string_view all, ResourceSpans& out) {
  return each_field(all, "ResourceSpans", [&](pbf_reader& reader) {
    switch (reader.tag()) {
      case 1:
        return message(reader, "ResourceSpans.resource",
                       [&](std::string_view view) { return resource(view, out.resource); });
      case 2:
        return message(reader, "ResourceSpans.scope_spans", [&](std::string_view view) {
          return scope_spans(view, out.scope_spans.emplace_back());
        });
      case 3:
        return string(reader, "ResourceSpans.schema_url", out.resource.schema_url);
      default:
        return skip(reader);
    }
  });
}

bool Decoder::scope_spans(std::string_view all, ScopeSpans& out) {
  out.spans.reserve(count_fields(all, 2));
  return each_field(all, "ScopeSpans", [&](pbf_reader& reader) {
    switch (reader.tag()) {
      case 1:
        return message(reader, "ScopeSpans.scope",
                       [&](std::string_view view) { return scope(view, out.scope); });
      case 2:
        return message(reader, "ScopeSpans.spans",
                       [&](std::string_view view) { return span(view, out.spans.emplace_back()); });
      case 3:
        return string(reader, "ScopeSpans.schema_url", out.scope.schema_url);
      default:
        return skip(reader);
    }
  });
}

bool Decoder::span(std::string_view all, Span& out) {
  return each_field(all, "Span", [&](pbf_reader& reader) {
    switch (reader.tag()) {
      case 1:
        return id(reader, "Span.trace_id", out.trace_id);
      case 2:
        return id(reader, "Span.span_id", out.span_id);
      case 3:
        return string(reader, "Span.trace_state", out.trace_state);
      case 4:
        return id(reader, "Span.parent_span_id", out.parent_span_id);
      case 5:
        return string(reader, "Span.name", out.name);
      case 6:
        return varint(reader, "Span.kind", out.kind);
      case 7:
        return fixed64(reader, "Span.start_time_unix_nano", out.start_ns);
      case 8:
        return fixed64(reader, "Span.end_time_unix_nano", out.end_ns);
      case 9:
        return attribute(reader, "Span.attributes", out.attributes);
      case 10:
        return varint(reader, "Span.dropped_attributes_count", out.dropped_attributes_count);
      case 11:
        return message(reader, "Span.events", [&](std::string_view view) {
          return event(view, out.events.emplace_back());
        });
      case 12:
        return varint(reader, "Span.dropped_events_count", out.dropped_events_count);
      case 13:
        return message(reader, "Span.links",
                       [&](std::string_view view) { return link(view, out.links.emplace_back()); });
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
}

bool Decoder::event(std::string_view all, SpanEvent& out) {
  return each_field(all, "Span.Event", [&](pbf_reader& reader) {
    switch (reader.tag()) {
      case 1:
        return fixed64(reader, "Span.Event.time_unix_nano", out.time_ns);
      case 2:
        return string(reader, "Span.Event.name", out.name);
      case 3:
        return attribute(reader, "Span.Event.attributes", out.attributes);
      case 4:
        return varint(reader, "Span.Event.dropped_attributes_count", out.dropped_attributes_count);
      default:
        return skip(reader);
    }
  });
}

bool Decoder::link(std::string_view all, SpanLink& out) {
  return each_field(all, "Span.Link", [&](pbf_reader& reader) {
    switch (reader.tag()) {
      case 1:
        return id(reader, "Span.Link.trace_id", out.trace_id);
      case 2:
        return id(reader, "Span.Link.span_id", out.span_id);
      case 3:
        return string(reader, "Span.Link.trace_state", out.trace_state);
      case 4:
        return attribute(reader, "Span.Link.attributes", out.attributes);
      case 5:
        return varint(reader, "Span.Link.dropped_attributes_count", out.dropped_attributes_count);
      case 6:
        return fixed32(reader, "Span.Link.flags", out.flags);
      default:
        return skip(reader);
    }
  });
}

// Field 1 is the code of before OTLP 0.9; it is skipped.
bool Decoder::status(std::string_view all, Span& out) {
  return each_field(all, "Status", [&](pbf_reader& reader) {
    switch (reader.tag()) {
      case 2:
        return string(reader, "Status.message", out.status_message);
      case 3:
        return varint(reader, "Status.code", out.status_code);
      default:
        return skip(reader);
    }
  });
}

// --- logs ---

bool Decoder::logs(std::string_view all, LogsData& out) {
  return each_field(all, "LogsData", [&](pbf_reader& reader) {
    if (reader.tag() != 1) return skip(reader);
    return message(reader, "LogsData.resource_logs", [&](std::string_view view) {
      return resource_logs(view, out.resource_logs.emplace_back());
    });
  });
}

bool Decoder::resource_logs(std::string_view all, ResourceLogs& out) {
  return each_field(all, "ResourceLogs", [&](pbf_reader& reader) {
    switch (reader.tag()) {
      case 1:
        return message(reader, "ResourceLogs.resource",
                       [&](std::string_view view) { return resource(view, out.resource); });
      case 2:
        return message(reader, "ResourceLogs.scope_logs", [&](std::string_view view) {
          return scope_logs(view, out.scope_logs.emplace_back());
        });
      case 3:
        return string(reader, "ResourceLogs.schema_url", out.resource.schema_url);
      default:
        return skip(reader);
    }
  });
}

bool Decoder::scope_logs(std::string_view all, ScopeLogs& out) {
  out.records.reserve(count_fields(all, 2));
  return each_field(all, "ScopeLogs", [&](pbf_reader& reader) {
    switch (reader.tag()) {
      case 1:
        return message(reader, "ScopeLogs.scope",
                       [&](std::string_view view) { return scope(view, out.scope); });
      case 2:
        return message(reader, "ScopeLogs.log_records", [&](std::string_view view) {
          return log_record(view, out.records.emplace_back());
        });
      case 3:
        return string(reader, "ScopeLogs.schema_url", out.scope.schema_url);
      default:
        return skip(reader);
    }
  });
}

bool Decoder::log_record(std::string_view all, LogRecord& out) {
  return each_field(all, "LogRecord", [&](pbf_reader& reader) {
    switch (reader.tag()) {
      case 1:
        return fixed64(reader, "LogRecord.time_unix_nano", out.time_ns);
      case 2:
        return varint(reader, "LogRecord.severity_number", out.severity_number);
      case 3:
        return string(reader, "LogRecord.severity_text", out.severity_text);
      case 5:
        return message(reader, "LogRecord.body",
                       [&](std::string_view view) { return value(view, 0, out.body); });
      case 6:
        return attribute(reader, "LogRecord.attributes", out.attributes);
      case 7:
        return varint(reader, "LogRecord.dropped_attributes_count", out.dropped_attributes_count);
      case 8:
        return fixed32(reader, "LogRecord.flags", out.flags);
      case 9:
        return id(reader, "LogRecord.trace_id", out.trace_id);
      case 10:
        return id(reader, "LogRecord.span_id", out.span_id);
      case 11:
        return fixed64(reader, "LogRecord.observed_time_unix_nano", out.observed_time_ns);
      case 12:
        return string(reader, "LogRecord.event_name", out.event_name);
      default:
        return skip(reader);
    }
  });
}

template <typename T, typename Decode>
Result<T> run(std::string_view bytes, const DecodeLimits& limits, Decode&& decode) {
  Decoder decoder(bytes, limits);
  T out;
  if (!decode(decoder, out)) return decoder.take_error();
  return out;
}

}  // namespace

Result<TracesData> decode_traces_protobuf(std::string_view bytes, const DecodeLimits& limits) {
  return run<TracesData>(bytes, limits,
                         [&](Decoder& decoder, auto& out) { return decoder.traces(bytes, out); });
}
Result<LogsData> decode_logs_protobuf(std::string_view bytes, const DecodeLimits& limits) {
  return run<LogsData>(bytes, limits,
                       [&](Decoder& decoder, auto& out) { return decoder.logs(bytes, out); });
}
Result<Span> decode_span_protobuf(std::string_view bytes, const DecodeLimits& limits) {
  return run<Span>(bytes, limits,
                   [&](Decoder& decoder, auto& out) { return decoder.span(bytes, out); });
}
Result<LogRecord> decode_log_record_protobuf(std::string_view bytes, const DecodeLimits& limits) {
  return run<LogRecord>(
      bytes, limits, [&](Decoder& decoder, auto& out) { return decoder.log_record(bytes, out); });
}
Result<Resource> decode_resource_protobuf(std::string_view bytes, const DecodeLimits& limits) {
  return run<Resource>(bytes, limits,
                       [&](Decoder& decoder, auto& out) { return decoder.resource(bytes, out); });
}
Result<Scope> decode_scope_protobuf(std::string_view bytes, const DecodeLimits& limits) {
  return run<Scope>(bytes, limits,
                    [&](Decoder& decoder, auto& out) { return decoder.scope(bytes, out); });
}
Result<Value> decode_value_protobuf(std::string_view bytes, const DecodeLimits& limits) {
  return run<Value>(bytes, limits,
                    [&](Decoder& decoder, auto& out) { return decoder.value(bytes, 0, out); });
}

}  // namespace contextcore::otlp
