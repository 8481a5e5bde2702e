#include "store/work_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "base/file_system.h"
#include "base/random.h"
#include "base/sim_file_system.h"
#include "store/store_test_kit.h"

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
  row.kind = static_cast<WorkKind>(1 + number % 8);
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
  row.project = "project-" + std::to_string(number % 3);
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

std::string text_of(const WorkKey& key) {
  std::string text;
  for (const std::string_view one :
       {key.id, key.project, key.type, key.assignee, key.claimed_by, key.sprint, key.status_name}) {
    text += std::string(one) + "|";
  }
  for (const int64_t number :
       {key.start_ns, key.end_ns, key.updated_ns, key.due_ns, key.defer_until_ns, key.claim_token,
        key.lease_end_ns, int64_t{key.open_child_count}, int64_t{key.waiting_count},
        int64_t{key.status}, int64_t{key.priority}, int64_t{key.flags},
        static_cast<int64_t>(key.kind)}) {
    text += std::to_string(number) + " ";
  }
  return text + testing::PrintToString(key.parent_span_id.bytes);
}

void expect_same_keys(const WorkTable& table, const Model& model, const WorkFilter& filter) {
  std::map<otlp::SpanId, std::string> expected, found;
  for (const auto& [id, row] : model) {
    const WorkKey key = WorkKey::of(row);
    if (has_key(row.kind) && filter.accepts(key)) expected[id] = text_of(key);
  }
  table.scan_keys(filter, [&](const WorkKey& key) {
    EXPECT_TRUE(found.emplace(key.span_id, text_of(key)).second) << "twice: " << key.id;
    return true;
  });
  EXPECT_EQ(found, expected);
}

void expect_same(const WorkTable& table, const Model& model, uint64_t ids) {
  ASSERT_EQ(table.size(), model.size());
  auto expected = model.begin();
  table.scan([&](const WorkRow& row) {
    EXPECT_TRUE(expected != model.end() && row == expected->second);
    return expected++ != model.end();
  });
  EXPECT_TRUE(expected == model.end());
  for (const bool open_only : {false, true}) {
    for (const std::string_view project : {"", "project-1", "elsewhere"}) {
      for (const uint32_t kinds : {UINT32_MAX, WorkFilter::bit(WorkKind::task)}) {
        expect_same_keys(table, model, {kinds, open_only, project});
      }
    }
  }
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
        ASSERT_TRUE(table->write(*files_, "/work", 0).ok());
        table = WorkTable::open(*files_, {"/work"}).value_or(nullptr);
        ASSERT_NE(table, nullptr);
        EXPECT_EQ(table->changed_count(), 0u);
        EXPECT_TRUE(table->verify().ok());
        expect_same(*table, model, ids);
      }
    }
  }
}

TEST_F(WorkTableTest, NewerFilesHideRowsOfOlderOnes) {
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    SeededRandom random(seed);
    const uint64_t ids = 100;
    std::vector<std::string> paths;  // newest first
    Model model;
    size_t most = 0;
    for (int round = 0; round < 12; ++round) {
      auto table = WorkTable::open(*files_, paths).value_or(nullptr);
      ASSERT_NE(table, nullptr);
      std::vector<WorkRow> changed;
      for (uint64_t i = random.below(30) + 1; i > 0; --i) changed.push_back(random_row(random, ids));
      for (const WorkRow& row : changed) model[row.span_id] = row;
      table = table->with(std::move(changed));
      expect_same(*table, model, ids);
      // Also splits that no cut would choose.
      const size_t keep = random.below(2) == 0 ? table->files_to_keep() : random.below(paths.size() + 1);
      const std::string path = "/work-" + std::to_string(seed) + "-" + std::to_string(round);
      ASSERT_TRUE(table->write(*files_, path, keep).ok());
      paths.erase(paths.begin(), paths.end() - static_cast<std::ptrdiff_t>(keep));
      paths.insert(paths.begin(), path);
      most = std::max(most, paths.size());
      table = WorkTable::open(*files_, paths).value_or(nullptr);
      ASSERT_NE(table, nullptr);
      EXPECT_EQ(table->file_count(), paths.size());
      EXPECT_TRUE(table->verify().ok());
      expect_same(*table, model, ids);
    }
    EXPECT_GT(most, 2u);
  }
}

