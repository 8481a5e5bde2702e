// Recovery over damaged bytes: a store whose log, manifest, CURRENT or commit mark has been changed
// opens, or says what is wrong; it never crashes, and what it opens can be read and written.
//
// Input: byte 0 chooses the file (or the decoders alone), byte 1 how (cut off there, in a new boot,
// after a cut), bytes 2-3 the place, the rest is written there.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/random.h"
#include "base/sim_file_system.h"
#include "store/frame.h"
#include "store/frame_work.h"
#include "store/manifest.h"
#include "store/store.h"

namespace {

using namespace contextcore;
using namespace contextcore::store;

constexpr const char* kPath = "/store";

StoreOptions options(SimFileSystem& files, ManualClock& clock, SeededRandom& random) {
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

void damage(SimFileSystem& files, const std::string& path, uint8_t how, size_t place,
            std::string_view bytes) {
  auto file = files.open(path, OpenMode::create);
  if (!file.ok()) return;
  const auto size = (*file)->size();
  if (!size.ok()) return;
  const uint64_t at = *size == 0 ? 0 : place % (*size + 1);
  if ((how & 1) != 0) (void)(*file)->truncate(at);
  (void)(*file)->write_at(at, bytes);
}

// Decoders by themselves, past their checksums.
void decode(std::string_view bytes) {
  (void)decode_manifest(bytes);
  const auto record = decode_work(bytes);
  if (record.ok()) {
    for (const SpanDelta& delta : record->deltas) (void)apply_delta(nullptr, delta);
  }
  Frame frame;
  (void)read_frame(bytes, 1, 0, frame);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 4) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 4, size - 4);
  if (data[0] % 5 == 4) {
    decode(rest);
    return 0;
  }
  ManualClock clock;
  clock.set_boot_id("boot");
  SeededRandom random(1);
  SimDisk disk(1, &clock);
  const auto files = disk.start_process();
  {
    auto store = Store::open(options(*files, clock, random));
    if (!store.ok()) __builtin_trap();
    for (uint8_t i = 1; i <= 3; ++i) {
      if (!(*store)->commit("", write_task(i)).ok()) __builtin_trap();
    }
    if ((data[1] & 4) != 0 && !(*store)->cut().ok()) __builtin_trap();
    if (!(*store)->commit("", write_task(2)).ok()) __builtin_trap();
  }
  const uint64_t epoch = (data[1] & 4) != 0 ? 2 : 1;
  const std::string paths[] = {wal_path(kPath, epoch), mark_path(kPath), current_path(kPath),
                               join_path(kPath, "MANIFEST-00000001")};
  const size_t place = static_cast<size_t>(data[2]) << 8 | data[3];
  damage(*files, paths[data[0] % 5], data[1], place, rest);
  if ((data[1] & 2) != 0) clock.set_boot_id("next boot");  // the commit mark is not believed then
  auto store = Store::open(options(*files, clock, random));
  if (!store.ok()) return 0;
  read_everything(**store);
  (void)(*store)->commit("", write_task(1));
  (void)(*store)->cut();
  read_everything(**store);
  return 0;
}
