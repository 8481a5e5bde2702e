#pragma once
// Files of OTLP: export requests as JSON (one object, or one after the other) and as protobuf (one
// message, or messages that each have their length before them in four bytes, big endian: how the
// OpenTelemetry Collector's file exporter writes). A file or a message may be compressed with gzip
// or zstd; what a file is shows in its first bytes. Not thread-safe.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "otlp/metrics_model.h"
#include "otlp/model.h"

namespace contextcore::otlp {

struct OtlpFileLimits {
  size_t raw_bytes_max = size_t{4} << 30;  // of the file, after decompression
};

// One request; a JSON object may hold several kinds.
struct OtlpFileRequest {
  TracesData traces;
  LogsData logs;
  MetricsData metrics;
};

// Undoes compression of the whole file; other bytes come back as they are.
Result<std::string> unpack_otlp_file(std::string bytes, const OtlpFileLimits& limits = {});

class OtlpFileReader {
 public:
  // bytes: as unpack_otlp_file gives them; they must outlive the reader.
  explicit OtlpFileReader(std::string_view bytes, const OtlpFileLimits& limits = {});

  // The next request; nullopt at the end. Errors say where: "line 3: ..." (JSON), "byte 17: ...".
  Result<std::optional<OtlpFileRequest>> next();
  // How much was read.
  size_t position() const { return at_; }

 private:
  Result<std::optional<OtlpFileRequest>> next_json();
  Result<std::optional<OtlpFileRequest>> next_message();
  Result<OtlpFileRequest> decode(std::string_view payload, size_t offset);
  Error at_line(size_t offset, Error error) const;

  std::string_view bytes_;
  OtlpFileLimits limits_;
  size_t at_ = 0;
};

}  // namespace contextcore::otlp
