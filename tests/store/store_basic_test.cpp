#include <algorithm>

#include "store/store_test_kit.h"

namespace contextcore::store::test {
namespace {

using testing::Test;

TEST(Store, GivesBackWhatItReceived) {
  Machine machine;
  auto store = machine.open();
  const otlp::TracesData data = one_span(1, 1, "GET /");
  const auto result = store->ingest(data, otlp::encode_protobuf(data));
  ASSERT_TRUE(result.ok()) << result.error().to_string();
  EXPECT_EQ(result->accepted, 1);
  const auto trace = source(*store)->trace(trace_id(1));
  ASSERT_TRUE(trace.ok());
  ASSERT_TRUE(trace->has_value());
  EXPECT_EQ(**trace, data);
  EXPECT_FALSE(source(*store)->trace(trace_id(2))->has_value());
}

TEST(Store, KeepsEverythingOverReopening) {
  Machine machine;
  auto store = machine.open();
  ASSERT_TRUE(store->commit("", create_task(1, "one")).ok());
  ASSERT_TRUE(store->commit("", edit_task(1, "task.title", "uno")).ok());
  ASSERT_TRUE(store->ingest(one_span(2, 2, "x"), "").ok());
  ASSERT_TRUE(store->ingest(one_log("shop", 5, "hello"), "").ok());
  const std::string before = dump(*store);
  const std::string id = store->store_id();
  store.reset();
  store = machine.open();
  EXPECT_EQ(dump(*store), before);
  EXPECT_EQ(store->store_id(), id);
  EXPECT_EQ(attribute(task(*store, 1).span, "task.title"), "uno");
  EXPECT_EQ(task(*store, 1).revision, 2);
}

TEST(Store, RefusesANetworkFileSystem) {
  Machine machine;
  machine.disk.set_network_type("nfs");
  const auto store = Store::open(machine.options(machine.process()));
  ASSERT_FALSE(store.ok());
  EXPECT_EQ(store.error().code, Code::unavailable);
  EXPECT_NE(store.error().message.find("nfs"), std::string::npos);
}

TEST(Store, DoesNotMakeAStoreWhenToldSo) {
  Machine machine;
  StoreOptions options = machine.options(machine.process());
  options.create = false;
  EXPECT_EQ(Store::open(options).status().error().code, Code::not_found);
  options.create = true;
  options.mode = StoreMode::read_only;
  EXPECT_EQ(Store::open(options).status().error().code, Code::not_found);
}

TEST(Store, ReadOnlyReadsAndDoesNotWrite) {
  Machine machine;
  auto writer = machine.open();
  ASSERT_TRUE(writer->commit("", create_task(1, "one")).ok());
  auto reader = machine.open(StoreMode::read_only);
  EXPECT_EQ(dump(*reader), dump(*writer));
  EXPECT_EQ(reader->commit("", create_task(2, "two")).status().error().code, Code::unavailable);
  EXPECT_EQ(reader->ingest(one_span(1, 1, "x"), "").status().error().code, Code::unavailable);
}

TEST(Store, ARepeatedRequestIsNotWrittenAgain) {
  Machine machine;
  auto store = machine.open();
  const otlp::LogsData data = one_log("shop", 5, "hello");
  const std::string body = otlp::encode_protobuf(data);
  EXPECT_FALSE(store->ingest(data, body)->duplicate);
  EXPECT_TRUE(store->ingest(data, body)->duplicate);
  store = machine.open();  // the digests come back from the log
  const auto again = store->ingest(data, body);
  ASSERT_TRUE(again.ok());
  EXPECT_TRUE(again->duplicate);
  EXPECT_EQ(again->accepted, 1);
  EXPECT_EQ(lines(*source(*store)).size(), 1U);
}

TEST(Store, ALaterCopyOfASpanSupersedesTheEarlier) {
  Machine machine;
  auto store = machine.open();
  ASSERT_TRUE(store->ingest(one_span(1, 1, "first"), "").ok());
  const auto old_view = source(*store);
  ASSERT_TRUE(store->ingest(one_span(1, 1, "second"), "").ok());
  EXPECT_EQ(span_names(*source(*store)), std::vector<std::string>{"000001/second"});
  EXPECT_EQ(span_names(*old_view), std::vector<std::string>{"000001/first"});
}

TEST(Store, ClientAndServerHalvesOfOneSpanAreTwoSpans) {
  Machine machine;
  auto store = machine.open();
  otlp::TracesData client = one_span(1, 1, "client");
  client.resource_spans[0].scope_spans[0].spans[0].kind = otlp::SpanKind::client;
  ASSERT_TRUE(store->ingest(client, "").ok());
  ASSERT_TRUE(store->ingest(one_span(1, 1, "server"), "").ok());
  EXPECT_EQ(span_names(*source(*store)).size(), 2U);
}

TEST(Store, RefusesForgedSpansAndTakesTheRest) {
  Machine machine;
  auto store = machine.open();
  ASSERT_TRUE(store->commit("", create_task(1, "one")).ok());
  const otlp::TracesData data = half_forged();
  const std::string body = otlp::encode_protobuf(data);
  const auto result = store->ingest(data, body);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->accepted, 1);
  EXPECT_EQ(result->rejected, 1);
  EXPECT_EQ(result->message, "task state changes through the work API");
  store = machine.open();
  EXPECT_EQ(span_names(*source(*store)),
            (std::vector<std::string>{"000001/honest", "000001/contextcore.task.task"}));
  // The digest is that of the request as it came.
  const auto again = store->ingest(data, body);
  ASSERT_TRUE(again.ok());
  EXPECT_TRUE(again->duplicate);
  EXPECT_EQ(again->rejected, 1);
}

TEST(Store, ASpanWithoutIdsIsRefused) {
  Machine machine;
  auto store = machine.open();
  otlp::TracesData data = one_span(1, 1, "x");
  data.resource_spans[0].scope_spans[0].spans[0].trace_id = {};
  const auto result = store->ingest(data, "");
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->rejected, 1);
  EXPECT_EQ(store->stats().frames, 0U);
}

