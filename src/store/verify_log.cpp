// The log up to the commit mark: its frames chain by checksums; here also what stands in them is
// decoded, as a replay would.

#include <fmt/format.h>

#include "otlp/protobuf.h"
#include "store/digest.h"
#include "store/frame_metrics.h"
#include "store/frame_work.h"
#include "store/verify_parts.h"
#include "store/wal.h"

namespace contextcore::store {
namespace {

Status check_part(const FramePart& part) {
  switch (part.signal) {
    case PartSignal::traces:
      return otlp::decode_traces_protobuf(part.bytes, kStoredLimits).status();
    case PartSignal::logs:
      return otlp::decode_logs_protobuf(part.bytes, kStoredLimits).status();
    case PartSignal::work: {
      CC_ASSIGN(const WorkRecord record, decode_work(part.bytes));
      return verify_work(record);
    }
    case PartSignal::metrics:
      return decode_metrics(part.encoding, part.bytes).status();
    case PartSignal::digest:
      if (parse_digest(part.bytes)) return {};
      return {Code::corruption, "a digest of a wrong length"};
    case PartSignal::tenant:
      return {};
  }
  return {Code::unsupported, "a kind of data that this version does not know"};
}

}  // namespace

void verify_log(Verification& all) {
  static constexpr const char* kRemedy =
      "restore the store from a backup; what stands before the damage can be had by a copy of the store "
      "without its COMMIT file";
  const PinnedLog& log = all.files().log();
  const Manifest& manifest = all.files().manifest();
  VerifyReport& report = all.report();
  report.sequence = manifest.sequence;
  if (!log.status.ok()) {
    all.add(log.path, {}, log.status.error().message, "restore the store from a backup");
    return;
  }
  auto wal = WalFile::open(all.files(), log.path, manifest.wal_epoch, manifest.store_id, false);
  if (!wal.ok()) {
    all.add(log.path, {}, wal.status(), kRemedy);
    return;
  }
  WalPosition position = (*wal)->start(manifest.sequence);
  size_t tenants = manifest.tenants.size();
  const Status replayed = (*wal)->replay(position, UINT64_MAX, [&](const Frame& frame) -> Status {
    ++report.frames;
    for (const FramePart& part : frame.parts) {
      Status status = check_part(part);
      if (part.signal == PartSignal::tenant) ++tenants;
      if (status.ok() && frame.tenant >= tenants) status = {Code::corruption, "a tenant without a name"};
      if (!status.ok()) {
        all.add(log.path, fmt::format("frame {}", frame.sequence), status.error().message, kRemedy);
      }
    }
    return {};
  });
  if (!replayed.ok()) all.add(log.path, {}, replayed, kRemedy);
  report.sequence = position.sequence;
  if (position.offset < log.committed) {
    all.add(log.path, fmt::format("byte {}", position.offset),
            fmt::format("{} bytes of it are committed, but after transaction {} no valid frame follows", log.committed,
                        position.sequence),
            kRemedy);
  } else if (log.unread_tail) {
    report.notes.push_back(fmt::format(
        "{}: it ends at byte {} after transaction {}, and what follows is no valid frame: a write that a crash cut "
        "off, or damage; no commit mark of this boot tells which",
        log.path, position.offset, position.sequence));
  }
}

}  // namespace contextcore::store
