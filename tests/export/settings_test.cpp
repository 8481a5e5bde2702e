// Settings, addresses, redaction, and what answers mean.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "base/time.h"
#include "export/sender.h"
#include "export/settings.h"

namespace contextcore::exporter {
namespace {

using Given = std::map<std::string, std::string, std::less<>>;

// Defaults, and what is given; names that begin with OTEL_ are found by their standard name.
Result<Settings> parse(const Given& given) {
  return parse_settings([&](std::string_view name) {
    for (const SettingName& known : setting_names()) {
      if (name != known.name) continue;
      if (const auto own = given.find(name); own != given.end())
        return GivenSetting{own->second, "test"};
      if (const auto standard = given.find(known.standard);
          standard != given.end() && !standard->first.empty())
        return GivenSetting{standard->second, known.standard};
      return GivenSetting{known.fallback, "default"};
    }
    return GivenSetting{};
  });
}

std::string addresses(const Given& given) {
  const auto settings = parse(given);
  if (!settings.ok()) return settings.error().message;
  std::string out;
  for (const DestinationSettings& one : settings->destinations)
    out += std::string(kind_name(one.kind)) + " " + one.url.to_string() + "\n";
  return out;
}

std::string complaint(const Given& given) {
  const auto settings = parse(given);
  return settings.ok() ? "" : settings.error().message;
}

TEST(SettingsTest, nothing_is_exported_unless_an_address_is_given) { EXPECT_EQ(addresses({}), ""); }

TEST(SettingsTest, addresses_follow_the_specification) {
  EXPECT_EQ(addresses({{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318"}}),
            "traces http://c:4318/v1/traces\nlogs http://c:4318/v1/logs\n");
  EXPECT_EQ(addresses({{"OTEL_EXPORTER_OTLP_ENDPOINT", "https://c/base/"}}),
            "traces https://c:443/base/v1/traces\nlogs https://c:443/base/v1/logs\n");
  // A signal's own address is taken as it is.
  EXPECT_EQ(addresses({{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://c:4318"}}),
            "traces http://c:4318/\n");
  EXPECT_EQ(addresses({{"traces_endpoint", "http://tempo:4318"}}),
            "traces http://tempo:4318/v1/traces\n");
  EXPECT_EQ(addresses({{"traces_endpoint", "http://t/x?a=b"}}), "traces http://t:80/x?a=b\n");
  // Loki takes the logs from the common address, not from one for logs.
  EXPECT_EQ(addresses({{"endpoint", "http://c:4318"}, {"loki_endpoint", "http://loki:3100"}}),
            "traces http://c:4318/v1/traces\nloki http://loki:3100/loki/api/v1/push\n");
  EXPECT_EQ(addresses({{"logs_endpoint", "http://c/l"}, {"loki_endpoint", "http://[::1]:3100/p"}}),
            "logs http://c:80/l\nloki http://[::1]:3100/p\n");
  EXPECT_THAT(addresses({{"metrics_endpoint", "http://mimir:9009"}}),
              ::testing::HasSubstr("has no path"));
}

TEST(SettingsTest, addresses_of_grpc_have_no_path_and_need_no_scheme) {
  const auto grpc = [](Given given) {
    given.emplace("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc");
    return addresses(given);
  };
  EXPECT_EQ(grpc({{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4317"}}),
            "traces http://c:4317\nlogs http://c:4317\n");
  EXPECT_EQ(grpc({{"traces_endpoint", "https://c/some/path"}}), "traces https://c:443\n");
  // Without a scheme: through TLS, unless told otherwise.
  EXPECT_EQ(grpc({{"endpoint", "c:4317"}, {"OTEL_EXPORTER_OTLP_LOGS_INSECURE", "true"}}),
            "traces https://c:4317\nlogs http://c:4317\n");
  EXPECT_EQ(grpc({{"traces_endpoint", "[::1]:4317"}, {"OTEL_EXPORTER_OTLP_INSECURE", "True"}}),
            "traces http://[::1]:4317\n");
  EXPECT_EQ(grpc({{"endpoint", "c:4317"}, {"insecure", "true"}, {"traces_insecure", "false"}}),
            "traces https://c:4317\nlogs http://c:4317\n");
  // A scheme comes before that.
  EXPECT_EQ(grpc({{"traces_endpoint", "https://c:1"}, {"insecure", "true"}}),
            "traces https://c:1\n");
  EXPECT_EQ(grpc({{"traces_endpoint", "http://c:1"}, {"insecure", "false"}}),
            "traces http://c:1\n");
  for (const char* bad : {"c", "[::1]", "c:", "c:x", ":4317", "ftp://c:1"})
    EXPECT_EQ(grpc({{"endpoint", bad}}), "export.endpoint is not an address (from test)") << bad;
  EXPECT_EQ(grpc({{"endpoint", "c:1"}, {"insecure", "yes"}}),
            "export.insecure is 'yes' (from test)");
  // One signal by gRPC, the other by HTTP.
  EXPECT_EQ(addresses({{"traces_endpoint", "http://c:4317"},
                       {"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "grpc"},
                       {"logs_endpoint", "http://c:4318"}}),
            "traces http://c:4317\nlogs http://c:4318/v1/logs\n");
}

TEST(SettingsTest, a_signals_own_values_come_before_the_common_ones) {
  const auto settings = parse({{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318"},
                               {"OTEL_EXPORTER_OTLP_HEADERS", "api-key=k%201, x=y"},
                               {"OTEL_EXPORTER_OTLP_TRACES_HEADERS", "a=b=c"},
                               {"OTEL_EXPORTER_OTLP_TIMEOUT", "2500"},
                               {"logs_timeout", "1m"},
                               {"OTEL_EXPORTER_OTLP_COMPRESSION", "none"},
                               {"OTEL_EXPORTER_OTLP_LOGS_COMPRESSION", "gzip"},
                               {"settle", "0s"},
                               {"received", "false"}});
  ASSERT_TRUE(settings.ok()) << settings.error().to_string();
  const DestinationSettings& traces = settings->destinations[0];
  const DestinationSettings& logs = settings->destinations[1];
  EXPECT_EQ(traces.headers, (Headers{{"a", "b=c"}}));
  EXPECT_EQ(logs.headers, (Headers{{"api-key", "k 1"}, {"x", "y"}}));
  EXPECT_EQ(traces.timeout_ns, 2500 * kMillisecondNs);
  EXPECT_EQ(logs.timeout_ns, kMinuteNs);
  EXPECT_FALSE(traces.compress);
  EXPECT_TRUE(logs.compress);
  EXPECT_EQ(settings->settle_ns, 0);
  EXPECT_FALSE(settings->received);
}

TEST(SettingsTest, headers_of_one_back_end_go_to_no_other) {
  const auto settings = parse({{"loki_endpoint", "http://loki:3100"},
                               {"headers", "Authorization=secret"},
                               {"loki_headers", "X-Scope-OrgID=team"}});
  ASSERT_TRUE(settings.ok());
  EXPECT_EQ(settings->destinations[0].headers, (Headers{{"X-Scope-OrgID", "team"}}));
}

TEST(SettingsTest, a_user_in_an_address_becomes_a_header_and_is_never_shown) {
  const auto settings = parse({{"loki_endpoint", "https://me:pass%40word@loki.example.org"}});
  ASSERT_TRUE(settings.ok());
  const DestinationSettings& loki = settings->destinations[0];
  EXPECT_EQ(loki.headers, (Headers{{"Authorization", "Basic bWU6cGFzc0B3b3Jk"}}));
  EXPECT_EQ(loki.url.to_string(), "https://loki.example.org:443/loki/api/v1/push");
}

TEST(SettingsTest, what_cannot_be_met_is_named_with_its_origin) {
  EXPECT_EQ(complaint({{"settle", "soon"}}), "export.settle is not a duration: soon (from test)");
  EXPECT_EQ(complaint({{"received", "yes"}}), "export.received is 'yes' (from test)");
  EXPECT_EQ(complaint({{"batch_items", "0"}}),
            "export.batch_items is not a number from 1 to 10000: 0 (from test)");
  EXPECT_EQ(complaint({{"endpoint", "c:4318"}}), "export.endpoint is not an address (from test)");
  EXPECT_EQ(complaint({{"endpoint", "http://c:99999"}}),
            "export.endpoint is not an address (from test)");
  EXPECT_EQ(complaint({{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://c"},
                       {"OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"}}),
            "export.protocol http/json is not supported (from OTEL_EXPORTER_OTLP_PROTOCOL)");
  EXPECT_EQ(complaint({{"backoff_min", "10m"}}),
            "export.backoff_max is less than export.backoff_min (from default)");
  // What may be a secret is not repeated.
  EXPECT_EQ(complaint({{"endpoint", "http://c"}, {"headers", "hunter2"}}),
            "export.headers is not a list of headers (from test)");
  EXPECT_EQ(complaint({{"endpoint", "http://c"}, {"headers", "a=b%0d%0ac"}}),
            "export.headers is not a list of headers (from test)");
}

TEST(SettingsTest, shown_values_hold_no_secret) {
  const auto shown = [](std::string_view name, std::string_view value) {
    for (const SettingName& known : setting_names()) {
      if (name == known.name) return shown_value(known, value);
    }
    return std::string("no such setting");
  };
  EXPECT_EQ(shown("headers", "api-key=abc, Authorization=Bearer x=y"), "api-key=…,Authorization=…");
  EXPECT_EQ(shown("loki_headers", "abc"), "…");
  EXPECT_EQ(shown("loki_endpoint", "https://me:secret@host/p"), "https://…@host/p");
  EXPECT_EQ(shown("endpoint", "http://c:4318"), "http://c:4318");
  EXPECT_EQ(environment_name("traces_endpoint"), "CONTEXTCORE_EXPORT_TRACES_ENDPOINT");
  EXPECT_EQ(flag_name("traces_endpoint"), "--export-traces-endpoint");
}

client::HttpResponse answer(int status, std::string body = {}, std::string type = "text/plain",
                            std::string retry_after = {}) {
  client::HttpResponse response;
  response.status = status;
  response.body = std::move(body);
  response.headers.emplace_back("content-type", std::move(type));
  if (!retry_after.empty()) response.headers.emplace_back("retry-after", std::move(retry_after));
  return response;
}

TEST(JudgeTest, tells_apart_whose_fault_it_is) {
  const std::map<int, Fate> fates = {
      {200, Fate::accepted},  {204, Fate::accepted}, {400, Fate::refused}, {422, Fate::refused},
      {413, Fate::too_large}, {429, Fate::retry},    {500, Fate::retry},   {502, Fate::retry},
      {503, Fate::retry},     {504, Fate::retry},    {401, Fate::retry},   {403, Fate::retry},
      {404, Fate::retry},     {301, Fate::retry},    {508, Fate::retry}};
  for (const auto& [status, fate] : fates)
    EXPECT_EQ(judge(answer(status), true, 0).fate, fate) << status;
  EXPECT_EQ(judge(answer(503, "", "text/plain", "7"), true, 0).retry_after_ns, 7 * kSecondNs);
  EXPECT_EQ(judge(answer(400, "entry too far behind\nmore"), false, 0).message,
            "HTTP 400: entry too far behind");
}

TEST(JudgeTest, reads_partial_success) {
  // partial_success { rejected_spans: 2, error_message: "bad" }
  const std::string body(
      "\x0a\x07\x08\x02\x12\x03"
      "bad",
      9);
  const Outcome outcome = judge(answer(200, body, "application/x-protobuf"), true, 0);
  EXPECT_EQ(outcome.fate, Fate::accepted);
  EXPECT_EQ(outcome.rejected, 2);
  EXPECT_EQ(outcome.message, "bad");
  for (size_t n = 0; n < body.size(); ++n) {
    EXPECT_EQ(judge(answer(200, body.substr(0, n), "application/x-protobuf"), true, 0).fate,
              Fate::accepted);
  }
  // google.rpc.Status { code: 3, message: "no" }
  EXPECT_EQ(
      judge(answer(400, std::string("\x08\x03\x12\x02no", 6), "application/x-protobuf"), true, 0)
          .message,
      "HTTP 400: no");
}

TEST(JudgeTest, reads_retry_after_as_seconds_or_date) {
  const int64_t now_ns = *parse_rfc3339("1994-11-06T08:49:30Z");
  EXPECT_EQ(parse_retry_after("0", now_ns), 0);
  EXPECT_EQ(parse_retry_after("120", now_ns), 120 * kSecondNs);
  EXPECT_EQ(parse_retry_after("99999999", now_ns), kHourNs);
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", now_ns), 7 * kSecondNs);
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:49:00 GMT", now_ns), 0);
  for (const char* text : {"", "-1", "soon", "1.5", "Sun, 06 Xyz 1994 08:49:37 GMT"})
    EXPECT_EQ(parse_retry_after(text, now_ns), std::nullopt) << text;
}

}  // namespace
}  // namespace contextcore::exporter
