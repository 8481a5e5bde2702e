#pragma once
// Reader of the golden files in data/: a case is a line, optionally followed by lines that start
// with a marker ("=> ", "!! "). '#' at the start of a line and empty lines are skipped.

#include <fstream>
#include <string>
#include <vector>

namespace contextcore::traceql::testing {

struct GoldenCase {
  int line = 0;
  std::string query;
  std::string expected;  // after the marker; empty when there is none
};

inline std::string data_path(const std::string& name) {
  return std::string(CONTEXTCORE_SOURCE_DIR) + "/tests/query/traceql/data/" + name;
}

inline std::vector<GoldenCase> read_golden(const std::string& name, const std::string& marker) {
  std::ifstream file(data_path(name));
  std::vector<GoldenCase> cases;
  std::string text;
  for (int line = 1; std::getline(file, text); ++line) {
    if (text.empty() || text[0] == '#') continue;
    if (text.starts_with(marker) && !cases.empty()) {
      cases.back().expected = text.substr(marker.size());
    } else {
      cases.push_back({line, text, {}});
    }
  }
  return cases;
}

}  // namespace contextcore::traceql::testing
