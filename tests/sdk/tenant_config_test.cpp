#include "sdk/tenant_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/sim_file_system.h"
#include "base/time.h"

namespace contextcore::sdk {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kPath = "/repo/.contextcore.toml";

class TenantConfigTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"CONTEXTCORE_TENANT_QUERY_SLOTS", "CONTEXTCORE_TENANT_HEAD_SHARE"}) unsetenv(name);
    files_ = disk_.start_process();
    ASSERT_TRUE(files_->make_directories("/repo").ok());
  }
  Result<Config> try_load(const std::string& text) {
    EXPECT_TRUE(files_->write_file_atomically(kPath, text).ok());
    return load_config(*files_, "/repo", {});
  }
  Config load(const std::string& text) {
    auto config = try_load(text);
    EXPECT_TRUE(config.ok()) << config.error().to_string();
    return config.ok() ? *config : Config{};
  }
  Error error_of(const std::string& text) {
    auto config = try_load(text);
    EXPECT_FALSE(config.ok()) << text;
    return config.ok() ? Error{} : config.error();
  }

  SimDisk disk_{1};
  std::unique_ptr<FileSystem> files_;
};

TEST_F(TenantConfigTest, says_what_holds_for_one_tenant) {
  const Config config = load(R"([tenants.team-a]
retention_spans = "30d"
retention_logs = "0"
ingest_rate = "20MB"
head_share = "0.5"
query_slots = "4"
[tenants."b.2"]
ingest_rate = 0
)");
  const auto limits = tenant_limits_of(config);
  ASSERT_EQ(limits.size(), 2u);
  const store::TenantLimits& a = limits.find("team-a")->second;
  EXPECT_EQ(a.retention_spans_ns, 30 * kDayNs);
  EXPECT_EQ(a.retention_logs_ns, 0) << "for ever, which is not the same as nothing said";
  EXPECT_EQ(a.ingest_rate_bytes, 20'000'000u);
  EXPECT_EQ(a.head_share, 0.5);
  const store::TenantLimits& b = limits.find("b.2")->second;
  EXPECT_EQ(b.ingest_rate_bytes, 0u);
  EXPECT_EQ(b.retention_spans_ns, std::nullopt);
  EXPECT_EQ(b.retention_logs_ns, std::nullopt);
  EXPECT_EQ(b.head_share, std::nullopt);
  const auto slots = query_slots_of_tenants(config);
  ASSERT_EQ(slots.size(), 1u);
  EXPECT_EQ(slots.find("team-a")->second, 4u);
}

// Those of all tenants beside those of one.
TEST_F(TenantConfigTest, the_file_says_what_holds_for_all_of_a_server) {
  const std::vector<std::pair<std::string, std::string>> settings{
      {"retention_spans", "30d"},  {"retention_logs", "0"},    {"retention_metrics", "12w"},
      {"ingest_rate", "20MB"},     {"metric_series", "1000"},  {"query_slots", "4"},
      {"tenant_query_slots", "2"}, {"tenant_head_share", "0.5"}, {"server_traces", "sampled"}};
  std::string text;
  for (const auto& [name, value] : settings) text += name + " = \"" + value + "\"\n";
  const Config config = load(text);
  for (const auto& [name, value] : settings) {
    EXPECT_EQ(config.get(name), value);
    EXPECT_EQ(config.setting(name).origin, kPath) << name;
  }
  EXPECT_EQ(load("tenant_head_share = 0.25\nquery_slots = 3\n").get("tenant_head_share"), "0.25");
  EXPECT_THAT(error_of("retention_span = \"3d\"\n").hint, HasSubstr("retention_spans"));
}

TEST_F(TenantConfigTest, takes_numbers_as_numbers) {
  const auto limits = tenant_limits_of(load("[tenants.a]\nhead_share = 0.25\ningest_rate = 4096\n"
                                            "[tenants.b]\nhead_share = 1\n[tenants.c]\nhead_share = 1.0\n"));
  EXPECT_EQ(limits.find("a")->second.head_share, 0.25);
  EXPECT_EQ(limits.find("a")->second.ingest_rate_bytes, 4096u);
  EXPECT_EQ(limits.find("b")->second.head_share, 1);
  EXPECT_EQ(limits.find("c")->second.head_share, 1);
}

TEST_F(TenantConfigTest, without_tables_there_is_nothing_to_say) {
  for (const char* text : {"", "[tenants]\n", "[tenants.a]\n"}) {
    const Config config = load(text);
    EXPECT_THAT(tenant_limits_of(config), IsEmpty());
    EXPECT_THAT(query_slots_of_tenants(config), IsEmpty());
  }
}

// As `contextcore config` shows them: behind all others, by tenant and key.
TEST_F(TenantConfigTest, settings_come_last_in_order_and_with_their_origin) {
  const Config config = load("[tenants.b]\nquery_slots = 1\n[tenants.a]\nretention_logs = \"1d\"\n"
                             "ingest_rate = \"1MB\"\n[export]\nsettle = \"1m\"\n");
  std::vector<std::string> names;
  bool behind = false;
  for (const Setting& setting : config.settings) {
    behind = behind || setting.name.starts_with("tenants.");
    if (!behind) continue;
    names.push_back(setting.name);
    EXPECT_EQ(setting.origin, kPath);
    EXPECT_EQ(setting.environment, "");
    EXPECT_NE(setting.brief, "");
  }
  EXPECT_THAT(names, ElementsAre("tenants.a.ingest_rate", "tenants.a.retention_logs", "tenants.b.query_slots"));
  EXPECT_EQ(config.get("tenants.a.ingest_rate"), "1MB");
}

