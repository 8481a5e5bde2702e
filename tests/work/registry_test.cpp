// The registry and the identity vectors.

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "base/json.h"
#include "work/ids.h"

namespace contextcore::work {
namespace {

Json vectors() {
  std::ifstream file(CONTEXTCORE_SOURCE_DIR "/semconv/ids.json");
  std::stringstream text;
  text << file.rdbuf();
  auto parsed = parse_json(text.str());
  EXPECT_TRUE(parsed.ok());
  return parsed.ok() ? *parsed : Json();
}

TEST(IdsTest, VectorsHold) {
  const Json json = vectors();
  ASSERT_TRUE(json.find("spans") && json.find("traces"));
  for (const Json& v : *json.find("spans")->as_array()) {
    const auto kind = v.string_or("kind"), project = v.string_or("project"), id = v.string_or("id");
    otlp::SpanId made;
    if (v.find("ordinal")) {
      made = phase_span_id(project, id, *v.find("ordinal")->as_int());
    } else if (v.find("life")) {
      made = life_span_id(kind, project, id, *v.find("life")->as_int());
    } else if (v.find("fact")) {
      made = fact_span_id(project, id, v.string_or("fact"));
    } else {
      made = span_id(kind, project, id);
    }
    EXPECT_EQ(otlp::to_hex(made), v.string_or("span_id")) << to_string(v);
  }
  for (const Json& v : *json.find("traces")->as_array()) {
    EXPECT_EQ(
        otlp::to_hex(trace_id(v.string_or("kind"), v.string_or("project"), v.string_or("root_id"))),
        v.string_or("trace_id"))
        << to_string(v);
  }
}

TEST(RegistryTest, GeneratedFilesHaveNotDrifted) {
  EXPECT_EQ(std::system("python3 " CONTEXTCORE_SOURCE_DIR "/scripts/semconv.py --check"), 0);
}

TEST(RegistryTest, VectorsHoldInPython) {
  EXPECT_EQ(std::system("python3 " CONTEXTCORE_SOURCE_DIR "/tests/work/check_ids.py"), 0);
}

}  // namespace
}  // namespace contextcore::work
