// Received metrics: what is written is what is read, whatever happened in between.

#include <algorithm>
#include <bit>
#include <limits>
#include <map>

#include "otlp/metric_batch.h"
#include "store/metric_join.h"
#include "store/store_test_kit.h"

namespace contextcore::store::test {
namespace {

using otlp::RemoteWriteRequest;
using otlp::RemoteWriteSeries;

IngestResult write(Store& store, const RemoteWriteRequest& request,
                   const std::string& tenant = "") {
  const auto result = store.ingest(request, "", tenant);
  EXPECT_TRUE(result.ok()) << (result.ok() ? "" : result.error().to_string());
  return result.ok() ? *result : IngestResult{};
}

// A delta counter's point.
otlp::MetricsData delta(const std::string& name, uint64_t start_ms, uint64_t time_ms,
                        double value) {
  otlp::NumberPoint point;
  point.start_ns = start_ms * 1'000'000;
  point.time_ns = time_ms * 1'000'000;
  point.value = otlp::Real(value);
  otlp::Metric metric;
  metric.name = name;
  metric.data = otlp::Sum{{point}, otlp::Temporality::delta, true};
  otlp::MetricsData data;
  data.resource_metrics.emplace_back().scope_metrics.emplace_back().metrics.push_back(metric);
  return data;
}

TEST(Metrics, AnyOrderAnyAgeAndTheLaterWriteOfATimeCounts) {
  Machine machine;
  auto store = machine.open();
  write(*store, one_sample("up", "a", 1'700'000'000'000, 1));
  write(*store, one_sample("up", "a", 86'400'000, 2));  // half a century before
  write(*store, one_sample("up", "a", -5, 3));
  write(*store, one_sample("up", "a", 1'700'000'000'000, 4));
  write(*store, one_sample("up", "a", 1'700'000'001'000, stale_marker()));
  const std::string expected =
      "__name__=up,host=a, -5=3.000000 86400000=2.000000 1700000000000=4.000000 "
      "1700000001000=stale\n";
  EXPECT_EQ(metrics(*store), expected);
  EXPECT_EQ(metrics(*store, "", 0, 90'000'000), "__name__=up,host=a, 86400000=2.000000\n");
  ASSERT_TRUE(store->cut().ok());
  EXPECT_EQ(metrics(*store), expected);
  write(*store, one_sample("up", "a", 86'400'000, 5));  // over what is in a file
  EXPECT_EQ(metrics(*store, "", 0, 90'000'000), "__name__=up,host=a, 86400000=5.000000\n");
  ASSERT_TRUE(store->cut().ok());
  EXPECT_EQ(metrics(*machine.open(), "", 0, 90'000'000), "__name__=up,host=a, 86400000=5.000000\n");
}

TEST(Metrics, OfSeveralTenantsALabelSaysWhose) {
  Machine machine;
  auto store = machine.open();
  write(*store, one_sample("up", "a", 1000, 1), "one");
  write(*store, one_sample("up", "a", 1000, 2), "two");
  RemoteWriteRequest own = one_sample("up", "a", 1000, 3);
  own.series[0].labels.insert(own.series[0].labels.begin(), {"__tenant_id__", "mine"});
  write(*store, own, "two");
  const auto read = store->read();
  ASSERT_TRUE(read.ok());
  const JoinedMetrics both({std::make_shared<const TenantMetrics>("one", read->metrics->tenant("one")),
                            std::make_shared<const TenantMetrics>("two", read->metrics->tenant("two"))});
  const auto found = [&](std::vector<LabelMatcher> matchers) {
    MetricRequest request;
    request.matchers = std::move(matchers);
    const auto series = both.select(request);
    EXPECT_TRUE(series.ok());
    std::vector<std::string> out;
    for (const MetricSeries& one : *series) {
      std::string text;
      for (const auto& [name, value] : one.labels) text += name + "=" + value + " ";
      out.push_back(text + std::to_string(static_cast<int>(one.runs.front().value)));
    }
    std::sort(out.begin(), out.end());
    return out;
  };
  const std::string one = "__name__=up __tenant_id__=one host=a 1";
  const std::string two = "__name__=up __tenant_id__=two host=a 2";
  const std::string mine = "__name__=up __tenant_id__=two host=a original___tenant_id__=mine 3";
  EXPECT_EQ(found({}), (std::vector<std::string>{one, two, mine}));
  EXPECT_EQ(found({{"__tenant_id__", true, "two", {}}}), (std::vector<std::string>{two, mine}));
  EXPECT_EQ(found({{"__tenant_id__", false, "", [](std::string_view value) { return value != "two"; }}}),
            std::vector<std::string>{one});
  EXPECT_EQ(found({{"original___tenant_id__", true, "mine", {}}}), std::vector<std::string>{mine});
}

// Whether they are asked for as a whole or one after the other.
TEST(Metrics, OfSeveralSourcesTheFirstCounts) {
  Machine machine;
  auto store = machine.open();
  write(*store, one_sample("up", "a", 1000, 1), "one");
  write(*store, one_sample("up", "a", 1000, 2), "two");
  write(*store, one_sample("up", "b", 1000, 3), "two");
  const auto read = store->read();
  ASSERT_TRUE(read.ok());
  const auto of = [&](std::vector<std::string> tenants) {
    std::vector<std::shared_ptr<const MetricSource>> sources;
    for (const std::string& tenant : tenants) sources.push_back(read->metrics->tenant(tenant));
    const JoinedMetrics joined(std::move(sources));
    const auto whole = joined.select({});
    const auto set = joined.find({});
    EXPECT_TRUE(whole.ok() && set.ok());
    std::vector<std::string> out;
    EXPECT_EQ((*set)->size(), whole->size());
    for (size_t i = 0; i < whole->size(); ++i) {
      EXPECT_EQ((*set)->labels(i), (*whole)[i].labels);
      EXPECT_EQ((*set)->runs(i).front().value, (*whole)[i].runs.front().value);
      out.push_back((*whole)[i].labels.back().second + " " + std::to_string(static_cast<int>((*whole)[i].runs.front().value)));
    }
    std::sort(out.begin(), out.end());
    return out;
  };
  EXPECT_EQ(of({"one", "two"}), (std::vector<std::string>{"a 1", "b 3"}));
  EXPECT_EQ(of({"two", "one"}), (std::vector<std::string>{"a 2", "b 3"}));
  EXPECT_EQ(of({"none", "one"}), std::vector<std::string>{"a 1"});
  EXPECT_TRUE(of({"none"}).empty());
}

TEST(Metrics, ARepeatedRequestChangesNothing) {
  Machine machine;
  auto store = machine.open();
  const RemoteWriteRequest first = one_sample("up", "a", 1000, 1);
  write(*store, first);
  write(*store, one_sample("up", "a", 1000, 2));
  EXPECT_TRUE(write(*store, first).duplicate);
  EXPECT_EQ(metrics(*store), "__name__=up,host=a, 1000=2.000000\n");
  EXPECT_FALSE(write(*store, first, "other").duplicate)
      << "another tenant's request is another one";
  const auto spend = delta("spend", 1000, 2000, 5);
  ASSERT_TRUE(store->ingest(spend, "", "").ok());
  const auto again = store->ingest(spend, "", "");
  ASSERT_TRUE(again.ok());
  EXPECT_TRUE(again->duplicate);
  EXPECT_EQ(metrics(*store),
            "__name__=spend_total, 1000=0.000000 2000=5.000000\n"
            "__name__=up,host=a, 1000=2.000000\n");
}

TEST(Metrics, DeltasAddUpInOrderOfTimeWheneverTheyCome) {
  Machine machine;
  auto store = machine.open();
  for (const auto& [start, time, value] :
       {std::tuple<uint64_t, uint64_t, double>{3000, 4000, 7}, {1000, 2000, 1}, {2000, 3000, 2}}) {
    ASSERT_TRUE(store->ingest(delta("spend", start, time, value), "", "").ok());
    ASSERT_TRUE(store->cut().ok());
  }
  EXPECT_EQ(metrics(*store),
            "__name__=spend_total, 1000=0.000000 2000=1.000000 3000=3.000000 4000=10.000000\n");
  EXPECT_EQ(metrics(*store, "", 3500, 4500), "__name__=spend_total, 4000=10.000000\n")
      << "what is before the range counts";
  ASSERT_TRUE(store->ingest(delta("spend", 1000, 1500, 4), "", "").ok());
  EXPECT_EQ(metrics(*store, "", 3500, 4500), "__name__=spend_total, 4000=14.000000\n");
}

TEST(Metrics, TenantsAreApartAndKeepTheirNames) {
  Machine machine;
  auto store = machine.open();
  write(*store, one_sample("up", "x", 1, 1), "blue");
  write(*store, one_sample("up", "y", 1, 2), "green");
  EXPECT_EQ(metrics(*store), "");
  EXPECT_EQ(metrics(*store, "unknown"), "");
  ASSERT_TRUE(store->cut().ok());
  write(*store, one_sample("up", "z", 1, 3), "red");
  store = machine.open();
  EXPECT_EQ(metrics(*store, "blue"), "__name__=up,host=x, 1=1.000000\n");
  EXPECT_EQ(metrics(*store, "green"), "__name__=up,host=y, 1=2.000000\n");
  EXPECT_EQ(metrics(*store, "red"), "__name__=up,host=z, 1=3.000000\n");
  const auto refused = store->ingest(one_sample("up", "a", 1, 1), "", "a/b");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Code::invalid_argument);
}

TEST(Metrics, LimitsRefuseWhatIsTooMuchAndTakeTheRest) {
  Machine machine;
  StoreOptions options = machine.options(machine.process());
  options.metric_limits.series_max = 2;
  options.metric_limits.labels_max = 2;
  options.metric_limits.label_value_bytes_max = 5;
  options.metric_limits.tenants_max = 2;
  auto store = machine.open(options);
  RemoteWriteRequest request = one_sample("up", "toolong", 1, 1);
  request.series.push_back({{{"__name__", "up"}, {"a", "1"}, {"b", "2"}}, {{1, 1}}, 0, 0});
  request.series.push_back({{{"a", "1"}}, {{1, 1}}, 0, 0});
  request.series.push_back({{{"__name__", "up"}, {"a", "1"}, {"a", "2"}}, {{1, 1}}, 0, 0});
  request.series.push_back({{{"__name__", "up"}, {"host", "ok"}}, {{1, 1}}, 0, 0});
  const IngestResult result = write(*store, request);
  EXPECT_EQ(result.accepted, 1);
  EXPECT_EQ(result.rejected, 4);
  EXPECT_NE(result.message.find("label value length exceeds the limit"), std::string::npos)
      << result.message;
  EXPECT_NE(result.message.find("number of labels exceeds the limit"), std::string::npos)
      << result.message;
  EXPECT_EQ(metrics(*store), "__name__=up,host=ok, 1=1.000000\n");
  RemoteWriteRequest more = one_sample("up", "b", 1, 1);
  more.series.push_back(one_sample("up", "c", 1, 1).series[0]);
  more.series.push_back(one_sample("up", "ok", 2, 2).series[0]);
  const IngestResult third = write(*store, more);
  EXPECT_EQ(third.accepted, 2);
  EXPECT_EQ(third.message, "per-user series limit of 2 exceeded");
  EXPECT_EQ(metrics(*store),
            "__name__=up,host=b, 1=1.000000\n__name__=up,host=ok, 1=1.000000 2=2.000000\n");
  EXPECT_TRUE(write(*store, more).duplicate) << "also what was taken in part is known";
  EXPECT_EQ(metrics(*machine.open()), metrics(*store));
  write(*store, one_sample("up", "a", 1, 1), "one");
  EXPECT_EQ(store->ingest(one_sample("up", "a", 1, 1), "", "two").status().error().code,
            Code::failed_precondition);
}

TEST(Metrics, NamesOfViewsAreRefusedInTheDefaultTenant) {
  Machine machine;
  StoreOptions options = machine.options(machine.process());
  options.hooks.refuse_metric = [](std::string_view name) -> std::optional<std::string> {
    if (name == "task_wip") return "a view";
    return std::nullopt;
  };
  auto store = machine.open(options);
  const IngestResult refused = write(*store, one_sample("task_wip", "a", 1, 1));
  EXPECT_EQ(refused.rejected, 1);
  EXPECT_EQ(refused.message, "a view");
  EXPECT_EQ(write(*store, one_sample("task_wip", "a", 1, 1), "other").accepted, 1);
  EXPECT_EQ(metrics(*store), "");
}

TEST(Metrics, DescriptionsAreKeptAndTheNewestCounts) {
  Machine machine;
  auto store = machine.open();
  RemoteWriteRequest request;
  request.metadata.push_back({otlp::RemoteWriteType::counter, "a_total", "old", ""});
  request.metadata.push_back({otlp::RemoteWriteType::gauge, "b", "", "s"});
  write(*store, request);
  ASSERT_TRUE(store->cut().ok());
  request.metadata.pop_back();
  request.metadata[0].help = "new";
  write(*store, request);
  store = machine.open();
  for (int cuts = 0; cuts < 2; ++cuts) {
    const auto all = store->read()->metrics->tenant("")->describe();
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(all[0].name + all[0].type + all[0].help, "a_totalcounternew");
    EXPECT_EQ(all[1].name + all[1].type + all[1].unit, "bgauges");
    ASSERT_TRUE(store->cut().ok());
  }
}

TEST(Metrics, AnotherProcessReadsAndWritesToo) {
  Machine machine;
  auto first = machine.open();
  auto second = machine.open();
  auto reader = machine.open(StoreMode::read_only);
  for (int64_t i = 0; i < 20; ++i) {
    Store& writer = i % 2 == 0 ? *first : *second;
    write(writer, one_sample("up", i % 2 == 0 ? "a" : "b", i, static_cast<double>(i)),
          i % 3 == 0 ? "other" : "");
    if (i % 5 == 0) {
      ASSERT_TRUE(writer.cut().ok());
    }
    ASSERT_EQ(metrics(*first), metrics(*second));
    ASSERT_EQ(metrics(*first, "other"), metrics(*reader, "other"));
  }
}

// Random writes against a map; cuts, merges, reopening and power failures in between. Whole and
// half numbers, so that sums are exact in any order.
TEST(Metrics, RandomWritesAreAMap) {
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    SCOPED_TRACE(seed);
    Machine machine(seed);
    auto store = machine.open();
    SeededRandom random(seed);
    std::map<std::string, std::map<int64_t, double>> values;
    std::map<std::string, std::map<int64_t, double>> deltas;
    for (int step = 0; step < 300; ++step) {
      const std::string host(1, static_cast<char>('a' + random.below(4)));
      const auto time_ms =
          static_cast<int64_t>(random.below(40) * (1 + random.below(3) * 1'000'000));
      const double value = static_cast<double>(random.below(1000)) / 2;
      if (random.below(3) == 0) {
        const auto start =
            static_cast<uint64_t>(time_ms) - random.below(static_cast<uint64_t>(time_ms) + 1);
        ASSERT_TRUE(
            store->ingest(delta("d" + host, start, static_cast<uint64_t>(time_ms), value), "", "")
                .ok());
        if (start > 0 && static_cast<int64_t>(start) < time_ms) {
          deltas[host].try_emplace(static_cast<int64_t>(start), 0);
        }
        deltas[host][time_ms] = value;
      } else {
        RemoteWriteRequest request = one_sample("up", host, time_ms, value);
        request.series[0].samples.push_back({value + 1, time_ms + 7});
        write(*store, request);
        values[host][time_ms] = value;
        values[host][time_ms + 7] = value + 1;
      }
      if (random.below(12) == 0) {
        ASSERT_TRUE(store->cut().ok());
      }
      if (random.below(40) == 0) store = machine.open();
      if (random.below(100) == 0) {
        machine.power_failure(random.next_u64());
        store = machine.open();
      }
      if (step % 20 != 0) continue;
      const auto first = static_cast<int64_t>(random.below(60'000'000));
      const int64_t last = first + static_cast<int64_t>(random.below(60'000'000));
      for (const auto& [start_ms, end_ms] :
           {std::pair<int64_t, int64_t>{INT64_MIN, INT64_MAX}, {first, last}}) {
        std::string expected;
        for (const auto& [name, samples] : deltas) {
          double sum = 0;
          std::string line;
          for (const auto& [time, one] : samples) {
            sum += one;
            if (time >= start_ms && time <= end_ms)
              line += " " + std::to_string(time) + "=" + std::to_string(sum);
          }
          if (!line.empty()) expected += "__name__=d" + name + "_total," + line + "\n";
        }
        for (const auto& [name, samples] : values) {
          std::string line;
          for (const auto& [time, one] : samples) {
            if (time >= start_ms && time <= end_ms)
              line += " " + std::to_string(time) + "=" + std::to_string(one);
          }
          if (!line.empty()) expected += "__name__=up,host=" + name + "," + line + "\n";
        }
        ASSERT_EQ(metrics(*store, "", start_ms, end_ms), expected) << "step " << step;
      }
    }
    EXPECT_LE(store->stats().segments, 12U) << "small segments are merged";
  }
}