TEST_F(TenantConfigTest, names_an_unknown_key_and_those_there_are) {
  const Error error = error_of("[tenants.a]\nretention = \"1d\"\n");
  EXPECT_EQ(error.code, Code::invalid_argument);
  EXPECT_EQ(error.message, "/repo/.contextcore.toml: unknown key 'retention' of [tenants.a]");
  EXPECT_THAT(error.candidates,
              ElementsAre("retention_spans", "retention_logs", "ingest_rate", "head_share", "query_slots"));
  for (const std::string& key : error.candidates) EXPECT_THAT(error.hint, HasSubstr(key));
  // Metrics are kept as long for all.
  EXPECT_THAT(error_of("[tenants.a]\nretention_metrics = \"1d\"\n").message,
              HasSubstr("unknown key 'retention_metrics'"));
}

TEST_F(TenantConfigTest, names_a_bad_value_and_what_would_be_one) {
  const std::vector<std::pair<std::string, std::string>> bad = {
      {"retention_spans = \"soon\"", "duration"},
      {"retention_logs = -1", "duration"},
      {"retention_logs = 30", "duration"},
      {"ingest_rate = \"much\"", "20MB"},
      {"ingest_rate = -5", "20MB"},
      {"ingest_rate = \"\"", "20MB"},
      {"head_share = 0", "above 0"},
      {"head_share = 1.5", "above 0"},
      {"head_share = -0.5", "above 0"},
      {"head_share = nan", "above 0"},
      {"head_share = \"half\"", "above 0"},
      {"head_share = \"0.5x\"", "above 0"},
      {"query_slots = \"few\"", "such as 4"},
      {"query_slots = -1", "such as 4"}};
  for (const auto& [line, hint] : bad) {
    const Error error = error_of("[tenants.a]\n" + line + "\n");
    const std::string key = line.substr(0, line.find(' '));
    EXPECT_THAT(error.message, HasSubstr("tenants.a." + key + " is '")) << line;
    EXPECT_THAT(error.message, HasSubstr(kPath)) << line;
    EXPECT_THAT(error.hint, HasSubstr(hint)) << line;
  }
  EXPECT_EQ(error_of("[tenants.a]\ningest_rate = true\n").message,
            "/repo/.contextcore.toml:2: 'tenants.a.ingest_rate' must be a string or a number");
}

TEST_F(TenantConfigTest, refuses_what_is_no_tenant) {
  EXPECT_EQ(error_of("[tenants.\"a b\"]\ningest_rate = 1\n").message,
            "/repo/.contextcore.toml: [tenants.a b] is no tenant: tenant ID 'a b' contains unsupported characters");
  EXPECT_THAT(error_of("[tenants.\"a|b\"]\ningest_rate = 1\n").message,
              HasSubstr("contains unsupported characters"));
  EXPECT_THAT(error_of("[tenants." + std::string(151, 'x') + "]\ningest_rate = 1\n").message, HasSubstr("too long"));
  // What holds for the default tenant is said without a table.
  EXPECT_EQ(error_of("[tenants.\"\"]\ningest_rate = 1\n").message,
            "/repo/.contextcore.toml: [tenants.] names no tenant");
  EXPECT_EQ(error_of("tenants = 3\n").message, "/repo/.contextcore.toml:1: 'tenants' must be tables: [tenants.NAME]");
  EXPECT_EQ(error_of("[tenants]\na = 3\n").message,
            "/repo/.contextcore.toml:2: 'tenants.a' must be a table: [tenants.a]");
}

TEST_F(TenantConfigTest, what_holds_for_every_tenant_has_defaults_and_bounds) {
  const Config config = load("");
  EXPECT_EQ(config.get("tenant_query_slots"), "0");
  EXPECT_EQ(config.get("tenant_head_share"), "1");
  setenv("CONTEXTCORE_TENANT_QUERY_SLOTS", "-1", 1);
  EXPECT_EQ(error_of("").message, "tenant_query_slots is '-1' (from CONTEXTCORE_TENANT_QUERY_SLOTS)");
  unsetenv("CONTEXTCORE_TENANT_QUERY_SLOTS");
  setenv("CONTEXTCORE_TENANT_HEAD_SHARE", "0", 1);
  EXPECT_EQ(error_of("").message, "tenant_head_share is '0' (from CONTEXTCORE_TENANT_HEAD_SHARE)");
  setenv("CONTEXTCORE_TENANT_HEAD_SHARE", "0.5", 1);
  EXPECT_EQ(load("").get("tenant_head_share"), "0.5");
  unsetenv("CONTEXTCORE_TENANT_HEAD_SHARE");
}

TEST(ParseShareTest, is_a_number_above_nothing_and_at_most_all) {
  const std::pair<const char*, double> good[] = {{"1", 1.0}, {"0.001", 0.001}, {"1e-3", 0.001}, {".5", 0.5}};
  for (const auto& [text, value] : good) EXPECT_EQ(parse_share(text), value) << text;
  for (const char* text : {"", "0", "-1", "1.01", "inf", "nan", "50%", " 1", "1 ", "+1"})
    EXPECT_EQ(parse_share(text), std::nullopt) << text;
}

}  // namespace
}  // namespace contextcore::sdk
