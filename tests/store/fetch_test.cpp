// Whole traces read where their rows lie, and the same traces put together row by row (as a request for links has them):
// what a query sees of both is the same.

#include <algorithm>
#include <set>
#include <tuple>

#include "store/column_value.h"
#include "store/rows/samples.h"
#include "store/store_test_kit.h"

namespace contextcore::store::test {
namespace {

std::string text_of(const Cell& cell) {
  switch (cell.type) {
    case Cell::Type::nil:
      return "-";
    case Cell::Type::string:
      return "\"" + std::string(cell.string) + "\"";
    case Cell::Type::integer:
      return std::to_string(cell.integer);
    case Cell::Type::boolean:
      return cell.boolean ? "true" : "false";
    case Cell::Type::real:
      return "real " + std::to_string(cell.real);
    default:
      break;
  }
  std::string bytes;
  encode_value(*cell.value, bytes);
  return std::to_string(static_cast<int>(cell.type)) + bytes;
}

std::vector<std::string> traces_of(const Source& source, const FetchRequest& request) {
  std::vector<std::string> out;
  const auto traces = source.fetch(request);
  EXPECT_TRUE(traces.ok());
  if (!traces.ok()) return out;
  for (;;) {
    const auto view = (*traces)->next();
    EXPECT_TRUE(view.ok());
    if (!view.ok() || *view == nullptr) return out;
    std::string text = otlp::to_hex((*view)->trace_id());
    for (size_t i = 0; i < (*view)->span_count(); ++i) {
      const SpanCore& core = (*view)->core(i);
      text += "\n  " + otlp::to_hex(core.span_id) + " " + otlp::to_hex(core.parent_span_id) + " " +
              std::to_string(core.start_ns) + "-" + std::to_string(core.end_ns) + " " +
              std::to_string(static_cast<int>(core.kind)) + std::to_string(static_cast<int>(core.status)) +
              (core.open ? " open" : "") + (core.journal ? " journal" : "") + " " + std::string(core.name) + "|" +
              std::string(core.status_message) + "|" + std::string(core.scope_name) + "|" +
              std::string(core.scope_version);
      for (size_t column = 0; column < request.columns.size(); ++column)
        text += " " + text_of((*view)->cell(i, column));
    }
    out.push_back(std::move(text));
  }
}

otlp::TracesData data_of(const samples::SpanSample& sample) {
  otlp::TracesData data;
  otlp::ResourceSpans& resource = data.resource_spans.emplace_back();
  resource.resource = *sample.resource;
  otlp::ScopeSpans& scope = resource.scope_spans.emplace_back();
  scope.scope = *sample.scope;
  scope.spans.push_back(sample.span);
  return data;
}

// Attributes that occur, of the three scopes that cell() knows, and one that does not.
std::vector<Column> columns_of(const std::vector<samples::SpanSample>& spans) {
  std::set<std::pair<int, std::string>> keys = {{0, "task.id"}, {0, "contextcore.open"}, {0, "contextcore.end_missing"},
                                                {0, "nobody has this"}, {1, "service.name"}};
  for (const samples::SpanSample& sample : spans) {
    for (const otlp::KeyValue& attribute : sample.span.attributes) keys.insert({0, attribute.key});
    for (const otlp::KeyValue& attribute : sample.resource->attributes) keys.insert({1, attribute.key});
    for (const otlp::KeyValue& attribute : sample.scope->attributes) keys.insert({4, attribute.key});
  }
  std::vector<Column> columns;
  for (const auto& [scope, key] : keys) columns.push_back({static_cast<ColumnScope>(scope), key});
  return columns;
}

void expect_both_ways_alike(const Source& source, FetchRequest request, size_t traces_min) {
  request.with_links = false;
  const std::vector<std::string> lying = traces_of(source, request);
  request.with_links = true;
  const std::vector<std::string> assembled = traces_of(source, request);
  ASSERT_EQ(lying.size(), assembled.size());
  for (size_t i = 0; i < lying.size(); ++i) ASSERT_EQ(lying[i], assembled[i]);
  EXPECT_GE(lying.size(), traces_min);
}

bool is_deleted(const std::string& id) { return id == "T-7" || id == "T-100"; }

TEST(Fetch, ReadsTracesWhereTheyLieAsIfPutTogether) {
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    Machine machine(seed);
    StoreOptions options = machine.options(machine.process(), StoreMode::server);
    options.hooks.hidden = [](const WorkRow& row, const WorkIndexView&) { return is_deleted(row.id); };
    options.hooks.hides = [](const WorkKey& key) { return is_deleted(std::string(key.id)); };
    const auto store = machine.open(options);
    const auto spans = samples::spans(seed, 400);
    samples::Generator dice(seed);
    for (size_t i = 0; i < spans.size(); ++i) {
      // Texts that are no UTF-8 are refused where text is asked for.
      std::ignore = store->ingest(data_of(spans[i]), "");
      if (i % 3 == 0) {
        ASSERT_TRUE(store->commit("", create_task(static_cast<uint32_t>(i + 1), "t")).ok());
      }
      if (i % 7 == 6) {
        ASSERT_TRUE(store->commit("", edit_task(static_cast<uint32_t>(i / 3 * 3 + 1), "holder", "x")).ok());
        samples::SpanSample again = spans[dice.below(i)];  // replaces an older one
        again.span.name += " again";
        std::ignore = store->ingest(data_of(again), "");
      }
      if (i == 150 || i == 300) {
        ASSERT_TRUE(store->cut().ok());
      }
    }
    FetchRequest request;
    request.columns = columns_of(spans);
    const auto now = source(*store);
    expect_both_ways_alike(*now, request, 100);
    request.columns.resize(3);
    request.range = {1, 1'000'000'000'000'000'000};
    expect_both_ways_alike(*now, request, 0);
    request.range = {};
    request.conditions.push_back({SpanField::attribute, {ColumnScope::span, "contextcore.open"}, Op::equal, {true}});
    expect_both_ways_alike(*now, request, 100);
    ASSERT_TRUE(store->cut().ok());
    const auto cut = source(*store);
    request.columns = columns_of(spans);
    expect_both_ways_alike(*cut, request, 100);
  }
}

}  // namespace
}  // namespace contextcore::store::test
