#include "sdk/config.h"

#include <gtest/gtest.h>

#include "base/sim_file_system.h"
#include "sdk/toml_file.h"

namespace contextcore::sdk {
namespace {

class ConfigTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"CONTEXTCORE_STORE", "CONTEXTCORE_PROJECT", "CONTEXTCORE_AGENT",
                             "CONTEXTCORE_SESSION", "CONTEXTCORE_SERVER", "CONTEXTCORE_EMIT_MODE",
                             "CONTEXTCORE_DURABILITY", "CONTEXTCORE_LEASE_SECONDS"}) {
      unsetenv(name);
    }
    setenv("XDG_DATA_HOME", "/data", 1);
    setenv("HOME", "/home/me", 1);
    setenv("USER", "me", 1);
    files_ = disk_.start_process();
    for (const char* folder :
         {"/data", "/home/me", "/repo/.git/worktrees/w", "/repo/src", "/elsewhere/w/deep"}) {
      ASSERT_TRUE(files_->make_directories(folder).ok());
    }
  }
  void write(const std::string& path, std::string_view text) {
    ASSERT_TRUE(files_->write_file_atomically(path, text).ok());
  }
  Config load(const std::string& directory, const ConfigFlags& flags = {}) {
    auto config = load_config(*files_, directory, flags);
    EXPECT_TRUE(config.ok()) << (config.ok() ? "" : config.error().to_string());
    return config.ok() ? *config : Config{};
  }

  SimDisk disk_{1};
  std::unique_ptr<FileSystem> files_;
};

TEST_F(ConfigTest, falls_back_to_the_users_store) {
  const Config config = load("/home/me");
  EXPECT_EQ(config.get("store"), "/data/contextcore");
  EXPECT_EQ(config.setting("store").origin, "default");
  EXPECT_EQ(config.setting("project").origin, "not set");
  EXPECT_EQ(config.get("user"), "me");
}

TEST_F(ConfigTest, takes_the_nearest_project_file_upward) {
  write("/repo/.contextcore.toml", "project = \"shop\"\nstore = \"var/store\"\n");
  const Config config = load("/repo/src");
  EXPECT_EQ(config.get("project"), "shop");
  EXPECT_EQ(config.get("prefix"), "shop");
  EXPECT_EQ(config.get("store"), "/repo/var/store");
  EXPECT_EQ(config.setting("store").origin, "/repo/.contextcore.toml");
}

TEST_F(ConfigTest, flags_come_before_environment_before_file) {
  write("/repo/.contextcore.toml", "project = \"file\"\n");
  EXPECT_EQ(load("/repo").get("project"), "file");
  setenv("CONTEXTCORE_PROJECT", "environment", 1);
  EXPECT_EQ(load("/repo").get("project"), "environment");
  EXPECT_EQ(
      load("/repo", {.store = "", .project = "flag", .agent = "", .session = "", .server = ""})
          .get("project"),
      "flag");
}

TEST_F(ConfigTest, worktrees_agree_with_the_main_tree) {
  write("/repo/.contextcore.toml", "project = \"shop\"\n");
  write("/repo/.git/worktrees/w/commondir", "../..\n");
  write("/elsewhere/w/.git", "gitdir: /repo/.git/worktrees/w\n");
  EXPECT_EQ(git_common_directory(*files_, "/elsewhere/w/deep"), "/repo/.git/worktrees/w/../..");
  EXPECT_EQ(git_common_directory(*files_, "/repo/src"), "/repo/.git");
}

TEST_F(ConfigTest, reads_gits_user_name) {
  write("/home/me/.gitconfig",
        "[core]\n\tname = no\n[user]\n\temail = a@b\n\tname = \"Ada Lovelace\"\n");
  EXPECT_EQ(load("/home/me").get("user"), "Ada Lovelace");
}

TEST_F(ConfigTest, says_where_a_bad_file_is_wrong) {
  write("/repo/.contextcore.toml", "project = \"shop\"\ncolour = \"red\"\n");
  const auto unknown = load_config(*files_, "/repo", {});
  ASSERT_FALSE(unknown.ok());
  EXPECT_EQ(unknown.error().message, "/repo/.contextcore.toml:2: unknown key 'colour'");
  write("/repo/.contextcore.toml", "project = \n");
  const auto broken = load_config(*files_, "/repo", {});
  ASSERT_FALSE(broken.ok());
  EXPECT_EQ(broken.error().message.substr(0, 26), "/repo/.contextcore.toml:1:");
}

TEST_F(ConfigTest, reads_the_projects_own_words) {
  write("/repo/.contextcore.toml",
        "project = \"shop\"\ntypes = [\"chore\"]\n[statuses]\nqa = \"in_review\"\n");
  const Config config = load("/repo");
  EXPECT_EQ(config.vocabulary.types, std::vector<std::string>{"chore"});
  ASSERT_EQ(config.vocabulary.statuses.size(), 1u);
  EXPECT_EQ(config.vocabulary.statuses[0].first, "qa");
  EXPECT_EQ(config.vocabulary.statuses[0].second, "in_review");
}

TEST_F(ConfigTest, refuses_own_words_that_make_no_sense) {
  const auto message_of = [&](const std::string& text) {
    write("/repo/.contextcore.toml", text);
    const auto config = load_config(*files_, "/repo", {});
    EXPECT_FALSE(config.ok()) << text;
    return config.ok() ? std::string() : config.error().message;
  };
  EXPECT_EQ(message_of("types = \"chore\"\n"),
            "/repo/.contextcore.toml:1: 'types' must be an array of strings");
  EXPECT_EQ(message_of("types = [1]\n"),
            "/repo/.contextcore.toml:1: 'types' must be an array of strings");
  EXPECT_EQ(message_of("[statuses]\nqa = 1\n"),
            "/repo/.contextcore.toml:2: status 'qa' must name a status or category that it behaves "
            "like");
  EXPECT_EQ(message_of("types = [\"epic\"]\n"),
            "/repo/.contextcore.toml: the task type epic is built in and cannot be defined anew");
  EXPECT_EQ(message_of("[statuses]\nqa = \"testing\"\n"),
            "/repo/.contextcore.toml: unknown status \"testing\", which qa is mapped to");
}

TEST_F(ConfigTest, refuses_a_bad_value_and_names_its_origin) {
  setenv("CONTEXTCORE_DURABILITY", "maybe", 1);
  const auto config = load_config(*files_, "/repo", {});
  ASSERT_FALSE(config.ok());
  EXPECT_EQ(config.error().message, "durability is 'maybe' (from CONTEXTCORE_DURABILITY)");
}

TEST(ProjectFileTest, reads_back_what_it_writes) {
  const auto file = TomlFile::parse(project_file_text("a \"b\"\n\x01", "p", "/s"), "f");
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(file->find("project"), "a \"b\"\n\x01");
  EXPECT_EQ(file->find("store"), "/s");
  EXPECT_EQ(file->find("server"), std::nullopt);
}

}  // namespace
}  // namespace contextcore::sdk
