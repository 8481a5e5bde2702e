// Replays the conversations in data/*.http. A file is one store; in it
//
//   # a comment
//   @ 60s                          the clock goes on by so much
//   >>> POST /path?query           a request: headers, an empty line, the body (as one line or
//   more)
//   <<< 200 application/json       the expected status and type, then the body
//
// UPDATE_GOLDEN=1 writes what really came.

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/time.h"
#include "service_kit.h"

namespace contextcore::api {
namespace {

std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

class GoldenTest : public ServiceTest {
 protected:
  // Answers the request that stands in lines[i...] and moves i to its expectation.
  Response answer(const std::vector<std::string>& lines, size_t& i) {
    std::istringstream first(lines[i++].substr(4));
    std::string method, target;
    first >> method >> target;
    Pairs headers;
    for (; i < lines.size() && !lines[i].empty() && !lines[i].starts_with("<<<"); ++i) {
      size_t colon = lines[i].find(": ");
      headers.emplace_back(lines[i].substr(0, colon), lines[i].substr(colon + 2));
    }
    std::string body;
    for (; i < lines.size() && !lines[i].starts_with("<<<"); ++i) {
      if (lines[i].empty()) continue;
      body += (body.empty() ? "" : "\n") + lines[i];
    }
    return send(method, target, body, headers);
  }

  std::string replay(const std::string& script) {
    std::vector<std::string> lines;
    std::istringstream in(script);
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    std::string out;
    for (size_t i = 0; i < lines.size();) {
      if (lines[i].starts_with("@ ")) clock_.advance_ns(*parse_go_duration(lines[i].substr(2)));
      if (!lines[i].starts_with(">>>")) {
        out += lines[i++] + "\n";
        continue;
      }
      size_t begin = i;
      Response response = answer(lines, i);
      for (size_t j = begin; j < i; ++j) out += lines[j] + "\n";
      out += "<<< " + std::to_string(response.status) + " " + response.content_type + "\n";
      std::string body = response.body;
      while (!body.empty() && body.back() == '\n') body.pop_back();
      if (!body.empty()) out += body + "\n";
      out += "\n";
      if (i < lines.size()) ++i;
      while (i < lines.size() && !lines[i].starts_with(">>>") && !lines[i].starts_with("@ ") &&
             !lines[i].starts_with("# ")) {
        ++i;
      }
    }
    return out;
  }

  void check(const std::string& name) {
    std::filesystem::path path = std::filesystem::path(CONTEXTCORE_TEST_DATA) / name;
    std::string expected = read_file(path);
    ASSERT_FALSE(expected.empty()) << path;
    std::string actual = replay(expected);
    if (std::getenv("UPDATE_GOLDEN") != nullptr) {
      std::ofstream(path) << actual;
      return;
    }
    EXPECT_EQ(actual, expected);
  }
};

TEST_F(GoldenTest, work) { check("work.http"); }
TEST_F(GoldenTest, tempo) { check("tempo.http"); }
TEST_F(GoldenTest, loki) { check("loki.http"); }
TEST_F(GoldenTest, loki_explore) { check("loki_explore.http"); }
TEST_F(GoldenTest, loki_push) { check("loki_push.http"); }
TEST_F(GoldenTest, prometheus) { check("prometheus.http"); }
TEST_F(GoldenTest, otlp) { check("otlp.http"); }
TEST_F(GoldenTest, metrics) { check("metrics.http"); }

}  // namespace
}  // namespace contextcore::api
