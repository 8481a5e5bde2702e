#include "sdk/deliverables.h"

#include <algorithm>
#include <string_view>

namespace contextcore::sdk {

JsonArray look_at_deliverables(const FileSystem& files, const Json& task,
                               const std::vector<std::string>& passed,
                               const std::vector<std::string>& failed) {
  const auto named = [](const std::vector<std::string>& list, std::string_view path) {
    return std::find(list.begin(), list.end(), path) != list.end();
  };
  JsonArray results;
  const Json* deliverables = task.find("deliverables");
  if (!deliverables || !deliverables->as_array()) return results;
  for (const Json& one : *deliverables->as_array()) {
    const std::string path(one.string_or("path"));
    bool verified = false;
    std::string detail = "not looked at; say --pass or --fail";
    if (named(passed, path) || named(failed, path)) {
      verified = named(passed, path);
      detail = verified ? "said to be good" : "said to be bad";
    } else if (one.string_or("type") == "file") {
      verified = files.exists(path);
      detail = verified ? "exists" : "does not exist";
    }
    results.push_back(Json(JsonObject{{"type", Json(one.string_or("type"))},
                                      {"path", Json(path)},
                                      {"verified", Json(verified)},
                                      {"detail", Json(detail)}}));
  }
  return results;
}

}  // namespace contextcore::sdk
