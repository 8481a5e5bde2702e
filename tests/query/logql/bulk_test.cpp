// Metric queries read the columns of a store in bulk where they can. The answers are those that come of its entries one by
// one, whatever lies in files and in the head.

#include <gtest/gtest.h>

#include "base/random.h"
#include "base/sanitized.h"
#include "base/sim_file_system.h"
#include "base/time.h"
#include "query/logql/engine.h"
#include "query/logql/text.h"
#include "store/log_batch.h"
#include "store/store.h"

namespace contextcore::logql {
namespace {

// The same entries, without the columns.
class OneByOne : public store::Source {
 public:
  explicit OneByOne(const store::Source& source) : source_(source) {}
  int64_t now_ns() const override { return source_.now_ns(); }
  Result<std::unique_ptr<store::TraceIterator>> fetch(const store::FetchRequest& request) const override {
    return source_.fetch(request);
  }
  Result<std::unique_ptr<store::LogIterator>> fetch_logs(const store::LogFetchRequest& request) const override {
    return source_.fetch_logs(request);
  }
  Result<std::vector<store::LabelPairs>> streams(int64_t start_ns, int64_t end_ns) const override {
    return source_.streams(start_ns, end_ns);
  }
  Result<std::optional<otlp::TracesData>> trace(const otlp::TraceId& id) const override { return source_.trace(id); }

 private:
  const store::Source& source_;
};

otlp::Value random_value(SeededRandom& random) {
  switch (random.below(6)) {
    case 0:
      return otlp::Value(static_cast<int64_t>(random.below(3)));
    case 1:
      return otlp::Value(random.below(2) == 0);
    case 2:
      return otlp::Value(otlp::Array{otlp::Value("x"), otlp::Value(int64_t{1})});
    case 3: {
      otlp::KeyValueList list;
      list.push_back({"id", otlp::Value("deep")});
      return otlp::Value(std::move(list));
    }
    case 4:
      return otlp::Value("");
    default:
      return otlp::Value(std::string(1, static_cast<char>('a' + random.below(3))));
  }
}

otlp::LogRecord random_record(SeededRandom& random) {
  constexpr const char* kLines[] = {R"({"event":"start","n":1,"task":"t1"})",
                                    R"({"event":"stop","n":4.5,"d":"2s","user":"\u00e9"})",
                                    R"({"event":"stop","n":8)", "level=warn event=stop n=3", "plain ERROR text", "",
                                    R"({"event": "stop", "n": 2, "user": "a\nb", "ok": true})",
                                    R"({"event":"stop","n":1.50,"user":null,"list":[1,{"n":7}]})",
                                    R"({"n":-0.25,"event":"start","user_extracted":"late","user":"early","env":"x"})",
                                    R"({"user":{"id":"in"},"user_id":"out","event":"stop","n":3})",
                                    R"({"2nd":"x","event":"stop","n":1e3,"n":9,"env":""})",
                                    R"({"task.id":"dots","event":"start","n":"5","user":false})"};
  otlp::LogRecord record;
  if (random.below(8) != 0) record.time_ns = 1 + random.below(100) * 1'000'000'000;
  if (random.below(3) != 0 || record.time_ns == 0) record.observed_time_ns = 1 + random.below(100) * 1'000'000'000;
  record.body = random.below(12) == 0 ? random_value(random) : otlp::Value(kLines[random.below(std::size(kLines))]);
  constexpr const char* kKeys[] = {"env", "user.id", "user_id", "level", "event_name", "user", "2nd", "service_name", "env"};
  for (uint64_t n = random.below(4); n > 0; --n) {
    record.attributes.push_back({kKeys[random.below(std::size(kKeys))], random_value(random)});
  }
  if (random.below(2) == 0) record.event_name = random.below(2) == 0 ? "one" : "two";
  if (random.below(2) == 0) record.severity_number = static_cast<int32_t>(random.below(24));
  if (random.below(3) == 0) record.severity_text = random.below(2) == 0 ? "WARN" : "odd";
  if (random.below(2) == 0) record.span_id.bytes[0] = static_cast<uint8_t>(1 + random.below(3));
  if (random.below(2) == 0) record.trace_id.bytes[0] = static_cast<uint8_t>(1 + random.below(3));
  if (random.below(4) == 0) record.flags = 1;
  return record;
}

otlp::LogsData random_logs(SeededRandom& random) {
  otlp::LogsData data;
  for (uint64_t n = 1 + random.below(2); n > 0; --n) {
    auto& resource = data.resource_logs.emplace_back();
    otlp::set(resource.resource.attributes, "service.name", random.below(2) == 0 ? "a" : "b");
    if (random.below(2) == 0) otlp::set(resource.resource.attributes, "env", "shared");
    if (random.below(4) == 0) otlp::set(resource.resource.attributes, "level", "debug");
    auto& scope = resource.scope_logs.emplace_back();
    if (random.below(2) == 0) scope.scope.name = "lib";
    if (random.below(3) == 0) otlp::set(scope.scope.attributes, "user.id", "scope");
    for (uint64_t records = 1 + random.below(60); records > 0; --records) {
      scope.records.push_back(random_record(random));
    }
  }
  return data;
}

class BulkTest : public ::testing::Test {
 protected:
  void SetUp() override {
    clock_.set_boot_id("boot");
    process_ = disk_.start_process();
    store::StoreOptions options;
    options.path = "/store";
    options.file_system = process_.get();
    options.clock = &clock_;
    options.random = &random_;
    auto opened = store::Store::open(options);
    ASSERT_TRUE(opened.ok()) << opened.error().to_string();
    store_ = std::move(opened).value();
  }

