// Bodies that are JSON objects as columns: they come back byte for byte, and what is read of a column is what the line has.

#include "store/log_fields.h"

#include <gtest/gtest.h>

#include <bit>

#include "base/random.h"
#include "base/sim_file_system.h"
#include "store/log_parts.h"
#include "store/rows.h"
#include "store/rows_logs.h"

namespace contextcore::store {
namespace {

const auto kResource = std::make_shared<const otlp::Resource>();
const auto kScope = std::make_shared<const otlp::Scope>();

otlp::LogRecord record_of(std::string line) {
  otlp::LogRecord record;
  record.time_ns = 1;
  record.body = otlp::Value(std::move(line));
  return record;
}

// Each line a row, of a transaction of its own.
std::vector<RowRef<LogRows>> append_all(LogBuilder& builder, const std::vector<std::string>& lines) {
  std::vector<RowRef<LogRows>> rows;
  for (uint32_t row = 0; row < lines.size(); ++row) {
    builder.append(kResource, kScope, record_of(lines[row]), {row + 1, 0, false});
    rows.push_back({&builder, row});
  }
  return rows;
}

// As fields, or "" when they are kept whole.
std::string as_fields(const std::string& line) {
  LogColumns columns(LogColumns::Bodies::as_fields);
  columns.append(0, 0, 0, record_of(line), {});
  FieldLines lines(columns);
  EXPECT_TRUE(lines.open().ok());
  std::string out;
  if (lines.has(0)) {
    EXPECT_TRUE(lines.append(0, out).ok());
  }
  otlp::LogRecord back;
  EXPECT_TRUE(read_log(columns, 0, back).ok());
  EXPECT_EQ(back, record_of(line));
  return out;
}

TEST(LogFields, LinesComeBackAsTheyWere) {
  for (const char* line : {
           "{}",
           R"({"event":"task.created","n":1,"d":1.5,"t":true,"f":false})",
           R"({"event": "task.created", "n": 1, "list": [1, 2], "o": {"p": "q"}})",
           R"({"text":"with \"quotes\", \\ and \n\t\b\f\r\u0001\u007f","u":"é €"})",
           R"({"z":null,"a":[],"big":18446744073709551615,"odd":1.0,"exp":1e5,"neg":-0,"long":0.1000})",
           R"({"slash":"\/","hex":"\u00e9","pair":"\ud83d\ude00","upper":"\u001F"})",
           R"({"":"no name","with blank":1,"dots.and-dashes":2})",
       }) {
    EXPECT_EQ(as_fields(line), line);
  }
}

TEST(LogFields, WhatWouldNotComeBackIsKeptWhole) {
  for (const char* line : {"", "text", "[1]", "{", R"({"a":1,"a":2})", R"({ "a":1})", R"({"a":1, "b":2})", R"({"a":01})",
                           R"({"a":1}x)", R"({"a":tru})", R"({"a":[1})", "{\"a\":\"\x01\"}", "{\"a\":\"\xff\"}",
                           R"({"\u0061":1})", R"({"a":1e999})", R"({"a":"\ud800"})", "{\"a\":\"\x7f\"}"}) {
    EXPECT_EQ(as_fields(line), "") << line;
  }
}

TEST(LogFields, NamesThatAreDataAreNoColumns) {
  LogColumns columns(LogColumns::Bodies::as_fields);
  for (size_t i = 0; i < kFieldColumnsMax + 10; ++i) {
    columns.append(0, 0, 0, record_of("{\"key" + std::to_string(i) + "\":1}"), {});
  }
  EXPECT_EQ(columns.attribute_count(kFieldTable), kFieldColumnsMax);
  for (size_t row = 0; row < kFieldColumnsMax + 10; ++row) {
    EXPECT_EQ(*read_line(columns, row), "{\"key" + std::to_string(row) + "\":1}");
  }
  std::string wide = "{\"n\":0";
  for (size_t i = 0; i < kFieldsPerLineMax; ++i) wide += ",\"m" + std::to_string(i) + "\":1";
  EXPECT_EQ(as_fields(wide + "}"), "");
}

std::string random_line(SeededRandom& random) {
  constexpr const char* kNames[] = {"event", "n", "user", "task_id", "x.y", "list"};
  constexpr const char* kValues[] = {"\"start\"", "\"stop\"", "1", "2", "-7", "1.5", "true", "null", "[1]", "{\"n\":1}", "1.0", "\"a\\\"b\"", "\"x\\ny z\""};
  if (random.below(8) == 0) return random.below(2) == 0 ? "plain text" : "{\"n\" :1}";
  const bool spaced = random.below(3) == 0;
  std::string line = "{";
  for (const char* name : kNames) {
    if (random.below(2) == 0) continue;
    if (line.size() > 1) line += spaced ? ", " : ",";
    line += std::string("\"") + name + (spaced ? "\": " : "\":") + kValues[random.below(std::size(kValues))];
  }
  return line + "}";
}

std::optional<Json> json_of(const FieldValue& value) {
  switch (value.type) {
    case FieldValue::Type::none:
      return std::nullopt;
    case FieldValue::Type::string:
      return Json(value.text);
    case FieldValue::Type::boolean:
      return Json(value.number != 0);
    case FieldValue::Type::integer:
      return Json(static_cast<int64_t>(value.number));
    case FieldValue::Type::real:
      return Json(std::bit_cast<double>(value.number));
    case FieldValue::Type::json:
      break;
  }
  return *parse_json(value.text);
}

