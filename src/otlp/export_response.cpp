#include "otlp/export_response.h"

#include <algorithm>
#include <protozero/pbf_reader.hpp>

namespace contextcore::otlp {
namespace {

constexpr size_t kMessageBytesMax = 4096;

Result<ExportResponse> read(std::string_view bytes) {
  ExportResponse out;
  protozero::pbf_reader response(bytes.data(), bytes.size());
  while (response.next()) {
    if (response.tag() != 1 || response.wire_type() != protozero::pbf_wire_type::length_delimited) {
      response.skip();
      continue;
    }
    protozero::pbf_reader partial = response.get_message();
    while (partial.next()) {
      if (partial.tag() == 1 && partial.wire_type() == protozero::pbf_wire_type::varint) {
        out.rejected = partial.get_int64();
      } else if (partial.tag() == 2 &&
                 partial.wire_type() == protozero::pbf_wire_type::length_delimited) {
        const auto text = partial.get_view();
        out.message.assign(text.data(), std::min(text.size(), kMessageBytesMax));
      } else {
        partial.skip();
      }
    }
  }
  return out;
}

}  // namespace

Result<ExportResponse> decode_export_response_protobuf(std::string_view bytes) {
  try {
    return read(bytes);
  } catch (const std::exception& error) {
    return Error{Code::invalid_argument,
                 std::string("the answer is not an OTLP response: ") + error.what(),
                 {},
                 {},
                 {}};
  }
}

std::string decode_rpc_status_message(std::string_view bytes) {
  try {
    protozero::pbf_reader status(bytes.data(), bytes.size());
    std::string message;
    while (status.next()) {
      if (status.tag() == 2 && status.wire_type() == protozero::pbf_wire_type::length_delimited) {
        const auto text = status.get_view();
        message.assign(text.data(), std::min(text.size(), kMessageBytesMax));
      } else {
        status.skip();
      }
    }
    return message;
  } catch (const std::exception&) {
    return {};
  }
}

}  // namespace contextcore::otlp
