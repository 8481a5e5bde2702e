#pragma once
// The settings export.* among those of the configuration (config.h): from environment, standard
// OTEL_* variables, the table [export] of the project file, and defaults.

#include <map>
#include <string>
#include <string_view>

#include "export/settings.h"
#include "sdk/config.h"

namespace contextcore::sdk {

class TomlFile;

// Appends the settings that are always listed, and of the others those that are set. Values are
// whole; whoever shows them asks shown_setting().
void add_export_settings(const TomlFile& file, const std::string& file_path, Config& config);

// What may be shown of any setting.
std::string shown_setting(const Setting& setting);

// flags: by name ("settle"), what the command line gave.
exporter::SettingLookup export_lookup(const Config& config,
                                      const std::map<std::string, std::string>& flags);

}  // namespace contextcore::sdk