TEST(Store, WritesOnlyWhatChanged) {
  Machine machine;
  auto store = machine.open();
  ASSERT_TRUE(store->commit("", create_task(1, std::string(50'000, 'd'))).ok());
  const uint64_t before = store->stats().wal_bytes;
  ASSERT_TRUE(store->commit("", edit_task(1, "note", "n")).ok());
  EXPECT_LT(store->stats().wal_bytes - before, 1000U);
  store = machine.open();
  EXPECT_EQ(attribute(task(*store, 1).span, "task.title").size(), 50'000U);
  EXPECT_EQ(attribute(task(*store, 1).span, "note"), "n");
}

TEST(Store, ACommandIsDoneOnce) {
  Machine machine;
  auto store = machine.open();
  const auto first = store->commit("c-1", create_task(1, "one"));
  ASSERT_TRUE(first.ok());
  EXPECT_FALSE(first->replayed);
  store = machine.open();
  const auto again = store->commit("c-1", [](const WorkView&) -> Result<WorkTransaction> {
    ADD_FAILURE() << "a known command must not be planned again";
    return WorkTransaction{};
  });
  ASSERT_TRUE(again.ok());
  EXPECT_TRUE(again->replayed);
  EXPECT_EQ(again->result, "created one");
  EXPECT_EQ(again->sequence, first->sequence);
  machine.clock.advance_ns(25 * 3600 * kSecondNs);
  EXPECT_EQ(store->commit("c-1", create_task(1, "one")).status().error().code,
            Code::already_exists);
}

TEST(Store, AFailedPlanWritesNothing) {
  Machine machine;
  auto store = machine.open();
  const auto result = store->commit("c", edit_task(1, "a", "b"));
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, Code::not_found);
  EXPECT_EQ(store->stats().frames, 0U);
  const auto nothing = store->commit(
      "c", [](const WorkView&) -> Result<WorkTransaction> { return WorkTransaction{}; });
  ASSERT_TRUE(nothing.ok());
  EXPECT_EQ(nothing->sequence, 0U);
}

TEST(Store, TextThatIsNotUtf8NeverReachesTheLog) {
  Machine machine;
  auto store = machine.open();
  const auto result = store->commit("", create_task(1, "\xff\xfe"));
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, Code::invalid_argument);
  EXPECT_EQ(store->stats().frames, 0U);
}

TEST(Store, JoinsEventsAndComputedAttributesWhenRead) {
  Machine machine;
  auto store = machine.open();
  ASSERT_TRUE(store->commit("", create_task(1, "one")).ok());
  ASSERT_TRUE(store->commit("", comment(1, "hm")).ok());
  const auto trace = source(*store)->trace(trace_id(1));
  ASSERT_TRUE(trace.ok() && *trace);
  const otlp::Span& span = (*trace)->resource_spans[0].scope_spans[0].spans[0];
  ASSERT_EQ(span.events.size(), 2U);
  EXPECT_EQ(span.events[0].name, "created");
  EXPECT_EQ(span.events[1].name, "commented");
  EXPECT_EQ(span.end_ns, static_cast<uint64_t>(machine.clock.wall_ns()));
  EXPECT_EQ(*otlp::find(span.attributes, "contextcore.open"), otlp::Value(true));
  EXPECT_EQ(task(*store, 1).span.end_ns, 0U) << "what is stored has no end";
  const auto events = work(*store)->events(span_id(1));
  ASSERT_TRUE(events.ok());
  EXPECT_EQ(events->size(), 2U);
}

TEST(Store, AConditionOnAComputedAttributeIsNotPrunedAway) {
  Machine machine;
  auto store = machine.open();
  ASSERT_TRUE(store->commit("", create_task(1, "one")).ok());
  ASSERT_TRUE(store->ingest(one_span(2, 2, "x"), "").ok());
  FetchRequest request;
  request.conditions.push_back(
      {SpanField::attribute, {ColumnScope::span, "contextcore.open"}, Op::equal, {Operand(true)}});
  EXPECT_EQ(span_names(*source(*store), request),
            std::vector<std::string>{"000001/contextcore.task.task"});
}

TEST(Store, TracesComeNewestStartFirst) {
  Machine machine;
  auto store = machine.open();
  ASSERT_TRUE(store->ingest(one_span(1, 1, "a", 1000, 2000), "").ok());
  ASSERT_TRUE(store->ingest(one_span(2, 2, "b", 3000, 4000), "").ok());
  ASSERT_TRUE(store->ingest(one_span(3, 3, "c", 1000, 9000), "").ok());
  EXPECT_EQ(span_names(*source(*store)),
            (std::vector<std::string>{"000002/b", "000001/a", "000003/c"}));
  FetchRequest late;
  late.range = {5000, 6000};
  EXPECT_EQ(span_names(*source(*store), late), std::vector<std::string>{"000003/c"});
}

TEST(Store, AForeignSpanWithoutEndIsMarkedWhenFetched) {
  Machine machine;
  auto store = machine.open();
  ASSERT_TRUE(store->ingest(one_span(1, 1, "a", 1000, 0), "").ok());
  FetchRequest request;
  request.columns = {{ColumnScope::span, "contextcore.end_missing"}};
  const auto snapshot = source(*store);
  auto traces = snapshot->fetch(request);
  ASSERT_TRUE(traces.ok());
  const auto trace = (*traces)->next();
  ASSERT_TRUE(trace.ok() && *trace != nullptr);
  EXPECT_EQ((*trace)->core(0).end_ns, 1000);
  EXPECT_FALSE((*trace)->core(0).open);
  EXPECT_TRUE((*trace)->cell(0, 0).boolean);
}

TEST(Store, LogsComeInTimeOrderOverAllStreams) {
  Machine machine;
  auto store = machine.open();
  ASSERT_TRUE(store->ingest(one_log("a", 30, "third"), "").ok());
  ASSERT_TRUE(store->ingest(one_log("b", 10, "first"), "").ok());
  ASSERT_TRUE(store->ingest(one_log("a", 20, "second"), "").ok());
  ASSERT_TRUE(store->ingest(one_log("b", 20, "second, but later"), "").ok());
  EXPECT_EQ(lines(*source(*store)),
            (std::vector<std::string>{"first", "second", "second, but later", "third"}));
  LogFetchRequest request;
  request.stream_filter = [](const LabelPairs& labels) {
    return std::find(labels.begin(), labels.end(),
                     std::pair<std::string, std::string>("service_name", "a")) != labels.end();
  };
  const auto snapshot = source(*store);
  auto entries = snapshot->fetch_logs(request);
  ASSERT_TRUE(entries.ok());
  LogEntry entry;
  ASSERT_TRUE(*(*entries)->next(entry));
  EXPECT_EQ(entry.line, "third");
  ASSERT_TRUE(*(*entries)->next(entry));
  EXPECT_EQ(entry.line, "second");
  EXPECT_FALSE(*(*entries)->next(entry));
  EXPECT_EQ(snapshot->streams(0, 15)->size(), 1U);
  EXPECT_EQ(snapshot->streams(0, 100)->size(), 2U);
}

TEST(Store, ARenewedLeaseOutlivesAnEdit) {
  Machine machine;
  auto store = machine.open();
  ASSERT_TRUE(store->commit("", create_task(1, "one")).ok());
  ASSERT_TRUE(store->commit("", claim_task(1, "me")).ok());
  const int64_t end = machine.clock.wall_ns() + 60 * kSecondNs;
  const auto renew = [&](int64_t token) {
    return store->commit("", [=](const WorkView&) -> Result<WorkTransaction> {
      WorkTransaction transaction;
      transaction.leases = {{span_id(1), token, end}};
      return transaction;
    });
  };
  ASSERT_TRUE(renew(6).ok());  // not the current token
  EXPECT_EQ(work(*store)->index().find(span_id(1))->lease_end_ns, 0);
  ASSERT_TRUE(renew(7).ok());
  ASSERT_TRUE(store->commit("", edit_task(1, "note", "n")).ok());
  store = machine.open();
  EXPECT_EQ(work(*store)->index().find(span_id(1))->lease_end_ns, end);
}

TEST(Store, AMovedTraceForwards) {
  Machine machine;
  auto store = machine.open();
  ASSERT_TRUE(store->commit("", create_task(1, "one")).ok());
  ASSERT_TRUE(store
                  ->commit("",
                           [](const WorkView& view) -> Result<WorkTransaction> {
                             CC_ASSIGN(auto span, view.span(span_id(1)));
                             span->span.trace_id = trace_id(5);
                             WorkTransaction transaction;
                             transaction.spans = {*span};
                             transaction.forwards = {{trace_id(1), trace_id(5)}};
                             return transaction;
                           })
                  .ok());
  EXPECT_EQ(span_names(*source(*store)), std::vector<std::string>{"000005/contextcore.task.task"});
  const auto moved = source(*store)->trace(trace_id(1));
  ASSERT_TRUE(moved.ok() && *moved);
  EXPECT_EQ((*moved)->resource_spans[0].scope_spans[0].spans[0].trace_id, trace_id(5));
}

TEST(Store, ReplaceSpansLeavesOnlyTheGivenOnes) {
  Machine machine;
  auto store = machine.open();
  for (uint32_t i = 1; i <= 3; ++i) ASSERT_TRUE(store->commit("", create_task(i, "old")).ok());
  ASSERT_TRUE(store->ingest(one_span(9, 9, "foreign"), "").ok());
  const auto before = store->read();
  ASSERT_TRUE(before.ok());
  ASSERT_TRUE(store->replace_spans({task_span(2, "new")}).ok());
  EXPECT_EQ(work(*store)->index().size(), 1U);
  EXPECT_EQ(attribute(task(*store, 2).span, "task.title"), "new");
  EXPECT_EQ(span_names(*source(*store)).size(), 2U);
  ASSERT_TRUE(store->commit("", create_task(3, "again")).ok());
  EXPECT_EQ(span_names(*source(*store)).size(), 3U);
  // The older snapshot stays what it was.
  EXPECT_EQ(span_names(*before->source).size(), 4U);
  const auto span = before->work->span(span_id(2));
  ASSERT_TRUE(span.ok() && *span);
  EXPECT_EQ(attribute((*span)->span, "task.title"), "old");
  const std::string now = dump(*store);
  store = machine.open();
  EXPECT_EQ(dump(*store), now);
}

TEST(Store, ClosedMeansClosed) {
  Machine machine;
  auto store = machine.open();
  ASSERT_TRUE(store->close().ok());
  EXPECT_TRUE(store->close().ok());
  EXPECT_EQ(store->commit("", create_task(1, "x")).status().error().code, Code::unavailable);
  EXPECT_EQ(store->read().status().error().code, Code::unavailable);
}

}  // namespace
}  // namespace contextcore::store::test
