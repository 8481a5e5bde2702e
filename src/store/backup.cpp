#include "store/backup.h"

#include <algorithm>

#include "store/store_copy.h"

namespace contextcore::store {
namespace {

constexpr int64_t kLockWaitNs = 1'000'000'000;

// What a backup that was interrupted before its first manifest leaves behind.
bool is_of_backup(const std::string& name) {
  return name == "data" || name == "wal" || name == "export" || name == "LOCK" || name == "BACKUP" ||
         name.starts_with("MANIFEST-") || name.find(".tmp-") != std::string::npos;
}

// The manifest of the backup that is there; nullopt: none yet.
Result<std::optional<Manifest>> backup_at(FileSystem& files, const std::string& destination,
                                          const std::string& store_id) {
  const auto refuse = [&](const std::string& why) {
    return Error{Code::failed_precondition, destination + " " + why, "choose another folder", {}, {}};
  };
  const auto names = files.list(destination);
  if (!names.ok()) {
    if (names.error().code == Code::not_found) return std::optional<Manifest>();
    return names.error();
  }
  if (!files.exists(current_path(destination))) {
    const auto foreign = std::find_if_not(names->begin(), names->end(), is_of_backup);
    if (foreign == names->end()) return std::optional<Manifest>();
    return refuse("is not empty and holds no backup (" + *foreign + ")");
  }
  CC_ASSIGN(Manifest manifest, ManifestFile(files, destination).read());
  if (manifest.store_id != store_id) return refuse("holds another store");
  const bool written = files.exists(mark_path(destination));
  if (written || !backup_state(files, destination, manifest)) {
    return refuse("holds this store, but not as a backup left it: it was opened and written to");
  }
  return std::optional(std::move(manifest));
}

Error damaged_source(const std::string& source, const std::string& what) {
  return {Code::corruption, "the store " + source + " cannot be copied whole: " + what,
          "contextcore store verify --store " + source + " says what is damaged", {}, {}};
}

Result<std::unique_ptr<PinnedFiles>> pin_whole(FileSystem& files, Clock& clock, const std::string& source,
                                               bool even_if_damaged) {
  CC_ASSIGN(auto pinned, PinnedFiles::pin(files, clock, source));
  if (even_if_damaged) return pinned;
  if (!pinned->missing().empty()) return damaged_source(source, pinned->missing().front() + " is missing");
  if (!pinned->log().whole()) return damaged_source(source, "its log is damaged");
  return pinned;
}

}  // namespace

Result<CopyReport> backup_store(const CopyOptions& options) {
  FileSystem& files = options.file_system != nullptr ? *options.file_system : real_file_system();
  Clock& clock = options.clock != nullptr ? *options.clock : real_clock();
  CC_ASSIGN(const OtherFiles others, read_other_files(files, options.source));
  CC_ASSIGN(const auto pinned, pin_whole(files, clock, options.source, false));
  const Manifest& manifest = pinned->manifest();
  CC_TRY(backup_at(files, options.destination, manifest.store_id).status());
  StoreCopy copy(files, options, *pinned);
  CC_TRY(copy.make_folders());
  CC_ASSIGN(const auto lock, files.lock(lock_path(options.destination), kLockWaitNs));
  // Again, now that no other backup can be at it.
  CC_ASSIGN(const std::optional<Manifest> before, backup_at(files, options.destination, manifest.store_id));
  copy.report().added_to = before.has_value();

  BackupFile file{manifest.store_id, options.source, clock.wall_ns(), {}};
  file.states.push_back({digest_of(manifest), manifest.wal_epoch, pinned->log().bytes.size()});
  if (before) {
    const auto state = backup_state(files, options.destination, *before);
    if (state && !(*state == file.states.front())) file.states.push_back(*state);
  }
  CC_TRY(copy.copy_data(true, before));
  CC_TRY(copy.copy_log());
  CC_TRY(write_backup_file(files, options.destination, file));
  CC_TRY(copy.commit());
  CC_TRY(write_other_files(files, options.destination, others));
  copy.remove_rest();
  return copy.report();
}

Result<CopyReport> restore_store(const CopyOptions& options) {
  FileSystem& files = options.file_system != nullptr ? *options.file_system : real_file_system();
  Clock& clock = options.clock != nullptr ? *options.clock : real_clock();
  const auto names = files.list(options.destination);
  if (names.ok() && !names->empty()) {
    return Error{Code::failed_precondition, options.destination + " is not empty",
                 "restore into a folder that does not exist yet, and use that as the store (--store, CONTEXTCORE_STORE) "
                 "or rename it into the old one's place",
                 {},
                 {}};
  }
  if (!names.ok() && names.error().code != Code::not_found) return names.error();

  VerifyOptions verify{options.source, options.hooks, &files, &clock, {}};
  if (options.progress) {
    verify.progress = [&](double share, const std::string& file) { options.progress(share / 3, file); };
  }
  CopyReport report;
  CC_ASSIGN(report.verified, verify_store(verify));
  if (!report.verified.sound() && !options.even_if_damaged) return report;

  CC_ASSIGN(const OtherFiles others, read_other_files(files, options.source));
  CC_ASSIGN(const auto pinned, pin_whole(files, clock, options.source, options.even_if_damaged));
  CopyOptions inner = options;
  if (options.progress) {
    inner.progress = [&](double share, const std::string& file) { options.progress((1 + share) / 3, file); };
  }
  StoreCopy copy(files, inner, *pinned);
  CC_TRY(copy.make_folders());
  CC_TRY(copy.copy_data(false, {}));
  CC_TRY(copy.copy_log());
  CC_TRY(write_other_files(files, options.destination, others));
  CC_TRY(copy.commit());

  verify.path = options.destination;
  if (options.progress) {
    verify.progress = [&](double share, const std::string& file) { options.progress((2 + share) / 3, file); };
  }
  CC_ASSIGN(VerifyReport of_copy, verify_store(verify));
  const bool as_the_source = of_copy.damages.size() == report.verified.damages.size();
  if (!as_the_source || of_copy.sequence != pinned->log().last_sequence) {
    return Error{Code::corruption, "the copy at " + options.destination + " is not what " + options.source + " holds",
                 "remove it and look at the disk; " + options.source + " is as it was", {}, {}};
  }
  CopyReport done = copy.report();
  done.verified = std::move(of_copy);
  return done;
}

}  // namespace contextcore::store