  // Files of several ages, and rows in the head.
  void fill(uint64_t seed) {
    SeededRandom random(seed);
    for (int round = 0; round < 4; ++round) {
      for (int i = 0; i < 3; ++i) {
        const auto result = store_->ingest(random_logs(random), "");
        ASSERT_TRUE(result.ok()) << result.error().to_string();
      }
      if (round == 3) break;
      ASSERT_TRUE(store_->cut().ok());
    }
    read_ = *store_->read();
  }

  static std::string answer(const store::Source& source, const std::string& query) {
    RangeParams params;
    params.end_ns = 110 * kSecondNs;
    params.step_ns = 7 * kSecondNs;
    const auto result = query_range(source, query, params);
    if (!result.ok()) return result.error().to_string();
    std::string out;
    for (const Series& series : std::get<Matrix>(result->data).series) {
      out += to_string(series.labels);
      for (const Sample& sample : series.samples) {
        out += " " + std::to_string(sample.time_ns / kSecondNs) + "=" + format_number(sample.value);
      }
      out += "\n";
    }
    return out;
  }

  ManualClock clock_;
  SeededRandom random_{1};
  SimDisk disk_{1, &clock_};
  std::unique_ptr<SimFileSystem> process_;
  std::unique_ptr<store::Store> store_;
  store::Store::Read read_;
};

const std::vector<std::string> kNames = {
    "env",      "user_id",       "user_id_id",         "level",        "event_name", "user",       "key_2nd",
    "span_id",  "trace_id",      "observed_timestamp", "flags",        "scope_name", "nothing",    "severity_number",
    "scope_version", "severity_text", "detected_level", "service_name", "dropped_attributes_count"};

TEST_F(BulkTest, ColumnsEqualEntries) {
  fill(7);
  for (int round = 0; round < 8; ++round) {
    store::LogFetchRequest request;
    if (round % 2 == 1) request.line_contains = {"event", "t"};
    if (round % 4 >= 2) {
      request.start_ns = 20 * kSecondNs;
      request.end_ns = 70 * kSecondNs;
    }
    if (round >= 4) {
      request.stream_filter = [](const LabelPairs& stream) { return stream.back().second == "a"; };
    }
    store::LogProjection projection;
    projection.line = round % 3 != 0;
    projection.ids = true;
    projection.metadata = kNames;
    projection.integers = {"user_id", "level"};
    const auto rows_of = [&](Result<std::unique_ptr<store::LogBatchIterator>> batches, bool integers) {
      std::multiset<std::string> rows;
      EXPECT_TRUE(batches.ok());
      for (store::LogBatch batch; batches.ok();) {
        const Result<bool> more = (*batches)->next(batch);
        EXPECT_TRUE(more.ok()) << more.error().to_string();
        if (!more.ok() || !*more) break;
        for (size_t i = 0; i < batch.size; ++i) {
          std::string row = std::to_string(batch.times_ns[i]) + " " + std::to_string(batch.sequences[i]) + " " +
                            to_string(*batch.streams[i]) + otlp::to_hex(batch.trace_ids[i]) +
                            otlp::to_hex(batch.span_ids[i]) + std::to_string(batch.observed_ns[i]);
          if (projection.line) row += batch.lines[i];
          for (size_t name = 0; name < kNames.size(); ++name) {
            row += "\n  " + kNames[name] + "=" + std::string(batch.metadata[name].at(i));
          }
          if (integers) row += std::to_string(batch.integers[0][i]);
          rows.insert(row);
        }
      }
      return rows;
    };
    const auto expected = rows_of(store::batches_of_entries(*read_.source, request, projection), false);
    EXPECT_FALSE(expected.empty());
    EXPECT_EQ(rows_of(store::scan_logs(*read_.source, request, projection), false), expected) << "round " << round;
    auto parts = store::scan_log_parts(*read_.source, request, projection);
    ASSERT_TRUE(parts.ok());
    std::multiset<std::string> of_parts;
    for (auto& part : *parts) of_parts.merge(rows_of(std::move(part), false));
    EXPECT_EQ(of_parts, expected) << "round " << round;
  }
}

// By stream, time and sequence, but for what lies in memory.
TEST_F(BulkTest, PartsOfFilesAreInOrder) {
  fill(7);
  auto parts = store::scan_log_parts(*read_.source, {}, {});
  ASSERT_TRUE(parts.ok());
  ASSERT_GT(parts->size(), 1u) << "no file";
  for (size_t i = 0; i + 1 < parts->size(); ++i) {
    std::optional<std::tuple<store::LabelPairs, int64_t, uint64_t>> before;
    for (store::LogBatch batch;;) {
      const Result<bool> more = (*parts)[i]->next(batch);
      ASSERT_TRUE(more.ok());
      if (!*more) break;
      for (size_t row = 0; row < batch.size; ++row) {
        const std::tuple here(*batch.streams[row], batch.times_ns[row], batch.sequences[row]);
        EXPECT_LE(before.value_or(here), here);
        before = here;
      }
    }
    EXPECT_TRUE(before) << "an empty file";
  }
}

TEST_F(BulkTest, AnswersEqualThoseOfEntries) {
  constexpr const char* kRanges[] = {
      "count_over_time({service_name=~`.+`} %s [10s])", "rate({service_name=`a`} %s [30s])",
      "bytes_over_time({service_name=~`.+`} %s [7s] offset 5s)", "bytes_rate({service_name=~`.+`} %s [1m])",
      "sum_over_time({service_name=~`.+`} %s | json | unwrap n [20s])",
      "first_over_time({service_name=~`.+`} %s | json | unwrap n | __error__=`` [20s])",
      "absent_over_time({service_name=`b`} %s [3s])"};
  constexpr const char* kStages[] = {"", "", "|= `event`", "| json | event=`stop` | __error__=``", "| json",
                                     "| logfmt | json | n > 2 | __error__=``", "| user_id=`a`",
                                     "| json | user_extracted!=`` | drop __error__, __error_details__",
                                     "| detected_level=~`warn|error`", "| label_format z=env | z=`a`",
                                     "| drop env | json e=`event` | keep e, env",
                                     "| json e=`event`, n=`[\"n\"]`, user | e!=`` or user=`early`",
                                     "| json | line_format `{{.event}}` | event=`stop` | __error__=``",
                                     "| json | event=~`st.+` | user!=`x` | __error__=``"};
  constexpr const char* kSums[] = {"sum(%s)",
                                   "sum by (service_name) (%s)",
                                   "sum by (env, nothing) (%s)",
                                   "sum by (detected_level, level) (%s)",
                                   "sum by (event, user_extracted, e) (%s)",
                                   "sum without (env) (%s)",
                                   "%s",
                                   "max by (event_name, span_id) (%s)"};
  const auto put = [](std::string text, const std::string& inner) {
    return text.replace(text.find("%s"), 2, inner);
  };
  constexpr uint64_t kSeeds = 3;
  constexpr uint64_t kShare = kSanitized ? 5 : 1;  // of the queries: under sanitizers all would take seven minutes
  size_t answered = 0, number = 0;
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    fill(seed);
    const OneByOne plain(*read_.source);
    for (const char* range : kRanges) {
      for (const char* stages : kStages) {
        for (const char* sum : kSums) {
          if (++number % kSeeds != seed % kSeeds) continue;  // each query on one of the stores
          if (number % kShare != 0) continue;
          const std::string query = put(sum, put(range, stages));
          const std::string expected = answer(plain, query);
          ASSERT_EQ(answer(*read_.source, query), expected) << query;
          answered += expected.find('=') != std::string::npos ? 1 : 0;
        }
      }
    }
  }
  EXPECT_GT(answered, 200 / kShare);
}

// By () is plain to compute from single series: an aggregation times 1 is made of whole labels.
TEST_F(BulkTest, CountsEqualSumsOfSeries) {
  fill(11);
  for (const char* names : {"", "service_name", "env", "detected_level, span_id", "env, event_name"}) {
    for (const char* stages : {"", "|= `e`", "| json | __error__=``"}) {
      const std::string inner = std::string("count_over_time({service_name=~`.+`} ") + stages + "[9s])";
      const std::string by = std::string("sum by (") + names + ") ";
      EXPECT_EQ(answer(*read_.source, by + "(" + inner + ")"), answer(*read_.source, by + "((" + inner + " * 1))"))
          << by << inner;
    }
  }
}

}  // namespace
}  // namespace contextcore::logql
