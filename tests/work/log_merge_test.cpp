#include "work/log_merge.h"

#include <gtest/gtest.h>

#include <deque>
#include <string>

namespace contextcore::work {
namespace {

struct Row {
  std::string stream;
  int64_t time_ns = 0;
  uint64_t sequence = 0;
  auto operator<=>(const Row&) const = default;
};

// A part of a log, with label sets of its own.
struct Part : LogPlace {
  std::vector<Row> rows;
  std::deque<store::LabelPairs> streams;
  size_t at = 0;

  void stand() {
    if (at == rows.size()) {
      stream = nullptr;
      return;
    }
    const store::LabelPairs labels{{"project_id", rows[at].stream}};
    if (streams.empty() || streams.back() != labels) streams.push_back(labels);
    stream = &streams.back();
    time_ns = rows[at].time_ns;
    sequence = rows[at].sequence;
  }
};

std::vector<Row> merged(const std::vector<std::vector<Row>>& parts) {
  std::vector<Part> cursors(parts.size());
  for (size_t i = 0; i < parts.size(); ++i) {
    cursors[i].rows = parts[i];
    cursors[i].stand();
  }
  std::vector<Row> out;
  const Status status = merge_rows(cursors, [&](Part& part) -> Status {
    out.push_back(part.rows[part.at++]);
    part.stand();
    return {};
  });
  EXPECT_TRUE(status.ok());
  return out;
}

TEST(LogMerge, RowsComeByStreamTimeAndSequence) {
  const std::vector<std::vector<Row>> parts = {
      {{"a", 10, 1}, {"a", 30, 2}, {"c", 5, 3}},
      {{"a", 20, 4}, {"a", 30, 5}, {"b", 1, 6}, {"c", 4, 7}, {"c", 6, 8}},
      {},
      {{"b", 0, 9}, {"c", 5, 10}, {"d", 1, 11}},
  };
  std::vector<Row> expected;
  for (const auto& part : parts) expected.insert(expected.end(), part.begin(), part.end());
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(merged(parts), expected);
}

// Rows in memory lie as they arrived: each of them comes, after those of its stream that are earlier in the files.
TEST(LogMerge, APartInNoOrderLosesNothing) {
  const std::vector<Row> file = {{"a", 10, 1}, {"a", 20, 2}, {"b", 10, 3}};
  const std::vector<Row> memory = {{"b", 30, 4}, {"a", 15, 5}, {"b", 5, 6}, {"c", 1, 7}, {"a", 40, 8}};
  std::vector<Row> rows = merged({file, memory});
  const auto place = [&](const Row& row) { return std::find(rows.begin(), rows.end(), row) - rows.begin(); };
  EXPECT_LT(place({"b", 10, 3}), place({"b", 30, 4}));
  EXPECT_LT(place({"a", 10, 1}), place({"a", 15, 5}));
  std::vector<Row> all = file;
  all.insert(all.end(), memory.begin(), memory.end());
  std::sort(all.begin(), all.end());
  std::sort(rows.begin(), rows.end());
  EXPECT_EQ(rows, all);
}

TEST(LogMerge, AnErrorEndsIt) {
  std::vector<Part> cursors(2);
  for (Part& part : cursors) {
    part.rows = {{"a", 1, 1}, {"a", 2, 2}};
    part.stand();
  }
  int taken = 0;
  const Status status = merge_rows(cursors, [&](Part&) -> Status {
    ++taken;
    return Status(Error{Code::corruption, "broken", {}, {}, {}});
  });
  EXPECT_FALSE(status.ok());
  EXPECT_EQ(taken, 1);
}

}  // namespace
}  // namespace contextcore::work
