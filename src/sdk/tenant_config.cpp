#include "sdk/tenant_config.h"

#include <charconv>
#include <functional>

#include "base/time.h"
#include "query/logql/text.h"
#include "sdk/toml_file.h"
#include "store/tenant.h"

namespace contextcore::sdk {
namespace {

constexpr std::string_view kPrefix = "tenants.";

bool is_duration(const std::string& text) {
  const auto parsed = parse_prometheus_duration(text);
  return text == "0" || (parsed.ok() && *parsed >= 0);
}

bool is_number(const std::string& text) {
  uint64_t value = 0;
  return logql::parse_bytes(text, value);
}

struct Known {
  std::string_view name;
  const char* brief;
  const char* hint;
  bool (*is_valid)(const std::string& text);
};

constexpr const char* kDurationHint = "use a duration such as 30d, or 0 for ever";

constexpr Known kKnown[] = {
    {"retention_spans", "how long this tenant's spans are kept", kDurationHint, is_duration},
    {"retention_logs", "how long this tenant's logs are kept", kDurationHint, is_duration},
    {"ingest_rate", "telemetry that is taken of this tenant, bytes a second; 0: any", "use a number such as 20MB",
     is_number},
    {"head_share", "of what waits while files are written, what this tenant may fill",
     "use a number above 0 and at most 1, such as 0.5",
     [](const std::string& text) { return parse_share(text).has_value(); }},
    {"query_slots", "this tenant's queries at the same time; 0: any", "use a number such as 4", is_number},
};

// Calls fn(tenant, setting, value) for each.
void for_each_setting(const Config& config,
                      const std::function<void(const std::string&, std::string_view, const std::string&)>& fn) {
  for (const Setting& setting : config.settings) {
    if (!setting.name.starts_with(kPrefix)) continue;
    const size_t dot = setting.name.rfind('.');
    fn(setting.name.substr(kPrefix.size(), dot - kPrefix.size()), std::string_view(setting.name).substr(dot + 1),
       setting.value);
  }
}

int64_t duration_of(const std::string& text) { return parse_prometheus_duration(text).value_or(0); }

uint64_t number_of(const std::string& text) {
  uint64_t value = 0;
  logql::parse_bytes(text, value);
  return value;
}

}  // namespace

std::optional<double> parse_share(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !(value > 0 && value <= 1)) return std::nullopt;
  return value;
}

Status add_tenant_settings(const TomlFile& file, const std::string& file_path, Config& config) {
  for (const auto& [name, value] : file.tenant_settings()) {
    const size_t dot = name.rfind('.');
    const std::string tenant = name.substr(0, dot);
    const std::string_view key = std::string_view(name).substr(dot + 1);
    if (const Status valid = store::check_tenant(tenant); tenant.empty() || !valid.ok()) {
      return Error{Code::invalid_argument,
                   file_path + ": [tenants." + tenant + "] " +
                       (valid.ok() ? "names no tenant" : "is no tenant: " + valid.error().message),
                   {}, {}, {}};
    }
    const Known* known = nullptr;
    std::vector<std::string> names;
    for (const Known& one : kKnown) {
      names.emplace_back(one.name);
      if (one.name == key) known = &one;
    }
    const std::string full = std::string(kPrefix) + name;
    if (known == nullptr) {
      return Error{Code::invalid_argument,
                   file_path + ": unknown key '" + std::string(key) + "' of [tenants." + tenant + "]",
                   "known: retention_spans, retention_logs, ingest_rate, head_share, query_slots", std::move(names), {}};
    }
    if (!known->is_valid(value)) {
      return Error{
          Code::invalid_argument, full + " is '" + value + "' (from " + file_path + ")", known->hint, {}, {}};
    }
    config.settings.push_back({full, value, file_path, "", known->brief});
  }
  return {};
}

store::TenantLimitsByName tenant_limits_of(const Config& config) {
  store::TenantLimitsByName all;
  for_each_setting(config, [&](const std::string& tenant, std::string_view name, const std::string& value) {
    store::TenantLimits& limits = all[tenant];
    if (name == "retention_spans") limits.retention_spans_ns = duration_of(value);
    if (name == "retention_logs") limits.retention_logs_ns = duration_of(value);
    if (name == "ingest_rate") limits.ingest_rate_bytes = number_of(value);
    if (name == "head_share") limits.head_share = parse_share(value);
  });
  return all;
}

std::map<std::string, uint64_t, std::less<>> query_slots_of_tenants(const Config& config) {
  std::map<std::string, uint64_t, std::less<>> all;
  for_each_setting(config, [&](const std::string& tenant, std::string_view name, const std::string& value) {
    if (name == "query_slots") all[tenant] = number_of(value);
  });
  return all;
}

}  // namespace contextcore::sdk
