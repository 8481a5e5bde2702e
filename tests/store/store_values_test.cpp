// Names and values of attributes, as autocompletion asks for them: from the head, from segments,
// and with what the work room computes, hides or keeps in the log.

#include <set>

#include "store/store_test_kit.h"

namespace contextcore::store::test {
namespace {

std::string text_of(const Cell& cell) {
  switch (cell.type) {
    case Cell::Type::string:
      return std::string(cell.string);
    case Cell::Type::integer:
      return std::to_string(cell.integer);
    case Cell::Type::boolean:
      return cell.boolean ? "true" : "false";
    case Cell::Type::real:
      return std::to_string(cell.real);
    case Cell::Type::array:
      return "array";
    default:
      return "other";
  }
}

std::string values(Store& store, SpanField field, const Column& column = {},
                   const SpanSelection& selection = {}) {
  std::set<std::string> found;
  const Status status = source(store)->values(selection, field, column, [&](const Cell& cell) {
    found.insert(text_of(cell));
    return true;
  });
  if (!status.ok()) return "!! " + status.error().message;
  std::string out;
  for (const std::string& text : found) out += (out.empty() ? "" : " ") + text;
  return out;
}

std::string span_values(Store& store, const std::string& key, const SpanSelection& selection = {}) {
  return values(store, SpanField::attribute, {ColumnScope::span, key}, selection);
}

std::string names(Store& store, const SpanSelection& selection = {}) {
  static constexpr const char* kScopes[] = {"span", "resource", "event", "link", "scope"};
  const auto columns = source(store)->attributes(selection);
  if (!columns.ok()) return "!! " + columns.error().message;
  std::set<std::string> found;
  for (const Column& column : *columns) {
    found.insert(std::string(kScopes[static_cast<size_t>(column.scope)]) + "." + column.key);
  }
  EXPECT_EQ(found.size(), columns->size());  // each once
  std::string out;
  for (const std::string& text : found) out += (out.empty() ? "" : " ") + text;
  return out;
}

// A span with attributes of every kind, an event and a link.
otlp::TracesData rich_span(uint32_t number, const std::string& name, uint64_t start_ns) {
  otlp::TracesData data = one_span(number, number, name, start_ns, start_ns + 10);
  otlp::ResourceSpans& resource = data.resource_spans[0];
  resource.resource.attributes = {{"service.name", "shop-" + std::to_string(number)}};
  otlp::Scope& scope = resource.scope_spans[0].scope;
  scope.name = "lib-" + std::to_string(number);
  scope.attributes = {{"lang", "c++"}};
  otlp::Span& span = resource.scope_spans[0].spans[0];
  span.attributes = {{"i", int64_t{number}},
                     {"b", number % 2 == 0},
                     {"arr", otlp::Array{"x", "y"}},
                     {"same", "always"},
                     {"same", "twice"}};
  span.events.push_back({start_ns, "event-" + std::to_string(number), {{"k", "v"}}, 0});
  otlp::SpanLink link;
  link.attributes = {{"type", "to-" + std::to_string(number)}};
  span.links.push_back(link);
  return data;
}

Condition equals(SpanField field, const std::string& key, Operand operand) {
  return {field, {ColumnScope::span, key}, Op::equal, {std::move(operand)}};
}

void expect_rich(Store& store) {
  EXPECT_EQ(names(store),
            "event.k link.type resource.service.name scope.lang span.arr span.b span.i span.same");
  EXPECT_EQ(span_values(store, "i"), "1 2 3");
  EXPECT_EQ(span_values(store, "b"), "false true");
  EXPECT_EQ(span_values(store, "arr"), "array");
  EXPECT_EQ(span_values(store, "same"), "always twice");
  EXPECT_EQ(span_values(store, "missing"), "");
  EXPECT_EQ(values(store, SpanField::name), "a b c");
  EXPECT_EQ(values(store, SpanField::status), "0");
  EXPECT_EQ(values(store, SpanField::status_message), "");
  EXPECT_EQ(values(store, SpanField::scope_name), "lib-1 lib-2 lib-3");
  EXPECT_EQ(values(store, SpanField::event_name), "event-1 event-2 event-3");
  EXPECT_EQ(values(store, SpanField::attribute, {ColumnScope::resource, "service.name"}),
            "shop-1 shop-2 shop-3");
  EXPECT_EQ(values(store, SpanField::attribute, {ColumnScope::event, "k"}), "v");
  EXPECT_EQ(values(store, SpanField::attribute, {ColumnScope::link, "type"}), "to-1 to-2 to-3");
  EXPECT_EQ(values(store, SpanField::attribute, {ColumnScope::instrumentation, "lang"}), "c++");
  // Only of the spans that are asked about.
  const SpanSelection second{{}, {equals(SpanField::name, "", std::string("b"))}};
  EXPECT_EQ(span_values(store, "i", second), "2");
  EXPECT_EQ(values(store, SpanField::attribute, {ColumnScope::link, "type"}, second), "to-2");
  EXPECT_EQ(values(store, SpanField::attribute, {ColumnScope::resource, "service.name"}, second),
            "shop-2");
  const SpanSelection late{{2500, INT64_MAX}, {}};
  EXPECT_EQ(span_values(store, "i", late), "3");
  EXPECT_EQ(values(store, SpanField::scope_name, {}, late), "lib-3");
  const SpanSelection none{{}, {equals(SpanField::name, "", std::string("z"))}};
  EXPECT_EQ(names(store, none), "");
  EXPECT_EQ(values(store, SpanField::name, {}, none), "");
}

TEST(StoreValues, OfReceivedSpansInHeadAndSegments) {
  Machine machine;
  auto store = machine.open();
  ASSERT_TRUE(store->ingest(rich_span(1, "a", 1000), "").ok());
  ASSERT_TRUE(store->ingest(rich_span(2, "b", 2000), "").ok());
  ASSERT_TRUE(store->ingest(rich_span(3, "c", 3000), "").ok());
  expect_rich(*store);
  ASSERT_TRUE(store->cut().ok());
  expect_rich(*store);
}

TEST(StoreValues, WhatWasReplacedIsGone) {
  Machine machine;
  auto store = machine.open();
  ASSERT_TRUE(store->ingest(rich_span(1, "a", 1000), "").ok());
  ASSERT_TRUE(store->cut().ok());
  ASSERT_TRUE(store->ingest(one_span(1, 1, "again"), "").ok());
  EXPECT_EQ(values(*store, SpanField::name), "again");
  EXPECT_EQ(span_values(*store, "i"), "");
  EXPECT_EQ(names(*store).find("span.i"), std::string::npos);
}

TEST(StoreValues, EndWhenNoMoreAreWanted) {
  Machine machine;
  auto store = machine.open();
  for (uint32_t i = 1; i <= 5; ++i) ASSERT_TRUE(store->ingest(rich_span(i, "n", i), "").ok());
  int calls = 0;
  ASSERT_TRUE(source(*store)
                  ->values({}, SpanField::attribute, {ColumnScope::span, "i"},
                           [&](const Cell&) { return ++calls < 2; })
                  .ok());
  EXPECT_EQ(calls, 2);
}

void expect_work(Store& store) {
  EXPECT_EQ(span_values(store, "task.title"), "one two");
  EXPECT_EQ(span_values(store, "contextcore.open"), "true");
  const SpanSelection open{{}, {equals(SpanField::attribute, "contextcore.open", true)}};
  EXPECT_EQ(span_values(store, "task.id", open), "T-1 T-2");
  const SpanSelection closed{{}, {equals(SpanField::attribute, "contextcore.open", false)}};
  EXPECT_EQ(span_values(store, "task.id", closed), "");
  EXPECT_EQ(names(store),
            "resource.project.id resource.service.name span.contextcore.open "
            "span.task.id span.task.title");
  // Events of work lie in the log.
  EXPECT_EQ(values(store, SpanField::event_name), "created edited");
}

TEST(StoreValues, OfWorkWithWhatIsComputed) {
  Machine machine;
  auto store = machine.open();
  ASSERT_TRUE(store->commit("", create_task(1, "draft")).ok());
  ASSERT_TRUE(store->commit("", create_task(2, "two")).ok());
  ASSERT_TRUE(store->commit("", edit_task(1, "task.title", "one")).ok());
  expect_work(*store);
  ASSERT_TRUE(store->cut().ok());
  expect_work(*store);
}

TEST(StoreValues, HiddenSpansHaveNone) {
  Machine machine;
  StoreOptions options = machine.options(machine.process());
  options.hooks.hidden = [](const WorkRow& row, const WorkIndexView&) { return row.id == "T-1"; };
  auto store = machine.open(options);
  ASSERT_TRUE(store->commit("", create_task(1, "one")).ok());
  ASSERT_TRUE(store->commit("", create_task(2, "two")).ok());
  EXPECT_EQ(span_values(*store, "task.title"), "two");
  ASSERT_TRUE(store->cut().ok());
  EXPECT_EQ(span_values(*store, "task.title"), "two");
}

// ---- spans one at a time

std::string cell_text(const TraceView& view, size_t span, const FetchRequest& request) {
  std::string out;
  for (size_t i = 0; i < request.columns.size(); ++i) out += "|" + text_of(view.cell(span, i));
  return out;
}

std::multiset<std::string> spans_of(TraceIterator& traces, const FetchRequest& request) {
  std::multiset<std::string> found;
  for (;;) {
    const auto view = traces.next();
    EXPECT_TRUE(view.ok());
    if (!view.ok() || *view == nullptr) return found;
    for (size_t span = 0; span < (*view)->span_count(); ++span) {
      const SpanCore& core = (*view)->core(span);
      found.insert(otlp::to_hex((*view)->trace_id()) + otlp::to_hex(core.span_id) +
                   otlp::to_hex(core.parent_span_id) + std::string(core.name) + " " +
                   std::to_string(core.start_ns) + " " + std::to_string(core.end_ns) + " " +
                   std::to_string(static_cast<int>(core.kind)) +
                   std::to_string(static_cast<int>(core.status)) + (core.open ? "o" : "") +
                   (core.journal ? "j" : "") + std::string(core.status_message) +
                   std::string(core.scope_name) + std::string(core.scope_version) +
                   cell_text(**view, span, request));
    }
  }
}

void expect_same_spans(Store& store, FetchRequest request = {}) {
  request.columns = {{ColumnScope::span, "i"},
                     {ColumnScope::span, "same"},
                     {ColumnScope::span, "arr"},
                     {ColumnScope::span, "task.title"},
                     {ColumnScope::span, "contextcore.open"},
                     {ColumnScope::span, "contextcore.end_missing"},
                     {ColumnScope::resource, "service.name"},
                     {ColumnScope::instrumentation, "lang"},
                     {ColumnScope::span, "none"}};
  const auto snapshot = source(store);
  const auto whole = snapshot->fetch(request);
  const auto alone = snapshot->fetch_spans(request);
  ASSERT_TRUE(whole.ok() && alone.ok());
  const auto expected = spans_of(**whole, request);
  EXPECT_FALSE(expected.empty());
  EXPECT_EQ(spans_of(**alone, request), expected);
}

TEST(StoreSpans, AreTheSpansOfTheTraces) {
  Machine machine;
  auto store = machine.open();
  ASSERT_TRUE(store->ingest(rich_span(1, "a", 1000), "").ok());
  ASSERT_TRUE(store->ingest(rich_span(2, "b", 2000), "").ok());
  ASSERT_TRUE(store->ingest(one_span(3, 3, "no end", 5000, 0), "").ok());
  ASSERT_TRUE(store->commit("", create_task(11, "one")).ok());
  ASSERT_TRUE(store->commit("", create_task(12, "two")).ok());
  expect_same_spans(*store);
  ASSERT_TRUE(store->cut().ok());
  expect_same_spans(*store);
  ASSERT_TRUE(store->ingest(one_span(1, 1, "again"), "").ok());
  ASSERT_TRUE(store->ingest(rich_span(4, "d", 4000), "").ok());
  ASSERT_TRUE(store->commit("", edit_task(11, "task.title", "uno")).ok());
  expect_same_spans(*store);
  // Each of these traces is one span, so conditions and ranges leave the same.
  FetchRequest request;
  request.conditions = {equals(SpanField::attribute, "i", int64_t{2})};
  request.all_conditions = true;
  expect_same_spans(*store, request);
  request.conditions = {equals(SpanField::attribute, "contextcore.open", true)};
  expect_same_spans(*store, request);
  FetchRequest late;
  late.range = {3000, 4500};
  expect_same_spans(*store, late);
}

TEST(StoreSpans, AKeyThatComesTwiceHasItsFirstValue) {
  Machine machine;
  auto store = machine.open();
  otlp::TracesData data = one_span(1, 1, "x");
  data.resource_spans[0].scope_spans[0].spans[0].attributes = {
      {"i", "text"}, {"i", int64_t{5}}, {"same", true}, {"same", "text"}};
  ASSERT_TRUE(store->ingest(data, "").ok());
  ASSERT_TRUE(store->cut().ok());
  expect_same_spans(*store);
}

TEST(StoreSpans, HiddenOnesDoNotShow) {
  Machine machine;
  StoreOptions options = machine.options(machine.process());
  options.hooks.hidden = [](const WorkRow& row, const WorkIndexView&) { return row.id == "T-1"; };
  auto store = machine.open(options);
  ASSERT_TRUE(store->commit("", create_task(1, "one")).ok());
  ASSERT_TRUE(store->commit("", create_task(2, "two")).ok());
  expect_same_spans(*store);
  ASSERT_TRUE(store->cut().ok());
  expect_same_spans(*store);
}

}  // namespace
}  // namespace contextcore::store::test