TEST_F(WorkTableTest, SmallCutsLeaveFewFilesAndWriteRowsFewTimes) {
  SeededRandom random(3);
  std::shared_ptr<const WorkTable> table = WorkTable::empty();
  std::vector<std::string> paths;
  uint64_t number = 0, written = 0;
  for (int round = 0; round < 200; ++round) {
    std::vector<WorkRow> added;
    for (int i = 0; i < 10; ++i) {
      added.push_back(random_row(random, 5));
      added.back().span_id = id_of(1000 + ++number);
    }
    table = table->with(std::move(added));
    const size_t keep = table->files_to_keep();
    const std::string path = "/cut-" + std::to_string(round);
    ASSERT_TRUE(table->write(*files_, path, keep).ok());
    written += WorkTable::open(*files_, {path}).value_or(nullptr)->size();
    paths.erase(paths.begin(), paths.end() - static_cast<std::ptrdiff_t>(keep));
    paths.insert(paths.begin(), path);
    ASSERT_LE(paths.size(), 8u);
    table = WorkTable::open(*files_, paths).value_or(nullptr);
  }
  EXPECT_EQ(table->size(), number);
  EXPECT_LE(written, number * 8);
}

// The table of a demo of 40 tasks, written before there were keys.
TEST_F(WorkTableTest, AFileOfVersion3IsReadAndHidden) {
  const std::string bytes =
      real_file_system().read_file(CONTEXTCORE_TEST_DATA "/work_table_v3.work").value_or("");
  ASSERT_TRUE(files_->write_file_atomically("/v3", bytes).ok());
  auto table = WorkTable::open(*files_, {"/v3"}).value_or(nullptr);
  ASSERT_NE(table, nullptr);
  EXPECT_TRUE(table->verify().ok());
  Model model;
  table->scan([&](const WorkRow& row) { return model.emplace(row.span_id, row).second; });
  const auto count = [&](WorkKind kind) {
    return std::count_if(model.begin(), model.end(), [&](const auto& item) { return item.second.kind == kind; });
  };
  EXPECT_EQ(count(WorkKind::task), 40);
  EXPECT_EQ(count(WorkKind::sprint), 3);
  for (const bool open_only : {false, true}) {
    expect_same_keys(*table, model, {UINT32_MAX, open_only, {}});
    expect_same_keys(*table, model, {WorkFilter::bit(WorkKind::task), open_only, model.begin()->second.project});
  }
  WorkRow changed = model.begin()->second;
  changed.end_ns = changed.end_ns == 0 ? 1 : 0;
  model[changed.span_id] = changed;
  ASSERT_TRUE(table->with({changed})->write(*files_, "/new", 1).ok());
  table = WorkTable::open(*files_, {"/new", "/v3"}).value_or(nullptr);
  ASSERT_NE(table, nullptr);
  for (const bool open_only : {false, true}) expect_same_keys(*table, model, {UINT32_MAX, open_only, {}});
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
  ASSERT_TRUE(WorkTable::empty()->write(*files_, "/empty", 0).ok());
  const auto table = WorkTable::open(*files_, {"/empty"}).value_or(nullptr);
  ASSERT_NE(table, nullptr);
  EXPECT_EQ(table->size(), 0u);
  EXPECT_EQ(table->find(id_of(1)), nullptr);
  EXPECT_TRUE(table->children(id_of(1)).empty());
}

TEST_F(WorkTableTest, NoticesEveryChangedByte) {
  SeededRandom random(7);
  std::vector<WorkRow> rows;
  for (int i = 0; i < 150; ++i) rows.push_back(random_row(random, 300));
  ASSERT_TRUE(WorkTable::empty()->with(rows)->write(*files_, "/good", 0).ok());
  const std::string good = files_->read_file("/good").value_or("");
  ASSERT_GT(good.size(), 10'000u);
  for (size_t at = 16; at < good.size(); at += 37 * test::crash_step()) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 1);
    ASSERT_TRUE(files_->write_file_atomically("/bad", bad).ok());
    const auto table = WorkTable::open(*files_, {"/bad"});
    if (!table.ok()) continue;
    const Status verified = (*table)->verify();
    ASSERT_FALSE(verified.ok()) << "byte " << at;
    EXPECT_EQ(verified.error().code, Code::corruption);
    for (const WorkRow& row : rows) {
      (*table)->find(row.span_id);
      (*table)->children(row.parent_span_id);
      for (const WorkEdge& edge : row.depends_on) (*table)->dependents(edge.target);
    }
    (*table)->scan_keys(WorkFilter{}, [](const WorkKey&) { return true; });
    EXPECT_FALSE((*table)->status().ok())
        << "a look-up met the damage and said nothing, byte " << at;
    EXPECT_FALSE((*table)->write(*files_, "/copy", 0).ok());
  }
}