// Whole parts are left out, and none that has such a line, however that is written.
TEST(LogFields, WhoWantsATextInAFieldMissesNoLineThatHasIt) {
  SimDisk disk;
  const auto files = disk.start_process();
  const auto builder = LogBuilder::make();
  std::vector<std::string> lines;
  const std::vector<std::string> with_it{R"({"event":"e","from":"a"})", R"({"event":"e","from":"\u0061"})",
                                         R"({ "event":"e", "from":"a" })"};
  for (size_t i = 0; i < 5000; ++i) {
    const std::string other = i % 3 == 0 ? R"({"event":"e","to":"a"})" : R"({"event":"e","from":"b)" + std::to_string(i % 7) + R"("})";
    lines.push_back(i > 0 && i % 1600 == 0 ? with_it[i / 1600 - 1] : other);
  }
  ASSERT_TRUE(write_log_segment(*files, "/file", append_all(*builder, lines)).ok());
  const auto segment = *open_log_segment(*files, "/file");

  LogProjection projection;
  projection.fields = true;
  projection.holding = {"from", "a"};
  LogScan scan;
  scan.streams_wanted = {true};
  scan.projection = &projection;
  size_t found = 0, given = 0;
  for (size_t part = 0; part < LogParts::of(*segment).parts(); ++part) {
    LogBatch batch;
    std::vector<uint32_t> streams;
    ASSERT_TRUE(LogParts::of(*segment).read_part(part, scan, batch, streams).ok());
    given += batch.size;
    for (size_t i = 0; i < batch.size; ++i) {
      const bool in_fields = batch.fields != nullptr && batch.fields->has(i);
      const Json json = *parse_json(in_fields ? *batch.fields->line(i) : std::string(batch.lines[i]));
      const Json* from = json.find("from");
      if (from != nullptr && *from == Json("a")) ++found;
    }
  }
  EXPECT_EQ(found, with_it.size());
  EXPECT_LT(given, lines.size());
}

// In files, and in those that are made of them.
TEST(LogFields, ColumnsOfAFileAreWhatTheLinesHave) {
  SeededRandom random(3);
  SimDisk disk;
  const auto files = disk.start_process();
  const auto builder = LogBuilder::make();
  std::vector<std::string> lines;
  for (size_t i = 0; i < 3000; ++i) lines.push_back(random_line(random));
  std::vector<RowRef<LogRows>> rows = append_all(*builder, lines);
  ASSERT_TRUE(write_log_segment(*files, "/first", rows).ok());
  auto first = *open_log_segment(*files, "/first");
  for (RowRef<LogRows>& row : rows) row.rows = first.get();
  ASSERT_TRUE(write_log_segment(*files, "/second", rows).ok());
  auto second = *open_log_segment(*files, "/second");

  for (const LogRows* segment : {first.get(), second.get()}) {
    LogProjection projection;
    projection.fields = true;
    LogScan scan;
    scan.streams_wanted = {true};
    scan.projection = &projection;
    size_t row = 0, in_fields = 0;
    for (size_t part = 0; part < LogParts::of(*segment).parts(); ++part) {
      LogBatch batch;
      std::vector<uint32_t> streams;
      ASSERT_TRUE(LogParts::of(*segment).read_part(part, scan, batch, streams).ok());
      for (size_t i = 0; i < batch.size; ++i, ++row) {
        ASSERT_EQ(*segment->line(row), lines[row]);
        if (batch.fields == nullptr || !batch.fields->has(i)) {
          ASSERT_EQ(batch.lines[i], lines[row]);
          continue;
        }
        ++in_fields;
        ASSERT_EQ(*batch.fields->line(i), lines[row]);
        const Json json = *parse_json(lines[row]);
        bool flat = true;
        for (const auto& [name, value] : *json.as_object()) flat &= name != "x.y" && value.as_object() == nullptr;
        // A column with an object in some row counts as one for all of them.
        EXPECT_TRUE(flat || !*batch.fields->is_flat(i)) << lines[row];
        for (const char* name : {"event", "n", "user", "task_id", "x.y", "list", "nothing"}) {
          const FieldColumn* column = *batch.fields->column(name);
          const Json* expected = json.find(name);
          const std::optional<Json> got = json_of(column->at(i));
          ASSERT_EQ(got.has_value(), expected != nullptr) << lines[row] << " " << name;
          ASSERT_TRUE(expected == nullptr || *got == *expected) << lines[row] << " " << name;
        }
      }
    }
    EXPECT_EQ(row, lines.size());
    EXPECT_GT(in_fields, lines.size() / 2);
    for (const char* needle : {"stop", "\"n\":1", ", \"", "plain", "n", "ny", "y z", " z", "1.5", "ul", "-7", "task_i", "x.y", "a\\\"", "t"}) {
      const RowSet found = *segment->match(INT64_MIN, INT64_MAX, {true}, {needle});
      for (size_t i = 0; i < lines.size(); ++i) {
        ASSERT_EQ(found.test(i), lines[i].find(needle) != std::string::npos) << lines[i] << " " << needle;
      }
    }
  }
}

}  // namespace
}  // namespace contextcore::store
