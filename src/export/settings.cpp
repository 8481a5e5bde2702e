#include "export/settings.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "base/hash.h"
#include "base/time.h"

namespace contextcore::exporter {
namespace {

// The names of one destination's own settings: endpoint, headers, ... tidy: table
constexpr SettingName kSettings[] = {
    {"endpoint", "OTEL_EXPORTER_OTLP_ENDPOINT", "",
     "OTLP back end: traces go to it, and logs unless loki_endpoint is set"},
    {"traces_endpoint", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "",
     "where traces go to by OTLP; the whole address"},
    {"logs_endpoint", "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "",
     "where logs go to by OTLP; the whole address"},
    {"loki_endpoint", "", "", "Loki: logs go to it by its push API"},
    {"metrics_endpoint", "", "",
     "where metrics go to by remote write (Mimir, Prometheus); the whole address"},
    {"settle", "", "10m", "how long an ended task may be reopened before its span leaves"},
    {"received", "", "true", "hand on what was received, too"},
    {"max_lag", "", "24h",
     "how long retention waits for a destination that is behind; 0s: not at all"},
    {"start", "", "beginning", "where a new destination starts: beginning, now"},
    {"protocol", "OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf", "of OTLP: http/protobuf, grpc"},
    {"headers", "OTEL_EXPORTER_OTLP_HEADERS", "", "sent to OTLP back ends: name=value,…", true},
    {"timeout", "OTEL_EXPORTER_OTLP_TIMEOUT", "10s", "of one request"},
    {"compression", "OTEL_EXPORTER_OTLP_COMPRESSION", "gzip", "gzip, none"},
    {"certificate", "OTEL_EXPORTER_OTLP_CERTIFICATE", "",
     "file of the certificates to trust instead of the system's"},
    {"client_certificate", "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", "",
     "file, to prove who we are"},
    {"client_key", "OTEL_EXPORTER_OTLP_CLIENT_KEY", "", "file of its key"},
    {"backoff_min", "", "1s", "longest first wait after a failure; doubles"},
    {"backoff_max", "", "5m", "longest wait between attempts"},
    {"batch_items", "", "1000", "spans or lines of one request at most"},
    {"batch_bytes", "", "1048576", "bytes of one request, about"},
    {"dead_letters_max", "", "1000", "what a destination refused that is kept for a retry"},
    {"insecure", "OTEL_EXPORTER_OTLP_INSECURE", "", "gRPC at host:port without TLS: true, false",
     false, true},
    {"traces_insecure", "OTEL_EXPORTER_OTLP_TRACES_INSECURE", "", "for traces", false, true},
    {"logs_insecure", "OTEL_EXPORTER_OTLP_LOGS_INSECURE", "", "for logs", false, true},
    {"traces_protocol", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "", "for traces", false, true},
    {"traces_headers", "OTEL_EXPORTER_OTLP_TRACES_HEADERS", "", "for traces", true, true},
    {"traces_timeout", "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "", "for traces", false, true},
    {"traces_compression", "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "", "for traces", false, true},
    {"traces_certificate", "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", "", "for traces", false, true},
    {"traces_client_certificate", "OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE", "", "for traces",
     false, true},
    {"traces_client_key", "OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY", "", "for traces", false, true},
    {"logs_protocol", "OTEL_EXPORTER_OTLP_LOGS_PROTOCOL", "", "for logs", false, true},
    {"logs_headers", "OTEL_EXPORTER_OTLP_LOGS_HEADERS", "", "for logs", true, true},
    {"logs_timeout", "OTEL_EXPORTER_OTLP_LOGS_TIMEOUT", "", "for logs", false, true},
    {"logs_compression", "OTEL_EXPORTER_OTLP_LOGS_COMPRESSION", "", "for logs", false, true},
    {"logs_certificate", "OTEL_EXPORTER_OTLP_LOGS_CERTIFICATE", "", "for logs", false, true},
    {"logs_client_certificate", "OTEL_EXPORTER_OTLP_LOGS_CLIENT_CERTIFICATE", "", "for logs", false,
     true},
    {"logs_client_key", "OTEL_EXPORTER_OTLP_LOGS_CLIENT_KEY", "", "for logs", false, true},
    {"loki_headers", "", "", "for Loki: X-Scope-OrgID=…, Authorization=…", true, true},
    {"loki_timeout", "", "", "for Loki", false, true},
    {"loki_compression", "", "", "for Loki", false, true},
    {"loki_certificate", "", "", "for Loki", false, true},
    {"loki_client_certificate", "", "", "for Loki", false, true},
    {"loki_client_key", "", "", "for Loki", false, true},
    {"metrics_headers", "", "", "for remote write: X-Scope-OrgID=…, Authorization=…", true, true},
    {"metrics_timeout", "", "", "for remote write", false, true},
    {"metrics_certificate", "", "", "for remote write", false, true},
    {"metrics_client_certificate", "", "", "for remote write", false, true},
    {"metrics_client_key", "", "", "for remote write", false, true},
};

Error wrong(std::string_view name, const GivenSetting& given, const std::string& what,
            std::string hint) {
  return Error{Code::invalid_argument,
               "export." + std::string(name) + " " + what + " (from " + given.origin + ")",
               std::move(hint),
               {},
               {}};
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
    if (text[i] == '%' && high >= 0 && low >= 0) {
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// "name=value,name2=value2", percent-encoded where need be.
Result<Headers> parse_headers(std::string_view name, const GivenSetting& given) {
  Headers headers;
  std::string_view rest = given.value;
  while (!rest.empty()) {
    const size_t comma = std::min(rest.find(','), rest.size());
    const std::string_view part = trimmed(rest.substr(0, comma));
    rest.remove_prefix(std::min(comma + 1, rest.size()));
    if (part.empty()) continue;
    const size_t equals = part.find('=');
    const std::string key(trimmed(part.substr(0, equals)));
    const bool token = !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
    });
    std::string value;
    if (equals != std::string_view::npos) value = percent_decoded(trimmed(part.substr(equals + 1)));
    const bool plain = std::none_of(value.begin(), value.end(), [](char c) {
      return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    });
    // What it holds is not repeated: it may be a secret that lost its name.
    if (equals == std::string_view::npos || !token || !plain) {
      return wrong(name, given, "is not a list of headers", "name=value,other=value");
    }
    headers.emplace_back(key, std::move(value));
  }
  return headers;
}

Result<int64_t> parse_duration(std::string_view name, const GivenSetting& given) {
  int64_t ns = 0;
  const std::string& text = given.value;
  const bool digits =
      std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (digits && given.origin.starts_with("OTEL_")) {  // milliseconds, says the specification
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), ns);
    if (error != std::errc() || ns > INT64_MAX / kMillisecondNs) ns = -1;
    ns = ns < 0 ? -1 : ns * kMillisecondNs;
  } else {
    auto parsed = parse_go_duration(text);
    ns = parsed.ok() ? *parsed : -1;
  }
  if (ns < 0) return wrong(name, given, "is not a duration: " + text, "for example 10m or 1.5s");
  return ns;
}

Result<size_t> parse_count(std::string_view name, const GivenSetting& given, size_t max) {
  size_t count = 0;
  const std::string& text = given.value;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || end != text.data() + text.size() || count == 0 || count > max) {
    return wrong(name, given, "is not a number from 1 to " + std::to_string(max) + ": " + text, {});
  }
  return count;
}

Result<bool> parse_choice(std::string_view name, const GivenSetting& given, std::string_view yes,
                          std::string_view no) {
  if (given.value == yes) return true;
  if (given.value == no) return false;
  return wrong(name, given, "is '" + given.value + "'",
               "use " + std::string(yes) + " or " + std::string(no));
}

// The destination's own value of a setting, else the common one.
struct Chosen {
  std::string name;
  GivenSetting given;
};
Chosen choose(const SettingLookup& lookup, std::string_view own, std::string_view name) {
  std::string own_name = std::string(own) + "_" + std::string(name);
  GivenSetting given = lookup(own_name);
  if (!given.value.empty()) return {std::move(own_name), std::move(given)};
  return {std::string(name), lookup(name)};
}

Status complete(const SettingLookup& lookup, DestinationSettings& out) {
  const std::string_view own = kind_name(out.kind);
  const bool otlp = out.kind == Kind::traces || out.kind == Kind::logs;
  const Chosen timeout = choose(lookup, own, "timeout");
  CC_ASSIGN(out.timeout_ns, parse_duration(timeout.name, timeout.given));
  if (out.timeout_ns == 0) return wrong(timeout.name, timeout.given, "is 0", {});
  if (out.kind != Kind::metrics) {
    const Chosen compression = choose(lookup, own, "compression");
    CC_ASSIGN(out.compress, parse_choice(compression.name, compression.given, "gzip", "none"));
  }
  out.tls.certificate = choose(lookup, own, "certificate").given.value;
  out.tls.client_certificate = choose(lookup, own, "client_certificate").given.value;
  out.tls.client_key = choose(lookup, own, "client_key").given.value;
  Chosen headers{std::string(own) + "_headers", lookup(std::string(own) + "_headers")};
  if (otlp) headers = choose(lookup, own, "headers");
  CC_ASSIGN(out.headers, parse_headers(headers.name, headers.given));
  if (!out.url.authorization.empty())
    out.headers.emplace_back("Authorization", out.url.authorization);
  return {};
}

Result<bool> asks_for_grpc(const SettingLookup& lookup, Kind kind) {
  const Chosen protocol = choose(lookup, kind_name(kind), "protocol");
  if (protocol.given.value == "http/json") {
    return wrong(protocol.name, protocol.given, "http/json is not supported",
                 "use http/protobuf or grpc");
  }
  return parse_choice(protocol.name, protocol.given, "grpc", "http/protobuf");
}

Result<Url> address_of(std::string_view name, const GivenSetting& given) {
  auto url = parse_url(given.value);
  if (!url.ok()) {
    return wrong(name, given, "is not an address", url.error().message);
  }
  return std::move(*url);
}

// With gRPC an address may be host:port, too: through TLS then, unless `insecure` says otherwise. A
// scheme comes before that.
Result<Url> grpc_address_of(const SettingLookup& lookup, Kind kind, std::string_view name,
                            GivenSetting given) {
  bool insecure = false;
  Chosen chosen = choose(lookup, kind_name(kind), "insecure");
  // In any case, says the specification.
  for (char& c : chosen.given.value) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  if (!chosen.given.value.empty()) {
    CC_ASSIGN(insecure, parse_choice(chosen.name, chosen.given, "true", "false"));
  }
  if (given.value.find("://") != std::string::npos) return address_of(name, given);
  const size_t colon = given.value.rfind(':');
  const size_t bracket = given.value.rfind(']');
  if (colon == std::string::npos || (bracket != std::string::npos && colon < bracket)) {
    return wrong(name, given, "is not an address",
                 "an address of gRPC is host:port or http(s)://host:port");
  }
  given.value.insert(0, insecure ? "http://" : "https://");
  return address_of(name, given);
}

// An OTLP destination: its own address is taken as it is, the common one gets the signal's path.
Status add_otlp(const SettingLookup& lookup, Kind kind, bool by_common, Settings& out) {
  const std::string own = std::string(kind_name(kind)) + "_endpoint";
  const std::string path = kind == Kind::traces ? "v1/traces" : "v1/logs";
  DestinationSettings destination;
  destination.kind = kind;
  GivenSetting given = lookup(own);
  std::string name = own;
  if (given.value.empty() && by_common) {
    name = "endpoint";
    given = lookup(name);
  }
  if (given.value.empty()) return {};
  CC_ASSIGN(destination.grpc, asks_for_grpc(lookup, kind));
  CC_ASSIGN(destination.url, destination.grpc ? grpc_address_of(lookup, kind, name, given)
                                              : address_of(name, given));
  destination.origin = given.origin;
  CC_TRY(complete(lookup, destination));
  std::string& target = destination.url.target;
  if (destination.grpc) {
    target.clear();
  } else if (name == "endpoint") {
    if (!target.ends_with('/')) target += '/';
    target += path;
  } else if (target.empty()) {
    target = given.origin.starts_with("OTEL_") ? "/" : "/" + path;
  }
  out.destinations.push_back(std::move(destination));
  return {};
}

Status add_other(const SettingLookup& lookup, Kind kind, Settings& out) {
  const std::string name = std::string(kind_name(kind)) + "_endpoint";
  const GivenSetting given = lookup(name);
  if (given.value.empty()) return {};
  DestinationSettings destination;
  destination.kind = kind;
  CC_ASSIGN(destination.url, address_of(name, given));
  destination.origin = given.origin;
  if (destination.url.target.empty() || destination.url.target == "/") {
    if (kind == Kind::metrics) {
      return wrong(name, given, "has no path",
                   "Mimir takes remote write at /api/v1/push, Prometheus at /api/v1/write");
    }
    destination.url.target = "/loki/api/v1/push";
  }
  CC_TRY(complete(lookup, destination));
  out.destinations.push_back(std::move(destination));
  return {};
}

}  // namespace