// Rows of the spans 1 to count.
std::vector<WorkRow> numbered_rows(uint64_t seed, uint64_t count) {
  SeededRandom random(seed);
  std::vector<WorkRow> rows;
  for (uint64_t number = 1; number <= count; ++number) {
    rows.push_back(random_row(random, 1));
    rows.back().span_id = id_of(number);
  }
  return rows;
}

// Received spans are looked for by the million, and none of them is there: soon no block is searched for them.
TEST_F(WorkTableTest, ManyStrangersReadEachBlockOnce) {
  const std::vector<WorkRow> rows = numbered_rows(8, 5000);
  ASSERT_TRUE(WorkTable::empty()->with(rows)->write(*files_, "/work", 0).ok());
  const auto blocks = files_->read_file("/work").value_or("").size() / 16'384;
  ASSERT_GT(blocks, 40u);
  const auto table = WorkTable::open(*files_, {"/work"}).value_or(nullptr);
  ASSERT_NE(table, nullptr);
  size_t reads = 0;
  disk_.set_hook([&](SimOp op, const std::string&) { reads += op == SimOp::read ? 1 : 0; });
  const auto look_for_strangers = [&](uint64_t from) {
    for (uint64_t number = from; number < from + 1000; ++number) EXPECT_EQ(table->find(id_of(number)), nullptr);
  };
  look_for_strangers(10'000);
  EXPECT_GT(reads, blocks / 4);
  EXPECT_LT(reads, 2 * blocks);
  const size_t before = reads;
  for (uint64_t from = 20'000; from < 30'000; from += 1000) look_for_strangers(from);
  EXPECT_LT(reads, before + blocks);  // of those that pass by chance
  disk_.set_hook(nullptr);
  for (const WorkRow& row : rows) {
    ASSERT_NE(table->find(row.span_id), nullptr);
    EXPECT_EQ(*table->find(row.span_id), row);
  }
  EXPECT_TRUE(table->status().ok());
}

TEST_F(WorkTableTest, StrangersAreStillToldFromRowsWhereABlockIsDamaged) {
  const std::vector<WorkRow> rows = numbered_rows(9, 5000);
  ASSERT_TRUE(WorkTable::empty()->with(rows)->write(*files_, "/work", 0).ok());
  std::string bytes = files_->read_file("/work").value_or("");
  bytes[bytes.size() / 4] = static_cast<char>(bytes[bytes.size() / 4] ^ 1);  // within the rows
  ASSERT_TRUE(files_->write_file_atomically("/work", bytes).ok());
  const auto table = WorkTable::open(*files_, {"/work"}).value_or(nullptr);
  ASSERT_NE(table, nullptr);
  for (uint64_t number = 10'000; number < 12'000; ++number) EXPECT_EQ(table->find(id_of(number)), nullptr);
  ASSERT_FALSE(table->status().ok());  // some lay where the damage is
  const auto found = std::count_if(rows.begin(), rows.end(), [&](const WorkRow& row) {
    const WorkRow* const known = table->find(row.span_id);
    return known != nullptr && *known == row;
  });
  EXPECT_GT(found, 4500);
  EXPECT_LT(found, 5000);
}

TEST_F(WorkTableTest, RefusesWhatIsNoTable) {
  EXPECT_EQ(WorkTable::open(*files_, {"/absent"}).status().error().code, Code::not_found);
  ASSERT_TRUE(files_->write_file_atomically("/short", "CCWORKT\n").ok());
  EXPECT_EQ(WorkTable::open(*files_, {"/short"}).status().error().code, Code::corruption);
}

}  // namespace
}  // namespace contextcore::store
