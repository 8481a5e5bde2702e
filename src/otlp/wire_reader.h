#pragma once
// Reading protobuf messages on protozero, for the decoders of this room only. Its exceptions end in
// each_field(), which knows the offset; everything above works with bool, the first error being
// kept in the reader.

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <protozero/pbf_reader.hpp>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/utf8.h"

namespace contextcore::otlp {

using protozero::pbf_reader;
using protozero::pbf_wire_type;

inline std::string_view wire_type_name(pbf_wire_type type) {
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

inline std::string_view describe(const protozero::exception& error) {
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
inline bool fits_32_bits(const char* varint, const char* end) {
  const auto size = end - varint;
  return size < 5 || (size == 5 && static_cast<uint8_t>(varint[4]) < 0x10);
}

// How many fields of that number a message has; 0 when it is malformed (decoding will say so).
inline size_t count_fields(std::string_view bytes, protozero::pbf_tag_type tag) {
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

class WireReader {
 public:
  // what: how errors begin.
  WireReader(std::string_view bytes, const char* what) : begin_(bytes.data()), what_(what) {}

  Error take_error() { return std::move(error_); }

 protected:
  bool fail(const char* at, std::string message, Code code = Code::invalid_argument) {
    const int64_t offset = at - begin_;
    error_ = {code, fmt::format("{}: {} (byte {})", what_, message, offset), {}, {}, offset};
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
  bool text(pbf_reader& reader, const char* name, std::string_view& out) {
    if (!bytes(reader, name, out)) return false;
    if (is_valid_utf8(out)) return true;
    return fail(out.data() + first_invalid_utf8(out), fmt::format("{} is not UTF-8", name));
  }
  bool string(pbf_reader& reader, const char* name, std::string& out) {
    std::string_view view;
    if (!text(reader, name, view)) return false;
    out.assign(view);
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

 private:
  const char* begin_;
  const char* what_;
  Error error_;
};

}  // namespace contextcore::otlp