std::span<const SettingName> setting_names() { return kSettings; }

std::string environment_name(std::string_view setting) {
  std::string out = "CONTEXTCORE_EXPORT_";
  for (const char c : setting) out += c >= 'a' && c <= 'z' ? static_cast<char>(c - ('a' - 'A')) : c;
  return out;
}

std::string flag_name(std::string_view setting) {
  std::string out = "--export-";
  for (const char c : setting) out += c == '_' ? '-' : c;
  return out;
}

std::string shown_value(const SettingName& setting, std::string_view value) {
  if (value.empty()) return {};
  if (!setting.secret) {
    // Whatever stands before an @ in an address may be a password.
    const size_t at = value.rfind('@');
    const size_t scheme = value.find("://");
    if (!std::string_view(setting.name).ends_with("endpoint") || at == std::string_view::npos)
      return std::string(value);
    const std::string head(value.substr(0, scheme == std::string_view::npos ? 0 : scheme + 3));
    return head + "…" + std::string(value.substr(at));
  }
  std::string out;
  while (!value.empty()) {
    const size_t comma = std::min(value.find(','), value.size());
    const std::string_view part = trimmed(value.substr(0, comma));
    value.remove_prefix(std::min(comma + 1, value.size()));
    if (!out.empty()) out += ',';
    const size_t equals = part.find('=');
    out += equals == std::string_view::npos ? "…" : std::string(part.substr(0, equals)) + "=…";
  }
  return out;
}

