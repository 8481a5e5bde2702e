// PushRequest{streams=1}, Stream{labels=1, entries=2}, Entry{timestamp=1 {seconds=1, nanos=2},
// line=2, structuredMetadata=3 {name=1, value=2}}.

#include "otlp/loki_push_build.h"
#include "otlp/snappy.h"
#include "otlp/wire_reader.h"

namespace contextcore::otlp {
namespace {

class Decoder : public WireReader {
 public:
  Decoder(std::string_view bytes, const LokiPushLimits& limits)
      : WireReader(bytes, "push request"), limits_(limits) {}

  bool request(std::string_view all, LogsData& out) {
    return each_field(all, "PushRequest", [&](pbf_reader& reader) {
      if (reader.tag() != 1) return skip(reader);
      return message(reader, "PushRequest.streams",
                     [&](std::string_view view) { return stream(view, out); });
    });
  }

 private:
  bool stream(std::string_view all, LogsData& out) {
    std::string labels;
    std::vector<LogRecord> records;
    const bool read = each_field(all, "Stream", [&](pbf_reader& reader) {
      switch (reader.tag()) {
        case 1:
          return string(reader, "Stream.labels", labels);
        case 2:
          return message(reader, "Stream.entries", [&](std::string_view view) {
            return entry(view, records.emplace_back());
          });
        default:
          return skip(reader);
      }
    });
    if (!read) return false;
    Result<Attributes> parsed = parse_loki_labels(labels);
    if (!parsed.ok()) return fail(all.data(), parsed.error().message);
    const Status added = add_loki_stream(std::move(*parsed), std::move(records), limits_, out);
    return added.ok() || fail(all.data(), added.error().message, added.error().code);
  }

  bool entry(std::string_view all, LogRecord& out) {
    int64_t seconds = 0;
    int32_t nanos = 0;
    std::string line;
    const bool read = each_field(all, "Entry", [&](pbf_reader& reader) {
      switch (reader.tag()) {
        case 1:
          return message(reader, "Entry.timestamp",
                         [&](std::string_view view) { return timestamp(view, seconds, nanos); });
        case 2:
          return string(reader, "Entry.line", line);
        case 3:
          return message(reader, "Entry.structuredMetadata",
                         [&](std::string_view view) { return metadata(view, out); });
        default:
          return skip(reader);
      }
    });
    if (!read) return false;
    int64_t ns = 0;
    if (nanos < 0 || nanos > 999'999'999 || __builtin_mul_overflow(seconds, 1'000'000'000, &ns) ||
        __builtin_add_overflow(ns, int64_t{nanos}, &ns) || ns < 0) {
      return fail(all.data(), "Entry.timestamp is no time after 1970 in 64 bits of nanoseconds");
    }
    out.time_ns = static_cast<uint64_t>(ns);
    out.body = std::move(line);
    return true;
  }

  bool timestamp(std::string_view all, int64_t& seconds, int32_t& nanos) {
    return each_field(all, "Timestamp", [&](pbf_reader& reader) {
      switch (reader.tag()) {
        case 1:
          return varint(reader, "Timestamp.seconds", seconds);
        case 2:
          return varint(reader, "Timestamp.nanos", nanos);
        default:
          return skip(reader);
      }
    });
  }

  bool metadata(std::string_view all, LogRecord& out) {
    std::string name, value;
    const bool read = each_field(all, "LabelPair", [&](pbf_reader& reader) {
      switch (reader.tag()) {
        case 1:
          return string(reader, "LabelPair.name", name);
        case 2:
          return string(reader, "LabelPair.value", value);
        default:
          return skip(reader);
      }
    });
    if (read) add_loki_metadata(name, value, out);
    return read;
  }

  const LokiPushLimits limits_;
};

}  // namespace

Result<LogsData> decode_loki_push(std::string_view body, const LokiPushLimits& limits) {
  CC_ASSIGN(const std::string bytes, snappy_uncompress(body, limits.raw_bytes_max));
  Decoder decoder(bytes, limits);
  LogsData out;
  if (!decoder.request(bytes, out)) return decoder.take_error();
  return out;
}

}  // namespace contextcore::otlp