// Long series go into many chunks and blocks; every form of values comes back to the bit.
TEST(Metrics, ManySamplesAndOddValuesComeBack) {
  Machine machine;
  auto store = machine.open();
  RemoteWriteRequest request;
  std::map<std::string, std::vector<double>> expected;
  SeededRandom random(4);
  for (const char* form : {"integers", "decimals", "bits"}) {
    RemoteWriteSeries& series = request.series.emplace_back();
    series.labels = {{"__name__", form}};
    for (int64_t i = 0; i < 5000; ++i) {
      double value = static_cast<double>(random.below(100'000));
      if (form[0] == 'd') value /= 1000;
      if (form[0] == 'b') value = std::bit_cast<double>(random.next_u64());
      series.samples.push_back({value, i * 15'000});
      expected[form].push_back(value);
    }
  }
  const double odd[] = {-0.0,
                        0.0,
                        1e300,
                        std::numeric_limits<double>::denorm_min(),
                        9007199254740993.0,
                        0.1,
                        std::numeric_limits<double>::infinity(),
                        stale_marker()};
  RemoteWriteSeries& series = request.series.emplace_back();
  series.labels = {{"__name__", "odd"}};
  for (size_t i = 0; i < std::size(odd); ++i) {
    series.samples.push_back({odd[i], static_cast<int64_t>(i * i)});
    expected["odd"].push_back(odd[i]);
  }
  write(*store, request);
  ASSERT_TRUE(store->cut().ok());
  EXPECT_EQ(store->stats().metric_samples, 15'008U);
  EXPECT_EQ(store->stats().head_metric_samples, 0U);
  const auto found = store->read()->metrics->tenant("")->select({});
  ASSERT_TRUE(found.ok());
  ASSERT_EQ(found->size(), 4U);
  for (const MetricSeries& one : *found) {
    const std::vector<double>& wanted = expected.at(one.labels[0].second);
    size_t at = 0;
    for (const SampleRun& run : one.runs) {
      for (int64_t i = 0; i < run.count; ++i, ++at) {
        ASSERT_EQ(std::bit_cast<uint64_t>(run.value), std::bit_cast<uint64_t>(wanted.at(at)))
            << one.labels[0].second;
      }
    }
    EXPECT_EQ(at, wanted.size());
  }
}

TEST(Metrics, ADamagedFileIsSaid) {
  Machine machine;
  auto store = machine.open();
  for (int64_t i = 0; i < 100; ++i)
    write(*store, one_sample("up", "a", i, static_cast<double>(i * i)));
  ASSERT_TRUE(store->cut().ok());
  SimFileSystem& process = machine.process();
  const std::string data = std::string(kPath) + "/data";
  const auto names = process.list(data);
  ASSERT_TRUE(names.ok());
  std::string file;
  for (const std::string& name : *names) {
    if (name.ends_with(".metrics")) file = data + "/" + name;
  }
  ASSERT_FALSE(file.empty());
  machine.disk.flip_bits(file, 20, 0x40);
  store = machine.open();
  const auto found = store->read()->metrics->tenant("")->select({});
  ASSERT_FALSE(found.ok());
  EXPECT_EQ(found.error().code, Code::corruption);
  EXPECT_NE(found.error().message.find(".metrics is damaged"), std::string::npos)
      << found.error().message;
}

}  // namespace
}  // namespace contextcore::store::test
