#pragma once
// A frame is one transaction in the write-ahead log: all of it or nothing. Its checksum is seeded
// with the checksum of the frame before it (the first one: with the log's seed, which knows the
// epoch), so that neither a frame left over in a recycled file nor the rest of an overwritten tail
// can ever pass for a continuation. Layout: docs/store-format.md.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace contextcore::store {

enum class PartSignal : uint8_t {
  traces = 1,  // OTLP TracesData
  logs = 2,    // OTLP LogsData
  work = 3,    // a work transaction (frame_work.h)
  digest = 4,  // the digest of the request as it was received, when the parts hold less than that
  metrics = 5,  // OTLP MetricsData, a remote-write request, or what was taken of one
  tenant = 6,   // the name of the frame's tenant, whose first frame it is
};
enum class PartEncoding : uint8_t {
  otlp_protobuf = 1,
  work_1 = 2,
  raw = 3,
  remote_write = 4,  // prometheus.WriteRequest, not compressed
  batch_1 = 5,       // frame_metrics.h
};

struct FramePart {
  PartSignal signal = PartSignal::traces;
  PartEncoding encoding = PartEncoding::otlp_protobuf;
  std::string_view bytes;
};

struct Frame {
  uint64_t epoch = 0;
  uint64_t sequence = 0;
  uint32_t tenant = 0;
  std::vector<FramePart> parts;  // borrowed from the bytes that were decoded
  uint64_t checksum = 0;         // seeds the next frame
  size_t size = 0;               // bytes that the frame takes in the log
};

// Of frames, and of those with traces or logs of another tenant than the default one: a program that knows
// no such tenants must not take them for the default one's.
inline constexpr uint16_t kFrameFormat = 1, kTenantFrameFormat = 2;
inline constexpr size_t kFrameHeaderBytes = 32;
inline constexpr size_t kFrameBytesMax = size_t{1} << 30;

// Appends the frame to out and returns its checksum. invalid_argument: larger than
// kFrameBytesMax.
Result<uint64_t> append_frame(const Frame& frame, uint64_t seed, std::string& out);

enum class FrameState : uint8_t {
  valid,
  none,     // zeros, another epoch, a torn or a damaged frame: the log ends here
  partial,  // starts like a frame but is longer than what was given
  newer,    // whole, and of a format that this program does not know
};
// Reads the frame at the start of bytes.
FrameState read_frame(std::string_view bytes, uint64_t epoch, uint64_t seed, Frame& out);

}  // namespace contextcore::store
