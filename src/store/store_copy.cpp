#include "store/store_copy.h"

#include <algorithm>
#include <set>

namespace contextcore::store {
namespace {

constexpr uint64_t kChunkBytes = 1 << 20;
constexpr uint64_t kSampleBytes = 4096;
constexpr const char* kTemporary = ".tmp-copy";
// Folders and files beside the engine's own.
constexpr const char* kOtherFolders[] = {"export"};
constexpr const char* kOtherFiles[] = {"DEMO"};

std::string name_of_path(const std::string& path) { return path.substr(path.rfind('/') + 1); }

Result<std::string> read_part(const File& file, uint64_t offset, uint64_t length) {
  std::string bytes(length, '\0');
  CC_ASSIGN(const size_t got, file.read_at(offset, bytes.data(), bytes.size()));
  bytes.resize(got);
  return bytes;
}

}  // namespace

std::string StoreCopy::at_destination(const std::string& path) const {
  return join_path(data_directory(options_.destination), name_of_path(path));
}

void StoreCopy::show(const std::string& path) {
  if (!options_.progress) return;
  const auto all = static_cast<double>(std::max<uint64_t>(pinned_.total_bytes(), 1));
  options_.progress(std::min(1.0, static_cast<double>(done_) / all), path);
}

Status StoreCopy::make_folders() {
  // Folders above that do not exist yet have to be durable as well.
  std::vector<std::string> made{options_.destination};
  while (made.back() != parent_path(made.back()) && !files_.exists(made.back())) made.push_back(parent_path(made.back()));
  for (const std::string& path : {data_directory(options_.destination), wal_directory(options_.destination)}) {
    CC_TRY(files_.make_directories(path));
  }
  CC_TRY(files_.sync_directory(options_.destination));
  for (const std::string& path : made) {
    if (const Status synced = files_.sync_directory(parent_path(path)); !synced.ok() && path == options_.destination) return synced;
  }
  return {};
}

// Files in data/ are never changed, and each has checksums of all of it at its beginning or its end:
// two of the same number, size, beginning and end are the same.
Result<bool> StoreCopy::is_same(const std::string& source, const std::string& copy) const {
  const auto a = files_.stat(source), b = files_.stat(copy);
  if (a.ok() && b.ok() && a->inode != 0 && a->inode == b->inode && a->device == b->device) return true;
  CC_ASSIGN(const auto from, pinned_.open(source, OpenMode::read));
  CC_ASSIGN(const auto to, files_.open(copy, OpenMode::read));
  CC_ASSIGN(const uint64_t size, from->size());
  CC_ASSIGN(const uint64_t copy_size, to->size());
  if (size != copy_size) return false;
  const uint64_t sample = std::min(size, kSampleBytes);
  for (const uint64_t offset : {uint64_t{0}, size - sample}) {
    CC_ASSIGN(const std::string wanted, read_part(*from, offset, sample));
    CC_ASSIGN(const std::string found, read_part(*to, offset, sample));
    if (wanted != found) return false;
  }
  return true;
}

Status StoreCopy::copy_file(const std::string& source, const std::string& copy) {
  const std::string temporary = copy + kTemporary;
  CC_ASSIGN(const auto from, pinned_.open(source, OpenMode::read));
  CC_ASSIGN(const uint64_t size, from->size());
  CC_ASSIGN(const auto to, files_.open(temporary, OpenMode::create));
  CC_TRY(to->truncate(0));
  for (uint64_t at = 0; at < size; at += kChunkBytes) {
    CC_ASSIGN(const std::string bytes, read_part(*from, at, std::min(size - at, kChunkBytes)));
    if (bytes.size() != std::min(size - at, kChunkBytes)) return {Code::io_error, source + " ends too early"};
    CC_TRY(to->write_at(at, bytes));
    done_ += bytes.size();
    report_.copied_bytes += bytes.size();
    show(source);
  }
  CC_TRY(to->sync());
  return files_.rename(temporary, copy);
}

Status StoreCopy::copy_data(bool link, const std::optional<Manifest>& known) {
  std::set<std::string> named;
  if (known) {
    for (const std::string& path : data_paths(options_.destination, *known)) named.insert(path);
  }
  for (const auto& [path, size] : pinned_.data_files()) {
    const std::string copy = at_destination(path);
    ++report_.files;
    report_.bytes += size;
    if (files_.exists(copy)) {
      CC_ASSIGN(const bool same, is_same(path, copy));
      if (same) {
        ++report_.kept;
        done_ += size;
        show(path);
        continue;
      }
      if (named.contains(copy)) {
        return Error{Code::failed_precondition,
                     copy + " is another file than " + path + ": the backup there is of a state that this store has lost, "
                     "or it is damaged",
                     "keep that backup and make a new one in another folder",
                     {},
                     {}};
      }
      CC_TRY(files_.remove(copy));  // of a backup that was interrupted
    }
    if (link) {
      const Status linked = files_.link(path, copy);
      if (linked.ok()) {
        ++report_.linked;
        done_ += size;
        show(path);
        continue;
      }
      if (linked.error().code == Code::unsupported) {
        link = false;
      } else if (linked.error().code != Code::not_found) {  // else: removed since it was opened
        return linked;
      }
    }
    CC_TRY(copy_file(path, copy));
    ++report_.copied;
  }
  return files_.sync_directory(data_directory(options_.destination));
}

Status StoreCopy::write_file(const std::string& path, std::string_view bytes) {
  report_.bytes += bytes.size();
  report_.copied_bytes += bytes.size();
  ++report_.files;
  ++report_.copied;
  return files_.write_file_atomically(path, bytes);
}

// Of the epoch that the destination has already this is the same log, only longer, so that either
// works with the manifest that is there.
Status StoreCopy::copy_log() {
  CC_TRY(write_file(wal_path(options_.destination, pinned_.manifest().wal_epoch), pinned_.log().bytes));
  done_ += pinned_.log().bytes.size();
  show(pinned_.log().path);
  return {};
}

Status StoreCopy::commit() {
  const std::string name = name_of_path(pinned_.manifest_path());
  CC_TRY(write_file(join_path(options_.destination, name), manifest_file_bytes(pinned_.manifest())));
  CC_TRY(files_.write_file_atomically(current_path(options_.destination), name));
  report_.store_id = pinned_.manifest().store_id;
  report_.edit = pinned_.manifest().edit;
  report_.sequence = pinned_.log().last_sequence;
  return {};
}

void StoreCopy::remove_rest() {
  std::set<std::string> wanted{wal_path(options_.destination, pinned_.manifest().wal_epoch)};
  for (const auto& [path, size] : pinned_.data_files()) wanted.insert(at_destination(path));
  const std::string manifest = name_of_path(pinned_.manifest_path());
  const auto sweep = [&](const std::string& folder, const auto& is_rest) {
    const auto names = files_.list(folder);
    if (!names.ok()) return;
    for (const std::string& name : *names) {
      if (is_rest(name) && files_.remove(join_path(folder, name)).ok()) ++report_.removed;
    }
  };
  for (const std::string& folder : {data_directory(options_.destination), wal_directory(options_.destination)}) {
    sweep(folder, [&](const std::string& name) { return !wanted.contains(join_path(folder, name)); });
  }
  sweep(options_.destination, [&](const std::string& name) {
    return (name.starts_with("MANIFEST-") && name != manifest) || name.find(".tmp-") != std::string::npos;
  });
}

Result<OtherFiles> read_other_files(FileSystem& files, const std::string& directory) {
  OtherFiles others;
  std::vector<std::string> names(std::begin(kOtherFiles), std::end(kOtherFiles));
  for (const char* folder : kOtherFolders) {
    const auto inside = files.list(join_path(directory, folder));
    if (!inside.ok()) continue;
    for (const std::string& name : *inside) {
      if (name.find(".tmp-") == std::string::npos) names.push_back(join_path(folder, name));
    }
  }
  for (const std::string& name : names) {
    const auto bytes = files.read_file(join_path(directory, name));
    if (bytes.ok()) {
      others.emplace_back(name, *bytes);
    } else if (bytes.error().code != Code::not_found) {
      return bytes.error();
    }
  }
  return others;
}

Status write_other_files(FileSystem& files, const std::string& directory, const OtherFiles& others) {
  for (const auto& [name, bytes] : others) {
    const std::string path = join_path(directory, name);
    if (!files.exists(parent_path(path))) {
      CC_TRY(files.make_directories(parent_path(path)));
      CC_TRY(files.sync_directory(directory));
    }
    CC_TRY(files.write_file_atomically(path, bytes));
  }
  return {};
}

}  // namespace contextcore::store
