// A whole small store of which one file has been changed, its outer checksum made right again so that
// the readers behind it are reached: manifest, mask, forwards, commands, digests, segments, metric
// segments, work table, BACKUP. It opens and answers, or says what is wrong; verify always comes to its end.
//
// Input: byte 0 chooses the file; then edits: two bytes of place, one of length, the bytes.
//
// With CONTEXTCORE_FUZZ_COUNTS set the program says at its end how often each file was sound, damaged
// and opened.

#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/hash.h"
#include "base/random.h"
#include "memory_files.h"
#include "otlp/protobuf.h"
#include "otlp/remote_write.h"
#include "store/backup.h"
#include "store/backup_file.h"
#include "store/column_value.h"
#include "store/manifest.h"
#include "store/store.h"
#include "store/verify.h"

namespace {

using namespace contextcore;
using namespace contextcore::store;

constexpr const char* kStore = "/store";
constexpr const char* kKinds[] = {"MANIFEST", "mask", "forwards", "commands", "spans", "logs", "metrics", "work", "BACKUP", "traces", "digests"};

otlp::TraceId trace(uint8_t number) {
  otlp::TraceId id;
  id.bytes[15] = number;
  id.bytes[0] = 1;
  return id;
}

otlp::SpanId span(uint8_t number) {
  otlp::SpanId id;
  id.bytes[7] = number;
  id.bytes[0] = 1;
  return id;
}

otlp::TracesData spans(uint8_t number, uint64_t end_ns) {
  otlp::TracesData data;
  auto& one = data.resource_spans.emplace_back().scope_spans.emplace_back().spans.emplace_back();
  one.trace_id = trace(number);
  one.span_id = span(number);
  one.name = "GET /";
  one.start_ns = 1000;
  one.end_ns = end_ns;
  one.attributes = {{"http.route", otlp::Value(std::string("/"))}};
  return data;
}

otlp::LogsData logs(uint64_t number) {
  otlp::LogsData data;
  auto& record = data.resource_logs.emplace_back().scope_logs.emplace_back().records.emplace_back();
  record.time_ns = 1000 + number;
  record.body = otlp::Value(std::string("line"));
  return data;
}

WorkPlan task(uint8_t number) {
  return [number](const WorkView&) -> Result<WorkTransaction> {
    WorkTransaction transaction;
    JournalSpan& one = transaction.spans.emplace_back();
    one.span.trace_id = trace(number);
    one.span.span_id = span(number);
    one.span.name = "task";
    one.span.start_ns = 1000;
    one.revision = 1;
    JournalEvent& event = transaction.events.emplace_back();
    event.record.trace_id = one.span.trace_id;
    event.record.span_id = one.span.span_id;
    event.record.time_ns = 1000;
    event.record.body = otlp::Value(std::string("created"));
    transaction.forwards.emplace_back(trace(static_cast<uint8_t>(number + 100)), one.span.trace_id);
    return transaction;
  };
}

StoreOptions options_of(FileSystem& files, Clock& clock, Random& random, const std::string& path, StoreMode mode) {
  StoreOptions options;
  options.path = path;
  options.mode = mode;
  options.file_system = &files;
  options.clock = &clock;
  options.random = &random;
  return options;
}

[[noreturn]] void fail(const char* what, const Error& error) {
  std::fprintf(stderr, "%s: %s\n", what, error.message.c_str());
  std::abort();
}

// A backup, so that there is no commit mark and no allocated space.
const fuzz::MemoryFiles& sound_store() {
  static const fuzz::MemoryFiles* const made = [] {
    auto* files = new fuzz::MemoryFiles;
    ManualClock clock(1'000'000'000'000);
    SeededRandom random(1);
    auto store = Store::open(options_of(*files, clock, random, "/source", StoreMode::embedded));
    if (!store.ok()) fail("open", store.error());
    const auto sample = [](int64_t time_ms) {
      otlp::RemoteWriteRequest request;
      auto& series = request.series.emplace_back();
      series.labels = {{"__name__", "load"}, {"host", "a"}};
      series.samples.push_back({1.5, time_ms});
      return request;
    };
    for (uint8_t i = 1; i <= 4; ++i) {
      (void)(*store)->commit("command-" + std::to_string(i), task(i));
      (void)(*store)->ingest(spans(static_cast<uint8_t>(i + 50), 2000), {});
      (void)(*store)->ingest(logs(i), {});
      (void)(*store)->ingest(sample(1000 * i), {}, "");
    }
    (void)(*store)->cut();
    (void)(*store)->ingest(spans(51, 3000), {});
    (void)(*store)->cut();
    (void)(*store)->ingest(logs(9), {});
    CopyOptions copy;
    copy.source = "/source";
    copy.destination = kStore;
    copy.file_system = files;
    copy.clock = &clock;
    if (const auto done = backup_store(copy); !done.ok()) fail("backup", done.error());
    return files;
  }();
  return *made;
}

std::string path_of(FileSystem& files, const std::string& kind) {
  const std::string folder = kind == "MANIFEST" || kind == "BACKUP" ? std::string(kStore) : data_directory(kStore);
  const auto names = files.list(folder);
  for (const std::string& name : *names) {
    if (name == kind || name.starts_with(kind + "-") || name.ends_with("." + kind)) return join_path(folder, name);
  }
  std::fprintf(stderr, "the store has no %s\n", kind.c_str());
  std::abort();
}

void put(std::string& bytes, size_t at, uint64_t value) {
  std::string text;
  append_u64(value, text);
  if (at + 8 <= bytes.size()) bytes.replace(at, 8, text);
}

void make_right(const std::string& kind, std::string& bytes) {
  const size_t size = bytes.size();
  const std::string_view all = bytes;
  if (kind == "MANIFEST" && size > 20) {
    put(bytes, 12, xxh3_64(all.substr(20), size - 20));
  } else if ((kind == "mask" || kind == "forwards" || kind == "digests") && size > 8) {
    put(bytes, size - 8, xxh3_64(all.substr(0, size - 8)));
  } else if (kind == "commands" && size > 20) {
    const uint32_t bits = ByteReader(all.substr(16)).u32();
    const size_t head = bits < 8 ? 20 + (size_t{36} << bits) : size;
    if (head + 8 <= size) put(bytes, head, xxh3_64(all.substr(0, head)));
  } else if ((kind == "spans" || kind == "logs" || kind == "metrics" || kind == "traces") && size > 44) {
    const uint64_t length = ByteReader(all.substr(size - 20)).u64();
    if (length <= size - 28) put(bytes, size - 28, xxh3_64(all.substr(size - 28 - length, length)));
  } else if (kind == "work" && size > 56) {
    ByteReader trailer(all.substr(size - 40));
    const uint64_t rows = trailer.u64(), offset = trailer.u64();
    if (offset <= size - 40) put(bytes, size - 16, xxh3_64(all.substr(offset, size - 40 - offset), rows));
  }
}

void read_all(FileSystem& files, Clock& clock, Random& random, bool& opened) {
  auto store = Store::open(options_of(files, clock, random, kStore, StoreMode::read_only));
  opened = store.ok();
  if (!opened) return;
  const auto read = (*store)->read();
  if (!read.ok()) return;
  auto traces = read->source->fetch({});
  for (int i = 0; traces.ok() && i < 64; ++i) {
    const auto view = (*traces)->next();
    if (!view.ok() || *view == nullptr) break;
  }
  auto lines = read->source->fetch_logs({});
  LogEntry entry;
  for (int i = 0; lines.ok() && i < 64; ++i) {
    const auto more = (*lines)->next(entry);
    if (!more.ok() || !*more) break;
  }
  (void)read->work->span(span(1));
  (void)read->source->trace(trace(101));
}

// Only who is sent a request reads them, and a cut that puts files together.
void send_again(FileSystem& files, Clock& clock, Random& random) {
  auto store = Store::open(options_of(files, clock, random, kStore, StoreMode::embedded));
  if (!store.ok()) return;
  for (uint64_t i = 1; i <= 14; ++i) {
    (void)(*store)->ingest(logs(i), {});
    if (!(*store)->cut().ok()) return;
  }
}

struct Counts {
  std::map<std::string, std::array<uint64_t, 3>> by_kind;  // sound, damaged, opened
  ~Counts() {
    if (std::getenv("CONTEXTCORE_FUZZ_COUNTS") == nullptr) return;
    for (const auto& [kind, count] : by_kind) {
      std::printf("%s: %llu sound, %llu damaged, %llu opened\n", kind.c_str(), static_cast<unsigned long long>(count[0]),
                  static_cast<unsigned long long>(count[1]), static_cast<unsigned long long>(count[2]));
    }
  }
};
Counts counts;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  fuzz::MemoryFiles files(sound_store());
  ManualClock clock(1'000'000'000'000);
  SeededRandom random(2);
  const std::string kind = kKinds[data[0] % std::size(kKinds)];
  const std::string path = path_of(files, kind);
  std::string bytes = *files.read_file(path);
  std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  while (rest.size() >= 3) {
    const size_t place = static_cast<uint8_t>(rest[0]) | static_cast<size_t>(static_cast<uint8_t>(rest[1])) << 8;
    const size_t length = std::min<size_t>(static_cast<uint8_t>(rest[2]), rest.size() - 3);
    const size_t at = place % (bytes.size() + 1);
    bytes.replace(at, std::min(length, bytes.size() - at), rest.substr(3, length));
    rest.remove_prefix(3 + length);
  }
  make_right(kind, bytes);
  if (!files.write_file_atomically(path, bytes).ok()) return 0;

  VerifyOptions options;
  options.path = kStore;
  options.file_system = &files;
  options.clock = &clock;
  const auto report = verify_store(options);
  if (!report.ok() && report.error().code != Code::unavailable) fail("verify", report.error());
  bool opened = false;
  read_all(files, clock, random, opened);
  if (kind == "digests") send_again(files, clock, random);
  auto& count = counts.by_kind[kind];
  ++count[report.ok() && report->sound() ? 0 : 1];
  count[2] += opened ? 1 : 0;
  return 0;
}
