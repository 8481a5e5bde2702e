#include "otlp/remote_write.h"

#include <array>
#include <bit>

#include "otlp/protobuf_fields.h"
#include "otlp/snappy.h"
#include "otlp/wire_reader.h"

namespace contextcore::otlp {
namespace {

class Decoder : public WireReader {
 public:
  Decoder(std::string_view bytes, const RemoteWriteLimits& limits)
      : WireReader(bytes, "remote write"), limits_(limits) {}

  bool request(std::string_view all, RemoteWriteRequest& out) {
    return each_field(all, "WriteRequest", [&](pbf_reader& reader) {
      switch (reader.tag()) {
        case 1:
          return message(reader, "WriteRequest.timeseries", [&](std::string_view view) {
            return count(view) && series(view, out.series.emplace_back());
          });
        case 3:
          return message(reader, "WriteRequest.metadata", [&](std::string_view view) {
            return count(view) && metadata(view, out.metadata.emplace_back());
          });
        default:
          return skip(reader);
      }
    });
  }

 private:
  bool count(std::string_view at) {
    if (++items_ <= limits_.items_max) return true;
    return fail(
        at.data(),
        fmt::format("more than {} series, samples and metadata in one request", limits_.items_max),
        Code::resource_exhausted);
  }

  bool series(std::string_view all, RemoteWriteSeries& out) {
    return each_field(all, "TimeSeries", [&](pbf_reader& reader) {
      switch (reader.tag()) {
        case 1:
          return message(reader, "TimeSeries.labels", [&](std::string_view view) {
            if (out.labels.size() >= limits_.labels_max) {
              return fail(view.data(),
                          fmt::format("a series with more than {} labels", limits_.labels_max),
                          Code::resource_exhausted);
            }
            return label(view, out.labels.emplace_back());
          });
        case 2:
          return message(reader, "TimeSeries.samples", [&](std::string_view view) {
            return count(view) && sample(view, out.samples.emplace_back());
          });
        case 3:
          ++out.exemplars;
          return skip(reader);
        case 4:
          ++out.histograms;
          return skip(reader);
        default:
          return skip(reader);
      }
    });
  }

  bool label(std::string_view all, RemoteWriteLabel& out) {
    return each_field(all, "Label", [&](pbf_reader& reader) {
      switch (reader.tag()) {
        case 1:
          return string(reader, "Label.name", out.name);
        case 2:
          return string(reader, "Label.value", out.value);
        default:
          return skip(reader);
      }
    });
  }

  bool sample(std::string_view all, RemoteWriteSample& out) {
    return each_field(all, "Sample", [&](pbf_reader& reader) {
      switch (reader.tag()) {
        case 1: {
          uint64_t bits = 0;
          if (!fixed64(reader, "Sample.value", bits)) return false;
          out.value = std::bit_cast<double>(bits);
          return true;
        }
        case 2:
          return varint(reader, "Sample.timestamp", out.timestamp_ms);
        default:
          return skip(reader);
      }
    });
  }

  bool metadata(std::string_view all, RemoteWriteMetadata& out) {
    return each_field(all, "MetricMetadata", [&](pbf_reader& reader) {
      switch (reader.tag()) {
        case 1:
          return varint(reader, "MetricMetadata.type", out.type);
        case 2:
          return string(reader, "MetricMetadata.metric_family_name", out.metric_family_name);
        case 4:
          return string(reader, "MetricMetadata.help", out.help);
        case 5:
          return string(reader, "MetricMetadata.unit", out.unit);
        default:
          return skip(reader);
      }
    });
  }

  const RemoteWriteLimits limits_;
  size_t items_ = 0;
};

template <typename Sink>
void request_fields(Sink& sink, const RemoteWriteRequest& request) {
  for (const RemoteWriteSeries& series : request.series) {
    sink.message(1, [&](Sink& outer) {
      for (const RemoteWriteLabel& label : series.labels) {
        outer.message(1, [&](Sink& inner) {
          put_string(inner, 1, label.name);
          put_string(inner, 2, label.value);
        });
      }
      for (const RemoteWriteSample& sample : series.samples) {
        outer.message(2, [&](Sink& inner) {
          put_fixed64(inner, 1, std::bit_cast<uint64_t>(sample.value));
          put_varint(inner, 2, static_cast<uint64_t>(sample.timestamp_ms));
        });
      }
    });
  }
  for (const RemoteWriteMetadata& metadata : request.metadata) {
    sink.message(3, [&](Sink& inner) {
      put_varint(inner, 1, enum_bits(metadata.type));
      put_string(inner, 2, metadata.metric_family_name);
      put_string(inner, 4, metadata.help);
      put_string(inner, 5, metadata.unit);
    });
  }
}

constexpr std::array<std::string_view, 8> kTypeNames = {
    "unknown", "counter", "gauge", "histogram", "gaugehistogram", "summary", "info", "stateset"};

}  // namespace

bool RemoteWriteSample::operator==(const RemoteWriteSample& other) const {
  return timestamp_ms == other.timestamp_ms &&
         std::bit_cast<uint64_t>(value) == std::bit_cast<uint64_t>(other.value);
}

size_t RemoteWriteRequest::sample_count() const {
  size_t count = 0;
  for (const RemoteWriteSeries& one : series) count += one.samples.size();
  return count;
}

Result<RemoteWriteRequest> decode_remote_write(std::string_view bytes,
                                               const RemoteWriteLimits& limits) {
  Decoder decoder(bytes, limits);
  RemoteWriteRequest out;
  if (!decoder.request(bytes, out)) return decoder.take_error();
  return out;
}

std::string encode_remote_write(const RemoteWriteRequest& request) {
  std::string out;
  append(out, [&](auto& sink) { request_fields(sink, request); });
  return out;
}

Result<RemoteWriteRequest> decode_remote_write_body(std::string_view body,
                                                    const RemoteWriteLimits& limits) {
  CC_ASSIGN(const std::string raw, snappy_uncompress(body, limits.raw_bytes_max));
  return decode_remote_write(raw, limits);
}

std::string encode_remote_write_body(const RemoteWriteRequest& request) {
  return snappy_compress(encode_remote_write(request));
}

std::string_view remote_write_type_name(RemoteWriteType type) {
  const auto number = static_cast<size_t>(static_cast<uint32_t>(type));
  return number < kTypeNames.size() ? kTypeNames[number] : kTypeNames[0];
}

RemoteWriteType remote_write_type(std::string_view name) {
  for (size_t i = 0; i < kTypeNames.size(); ++i) {
    if (kTypeNames[i] == name) return static_cast<RemoteWriteType>(i);
  }
  return RemoteWriteType::unknown;
}

}  // namespace contextcore::otlp
