// Tenants of traces and logs: nobody sees what another has sent, whatever ids and labels they share, and
// what holds for one of them (retention, quotas, shares) leaves the others alone.

#include "store/tenant.h"

#include <algorithm>

#include "store/frame.h"
#include "store/retention.h"
#include "store/store_test_kit.h"
#include "store/verify.h"

namespace contextcore::store::test {
namespace {

constexpr int64_t kDayNs = 86'400 * kSecondNs;

std::shared_ptr<const Source> source(Store& store, std::string_view tenants) {
  const auto read = store.read(tenants);
  EXPECT_TRUE(read.ok()) << (read.ok() ? "" : read.error().to_string());
  return read.ok() ? read->source : nullptr;
}

// Everything that a query of these tenants can see, by each of the ways in.
std::string seen(Store& store, std::string_view tenants) {
  const auto from = source(store, tenants);
  std::string text;
  for (const std::string& name : span_names(*from)) text += "span " + name + "\n";
  FetchRequest one_by_one;
  const auto views = from->fetch_spans(one_by_one);
  std::vector<std::string> alone;
  while (views.ok()) {
    const auto view = (*views)->next();
    if (!view.ok() || *view == nullptr) break;
    for (size_t i = 0; i < (*view)->span_count(); ++i) alone.emplace_back((*view)->core(i).name);
  }
  std::sort(alone.begin(), alone.end());
  for (const std::string& name : alone) text += "alone " + name + "\n";
  std::vector<std::string> names;
  EXPECT_TRUE(from->values({}, SpanField::name, {}, [&](const Cell& cell) {
    names.emplace_back(cell.string);
    return true;
  }).ok());
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  for (const std::string& name : names) text += "name " + name + "\n";
  for (const uint32_t trace : {1U, 2U}) {
    const auto whole = from->trace(trace_id(trace));
    EXPECT_TRUE(whole.ok());
    text += "trace " + std::to_string(trace) + ": " +
            std::to_string(whole.ok() && *whole ? (*whole)->span_count() : 0) + " spans\n";
  }
  for (const std::string& line : lines(*from)) text += "line " + line + "\n";
  const auto streams = from->streams(INT64_MIN, INT64_MAX);
  EXPECT_TRUE(streams.ok());
  for (const LabelPairs& labels : *streams) {
    text += "stream";
    for (const auto& [name, value] : labels) text += " " + name + "=" + value;
    text += "\n";
  }
  return text;
}

void send(Store& store, const std::string& tenant, const std::string& name, const std::string& line) {
  const auto spans = store.ingest(one_span(1, 7, name, 1000, 2000), "", tenant);
  ASSERT_TRUE(spans.ok()) << spans.error().to_string();
  EXPECT_FALSE(spans->duplicate);
  const auto logs = store.ingest(one_log("shop", 1000, line), "", tenant);
  ASSERT_TRUE(logs.ok()) << logs.error().to_string();
  EXPECT_FALSE(logs->duplicate);
}

void send_three(Store& store) {
  send(store, "", "nobody's", "ours");
  send(store, "a", "of a", "line of a");
  send(store, "b", "of b", "line of b");
}

// Of one who has sent one span and one line.
std::string alone(const std::string& name, const std::string& line) {
  return "span 000001/" + name + "\nalone " + name + "\nname " + name + "\ntrace 1: 1 spans\ntrace 2: 0 spans\nline " + line +
         "\nstream service_name=shop\n";
}

void expect_each_alone(Store& store) {
  EXPECT_EQ(seen(store, ""), alone("nobody's", "ours"));
  EXPECT_EQ(seen(store, "a"), alone("of a", "line of a"));
  EXPECT_EQ(seen(store, "b"), alone("of b", "line of b"));
}

StoreOptions server_options(Machine& machine) {
  StoreOptions options = machine.options(machine.process(), StoreMode::server);
  options.background = true;
  options.make_executor = idle_executor;
  return options;
}

VerifyOptions verify_options(Machine& machine) {
  VerifyOptions options;
  options.path = kPath;
  options.file_system = &machine.process();
  options.clock = &machine.clock;
  options.hooks = small_hooks();
  return options;
}

TEST(Tenants, TheSameIdsAndLabelsInThreeTenantsAreThreeSpansAndThreeStreams) {
  Machine machine;
  auto store = machine.open();
  send_three(*store);
  expect_each_alone(*store);  // in the head
  machine.power_failure(1);
  store = machine.open();
  expect_each_alone(*store);  // replayed
  ASSERT_TRUE(store->cut().ok());
  expect_each_alone(*store);  // in files that they share
  store = machine.open();
  expect_each_alone(*store);
  const auto report = verify_store(verify_options(machine));
  ASSERT_TRUE(report.ok());
  EXPECT_TRUE(report->sound());
}

TEST(Tenants, ALaterWriteReplacesTheSpanOfItsTenantOnly) {
  for (const bool background : {false, true}) {
    Machine machine;
    auto store = background ? machine.open(server_options(machine)) : machine.open();
    send_three(*store);
    const auto change = [&](const std::string& name) {
      ASSERT_TRUE(store->ingest(one_span(1, 7, name, 1000, 2000), "", "a").ok());
      EXPECT_EQ(span_names(*source(*store, "")), std::vector<std::string>{"000001/nobody's"});
      EXPECT_EQ(span_names(*source(*store, "a")), std::vector<std::string>{"000001/" + name});
      EXPECT_EQ(span_names(*source(*store, "b")), std::vector<std::string>{"000001/of b"});
    };
    change("in the head");
    ASSERT_TRUE(store->cut().ok());
    change("over a file");
    ASSERT_TRUE(store->cut().ok());
    change("over the next file");
    ASSERT_TRUE(store->cut().ok());
    change("once more");
    ASSERT_TRUE(store->close().ok());
    store = machine.open();
    EXPECT_EQ(span_names(*source(*store, "a")), std::vector<std::string>{"000001/once more"});
    EXPECT_EQ(span_names(*source(*store, "")), std::vector<std::string>{"000001/nobody's"});
  }
}

TEST(Tenants, ARequestIsARepeatOnlyOfOneOfItsTenant) {
  Machine machine;
  auto store = machine.open();
  send(*store, "", "same", "same");
  send(*store, "a", "same", "same");
  send(*store, "b", "same", "same");
  const auto again = [&](const std::string& tenant) {
    return store->ingest(one_span(1, 7, "same", 1000, 2000), "", tenant)->duplicate &&
           store->ingest(one_log("shop", 1000, "same"), "", tenant)->duplicate;
  };
  EXPECT_TRUE(again("") && again("a") && again("b"));
  store = machine.open();  // what is remembered comes from the log
  EXPECT_TRUE(again("") && again("a") && again("b"));
}

TEST(Tenants, WorkIsTheDefaultTenantsAndNobodyElseCanTouchIt) {
  Machine machine;
  auto store = machine.open();
  ASSERT_TRUE(store->commit("c", create_task(1, "write it")).ok());
  otlp::TracesData forged = one_span(1, 1, "not the task");  // ids of the task
  EXPECT_EQ(store->ingest(forged, "")->rejected, 1);
  const auto taken = store->ingest(forged, "", "a");
  ASSERT_TRUE(taken.ok());
  EXPECT_EQ(taken->accepted, 1);
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(span_names(*source(*store, "a")), std::vector<std::string>{"000001/not the task"});
    EXPECT_EQ(span_names(*source(*store, "")).size(), 1U);
    EXPECT_NE(span_names(*source(*store, "")), span_names(*source(*store, "a")));
    EXPECT_TRUE(lines(*source(*store, "a")).empty());
    EXPECT_EQ(lines(*source(*store, "")).size(), 1U);
    const auto read = store->read("a");
    ASSERT_TRUE(read.ok());
    EXPECT_EQ(read->work->index().size(), 1U) << "commands see work whatever telemetry was asked for";
    ASSERT_TRUE(store->cut().ok());
  }
}

TEST(Tenants, AQueryOverSeveralSeesAllOfTheirsAndSaysWhoseLogsTheyAre) {
  Machine machine;
  auto store = machine.open();
  send_three(*store);
  for (int round = 0; round < 2; ++round) {
    const auto both = source(*store, "b|a");
    const auto whole = both->trace(trace_id(1));
    ASSERT_TRUE(whole.ok() && *whole);
    EXPECT_EQ((*whole)->span_count(), 2U);
    EXPECT_EQ(span_names(*both), (std::vector<std::string>{"000001/of a", "000001/of b"}));
    EXPECT_EQ(*both->streams(INT64_MIN, INT64_MAX),
              (std::vector<LabelPairs>{{{"__tenant_id__", "a"}, {"service_name", "shop"}},
                                       {{"__tenant_id__", "b"}, {"service_name", "shop"}}}));
    LogFetchRequest request;
    request.stream_filter = [](const LabelPairs& labels) { return labels.front().second == "b"; };
    const auto entries = both->fetch_logs(request);
    ASSERT_TRUE(entries.ok());
    LogEntry entry;
    ASSERT_TRUE(*(*entries)->next(entry));
    EXPECT_EQ(entry.line, "line of b");
    EXPECT_EQ(entry.stream->front(), (std::pair<std::string, std::string>("__tenant_id__", "b")));
    EXPECT_FALSE(*(*entries)->next(entry));
    // Of one that nobody has written for nothing is there, and the label is.
    EXPECT_EQ(source(*store, "a|nobody")->streams(INT64_MIN, INT64_MAX)->front().front().first, "__tenant_id__");
    ASSERT_TRUE(store->cut().ok());
  }
  EXPECT_EQ(seen(*store, "nobody"), "trace 1: 0 spans\ntrace 2: 0 spans\n");
}

TEST(Tenants, NamesAreChecked) {
  EXPECT_EQ(*parse_tenants(""), std::vector<std::string>{""});
  EXPECT_EQ(*parse_tenants("team-1"), std::vector<std::string>{"team-1"});
  EXPECT_EQ(*parse_tenants("b|a|b"), (std::vector<std::string>{"a", "b"}));
  for (const char* bad : {"|", "a|", "|a", "a||b", "a b", "..", "a|.", "a/b", "\xc3\xa9"}) {
    EXPECT_FALSE(parse_tenants(bad).ok()) << bad;
    EXPECT_EQ(parse_tenants(bad).error().code, Code::invalid_argument) << bad;
  }
  EXPECT_FALSE(parse_tenants(std::string(151, 'a')).ok());
  Machine machine;
  auto store = machine.open();
  EXPECT_EQ(store->ingest(one_span(1, 1, "x"), "", "a|b").error().code, Code::invalid_argument);
  EXPECT_EQ(store->ingest(one_log("shop", 1, "x"), "", "a b").error().code, Code::invalid_argument);
  EXPECT_EQ(store->read("a b").error().code, Code::invalid_argument);
}

TEST(Tenants, OneTooManyIsRefusedAndTheOthersGoOn) {
  Machine machine;
  StoreOptions options = machine.options(machine.process());
  options.metric_limits.tenants_max = 3;  // with the default one
  auto store = machine.open(options);
  send(*store, "a", "of a", "line of a");
  ASSERT_TRUE(store->ingest(one_sample("up", "h", 1, 1), "", "b").ok());
  EXPECT_EQ(store->ingest(one_span(1, 1, "x"), "", "c").error().code, Code::failed_precondition);
  EXPECT_EQ(store->ingest(one_log("shop", 1, "x"), "", "c").error().code, Code::failed_precondition);
  send(*store, "b", "of b", "line of b");
  EXPECT_EQ(seen(*store, "b"), alone("of b", "line of b"));
}

TEST(Tenants, AProgramThatKnowsNoneDoesNotTakeTheirFramesForItsOwn) {
  const auto format_of = [](uint32_t tenant, PartSignal signal) {
    std::string bytes;
    EXPECT_TRUE(append_frame({1, 1, tenant, {{signal, PartEncoding::raw, "x"}}, 0, 0}, 1, bytes).ok());
    Frame frame;
    EXPECT_EQ(read_frame(bytes, 1, 1, frame), FrameState::valid);
    EXPECT_EQ(frame.tenant, tenant);
    return static_cast<int>(bytes[4]);
  };
  EXPECT_EQ(format_of(0, PartSignal::traces), 1);
  EXPECT_EQ(format_of(3, PartSignal::traces), 2);
  EXPECT_EQ(format_of(3, PartSignal::logs), 2);
  EXPECT_EQ(format_of(3, PartSignal::metrics), 1);
}

// ---- what holds for one

TenantLimits kept_for(int64_t spans_ns, int64_t logs_ns) {
  TenantLimits limits;
  limits.retention_spans_ns = spans_ns;
  limits.retention_logs_ns = logs_ns;
  return limits;
}

void expect_within(Store& store, const std::string& tenant, bool spans, bool logs) {
  EXPECT_EQ(!span_names(*source(store, tenant)).empty(), spans) << tenant;
  EXPECT_EQ(!lines(*source(store, tenant)).empty(), logs) << tenant;
}

TEST(TenantLimits, EachIsKeptAsLongAsItsOwnRetentionSays) {
  Machine machine;
  StoreOptions options = server_options(machine);
  options.retention = {.spans_ns = 10 * kDayNs, .logs_ns = 10 * kDayNs, .metrics_ns = 0};
  options.tenants["short"] = kept_for(kDayNs, 2 * kDayNs);
  options.tenants["ever"] = kept_for(0, 0);
  const int64_t start_ns = machine.clock.wall_ns();
  auto store = machine.open(options);
  for (const std::string tenant : {"", "plain", "short", "ever"}) {
    const auto at = static_cast<uint64_t>(start_ns);
    ASSERT_TRUE(store->ingest(one_span(1, 7, "span", at, at + 10), "", tenant).ok());
    ASSERT_TRUE(store->ingest(one_log("shop", at, "line"), "", tenant).ok());
  }
  ASSERT_TRUE(store->cut().ok());
  EXPECT_EQ(store->stats().segments, 6U) << "three times of keeping, spans and logs";
  const auto after = [&](int64_t days) {
    machine.clock.set_wall_ns(start_ns + days * kDayNs + kSecondNs);
    ASSERT_TRUE(store->compact().ok());
  };
  const auto report = [&] {
    const auto parts = retention_report(machine.process(), machine.clock, kPath, options.retention, options.tenants);
    EXPECT_TRUE(parts.ok());
    std::string text;
    for (const RetentionPart& part : *parts) {
      text += part.kind == RowsKind::spans ? "spans" : "logs";
      text += " " + std::to_string(part.kept_ns / kDayNs) + "d of";
      for (const std::string& tenant : part.tenants) text += " '" + tenant + "'";
      text += ": " + std::to_string(part.segments) + " files, " + std::to_string(part.rows) + " rows, " +
              std::to_string(part.due_rows) + " due";
      if (part.next_ns) text += ", next on day " + std::to_string((*part.next_ns - start_ns) / kDayNs);
      text += "\n";
    }
    return text;
  };
  EXPECT_EQ(report(),
            "spans 0d of 'ever': 1 files, 1 rows, 0 due\n"
            "spans 1d of 'short': 1 files, 1 rows, 0 due, next on day 1\n"
            "spans 10d of '' 'plain': 1 files, 2 rows, 0 due, next on day 10\n"
            "logs 0d of 'ever': 1 files, 1 rows, 0 due\n"
            "logs 2d of 'short': 1 files, 1 rows, 0 due, next on day 2\n"
            "logs 10d of '' 'plain': 1 files, 2 rows, 0 due, next on day 10\n");
  machine.clock.set_wall_ns(start_ns + kDayNs + kSecondNs);
  EXPECT_NE(report().find("spans 1d of 'short': 1 files, 1 rows, 1 due\n"), std::string::npos) << report();
  after(1);
  expect_within(*store, "short", false, true);
  expect_within(*store, "plain", true, true);
  after(2);
  expect_within(*store, "short", false, false);
  expect_within(*store, "", true, true);
  after(10);
  expect_within(*store, "", false, false);
  expect_within(*store, "plain", false, false);
  expect_within(*store, "ever", true, true);
  after(4000);
  expect_within(*store, "ever", true, true);
}

TEST(TenantLimits, MergingKeepsThoseApartThatAreKeptForDifferentTimes) {
  Machine machine;
  StoreOptions options = server_options(machine);
  options.retention = {.spans_ns = 10 * kDayNs, .logs_ns = 10 * kDayNs, .metrics_ns = 0};
  options.tenants["short"] = kept_for(kDayNs, kDayNs);
  const int64_t start_ns = machine.clock.wall_ns();
  auto store = machine.open(options);
  const auto at = static_cast<uint64_t>(start_ns);
  for (uint32_t round = 0; round < 7; ++round) {
    for (const std::string tenant : {"", "short", "plain"}) {
      ASSERT_TRUE(store->ingest(one_span(round + 1, 7, "span " + tenant, at, at + 10), "", tenant).ok());
      ASSERT_TRUE(store->ingest(one_log("shop", at + round, "line " + tenant), "", tenant).ok());
    }
    ASSERT_TRUE(store->cut().ok());
  }
  ASSERT_TRUE(store->compact().ok());
  EXPECT_GT(store->stats().compactions, 0U);
  EXPECT_LE(store->stats().segments, 12U) << "28 files before";
  for (const std::string tenant : {"", "short", "plain"}) {
    EXPECT_EQ(span_names(*source(*store, tenant)).size(), 7U) << tenant;
    EXPECT_EQ(lines(*source(*store, tenant)).size(), 7U) << tenant;
  }
  machine.clock.set_wall_ns(start_ns + kDayNs + kSecondNs);
  ASSERT_TRUE(store->compact().ok());
  expect_within(*store, "short", false, false);
  EXPECT_EQ(span_names(*source(*store, "plain")).size(), 7U);
  EXPECT_EQ(span_names(*source(*store, "")).size(), 7U);
  ASSERT_TRUE(store->close().ok());
  const auto report = verify_store(verify_options(machine));
  ASSERT_TRUE(report.ok());
  EXPECT_TRUE(report->sound());
}

TEST(TenantLimits, AThousandTenantsMakeNoFileEach) {
  Machine machine;
  auto store = machine.open(server_options(machine));
  constexpr uint32_t kTenants = 200;
  for (uint32_t i = 0; i < kTenants; ++i) {
    const std::string tenant = "tenant-" + std::to_string(i);
    ASSERT_TRUE(store->ingest(one_span(1, 7, tenant), "", tenant).ok());
    ASSERT_TRUE(store->ingest(one_log("shop", i, tenant), "", tenant).ok());
  }
  ASSERT_TRUE(store->cut().ok());
  EXPECT_EQ(store->stats().segments, 2U);
  for (const uint32_t i : {0U, 99U, 199U}) {
    const std::string tenant = "tenant-" + std::to_string(i);
    EXPECT_EQ(seen(*store, tenant), alone(tenant, tenant));
  }
}

TEST(TenantLimits, OneThatSendsTooMuchIsRefusedAlone) {
  Machine machine;
  StoreOptions options = machine.options(machine.process(), StoreMode::server);
  options.ingest_rate_bytes = 1 << 20;
  options.tenants["slow"].ingest_rate_bytes = 1;
  options.tenants["any"].ingest_rate_bytes = 0;
  auto store = machine.open(options);
  const auto send_one = [&](const std::string& tenant, uint32_t number) {
    return store->ingest(one_span(1, number, "span"), "", tenant).status();
  };
  EXPECT_TRUE(send_one("slow", 1).ok());
  const Status refused = send_one("slow", 2);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Code::resource_exhausted);
  EXPECT_NE(refused.error().message.find("by tenant \"slow\""), std::string::npos);
  for (uint32_t i = 1; i < 20; ++i) EXPECT_TRUE(send_one("any", i).ok());
  EXPECT_TRUE(send_one("", 1).ok());
  machine.clock.advance_ns(100 * kSecondNs);
  EXPECT_TRUE(send_one("slow", 2).ok());
}

