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

// The field of a message that has messages and texts only; "" if it has none.
std::string_view field(std::string_view bytes, uint32_t tag) {
  protozero::pbf_reader message(bytes.data(), bytes.size());
  std::string_view found;
  while (message.next()) {
    if (message.tag() == tag && message.wire_type() == protozero::pbf_wire_type::length_delimited) {
      const auto view = message.get_view();
      found = {view.data(), view.size()};
    } else {
      message.skip();
    }
  }
  return found;
}

// google.protobuf.Any with google.rpc.RetryInfo { retry_delay: google.protobuf.Duration }.
std::optional<int64_t> read_retry_delay(std::string_view any) {
  if (!field(any, 1).ends_with("/google.rpc.RetryInfo")) return std::nullopt;
  const std::string_view delay = field(field(any, 2), 1);
  protozero::pbf_reader duration(delay.data(), delay.size());
  int64_t seconds = 0, nanos = 0;
  while (duration.next()) {
    const bool varint = duration.wire_type() == protozero::pbf_wire_type::varint;
    if (varint && duration.tag() == 1) {
      seconds = duration.get_int64();
    } else if (varint && duration.tag() == 2) {
      nanos = duration.get_int32();
    } else {
      duration.skip();
    }
  }
  // The range of a Duration: 10,000 years. What is longer than a century counts as one.
  constexpr int64_t kSecondsMax = int64_t{100} * 365 * 86'400;
  seconds = std::clamp(seconds, -kSecondsMax, kSecondsMax);
  nanos = std::clamp<int64_t>(nanos, -999'999'999, 999'999'999);
  return seconds * 1'000'000'000 + nanos;
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

RpcStatus decode_rpc_status(std::string_view bytes) {
  try {
    RpcStatus out;
    protozero::pbf_reader status(bytes.data(), bytes.size());
    while (status.next()) {
      if (status.wire_type() != protozero::pbf_wire_type::length_delimited) {
        status.skip();
        continue;
      }
      const auto tag = status.tag();
      const auto value = status.get_view();
      if (tag == 2) out.message.assign(value.data(), std::min(value.size(), kMessageBytesMax));
      if (tag == 3 && !out.retry_delay_ns)
        out.retry_delay_ns = read_retry_delay({value.data(), value.size()});
    }
    return out;
  } catch (const std::exception&) {
    return {};
  }
}

}  // namespace contextcore::otlp
