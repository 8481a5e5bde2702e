#include "store/backup_file.h"

#include "base/hash.h"
#include "base/json.h"

namespace contextcore::store {
namespace {

int64_t number_of_field(const Json& json, std::string_view name) {
  const Json* value = json.find(name);
  return value != nullptr && value->as_int() != nullptr ? *value->as_int() : 0;
}

}  // namespace

std::string backup_path(const std::string& directory) { return join_path(directory, "BACKUP"); }

uint64_t digest_of(const Manifest& manifest) { return xxh3_64(encode_manifest(manifest)); }

std::optional<BackupFile> read_backup_file(FileSystem& files, const std::string& directory) {
  const auto text = files.read_file(backup_path(directory));
  if (!text.ok()) return std::nullopt;
  const auto json = parse_json(*text);
  if (!json.ok() || json->as_object() == nullptr) return std::nullopt;
  BackupFile file;
  file.store_id = json->string_or("store_id");
  file.source = json->string_or("source");
  file.time_ns = number_of_field(*json, "time_ns");
  const Json* states = json->find("states");
  if (states == nullptr || states->as_array() == nullptr) return std::nullopt;
  for (const Json& state : *states->as_array()) {
    file.states.push_back({static_cast<uint64_t>(number_of_field(state, "manifest")),
                           static_cast<uint64_t>(number_of_field(state, "epoch")),
                           static_cast<uint64_t>(number_of_field(state, "log_bytes"))});
  }
  return file;
}

Status write_backup_file(FileSystem& files, const std::string& directory, const BackupFile& file) {
  JsonArray states;
  for (const BackupState& state : file.states) {
    states.push_back(JsonObject{{"manifest", static_cast<int64_t>(state.manifest)},
                                {"epoch", static_cast<int64_t>(state.epoch)},
                                {"log_bytes", static_cast<int64_t>(state.log_bytes)}});
  }
  const Json json(JsonObject{{"store_id", file.store_id},
                             {"source", file.source},
                             {"time_ns", file.time_ns},
                             {"states", std::move(states)}});
  return files.write_file_atomically(backup_path(directory), to_string(json) + "\n");
}

std::optional<BackupState> backup_state(FileSystem& files, const std::string& directory, const Manifest& manifest) {
  const auto file = read_backup_file(files, directory);
  if (!file) return std::nullopt;
  for (const BackupState& state : file->states) {
    if (state.manifest == digest_of(manifest) && state.epoch == manifest.wal_epoch) return state;
  }
  return std::nullopt;
}

}  // namespace contextcore::store
