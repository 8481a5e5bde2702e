// Recovery over damaged bytes: a store whose log, manifest, CURRENT or commit mark has been changed
// opens, or says what is wrong; it never crashes, and what it opens can be read and written.
// Besides that, log frames whose checksums are right and whose contents are anything.
//
// Input: byte 0 chooses what (below 128: modulo 5, one of four files, or the decoders alone; from
// 128: frames), byte 1 how (the flags below), bytes 2-3 the place, the rest is what is written
// there. Frames: per frame the kind of its part, two bytes of length, the part.
//
// The store that is damaged is made once, and copied.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/random.h"
#include "memory_files.h"
#include "store/frame.h"
#include "store/frame_work.h"
#include "store/manifest.h"
#include "store/store.h"
#include "store/wal.h"

namespace {

using namespace contextcore;
using namespace contextcore::store;

using fuzz::MemoryFiles;

constexpr const char* kPath = "/store";

// Bits of byte 1.
constexpr uint8_t kCutOff = 1, kNextBoot = 2, kAfterCut = 4, kWriteAfter = 8, kCutAfter = 16;

StoreOptions options(FileSystem& files, Clock& clock, Random& random) {
  StoreOptions result;
  result.path = kPath;
  result.file_system = &files;
  result.clock = &clock;
  result.random = &random;
  return result;
}

WorkPlan write_task(uint8_t number) {
  return [number](const WorkView& view) -> Result<WorkTransaction> {
    JournalSpan span;
    span.span.trace_id.bytes[15] = number;
    span.span.span_id.bytes[7] = number;
    span.span.name = "task";
    span.span.attributes = {{"k", "v"}};
    CC_ASSIGN(auto before, view.span(span.span.span_id));
    if (before) span = *before;
    ++span.revision;
    otlp::set(span.span.attributes, "n", span.revision);
    JournalEvent event;
    event.record.span_id = span.span.span_id;
    event.record.body = "changed";
    WorkTransaction transaction;
    transaction.spans = {span};
    transaction.events = {event};
    return transaction;
  };
}

void read_everything(Store& store) {
  const auto read = store.read();
  if (!read.ok()) return;
  auto traces = read->source->fetch({});
  while (traces.ok()) {
    const auto trace = (*traces)->next();
    if (!trace.ok() || *trace == nullptr) break;
    (void)read->source->trace((*trace)->trace_id());
  }
  auto logs = read->source->fetch_logs({});
  LogEntry entry;
  while (logs.ok()) {
    const auto more = (*logs)->next(entry);
    if (!more.ok() || !*more) break;
  }
}

void damage(FileSystem& files, const std::string& path, uint8_t how, size_t place,
            std::string_view bytes) {
  auto file = files.open(path, OpenMode::create);
  if (!file.ok()) return;
  const auto size = (*file)->size();
  if (!size.ok()) return;
  const uint64_t at = *size == 0 ? 0 : place % (*size + 1);
  if ((how & kCutOff) != 0) (void)(*file)->truncate(at);
  (void)(*file)->write_at(at, bytes);
}

// Decoders by themselves, past their checksums.
void decode(std::string_view bytes) {
  (void)decode_manifest(bytes);
  const auto record = decode_work(bytes);
  if (record.ok()) {
    (void)verify_work(*record);
    for (const EncodedDelta& delta : record->deltas) {
      auto decoded = decode_delta(delta);
      if (decoded.ok()) (void)apply_delta(std::nullopt, *std::move(decoded));
    }
  }
  Frame frame;
  (void)read_frame(bytes, 1, 0, frame);
}

// A store with four transactions, the last one behind a cut or not.
struct Image {
  MemoryFiles files;
  std::string store_id;
  WalPosition end;  // of the log
  uint64_t epoch = 1;

  explicit Image(bool cut) {
    ManualClock clock;
    clock.set_boot_id("boot");
    SeededRandom random(1);
    auto store = Store::open(options(files, clock, random));
    if (!store.ok()) __builtin_trap();
    for (uint8_t i = 1; i <= 3; ++i) {
      if (!(*store)->commit("", write_task(i)).ok()) __builtin_trap();
    }
    if (cut && !(*store)->cut().ok()) __builtin_trap();
    if (!(*store)->commit("", write_task(2)).ok()) __builtin_trap();
    store_id = (*store)->store_id();
    if (cut) epoch = 2;
    const auto wal = WalFile::open(files, wal_path(kPath, epoch), epoch, store_id, false);
    if (!wal.ok()) __builtin_trap();
    end = (*wal)->start(cut ? 3 : 0);
    if (!(*wal)->replay(end, UINT64_MAX, [](const Frame&) { return Status(); }).ok() ||
        end.sequence != 4) {
      __builtin_trap();
    }
  }
};

// Puts frames with right checksums behind the log's last one.
void append_frames(const Image& image, FileSystem& files, std::string_view input) {
  std::string log;
  uint64_t seed = image.end.seed;
  for (uint64_t sequence = image.end.sequence + 1; input.size() > 3; ++sequence) {
    FramePart part;
    part.signal = static_cast<PartSignal>(input[0]);
    const size_t length = static_cast<uint8_t>(input[1]) | size_t{static_cast<uint8_t>(input[2])}
                                                               << 8;
    part.bytes = input.substr(3, length);
    input.remove_prefix(3 + part.bytes.size());
    Frame frame;
    frame.epoch = image.epoch;
    frame.sequence = sequence;
    frame.parts = {part};
    const auto checksum = append_frame(frame, seed, log);
    if (!checksum.ok()) __builtin_trap();
    seed = *checksum;
  }
  auto file = files.open(wal_path(kPath, image.epoch), OpenMode::read_write);
  if (!file.ok() || !(*file)->write_at(image.end.offset, log).ok()) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 4) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 4, size - 4);
  const bool frames = data[0] >= 128;
  const uint8_t how = data[1];
  if (!frames && data[0] % 5 == 4) {
    decode(rest);
    return 0;
  }
  static const Image kImages[] = {Image(false), Image(true)};
  const Image& image = kImages[(how & kAfterCut) != 0 ? 1 : 0];
  MemoryFiles files(image.files);
  if (frames) {
    append_frames(image, files, rest);
  } else {
    const std::string paths[] = {wal_path(kPath, image.epoch), mark_path(kPath),
                                 current_path(kPath), join_path(kPath, "MANIFEST-00000001")};
    const size_t place = static_cast<size_t>(data[2]) << 8 | data[3];
    damage(files, paths[data[0] % 5], how, place, rest);
  }
  ManualClock clock;
  // In the next boot the commit mark is not believed, and every valid frame is.
  clock.set_boot_id((how & kNextBoot) != 0 || frames ? "next boot" : "boot");
  SeededRandom random(1);
  auto store = Store::open(options(files, clock, random));
  if (!store.ok()) return 0;
  read_everything(**store);
  if ((how & kWriteAfter) != 0) (void)(*store)->commit("", write_task(1));
  if ((how & kCutAfter) != 0) (void)(*store)->cut();
  if ((how & (kWriteAfter | kCutAfter)) != 0) read_everything(**store);
  return 0;
}
