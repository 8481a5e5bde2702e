#include "store/work_table.h"

#include <gtest/gtest.h>

#include <map>

#include "base/random.h"
#include "base/sim_file_system.h"

namespace contextcore::store {
namespace {

otlp::SpanId id_of(uint64_t number) {
  otlp::SpanId id;
  for (size_t i = 0; i < 8; ++i)
    id.bytes[i] = static_cast<uint8_t>((number * 0x9E3779B97F4A7C15ull) >> (8 * i));
  return id;
}

WorkRow random_row(SeededRandom& random, uint64_t ids) {
  WorkRow row;
  const uint64_t number = random.below(ids) + 1;
  row.span_id = id_of(number);
  row.trace_id.bytes[3] = static_cast<uint8_t>(number);
  if (random.below(3) > 0) row.parent_span_id = id_of(random.below(ids / 10 + 1) + 1);
  row.kind = static_cast<WorkKind>(1 + random.below(8));
  row.status = static_cast<uint8_t>(random.below(9));
  row.priority = static_cast<uint8_t>(random.below(5));
  row.flags = static_cast<uint8_t>(random.below(256));
  row.revision = static_cast<int64_t>(random.below(1000));
  row.start_ns = static_cast<int64_t>(random.next_u64());
  row.end_ns = static_cast<int64_t>(random.below(2));
  row.updated_ns = 5;
  row.due_ns = -6;
  row.defer_until_ns = 7;
  row.claim_token = static_cast<int64_t>(random.below(3));
  row.lease_end_ns = 8;
  row.child_count = static_cast<int32_t>(random.below(100));
  row.open_child_count = -1;
  row.waiting_count = 2;
  row.id = "task-" + std::to_string(number);
  row.project = "project";
  row.type = random.below(2) == 0 ? "bug" : "";
  row.assignee = std::string(random.below(40), 'a');
  row.claimed_by = "agent";
  row.claim_session = "s" + std::to_string(random.below(9));
  for (uint64_t i = random.below(4); i > 0; --i) {
    row.depends_on.push_back(
        {id_of(random.below(ids / 5 + 1) + 1), static_cast<uint8_t>(random.below(3))});
  }
  return row;
}

using Model = std::map<otlp::SpanId, WorkRow>;

void expect_same(const WorkTable& table, const Model& model, uint64_t ids) {
  ASSERT_EQ(table.size(), model.size());
  auto expected = model.begin();
  table.scan([&](const WorkRow& row) {
    EXPECT_TRUE(expected != model.end() && row == expected->second);
    return expected++ != model.end();
  });
  EXPECT_TRUE(expected == model.end());
  for (uint64_t number = 0; number <= ids + 1; ++number) {
    const otlp::SpanId id = number == 0 ? otlp::SpanId() : id_of(number);
    const auto known = model.find(id);
    const WorkRow* row = table.find(id);
    ASSERT_EQ(row != nullptr, known != model.end());
    if (row != nullptr) {
      EXPECT_EQ(*row, known->second);
    }
    if (number == 0) continue;
    std::vector<otlp::SpanId> children, dependents, expected_children, expected_dependents;
    for (const auto& [key, value] : model) {
      if (value.parent_span_id == id) expected_children.push_back(key);
      for (const WorkEdge& edge : value.depends_on) {
        if (edge.target != id) continue;
        expected_dependents.push_back(key);
        break;
      }
    }
    for (const WorkRow* child : table.children(id)) children.push_back(child->span_id);
    for (const WorkRow* dependent : table.dependents(id)) dependents.push_back(dependent->span_id);
    EXPECT_EQ(children, expected_children);
    EXPECT_EQ(dependents, expected_dependents);
  }
  EXPECT_TRUE(table.status().ok());
}

class WorkTableTest : public testing::Test {
 protected:
  SimDisk disk_;
  std::unique_ptr<SimFileSystem> files_ = disk_.start_process();
};

TEST_F(WorkTableTest, IsAMapOfRowsWhateverLiesInTheFile) {
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    SeededRandom random(seed);
    const uint64_t ids = 400;
    std::shared_ptr<const WorkTable> table = WorkTable::empty();
    Model model;
    for (int round = 0; round < 6; ++round) {
      std::vector<WorkRow> changed;
      for (uint64_t i = random.below(120); i > 0; --i) changed.push_back(random_row(random, ids));
      for (const WorkRow& row : changed) model[row.span_id] = row;
      table = table->with(std::move(changed));
      expect_same(*table, model, ids);
      if (round % 2 == 1) {
        ASSERT_TRUE(table->write(*files_, "/work").ok());
        table = WorkTable::open(*files_, "/work").value_or(nullptr);
        ASSERT_NE(table, nullptr);
        EXPECT_EQ(table->changed_count(), 0u);
        EXPECT_TRUE(table->verify().ok());
        expect_same(*table, model, ids);
      }
    }
  }
}

TEST_F(WorkTableTest, OlderVersionsStayAsTheyWere) {
  SeededRandom random(9);
  WorkRow row = random_row(random, 50);
  row.parent_span_id = id_of(60);
  const auto first = WorkTable::empty()->with({row});
  const WorkRow* in_first = first->find(row.span_id);
  const WorkRow before = row;
  row.status = static_cast<uint8_t>(row.status + 1);
  row.parent_span_id = id_of(61);
  const auto second = first->with({row});
  EXPECT_EQ(*in_first, before);
  EXPECT_EQ(first->find(row.span_id), in_first);
  EXPECT_EQ(first->children(id_of(60)).size(), 1u);
  EXPECT_EQ(*second->find(row.span_id), row);
  EXPECT_TRUE(second->children(id_of(60)).empty());
  EXPECT_EQ(second->children(id_of(61)).size(), 1u);
}

TEST_F(WorkTableTest, WithoutRowsIsAFileToo) {
  ASSERT_TRUE(WorkTable::empty()->write(*files_, "/empty").ok());
  const auto table = WorkTable::open(*files_, "/empty").value_or(nullptr);
  ASSERT_NE(table, nullptr);
  EXPECT_EQ(table->size(), 0u);
  EXPECT_EQ(table->find(id_of(1)), nullptr);
  EXPECT_TRUE(table->children(id_of(1)).empty());
}

TEST_F(WorkTableTest, NoticesEveryChangedByte) {
  SeededRandom random(7);
  std::vector<WorkRow> rows;
  for (int i = 0; i < 150; ++i) rows.push_back(random_row(random, 300));
  ASSERT_TRUE(WorkTable::empty()->with(rows)->write(*files_, "/good").ok());
  const std::string good = files_->read_file("/good").value_or("");
  ASSERT_GT(good.size(), 10'000u);
  for (size_t at = 16; at < good.size(); at += 11) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 1);
    ASSERT_TRUE(files_->write_file_atomically("/bad", bad).ok());
    const auto table = WorkTable::open(*files_, "/bad");
    if (!table.ok()) continue;
    const Status verified = (*table)->verify();
    ASSERT_FALSE(verified.ok()) << "byte " << at;
    EXPECT_EQ(verified.error().code, Code::corruption);
    for (const WorkRow& row : rows) {
      (*table)->find(row.span_id);
      (*table)->children(row.parent_span_id);
      for (const WorkEdge& edge : row.depends_on) (*table)->dependents(edge.target);
    }
    EXPECT_FALSE((*table)->status().ok())
        << "a look-up met the damage and said nothing, byte " << at;
    EXPECT_FALSE((*table)->write(*files_, "/copy").ok());
  }
}

TEST_F(WorkTableTest, RefusesWhatIsNoTable) {
  EXPECT_EQ(WorkTable::open(*files_, "/absent").status().error().code, Code::not_found);
  ASSERT_TRUE(files_->write_file_atomically("/short", "CCWORKT\n").ok());
  EXPECT_EQ(WorkTable::open(*files_, "/short").status().error().code, Code::corruption);
}

}  // namespace
}  // namespace contextcore::store
