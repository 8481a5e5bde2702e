#include "store/frame.h"

#include <algorithm>
#include <array>

#include "base/hash.h"
#include "store/store_codec.h"

namespace contextcore::store {
namespace {

constexpr size_t kPartHeaderBytes = 6;
constexpr size_t kChecksumBytes = 8;

uint16_t format_of(const Frame& frame) {
  const bool of_rows = std::any_of(frame.parts.begin(), frame.parts.end(), [](const FramePart& part) {
    return part.signal == PartSignal::traces || part.signal == PartSignal::logs;
  });
  return frame.tenant != 0 && of_rows ? kTenantFrameFormat : kFrameFormat;
}

}  // namespace

Result<uint64_t> append_frame(const Frame& frame, uint64_t seed, std::string& out) {
  size_t size = kFrameHeaderBytes + kChecksumBytes;
  for (const FramePart& part : frame.parts) size += kPartHeaderBytes + part.bytes.size();
  if (size > kFrameBytesMax) {
    return {Code::invalid_argument, "one transaction of " + std::to_string(size) +
                                        " bytes is more than the log takes (" +
                                        std::to_string(kFrameBytesMax) + ")"};
  }
  const size_t begin = out.size();
  RecordWriter writer(out);
  writer.u32(static_cast<uint32_t>(size));
  writer.u16(format_of(frame));
  writer.u16(static_cast<uint16_t>(frame.parts.size()));
  writer.u64(frame.epoch);
  writer.u64(frame.sequence);
  writer.u32(frame.tenant);
  writer.u32(0);
  for (const FramePart& part : frame.parts) {
    writer.u8(static_cast<uint8_t>(part.signal));
    writer.u8(static_cast<uint8_t>(part.encoding));
    writer.bytes(part.bytes);
  }
  const uint64_t checksum = xxh3_64(std::string_view(out).substr(begin), seed);
  writer.u64(checksum);
  return checksum;
}

FrameState read_frame(std::string_view bytes, uint64_t epoch, uint64_t seed, Frame& out) {
  if (bytes.size() < kFrameHeaderBytes) return FrameState::partial;
  RecordReader header(bytes);
  const uint32_t size = header.u32();
  const uint16_t format = header.u16();
  const uint16_t part_count = header.u16();
  const uint64_t frame_epoch = header.u64();
  const uint64_t sequence = header.u64();
  const uint32_t tenant = header.u32();
  if (size < kFrameHeaderBytes + kChecksumBytes || size > kFrameBytesMax || frame_epoch != epoch) {
    return FrameState::none;
  }
  if (bytes.size() < size) return FrameState::partial;
  const std::string_view covered = bytes.substr(0, size - kChecksumBytes);
  const uint64_t stored = RecordReader(bytes.substr(covered.size())).u64();
  if (xxh3_64(covered, seed) != stored) return FrameState::none;
  // Length, format, epoch and checksum are where they are in every format.
  if (format != kFrameFormat && format != kTenantFrameFormat) return FrameState::newer;
  out = {frame_epoch, sequence, tenant, {}, stored, size};
  RecordReader reader(covered.substr(kFrameHeaderBytes));
  for (uint16_t i = 0; i < part_count; ++i) {
    FramePart part;
    part.signal = static_cast<PartSignal>(reader.u8());
    part.encoding = static_cast<PartEncoding>(reader.u8());
    part.bytes = reader.bytes();
    out.parts.push_back(part);
  }
  return reader.done() ? FrameState::valid : FrameState::none;
}

}  // namespace contextcore::store
