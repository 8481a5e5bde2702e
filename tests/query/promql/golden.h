#pragma once
// Reads the data files of these tests: blocks separated by blank lines; lines that start with "--" are comments.

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/file_system.h"

namespace contextcore::promql {

struct Block {
  std::string file;
  size_t line = 0;  // of its first line, 1-based
  std::vector<std::string> lines;
  std::string where() const { return file + ":" + std::to_string(line); }
};

inline std::vector<Block> read_blocks(const std::string& file) {
  std::vector<Block> blocks;
  auto text = real_file_system().read_file(std::string(CONTEXTCORE_SOURCE_DIR) + "/tests/query/promql/data/" + file);
  if (!text.ok()) {
    ADD_FAILURE() << text.error().message;
    return blocks;
  }
  Block block;
  size_t number = 0;
  for (size_t at = 0; at < text->size();) {
    const size_t end = std::min(text->find('\n', at), text->size());
    std::string line = text->substr(at, end - at);
    at = end + 1;
    ++number;
    if (line.starts_with("--")) continue;
    if (line.empty()) {
      if (!block.lines.empty()) blocks.push_back(std::move(block));
      block = {};
      continue;
    }
    if (block.lines.empty()) {
      block.file = file;
      block.line = number;
    }
    block.lines.push_back(std::move(line));
  }
  if (!block.lines.empty()) blocks.push_back(std::move(block));
  return blocks;
}

}  // namespace contextcore::promql
