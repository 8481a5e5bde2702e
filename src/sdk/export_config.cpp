#include "sdk/export_config.h"

#include "base/process.h"
#include "sdk/toml_file.h"

namespace contextcore::sdk {
namespace {

constexpr std::string_view kPrefix = "export.";

bool is_file(std::string_view name) {
  return name.ends_with("certificate") || name.ends_with("client_key");
}

Setting resolve(const exporter::SettingName& name, const TomlFile& file,
                const std::string& file_path) {
  Setting setting{std::string(kPrefix) + name.name, "", "default",
                  exporter::environment_name(name.name), name.brief};
  // An empty variable is as good as none, says the specification.
  for (const std::string& variable : {setting.environment, std::string(name.standard)}) {
    if (variable.empty()) continue;
    if (auto value = environment(variable.c_str()); value && !value->empty()) {
      setting.value = *value;
      setting.origin = variable;
      return setting;
    }
  }
  if (auto value = file.find(setting.name)) {
    setting.value = *value;
    setting.origin = file_path;
    if (is_file(name.name) && !value->empty())
      setting.value = join_path(parent_path(file_path), *value);
    return setting;
  }
  setting.value = name.fallback;
  if (setting.value.empty()) setting.origin = "not set";
  return setting;
}

}  // namespace

void add_export_settings(const TomlFile& file, const std::string& file_path, Config& config) {
  for (const exporter::SettingName& name : exporter::setting_names()) {
    Setting setting = resolve(name, file, file_path);
    if (!name.only_if_set || !setting.value.empty()) config.settings.push_back(std::move(setting));
  }
}

std::string shown_setting(const Setting& setting) {
  if (!setting.name.starts_with(kPrefix)) return setting.value;
  for (const exporter::SettingName& name : exporter::setting_names()) {
    if (setting.name.substr(kPrefix.size()) == name.name)
      return exporter::shown_value(name, setting.value);
  }
  return {};
}

exporter::SettingLookup export_lookup(const Config& config,
                                      const std::map<std::string, std::string>& flags) {
  return [&config, flags](std::string_view name) {
    if (const auto flag = flags.find(std::string(name)); flag != flags.end())
      return exporter::GivenSetting{flag->second, exporter::flag_name(name)};
    for (const Setting& setting : config.settings) {
      if (setting.name.starts_with(kPrefix) && setting.name.substr(kPrefix.size()) == name)
        return exporter::GivenSetting{setting.value, setting.origin};
    }
    return exporter::GivenSetting{"", "not set"};
  };
}

}  // namespace contextcore::sdk