std::string_view kind_name(Kind kind) {
  static constexpr std::array<std::string_view, 4> kNames = {"traces", "logs", "loki", "metrics"};
  return kNames[static_cast<size_t>(kind)];
}

std::string Url::to_string() const {
  const std::string shown = host.find(':') == std::string::npos ? host : "[" + host + "]";
  return std::string(tls ? "https://" : "http://") + shown + ":" + std::to_string(port) + target;
}

Result<Url> parse_url(std::string_view text) {
  const auto bad = [](const char* what) { return Error{Code::invalid_argument, what, {}, {}, {}}; };
  Url url;
  if (text.starts_with("https://")) {
    url.tls = true;
    text.remove_prefix(8);
  } else if (text.starts_with("http://")) {
    text.remove_prefix(7);
  } else {
    return bad("an address begins with http:// or https://");
  }
  const size_t slash = std::min(text.find_first_of("/?#"), text.size());
  std::string_view authority = text.substr(0, slash);
  url.target =
      text.substr(slash, text.find('#') == std::string_view::npos ? std::string_view::npos
                                                                  : text.find('#') - slash);
  if (!url.target.empty() && url.target.front() != '/') url.target.insert(0, 1, '/');
  if (const size_t at = authority.rfind('@'); at != std::string_view::npos) {
    url.authorization = "Basic " + to_base64(percent_decoded(authority.substr(0, at)));
    authority.remove_prefix(at + 1);
  }
  std::string_view port;
  if (authority.starts_with('[')) {
    const size_t end = authority.find(']');
    if (end == std::string_view::npos) return bad("an IPv6 address stands in [ ]");
    url.host = authority.substr(1, end - 1);
    port = authority.substr(end + 1);
  } else {
    const size_t colon = std::min(authority.find(':'), authority.size());
    url.host = authority.substr(0, colon);
    port = authority.substr(colon);
  }
  const bool plain = std::none_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f;
  });
  if (url.host.empty() || !plain) return bad("an address is http(s)://host[:port][/path]");
  url.port = url.tls ? 443 : 80;
  if (port.empty()) return url;
  const auto [end, error] = std::from_chars(port.data() + 1, port.data() + port.size(), url.port);
  if (port.front() != ':' || error != std::errc() || end != port.data() + port.size() ||
      url.port == 0) {
    return bad("a port is a number from 1 to 65535");
  }
  return url;
}

