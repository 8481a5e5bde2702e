// data/rules.txt: every rule of the data model names a test, and every test that is named exists.

#include <gtest/gtest.h>
#include <re2/re2.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

namespace contextcore::work {
namespace {

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

void add_gtests(const std::string& text, std::set<std::string>& names) {
  static const re2::RE2 kTest(R"(TEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\))");
  re2::StringPiece rest(text);
  std::string suite, name;
  while (re2::RE2::FindAndConsume(&rest, kTest, &suite, &name)) names.insert(suite + "." + name);
}

void add_process_tests(const std::filesystem::path& path, std::set<std::string>& names) {
  static const re2::RE2 kClass(R"(class (\w+)\()"), kMethod(R"(    def (test_\w+)\(self)");
  std::istringstream lines(read(path));
  std::string line, suite, method;
  while (std::getline(lines, line)) {
    if (re2::RE2::PartialMatch(line, kMethod, &method)) {
      names.insert(path.stem().string() + "." + suite + "." + method);
    } else {
      re2::RE2::PartialMatch(line, kClass, &suite);
    }
  }
}

std::set<std::string> tests() {
  std::set<std::string> names;
  const std::filesystem::path root = CONTEXTCORE_SOURCE_DIR "/tests";
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    if (entry.path().extension() == ".cpp") add_gtests(read(entry.path()), names);
    if (entry.path().extension() == ".py") add_process_tests(entry.path(), names);
  }
  return names;
}

TEST(RulesTest, EveryRuleNamesATestThatExists) {
  const std::set<std::string> known = tests();
  ASSERT_GT(known.size(), 300u);
  std::istringstream lines(read(CONTEXTCORE_TEST_DATA "/rules.txt"));
  std::string line;
  int rules = 0;
  while (std::getline(lines, line)) {
    if (line.empty() || line.starts_with('#')) continue;
    const size_t arrow = line.rfind(" -> ");
    ASSERT_NE(arrow, std::string::npos) << line;
    EXPECT_TRUE(known.contains(line.substr(arrow + 4))) << line;
    rules++;
  }
  EXPECT_GT(rules, 90);
}

}  // namespace
}  // namespace contextcore::work
