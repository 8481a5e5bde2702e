// The end of a run: the disk is well again, what is in doubt is tried again, and the store must
// hold what was acknowledged, as one that never had any trouble holds it.

#include <algorithm>

#include "base/sort.h"
#include "sim/runner.h"

namespace contextcore::sim {
namespace {

constexpr const char* kCalmPath = "/calm/store";
constexpr uint64_t kSpoiledFilesMax = 4;

}  // namespace

// Runs body as a process of its own with an opened store.
void Runner::as_process(store::StoreMode mode, const std::function<void(Life&)>& body) {
  world_.wait_for_power();
  const LifePtr life = world_.begin_life();
  bool over = false;
  world_.scheduler.start(life->number, [&] {
    if (open_store(mode, *life)) body(*life);
    world_.end_life(life);
    over = true;
    world_.scheduler.wake(&over, true);
  });
  while (!over) world_.scheduler.wait(&over);
}

void Runner::finish() {
  world_.set_trouble(false);
  world_.set_full(false);
  if (random_.below(2) == 0) world_.fail_power();
  Seen seen;
  as_process(store::StoreMode::embedded, [&](Life& life) {
    read(life);
    settle_doubts(life);
    read(life);
    if (random_.below(2) == 0) cut(life);
    read(life);
    seen = everything(life);
  });
  if (!oracle_.problem().empty()) return;
  compare_with_calm_store(seen);
  if (oracle_.problem().empty() && random_.below(4) == 0) spoil_segments(seen);
  if (oracle_.problem().empty() && random_.below(4) == 0) meet_newer_formats();
}

// Whoever got no answer asks again, under the same id.
void Runner::settle_doubts(Life& life) {
  for (auto& [number, op] : oracle_.ops()) {
    if (op.first_start == 0 || op.acked != 0 || op.refused != 0 || op.kind == OpKind::lease) continue;
    attempt(life, op);
    if (op.acked == 0 && op.refused == 0) {
      complain("operation " + std::to_string(number) + " cannot be done");
    }
  }
}

Seen Runner::everything(Life& life) {
  auto seen = observe(*life.store);
  if (seen.ok()) return std::move(seen).value();
  complain("reading failed: " + seen.error().to_string());
  return {};
}

// The same operations in the same order, without trouble, other processes or a single cut.
void Runner::compare_with_calm_store(const Seen& seen) {
  std::vector<Op> order;
  for (const auto& [number, op] : oracle_.ops()) {
    if (op.acked == 0 || op.kind == OpKind::lease) continue;
    Op kept = op;
    std::erase_if(kept.spans, [](const SpanKey& key) { return key.refused(); });
    order.push_back(kept);
    // Those of a task that a power failure took away may have been taken, by an earlier attempt than what else is
    // there of the request.
    for (const SpanKey& key : op.spans) {
      const auto shown = seen.spans.find(key);
      if (!key.refused() || shown == seen.spans.end() || shown->second.op != op.number) continue;
      kept.spans = {key};
      kept.sequence = shown->second.sequence;
      order.push_back(kept);
    }
  }
  // What has no sequence left no trace of its own: others have written over all of it.
  sort_stably(order, [](const Op& a, const Op& b) { return a.sequence < b.sequence; });
  SimDisk disk(1, &world_.scheduler.clock());
  const auto files = disk.start_process();
  store::StoreOptions options;
  options.path = kCalmPath;
  options.mode = store::StoreMode::server;
  options.hooks = sim_hooks();
  options.file_system = files.get();
  options.clock = &world_.scheduler.clock();
  options.random = &random_;
  auto calm = store::Store::open(options);
  if (!calm.ok()) return complain("the calm store cannot be opened");
  for (const Op& op : order) {
    Status done;
    if (is_work(op.kind)) {
      done = (*calm)->commit(command_id(op), plan_of(op)).status();
    } else if (op.kind == OpKind::spans) {
      done = (*calm)->ingest(spans_of(op), "", tenant_of(op)).status();
    } else if (op.kind == OpKind::logs) {
      done = (*calm)->ingest(logs_of(op), "", tenant_of(op)).status();
    } else {
      done = (*calm)->ingest(metrics_of(op), "", tenant_of(op)).status();
    }
    if (!done.ok()) {
      complain("in the order in which it happened, operation " + std::to_string(op.number) +
               " is refused: " + done.error().message);
    }
  }
  const auto other = observe(**calm);
  if (!other.ok()) return complain("the calm store cannot be read");
  if (!other->nonsense.empty()) return complain("the calm store shows: " + other->nonsense);
  if (other->text() == seen.text()) return;
  complain("the store differs from one that had no trouble" + first_difference(other->text(), seen.text()));
}

std::string Runner::first_difference(const std::string& expected, const std::string& found) {
  const auto [a, b] = std::mismatch(expected.begin(), expected.end(), found.begin(), found.end());
  const auto around = [](const std::string& text, std::string::const_iterator at) {
    const auto begin = at - std::min<std::ptrdiff_t>(at - text.begin(), 60);
    return std::string(begin, at + std::min<std::ptrdiff_t>(text.end() - at, 60));
  };
  return ": expected '" + around(expected, a) + "', found '" + around(found, b) + "'";
}

// A damaged file is named, or shows the same as before; never anything else.
void Runner::spoil_segments(const Seen& seen) {
  const std::string expected = seen.text();
  const std::string directory = std::string(kStorePath) + "/data";
  const auto files = world_.disk.start_process();
  for (uint64_t i = 0; i < kSpoiledFilesMax && oracle_.problem().empty(); ++i) {
    const auto names = files->list(directory);
    if (!names.ok() || names->empty()) return;
    const std::string name = (*names)[static_cast<size_t>(random_.below(names->size()))];
    const std::string path = directory + "/" + name;
    const auto info = files->stat(path);
    if (!info.ok() || info->size == 0) continue;
    const uint64_t offset = random_.below(info->size);
    const auto mask = static_cast<uint8_t>(1 << random_.below(8));
    world_.disk.flip_bits(path, offset, mask);
    world_.log("bit flipped in " + path + " at " + std::to_string(offset));
    as_process_or_not(store::StoreMode::read_only, [&](const Result<Seen>& after) {
      const std::string what = "a flipped bit in " + name + " at " + std::to_string(offset);
      if (!after.ok()) {
        if (after.error().message.find(name) == std::string::npos) {
          complain(what + " is not named: " + after.error().to_string());
        }
        return;
      }
      if (!after->nonsense.empty()) return complain(what + " shows: " + after->nonsense);
      if (after->text() != expected) {
        complain(what + " changes what is read" + first_difference(expected, after->text()));
      }
    });
    world_.disk.flip_bits(path, offset, mask);
  }
}

// As as_process, where opening may fail.
void Runner::as_process_or_not(store::StoreMode mode,
                               const std::function<void(const Result<Seen>&)>& judge) {
  const LifePtr life = world_.begin_life();
  auto opened = store::Store::open(world_.options(*life, mode));
  if (opened.ok()) {
    life->store = std::move(opened).value();
    judge(observe(*life->store));
  } else {
    judge(opened.error());
  }
  world_.end_life(life);
}

// What a later version may have written: an older one refuses it and changes nothing.
void Runner::meet_newer_formats() {
  const auto files = world_.disk.start_process();
  const auto contents = [&] {
    std::string text;
    for (const std::string& directory :
         {std::string(kStorePath), std::string(kStorePath) + "/wal", std::string(kStorePath) + "/data"}) {
      const auto names = files->list(directory);
      for (const std::string& name : names.ok() ? *names : std::vector<std::string>()) {
        const auto bytes = files->read_file(directory + "/" + name);
        if (bytes.ok() && name != "LOCK") text += name + "\n" + *bytes;
      }
    }
    return text;
  };
  const auto current = files->read_file(std::string(kStorePath) + "/CURRENT");
  if (!current.ok()) return complain("CURRENT cannot be read");
  const std::string manifest = std::string(kStorePath) + "/" + *current;
  constexpr uint64_t kVersionAt = 7;  // "ctxcman6"
  constexpr uint8_t kToNewer = '6' ^ '9';
  world_.disk.flip_bits(manifest, kVersionAt, kToNewer);
  const std::string before = contents();
  for (const store::StoreMode mode :
       {store::StoreMode::read_only, store::StoreMode::embedded, store::StoreMode::server}) {
    as_process_or_not(mode, [&](const Result<Seen>& result) {
      if (result.ok()) return complain("a manifest of a newer format was opened");
      const Code code = result.error().code;
      if (code != Code::unsupported && code != Code::corruption) {
        complain("a manifest of a newer format: " + result.error().to_string());
      }
    });
  }
  if (contents() != before) complain("a store of a newer format was changed");
  world_.disk.flip_bits(manifest, kVersionAt, kToNewer);
}

}  // namespace contextcore::sim