// While files are made one may fill its share of what waits; others are still taken.
TEST(TenantLimits, OneMayFillItsShareOfWhatWaits) {
  Machine machine;
  StoreOptions options = server_options(machine);
  options.head_rows_max = 10;
  options.head_share = 0.5;
  options.tenants["more"].head_share = 1.0;
  auto store = machine.open(options);
  ASSERT_TRUE(store->ingest(one_span(1, 1, "before"), "", "a").ok());
  bool pending = true;
  std::vector<std::string> refused;
  machine.disk.set_hook([&](SimOp op, const std::string& path) {
    if (op != SimOp::open || !path.ends_with(".spans") || !std::exchange(pending, false)) return;
    for (uint32_t i = 0; i < 7; ++i) {
      if (!store->ingest(one_span(1, 10 + i, "a"), "", "a").ok()) refused.push_back("a" + std::to_string(i));
    }
    for (uint32_t i = 0; i < 4; ++i) {
      if (!store->ingest(one_span(1, 10 + i, "m"), "", "more").ok()) refused.push_back("m" + std::to_string(i));
    }
    const Status other = store->ingest(one_log("shop", 1, "x"), "", "a").status();
    ASSERT_FALSE(other.ok());
    EXPECT_EQ(other.error().code, Code::resource_exhausted);
    EXPECT_NE(other.error().message.find("tenant \"a\" has its share"), std::string::npos) << other.error().message;
    ASSERT_TRUE(store->commit("c", create_task(1, "work is always taken")).ok());
  });
  ASSERT_TRUE(store->cut().ok());
  machine.disk.set_hook(nullptr);
  EXPECT_FALSE(pending);
  EXPECT_EQ(refused, std::vector<std::string>{"a6"});
  EXPECT_TRUE(store->ingest(one_log("shop", 1, "x"), "", "a").ok());
}

}  // namespace
}  // namespace contextcore::store::test
