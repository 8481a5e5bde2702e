#include "demo/demo_store.h"

#include "base/json.h"
#include "base/time.h"
#include "store/store.h"

namespace contextcore::demo {
namespace {

constexpr const char* kStoreFile = "CURRENT";  // every store has one

std::string marker_path(const std::string& path) { return join_path(path, kMarkerFile); }

Status remove_tree(FileSystem& files, const std::string& path) {
  CC_ASSIGN(const FileInfo info, files.stat(path));
  if (info.is_directory) {
    CC_ASSIGN(const auto names, files.list(path));
    for (const std::string& name : names) {
      if (name != "." && name != "..") CC_TRY(remove_tree(files, join_path(path, name)));
    }
  }
  return files.remove(path);
}

}  // namespace

bool is_demo_store(FileSystem& files, const std::string& path) {
  return files.exists(marker_path(path));
}

Status begin_demo_store(FileSystem& files, const std::string& path, const DemoOptions& options) {
  if (files.exists(join_path(path, kStoreFile)) || is_demo_store(files, path)) {
    const bool ours = is_demo_store(files, path);
    return Error{Code::already_exists,
                 ours ? "there is a DEMO store at " + path + " already"
                      : path + " holds a store that is no demo",
                 ours ? "use it, or run contextcore demo --remove first"
                      : "give another folder with --store",
                 {},
                 {}};
  }
  CC_TRY(files.make_directories(path));
  const Json text(JsonObject{{"demo", true},
                             {"months", options.months},
                             {"projects", options.projects},
                             {"tasks", options.tasks},
                             {"seed", static_cast<int64_t>(options.seed)},
                             {"until", format_rfc3339(options.until_ns)}});
  return files.write_file_atomically(marker_path(path), to_string(text) + "\n");
}

Status remove_demo_store(FileSystem& files, Clock& clock, const std::string& path) {
  if (!files.exists(path)) {
    return Error{Code::not_found, "there is no DEMO store at " + path, {}, {}, {}};
  }
  if (!is_demo_store(files, path)) {
    return Error{
        Code::failed_precondition, path + " is no DEMO store; it stays as it is", {}, {}, {}};
  }
  CC_ASSIGN(const auto server, store::find_server(files, clock, path));
  if (server) {
    return Error{Code::unavailable,
                 "a server (pid " + std::to_string(server->pid) + ") has " + path + " open",
                 "stop it first",
                 {},
                 {}};
  }
  // The marker goes last: an interrupted removal can be begun again.
  CC_ASSIGN(const auto names, files.list(path));
  for (const std::string& name : names) {
    if (name != "." && name != ".." && name != kMarkerFile)
      CC_TRY(remove_tree(files, join_path(path, name)));
  }
  return remove_tree(files, path);
}

}  // namespace contextcore::demo
