#include "sdk/toml_file.h"

#include <fmt/format.h>

#include <algorithm>

#include "export/settings.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wold-style-cast"
#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#include <toml++/toml.h>
#pragma GCC diagnostic pop

namespace contextcore::sdk {
namespace {

constexpr std::string_view kKnownKeys[] = {
    "project",         "prefix",         "store",             "server",      "lease_seconds",
    "durability",      "types",          "statuses",          "export",      "tenants",
    "retention_spans", "retention_logs", "retention_metrics", "ingest_rate", "metric_series",
    "query_slots",     "server_traces",  "tenant_query_slots", "tenant_head_share"};

std::string known_keys() {
  std::string text;
  for (const std::string_view key : kKnownKeys) text += (text.empty() ? "" : ", ") + std::string(key);
  return text;
}

Error wrong(const std::string& path, const toml::node& node, const std::string& what) {
  return Error{Code::invalid_argument,
               path + ":" + std::to_string(node.source().begin.line) + ": " + what,
               {},
               {},
               {}};
}

Result<std::vector<std::string>> read_types(const toml::node& node, const std::string& path) {
  std::vector<std::string> types;
  const toml::array* array = node.as_array();
  if (!array) return wrong(path, node, "'types' must be an array of strings");
  for (const toml::node& one : *array) {
    if (!one.as_string()) return wrong(path, one, "'types' must be an array of strings");
    types.push_back(one.as_string()->get());
  }
  return types;
}

Result<std::vector<std::pair<std::string, std::string>>> read_statuses(const toml::node& node,
                                                                       const std::string& path) {
  std::vector<std::pair<std::string, std::string>> statuses;
  const toml::table* table = node.as_table();
  if (!table) return wrong(path, node, "'statuses' must be a table: name = \"in_review\"");
  for (const auto& [name, base] : *table) {
    if (!base.as_string()) {
      return wrong(path, base,
                   "status '" + std::string(name.str()) +
                       "' must name a status or category that it behaves like");
    }
    statuses.emplace_back(name.str(), base.as_string()->get());
  }
  return statuses;
}

// The table [export]: settings of handing telemetry on, by their names below "export.".
Status read_export(const toml::node& node, const std::string& path,
                   std::vector<std::pair<std::string, std::string>>& values) {
  const toml::table* table = node.as_table();
  if (!table) return wrong(path, node, "'export' must be a table: [export]");
  for (const auto& [key, value] : *table) {
    const std::string name(key.str());
    const auto known = exporter::setting_names();
    if (std::none_of(known.begin(), known.end(), [&](const auto& one) { return name == one.name; }))
      return wrong(path, value, "unknown key '" + name + "' of [export]");
    if (const auto* string = value.as_string()) {
      values.emplace_back("export." + name, string->get());
    } else if (const auto* integer = value.as_integer()) {
      values.emplace_back("export." + name, std::to_string(integer->get()));
    } else if (const auto* boolean = value.as_boolean()) {
      values.emplace_back("export." + name, boolean->get() ? "true" : "false");
    } else {
      return wrong(path, value, "'export." + name + "' must be a string, a number, true or false");
    }
  }
  return {};
}

std::optional<std::string> plain_text(const toml::node& value) {
  if (const auto* string = value.as_string()) return string->get();
  if (const auto* integer = value.as_integer()) return std::to_string(integer->get());
  if (const auto* real = value.as_floating_point()) return fmt::format("{}", real->get());
  return std::nullopt;
}

// The tables [tenants.NAME]: settings by "NAME.key".
Status read_tenants(const toml::node& node, const std::string& path,
                    std::vector<std::pair<std::string, std::string>>& out) {
  const toml::table* all = node.as_table();
  if (!all) return wrong(path, node, "'tenants' must be tables: [tenants.NAME]");
  for (const auto& [name, settings] : *all) {
    const toml::table* table = settings.as_table();
    const std::string tenant(name.str());
    if (!table) return wrong(path, settings, "'tenants." + tenant + "' must be a table: [tenants." + tenant + "]");
    for (const auto& [key, value] : *table) {
      const std::string full = tenant + "." + std::string(key.str());
      const auto text = plain_text(value);
      if (!text) return wrong(path, value, "'tenants." + full + "' must be a string or a number");
      out.emplace_back(full, *text);
    }
  }
  return {};
}

}  // namespace

Result<TomlFile> TomlFile::parse(std::string_view text, const std::string& path) {
  toml::parse_result parsed = toml::parse(text);
  if (!parsed) {
    const auto& failure = parsed.error();
    return Error{Code::invalid_argument,
                 path + ":" + std::to_string(failure.source().begin.line) + ": " +
                     std::string(failure.description()),
                 {},
                 {},
                 {}};
  }
  TomlFile file;
  for (const auto& [key, node] : parsed.table()) {
    const std::string name(key.str());
    bool known = false;
    for (const std::string_view one : kKnownKeys) known = known || one == name;
    if (!known) {
      return Error{
          Code::invalid_argument,
          path + ":" + std::to_string(node.source().begin.line) + ": unknown key '" + name + "'",
          "known keys: " + known_keys(),
          {std::begin(kKnownKeys), std::end(kKnownKeys)},
          {}};
    }
    if (name == "types") {
      CC_ASSIGN(file.types_, read_types(node, path));
      continue;
    }
    if (name == "statuses") {
      CC_ASSIGN(file.statuses_, read_statuses(node, path));
      continue;
    }
    if (name == "tenants") {
      CC_TRY(read_tenants(node, path, file.tenants_));
      continue;
    }
    if (name == "export") {
      CC_TRY(read_export(node, path, file.values_));
      continue;
    }
    const auto text_of = plain_text(node);
    if (!text_of) return wrong(path, node, "'" + name + "' must be a string or a number");
    file.values_.emplace_back(name, *text_of);
  }
  return file;
}

std::optional<std::string> TomlFile::find(std::string_view key) const {
  for (const auto& [name, value] : values_) {
    if (name == key) return value;
  }
  return std::nullopt;
}

std::string toml_quote(std::string_view text) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      out += "\\u00";
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
    } else {
      out += c;
    }
  }
  return out + "\"";
}

}  // namespace contextcore::sdk
