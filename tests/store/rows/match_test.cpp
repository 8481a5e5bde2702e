// Predicates against a plain evaluation of the same condition over the spans themselves.

#include <gtest/gtest.h>

#include <algorithm>

#include "store/rows/samples.h"

namespace contextcore::store {
namespace {

bool holds(Op op, int order) {
  switch (op) {
    case Op::equal:
      return order == 0;
    case Op::not_equal:
      return order != 0;
    case Op::less:
      return order < 0;
    case Op::less_equal:
      return order <= 0;
    case Op::greater:
      return order > 0;
    case Op::greater_equal:
      return order >= 0;
    default:
      return false;
  }
}

template <typename T>
int order_of(const T& a, const T& b) {
  return a < b ? -1 : b < a ? 1 : 0;
}

bool is_nan(const otlp::Value& value) {
  return value.as_double() != nullptr && *value.as_double() != *value.as_double();
}

// What surely satisfies the condition, by the contract in fetch.h; types that do not compare do
// not.
bool satisfies(const otlp::Value& value, Op op, const Operand& operand) {
  if (op == Op::exists) return true;
  if (const auto* array = value.as_array()) {
    return std::any_of(array->begin(), array->end(),
                       [&](const auto& element) { return satisfies(element, op, operand); });
  }
  if (is_nan(value)) return false;
  if (const auto* text = std::get_if<std::string>(&operand)) {
    return value.as_string() != nullptr && holds(op, order_of(*value.as_string(), *text));
  }
  if (const auto* flag = std::get_if<bool>(&operand)) {
    return value.as_bool() != nullptr && holds(op, order_of(*value.as_bool(), *flag));
  }
  const auto number = [](const auto& v) { return static_cast<double>(v); };
  const double right = std::holds_alternative<int64_t>(operand) ? number(std::get<int64_t>(operand))
                                                                : std::get<double>(operand);
  if (value.as_double() != nullptr) return holds(op, order_of(*value.as_double(), right));
  if (value.as_int() == nullptr) return false;
  if (const auto* exact = std::get_if<int64_t>(&operand))
    return holds(op, order_of(*value.as_int(), *exact));
  return holds(op, order_of(number(*value.as_int()), right));
}

bool any_of(const otlp::Attributes& attributes, const Condition& condition) {
  return std::any_of(attributes.begin(), attributes.end(), [&](const otlp::KeyValue& attribute) {
    return attribute.key == condition.column.key &&
           (condition.op == Op::exists ||
            std::any_of(condition.operands.begin(), condition.operands.end(),
                        [&](const Operand& operand) {
                          return satisfies(attribute.value, condition.op, operand);
                        }));
  });
}

bool any_attribute(const samples::SpanSample& sample, const Condition& condition) {
  switch (condition.column.scope) {
    case ColumnScope::span:
      return any_of(sample.span.attributes, condition);
    case ColumnScope::resource:
      return any_of(sample.resource->attributes, condition);
    case ColumnScope::instrumentation:
      return any_of(sample.scope->attributes, condition);
    case ColumnScope::event:
      return std::any_of(sample.span.events.begin(), sample.span.events.end(),
                         [&](const auto& event) { return any_of(event.attributes, condition); });
    case ColumnScope::link:
      return std::any_of(sample.span.links.begin(), sample.span.links.end(),
                         [&](const auto& link) { return any_of(link.attributes, condition); });
  }
  return false;
}

class MatchTest : public testing::Test {
 protected:
  void SetUp() override {
    for (auto& sample : samples_)
      sample.meta.journal = sample.meta.journal && sample.span.end_ns != 0;
    builder_ = samples::build(samples_);
    ASSERT_TRUE(write_span_segment(*files_, "/spans", samples::all_rows<SpanRows>(*builder_)).ok());
    segment_ = open_span_segment(*files_, "/spans").value_or(nullptr);
    ASSERT_NE(segment_, nullptr);
  }

  // Builder and segment agree, and nothing that satisfies the condition is left out. Gives the
  // count.
  template <typename Expected>
  size_t check(const Condition& condition, const Expected& expected, bool exact) {
    const Result<RowSet> in_builder = builder_->match(condition);
    const Result<RowSet> in_segment = segment_->match(condition);
    EXPECT_TRUE(in_builder.ok() && in_segment.ok());
    if (!in_builder.ok() || !in_segment.ok()) return 0;
    EXPECT_EQ(in_builder->words(), in_segment->words());
    for (size_t row = 0; row < samples_.size(); ++row) {
      const bool wanted = expected(samples_[row]);
      EXPECT_TRUE(!wanted || in_builder->test(row)) << "row " << row << " is missing";
      if (exact) {
        EXPECT_EQ(wanted, in_builder->test(row)) << "row " << row;
      }
    }
    return in_builder->count();
  }

