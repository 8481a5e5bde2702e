#include "store/server_file.h"

#include <utility>

#include "base/json.h"
#include "store/manifest.h"

namespace contextcore::store {
namespace {

bool is_alive(FileSystem& files, int64_t pid) {
  // Where the system has no /proc nothing speaks against it: the token settles it on first contact.
  return !files.exists("/proc") || files.exists("/proc/" + std::to_string(pid));
}

}  // namespace

Status write_server_file(FileSystem& files, const std::string& directory, const ServerInfo& info) {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.field("address", info.address);
  json.field("unix_socket", info.unix_socket);
  json.field("pid", info.pid);
  json.field("boot_id", info.boot_id);
  json.field("token", info.token);
  json.end_object();
  text += '\n';
  return files.write_file_atomically(server_path(directory), text);
}

Status remove_server_file(FileSystem& files, const std::string& directory) {
  const std::string path = server_path(directory);
  if (!files.exists(path)) return {};
  Status removed = files.remove(path);
  if (!removed.ok() && removed.error().code == Code::not_found) return {};
  return removed;
}

Result<std::optional<ServerInfo>> find_server(FileSystem& files, Clock& clock,
                                              const std::string& path) {
  const std::optional<ServerInfo> none;
  auto text = files.read_file(server_path(path));
  if (!text.ok()) {
    if (text.error().code == Code::not_found) return none;
    return text.error();
  }
  const auto json = parse_json(*text);
  // Not ours, or torn by a crash: nobody can be reached through it.
  if (!json.ok() || json->as_object() == nullptr) return none;
  ServerInfo info;
  info.address = json->string_or("address");
  info.unix_socket = json->string_or("unix_socket");
  info.boot_id = json->string_or("boot_id");
  info.token = json->string_or("token");
  const Json* pid = json->find("pid");
  if (pid == nullptr || pid->as_int() == nullptr) return none;
  info.pid = *pid->as_int();
  if (info.boot_id != clock.boot_id() || !is_alive(files, info.pid)) return none;
  return std::optional(std::move(info));
}

}  // namespace contextcore::store