Result<Settings> parse_settings(const SettingLookup& lookup) {
  Settings out;
  CC_ASSIGN(out.settle_ns, parse_duration("settle", lookup("settle")));
  CC_ASSIGN(out.received, parse_choice("received", lookup("received"), "true", "false"));
  CC_ASSIGN(out.from_now, parse_choice("start", lookup("start"), "now", "beginning"));
  CC_ASSIGN(out.max_lag_ns, parse_duration("max_lag", lookup("max_lag")));
  CC_ASSIGN(out.backoff_min_ns, parse_duration("backoff_min", lookup("backoff_min")));
  CC_ASSIGN(out.backoff_max_ns, parse_duration("backoff_max", lookup("backoff_max")));
  if (out.backoff_min_ns == 0 || out.backoff_max_ns < out.backoff_min_ns) {
    return wrong("backoff_max", lookup("backoff_max"), "is less than export.backoff_min", {});
  }
  CC_ASSIGN(out.batch_items, parse_count("batch_items", lookup("batch_items"), 10'000));
  CC_ASSIGN(out.batch_bytes, parse_count("batch_bytes", lookup("batch_bytes"), 16 << 20));
  CC_ASSIGN(out.dead_letters_max,
            parse_count("dead_letters_max", lookup("dead_letters_max"), 100'000));
  const bool loki = !lookup("loki_endpoint").value.empty();
  CC_TRY(add_otlp(lookup, Kind::traces, true, out));
  CC_TRY(add_otlp(lookup, Kind::logs, !loki, out));
  CC_TRY(add_other(lookup, Kind::loki, out));
  CC_TRY(add_other(lookup, Kind::metrics, out));
  return out;
}

}  // namespace contextcore::exporter