  std::vector<samples::SpanSample> samples_ = samples::spans(5, 2200);
  SimDisk disk_;
  std::unique_ptr<SimFileSystem> files_ = disk_.start_process();
  std::unique_ptr<SpanBuilder> builder_;
  std::unique_ptr<SpanRows> segment_;
};

TEST_F(MatchTest, LeavesOutNothingThatSatisfiesAnAttributeCondition) {
  const std::vector<std::vector<Operand>> operands = {
      {std::string("GET")},
      {int64_t{5}},
      {5.0},
      {true},
      {std::string("GET"), std::string("text 3")},
      {int64_t{-3}, 2.0},
      {std::string("m")},
      {int64_t{0}},
  };
  size_t found = 0;
  for (const ColumnScope scope : {ColumnScope::span, ColumnScope::resource, ColumnScope::event,
                                  ColumnScope::link, ColumnScope::instrumentation}) {
    for (const Op op : {Op::exists, Op::equal, Op::not_equal, Op::less, Op::less_equal, Op::greater,
                        Op::greater_equal}) {
      for (const auto& values : operands) {
        for (const std::string key : {"key.3", "host.number", "scope.kind", "absent"}) {
          Condition condition;
          condition.column = {scope, key};
          condition.op = op;
          condition.operands = values;
          found += check(
              condition, [&](const auto& sample) { return any_attribute(sample, condition); },
              op == Op::exists);
        }
      }
    }
  }
  EXPECT_GT(found, 10'000u);
}

TEST_F(MatchTest, ComparesIntegersWithReals) {
  Condition condition;
  condition.column.key = "key.1";
  condition.op = Op::equal;
  condition.operands = {7.0};
  const size_t rows =
      check(condition, [&](const auto& sample) { return any_attribute(sample, condition); }, false);
  EXPECT_GT(rows, 0u);
  EXPECT_LT(rows, samples_.size() / 2);
}

TEST_F(MatchTest, IsExactOnFields) {
  Condition condition;
  condition.op = Op::equal;
  condition.field = SpanField::name;
  condition.operands = {std::string("operation 3")};
  EXPECT_GT(
      check(condition, [](const auto& s) { return s.span.name == "operation 3"; }, true), 50u);
  condition.operands = {std::string()};
  check(condition, [](const auto& s) { return s.span.name.empty(); }, true);
  condition.field = SpanField::kind;
  condition.operands = {int64_t{0}, int64_t{3}};
  check(
      condition,
      [](const auto& s) {
        return s.span.kind == otlp::SpanKind::unspecified || s.span.kind == otlp::SpanKind::client;
      },
      true);
  condition.field = SpanField::status;
  condition.op = Op::not_equal;
  condition.operands = {int64_t{0}};
  check(
      condition, [](const auto& s) { return s.span.status_code != otlp::StatusCode::unset; }, true);
  condition.field = SpanField::scope_name;
  condition.op = Op::equal;
  condition.operands = {std::string("scope 1")};
  check(condition, [](const auto& s) { return s.scope->name == "scope 1"; }, true);
  condition.field = SpanField::event_name;
  condition.operands = {std::string("GET")};
  check(
      condition,
      [](const auto& s) {
        return std::any_of(s.span.events.begin(), s.span.events.end(),
                           [](const auto& e) { return e.name == "GET"; });
      },
      true);
}

TEST_F(MatchTest, ComparesTimesAndDurations) {
  const auto end_of = [](const otlp::Span& span) { return std::max(span.start_ns, span.end_ns); };
  const uint64_t middle = 1'700'000'500'000'000'000;
  Condition condition;
  condition.op = Op::greater;
  condition.field = SpanField::duration;
  condition.operands = {int64_t{500'000'000}};
  check(
      condition, [&](const auto& s) { return end_of(s.span) - s.span.start_ns > 500'000'000; },
      true);
  condition.operands = {int64_t{2'000'000'000}};
  EXPECT_EQ(check(condition, [](const auto&) { return false; }, true), 0u);
  condition.operands = {static_cast<int64_t>(middle)};
  condition.field = SpanField::start;
  check(condition, [&](const auto& s) { return s.span.start_ns > middle; }, true);
  condition.field = SpanField::end;
  check(condition, [&](const auto& s) { return end_of(s.span) > middle; }, true);
  const TimeRange range{static_cast<int64_t>(middle), static_cast<int64_t>(middle) + 1'000'000'000};
  const Result<RowSet> in_builder = builder_->overlap(range);
  const Result<RowSet> in_segment = segment_->overlap(range);
  EXPECT_EQ(in_builder->words(), in_segment->words());
  for (size_t row = 0; row < samples_.size(); ++row) {
    const otlp::Span& span = samples_[row].span;
    EXPECT_EQ(in_builder->test(row),
              span.start_ns <= middle + 1'000'000'000 && end_of(span) >= middle);
  }
}

TEST_F(MatchTest, FindsIds) {
  const otlp::Span& wanted = samples_[777].span;
  Condition condition;
  condition.op = Op::equal;
  condition.field = SpanField::span_id;
  condition.operands = {otlp::to_hex(wanted.span_id)};
  EXPECT_GT(
      check(condition, [&](const auto& s) { return s.span.span_id == wanted.span_id; }, true), 0u);
  condition.field = SpanField::trace_id;
  condition.operands = {otlp::to_hex(wanted.trace_id)};
  EXPECT_GT(check(
                condition, [&](const auto& s) { return s.span.trace_id == wanted.trace_id; }, true),
            0u);
  condition.operands = {otlp::to_hex(wanted.trace_id).substr(1)};
  EXPECT_EQ(check(condition, [](const auto&) { return false; }, true), 0u);
  condition.field = SpanField::parent_span_id;
  condition.operands = {std::string(16, '0')};
  check(condition, [](const auto& s) { return s.span.parent_span_id.empty(); }, true);
  condition.op = Op::regex;
  condition.operands = {std::string("a.*")};
  check(
      condition, [](const auto& s) { return otlp::to_hex(s.span.parent_span_id)[0] == 'a'; }, true);
  condition.field = SpanField::link_trace_id;
  condition.op = Op::equal;
  condition.operands = {otlp::to_hex(wanted.trace_id)};
  check(
      condition,
      [&](const auto& s) {
        return std::any_of(s.span.links.begin(), s.span.links.end(),
                           [&](const auto& l) { return l.trace_id == wanted.trace_id; });
      },
      true);
}

TEST_F(MatchTest, AnchorsExpressionsAtBothEndsAndLetsDotsMatchLineBreaks) {
  samples_.resize(4);
  samples_[0].span.name = "abc";
  samples_[1].span.name = "xabc";
  samples_[2].span.name = "ab\nc";
  samples_[3].span.name = "d";
  builder_ = samples::build(samples_);
  Condition condition;
  condition.field = SpanField::name;
  condition.op = Op::regex;
  condition.operands = {std::string("ab.*c|d")};
  EXPECT_EQ(samples::rows_of(*builder_->match(condition)), (std::vector<size_t>{0, 2, 3}));
  condition.op = Op::not_regex;
  EXPECT_EQ(samples::rows_of(*builder_->match(condition)), (std::vector<size_t>{1}));
  condition.operands = {std::string("a)(b")};
  const Result<RowSet> wrong = builder_->match(condition);
  ASSERT_FALSE(wrong.ok());
  EXPECT_EQ(wrong.error().code, Code::invalid_argument);
}

TEST_F(MatchTest, TakesOpenSpansForAnyEnd) {
  samples_.resize(2);
  for (auto& sample : samples_) sample.span.end_ns = 0;
  samples_[0].meta.journal = true;
  samples_[1].meta.journal = false;
  builder_ = samples::build(samples_);
  EXPECT_EQ(builder_->overlap({INT64_MAX - 1, INT64_MAX})->count(), 1u);
  Condition condition;
  condition.field = SpanField::duration;
  condition.op = Op::greater;
  condition.operands = {int64_t{1}};
  EXPECT_EQ(samples::rows_of(*builder_->match(condition)), std::vector<size_t>{0});
}

TEST(LogMatch, KeepsTheRowsOfTimeStreamAndNeedles) {
  const auto logs = samples::logs(9, 2600);
  const auto builder = samples::build(logs);
  SimDisk disk;
  const auto files = disk.start_process();
  ASSERT_TRUE(write_log_segment(*files, "/logs", samples::all_rows<LogRows>(*builder)).ok());
  const auto segment = open_log_segment(*files, "/logs").value_or(nullptr);
  ASSERT_NE(segment, nullptr);
  const int64_t start = 1'700'000'200'000'000'000, end = 1'700'000'800'000'000'000;
  const std::vector<std::string> needles = {"line", "text 1"};
  std::vector<bool> wanted(builder->streams().size());
  wanted[1] = wanted[3] = true;
  const auto expected = [&](size_t row) {
    const int64_t time = builder->time_ns(row);
    const std::string line = log_line(logs[row].record);
    return time >= start && time < end && wanted[builder->stream(row)] &&
           line.find("line") != std::string::npos && line.find("text 1") != std::string::npos;
  };
  const Result<RowSet> found = builder->match(start, end, wanted, needles);
  ASSERT_TRUE(found.ok());
  EXPECT_GT(found->count(), 5u);
  for (size_t row = 0; row < logs.size(); ++row) EXPECT_EQ(found->test(row), expected(row)) << row;
  ASSERT_EQ(segment->streams(), builder->streams());
  EXPECT_EQ(segment->match(start, end, wanted, needles)->words(), found->words());
}

TEST(RowSetTest, CombinesAndCounts) {
  RowSet all(70, true);
  EXPECT_EQ(all.count(), 70u);
  RowSet some(70);
  for (const size_t row : {0u, 63u, 64u, 69u}) some.set(row);
  EXPECT_EQ(samples::rows_of(some), (std::vector<size_t>{0, 63, 64, 69}));
  all.subtract(some);
  EXPECT_EQ(all.count(), 66u);
  all |= some;
  EXPECT_EQ(all.count(), 70u);
  all &= some;
  some.clear(63);
  EXPECT_EQ(all.count(), 4u);
  EXPECT_EQ(some.count(), 3u);
  EXPECT_TRUE(RowSet(0, true).none());
}

}  // namespace
}  // namespace contextcore::store
