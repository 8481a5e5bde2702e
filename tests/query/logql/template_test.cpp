#include "query/logql/template.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

namespace contextcore::logql {
namespace {

// data/templates.txt says what a line is.
TEST(LogqlTemplate, GoldenLines) {
  const LabelPairs stream = {{"empty", ""}, {"f", "2.5"}, {"id", "A-1"}, {"n", "42"}, {"title", "fix the Login"}};
  EntryLabels labels;
  labels.reset(stream, nullptr);
  labels.set_times(1'700'000'000'123'456'789, 1'700'003'600'123'456'789);
  std::ifstream file(std::string(CONTEXTCORE_SOURCE_DIR) + "/tests/query/logql/data/templates.txt");
  int lines = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.front() == '#') continue;
    const size_t arrow = line.find(" => ");
    ASSERT_NE(arrow, std::string::npos) << line;
    const std::string expected = line.substr(arrow + 4);
    const Result<Template> compiled = Template::compile(line.substr(0, arrow));
    ++lines;
    if (!compiled.ok()) {
      ASSERT_TRUE(expected.starts_with("error ")) << line << "\n" << compiled.error().message;
      EXPECT_NE(compiled.error().message.find(expected.substr(6)), std::string::npos) << compiled.error().message;
      continue;
    }
    const Result<std::string> rendered = compiled->render(labels, "the \"line\"");
    if (!rendered.ok()) {
      ASSERT_TRUE(expected.starts_with("failure ")) << line << "\n" << rendered.error().message;
      EXPECT_NE(rendered.error().message.find(expected.substr(8)), std::string::npos) << rendered.error().message;
      continue;
    }
    EXPECT_EQ(*rendered, expected) << line;
  }
  EXPECT_GT(lines, 40);
}

TEST(LogqlTemplate, EveryFunctionIsFound) {
  for (const char* name : {"Replace", "ToLower", "__line__", "add", "alignLeft", "b64dec", "eq", "trunc", "urlquery"}) {
    ASSERT_NE(find_template_function(name), nullptr) << name;
    EXPECT_EQ(find_template_function(name)->name, name);
  }
  EXPECT_EQ(find_template_function("nothing"), nullptr);
  EXPECT_EQ(find_template_function(""), nullptr);
}

TEST(LogqlTemplate, NestingIsBounded) {
  std::string deep;
  for (int i = 0; i < 1000; ++i) deep += "{{if .id}}";
  EXPECT_FALSE(Template::compile(deep).ok());
  EXPECT_FALSE(Template::compile("{{" + std::string(1000, '(') + ".id" + std::string(1000, ')') + "}}").ok());
}

}  // namespace
}  // namespace contextcore::logql
