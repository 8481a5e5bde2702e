#pragma once
// Where telemetry is handed on to, and how: the settings export.*, by their own names, by
// CONTEXTCORE_EXPORT_*, and by the standard variables OTEL_EXPORTER_OTLP_* (OpenTelemetry
// specification, "OpenTelemetry Protocol Exporter"). Pure: values and their origins are given.

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace contextcore::exporter {

// One setting as configuration knows it.
struct SettingName {
  const char* name;          // below "export.": "traces_endpoint"
  const char* standard;      // variable of the specification that sets it too, "" if none
  const char* fallback;      // value when nothing is given
  const char* brief;         // what `contextcore config` says
  bool secret = false;       // values are never shown
  bool only_if_set = false;  // not listed otherwise
};
std::span<const SettingName> setting_names();
// "CONTEXTCORE_EXPORT_TRACES_ENDPOINT", "--export-traces-endpoint".
std::string environment_name(std::string_view setting);
std::string flag_name(std::string_view setting);
// What may be shown of a value: names of headers without what they hold, addresses without a user.
std::string shown_value(const SettingName& setting, std::string_view value);

struct GivenSetting {
  std::string value;   // "" = not set
  std::string origin;  // "--export-settle", "OTEL_EXPORTER_OTLP_ENDPOINT", a file, "default"
};
using SettingLookup = std::function<GivenSetting(std::string_view name)>;

using Headers = std::vector<std::pair<std::string, std::string>>;

struct Url {
  bool tls = false;
  std::string host;
  uint16_t port = 0;
  std::string target;             // path and query, from "/" on; "" when none was given
  std::string authorization;      // value of that header, made of user:password@
  std::string to_string() const;  // without the user
};
// http(s)://[user[:password]@]host[:port][/path]. invalid_argument otherwise.
Result<Url> parse_url(std::string_view text);

struct TlsOptions {
  std::string certificate;  // files, PEM: whom to trust instead of the system's, who we are
  std::string client_certificate, client_key;
  bool operator==(const TlsOptions&) const = default;
};

enum class Kind : uint8_t { traces, logs, loki, metrics };
std::string_view kind_name(Kind kind);

struct DestinationSettings {
  Kind kind = Kind::traces;
  Url url;
  std::string origin;  // of the address
  bool grpc = false;
  Headers headers;
  bool compress = false;
  int64_t timeout_ns = 0;
  TlsOptions tls;
};

struct Settings {
  int64_t settle_ns = 0;
  bool received = true;   // what was received is handed on too
  bool from_now = false;  // a new destination starts with what comes from now on
  int64_t backoff_min_ns = 0, backoff_max_ns = 0;
  int64_t save_every_ns = 5'000'000'000;  // how often a place is written at most
  int64_t max_lag_ns = 0;  // further behind, retention does not wait for a destination; 0: never
  size_t batch_items = 0, batch_bytes = 0;
  size_t dead_letters_max = 0;
  std::vector<DestinationSettings> destinations;
};

// invalid_argument names the setting and where its value comes from.
Result<Settings> parse_settings(const SettingLookup& lookup);

}  // namespace contextcore::exporter
