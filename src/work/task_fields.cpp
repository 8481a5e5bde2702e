#include "work/task_fields.h"

#include <algorithm>

#include "work/task.h"

namespace contextcore::work {
namespace {

constexpr std::array<std::string_view, 5> kDeliverableTypes = {"file", "section", "api", "test",
                                                               "config"};

Result<std::string> deliverable_text(const Json& one) {
  static constexpr std::array<std::string_view, 3> kFields = {"type", "path", "description"};
  JsonObject object{{"path", one}};
  CC_ASSIGN(const Args fields,
            Args::make("a deliverable", one.as_string() ? Json(object) : one, kFields));
  CC_ASSIGN(const std::string type, fields.choice("type", kDeliverableTypes));
  CC_ASSIGN(const std::string path, fields.required("path"));
  CC_ASSIGN(const std::string description, fields.text("description"));
  JsonObject out{{"type", Json(type.empty() ? "file" : type)}, {"path", Json(path)}};
  if (!description.empty()) out.emplace_back("description", Json(description));
  return to_string(Json(std::move(out)));
}

}  // namespace

Result<std::string> title_of(const Args& args) {
  CC_ASSIGN(std::string title, args.required("title"));
  if (title.size() > kTitleBytesMax) {
    return Error{Code::invalid_argument,
                 "the title is longer than 4096 bytes",
                 "put the rest into the description",
                 {},
                 {}};
  }
  return title;
}

Status check_attributes(const JsonObject& attributes) {
  for (const auto& [key, value] : attributes) {
    if (key.empty() || key.size() > kIdBytesMax) {
      return Status(Code::invalid_argument,
                    "an attribute's name is empty or longer than 256 bytes");
    }
    if (is_task_key(key)) {
      return Status(Error{Code::invalid_argument,
                          "attribute " + key + " is set by the tracker",
                          "use the field or the command for it",
                          {},
                          {}});
    }
    for (const auto& [other, unused] : attributes) {
      if (&other != &key && other == key)
        return Status(Code::invalid_argument, "attribute " + key + " stands twice");
    }
  }
  return {};
}

Result<std::vector<std::string>> deliverables_of(const Args& args) {
  std::vector<std::string> result;
  const Json* json = args.find("deliverables");
  if (!json) return result;
  if (!json->as_array()) {
    return Error{Code::invalid_argument,
                 "deliverables must be a list of {path, type, description} or of paths",
                 {},
                 {},
                 {}};
  }
  std::vector<std::string> paths;
  for (const Json& one : *json->as_array()) {
    CC_ASSIGN(std::string text, deliverable_text(one));
    CC_ASSIGN(const Json read, parse_json(text));
    const std::string path(read.string_or("path"));
    if (std::find(paths.begin(), paths.end(), path) != paths.end()) {
      return Error{Code::invalid_argument, "deliverable " + path + " stands twice", {}, {}, {}};
    }
    paths.push_back(path);
    result.push_back(std::move(text));
  }
  return result;
}

}  // namespace contextcore::work
