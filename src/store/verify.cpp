#include "store/verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "store/column_value.h"
#include "store/digest_file.h"
#include "store/store_commands.h"
#include "store/verify_parts.h"

namespace contextcore::store {

std::string reason_of(const Status& status) {
  const std::string& message = status.error().message;
  const size_t colon = message.rfind(": ");
  return colon == std::string::npos ? message : message.substr(colon + 2);
}

void Verification::add(const std::string& file, const std::string& part, const Status& status,
                       const std::string& remedy) {
  std::string what = status.error().message;
  if (const size_t at = what.find(file + ": "); at != std::string::npos) {
    what = what.substr(at + file.size() + 2);
  }
  add(file, part, what, remedy);
}

std::string Verification::name_of(const otlp::SpanId& id) const {
  static constexpr const char* kKinds[] = {"span",    "task",    "sprint",   "phase", "insight",
                                           "handoff", "guidance", "session", "run"};
  const WorkRow* row = table != nullptr ? table->find(id) : nullptr;
  if (row == nullptr) return "span " + otlp::to_hex(id);
  const auto kind = static_cast<size_t>(row->kind);
  return std::string(kind < std::size(kKinds) ? kKinds[kind] : kKinds[0]) + " " +
         (row->id.empty() ? otlp::to_hex(id) : row->id);
}

bool verify_header(Verification& all, const std::string& path, std::string_view magic,
                   uint32_t version, uint32_t kind) {
  std::string expected(magic);
  append_u32(version, expected);
  append_u32(kind, expected);
  std::string bytes(expected.size(), '\0');
  auto file = all.files().open(path, OpenMode::read);
  if (!file.ok()) return false;  // a missing file is said already
  const auto got = (*file)->read_at(0, bytes.data(), bytes.size());
  if (got.ok() && *got == bytes.size() && bytes == expected) return true;
  all.add(path, "header", "it is not the header of such a file; its rows stay readable");
  return false;
}

namespace {

bool has(Verification& all, const std::string& path) {
  return all.files().data_files().contains(path);
}

void verify_manifest(Verification& all) {
  const PinnedFiles& files = all.files();
  const Manifest& manifest = files.manifest();
  if (files.manifest_tail() != 0) {
    all.report().notes.push_back(fmt::format(
        "{}: {} bytes behind its last valid record are none: a write that a crash cut off; the next "
        "writer begins a new file",
        files.manifest_path(), files.manifest_tail()));
  }
  std::set<std::string> seen;
  for (const std::string& path : data_paths(files.directory(), manifest)) {
    if (!seen.insert(path).second) all.add(files.manifest_path(), {}, "it names " + path + " twice");
  }
  for (const SegmentInfo& info : manifest.segments) {
    if (!info.tenants.empty() && info.tenants.back() >= manifest.tenants.size()) {
      all.add(files.manifest_path(), {}, fmt::format("it names tenant {} of a file, but has names of {}",
                                                     info.tenants.back(), manifest.tenants.size()));
    }
    const uint64_t greatest = std::max({info.number, info.mask_number, info.run_number});
    if (greatest >= manifest.next_number) {
      all.add(files.manifest_path(), {}, fmt::format("it names a file of number {}, but the next number is {}",
                                                     greatest, manifest.next_number));
    }
  }
  for (const std::string& path : files.missing()) {
    const bool cache = path.ends_with(".work") || path.ends_with(".traces");
    if (cache) continue;  // said with the work table, the trace runs
    all.add(path, {}, "it does not exist, but " + files.manifest_path() + " names it",
            "restore the store from a backup");
  }
}

void verify_digests(Verification& all, const DigestFileInfo& info) {
  const std::string path = data_path(all.files().directory(), info.number, "digests");
  if (!has(all, path)) return;
  static constexpr const char* kRemedy =
      "restore it from a backup, or wait: it only tells that a request of the last day comes again";
  const auto runs = read_digests(all.files(), path);
  if (!runs.ok()) {
    all.add(path, {}, "its checksum or its length does not match", kRemedy);
    return;
  }
  const size_t digests = digest_count(*runs);
  all.report().digests += digests;
  if (digests != info.digests) {
    all.add(path, {}, fmt::format("it has {} digests; the manifest says {}", digests, info.digests), kRemedy);
  }
}

void verify_small_files(Verification& all) {
  PinnedFiles& files = all.files();
  const Manifest& manifest = files.manifest();
  if (manifest.forwards_number != 0) {
    const std::string path = data_path(files.directory(), manifest.forwards_number, "forwards");
    if (has(all, path)) {
      const auto forwards = read_forwards(files, path);
      if (!forwards.ok()) {
        all.add(path, {}, "its checksum or its length does not match",
                "restore it from a backup; it leads from traces that moved to where they are now");
      }
    }
  }
  for (const DigestFileInfo& info : manifest.digests) verify_digests(all, info);
  for (const CommandFileInfo& info : manifest.commands) {
    const std::string path = data_path(files.directory(), info.number, "commands");
    if (!has(all, path)) continue;
    static constexpr const char* kRemedy =
        "restore it from a backup, or wait: it only answers repeated commands, and is dropped when "
        "its newest is a day old";
    auto file = CommandFile::open(files, path, info.number);
    if (!file.ok()) {
      all.add(path, {}, file.status(), kRemedy);
      continue;
    }
    const auto commands = (*file)->all();
    if (!commands.ok()) {
      all.add(path, {}, "a checksum in it does not match", kRemedy);
      continue;
    }
    all.report().commands += commands->size();
    if (commands->size() != info.commands) {
      all.add(path, {}, fmt::format("it has {} commands; the manifest says {}", commands->size(), info.commands),
              kRemedy);
    }
    for (const StoredCommand& command : *commands) {
      const auto found = (*file)->find(command.command_id);
      if (found.ok() && *found) continue;
      all.add(path, "hashes", "command " + command.command_id + " is in it but not found", kRemedy);
      break;
    }
  }
}

}  // namespace

Result<VerifyReport> verify_store(const VerifyOptions& options) {
  FileSystem& files = options.file_system != nullptr ? *options.file_system : real_file_system();
  Clock& clock = options.clock != nullptr ? *options.clock : real_clock();
  auto pinned = PinnedFiles::pin(files, clock, options.path);
  if (!pinned.ok()) {
    if (pinned.error().code != Code::corruption) return pinned.error();
    // Without a manifest nothing says what belongs together.
    VerifyReport report;
    report.damages.push_back({current_path(options.path), {}, {}, pinned.error().message, {},
                              "restore the store from a backup"});
    return report;
  }
  PinnedFiles& held = **pinned;
  const Manifest& manifest = held.manifest();
  Verification all(held, options.hooks);
  VerifyReport& report = all.report();
  report.store_id = manifest.store_id;
  report.edit = manifest.edit;
  report.files = held.data_files().size() + 3;  // CURRENT, the manifest, the log
  report.bytes = held.total_bytes();

  uint64_t done = 0;
  std::string current = held.log().path;
  const auto show = [&] {
    if (!options.progress) return;
    const double share = static_cast<double>(done) / static_cast<double>(std::max<uint64_t>(held.total_bytes(), 1));
    options.progress(std::min(share, 1.0), current);
  };
  held.on_read([&](uint64_t bytes) {
    done += bytes;
    show();
  });
  verify_manifest(all);
  verify_log(all);
  open_work_table(all);
  verify_trace_runs(all);
  for (const SegmentInfo& info : manifest.segments) {
    current = data_path(held.directory(), info.number, extension_of(info.kind));
    if (!has(all, current)) {
      if (info.segment_class == SegmentClass::work) all.journal_whole = false;
      continue;
    }
    if (held.data_files().at(current) != info.bytes) {
      all.add(current, {}, fmt::format("it has {} bytes; the manifest says {}", held.data_files().at(current), info.bytes));
    }
    if (info.kind == RowsKind::metrics) {
      verify_metrics(all, info);
    } else {
      verify_rows(all, info);
    }
  }
  verify_small_files(all);
  verify_work_table(all);
  return std::move(report);
}

}  // namespace contextcore::store
