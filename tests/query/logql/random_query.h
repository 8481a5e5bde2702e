#pragma once
// Random valid queries, from a seed.

#include <cmath>
#include <cstddef>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "base/time.h"
#include "query/logql/ast.h"

namespace contextcore::logql {

class RandomQuery {
 public:
  explicit RandomQuery(uint64_t seed) : random_(seed) {}

  Expr expr() { return below(4) == 0 ? Expr{selector()} : metric(3); }

  LogSelector selector() {
    LogSelector out;
    out.matchers.push_back({name(), MatchOp::equal, "v" + text()});
    for (uint64_t n = below(3); n > 0; --n) out.matchers.push_back(matcher());
    for (uint64_t n = below(5); n > 0; --n) out.stages.push_back(stage());
    return out;
  }

 private:
  uint64_t below(uint64_t bound) { return random_.below(bound); }
  bool coin() { return below(2) == 0; }
  template <typename T>
  T pick(std::initializer_list<T> items) {
    return *(items.begin() + static_cast<std::ptrdiff_t>(below(items.size())));
  }
  template <typename Op>
  Op op(Op last) {
    return static_cast<Op>(below(static_cast<uint64_t>(last) + 1));
  }

  // Words that are functions elsewhere are names here.
  std::string name() {
    return pick<const char*>(
        {"a", "app", "task_id", "_x9", "rate", "sum", "count", "bytes", "ip", "__error__"});
  }
  std::string text() {
    std::string out;
    for (uint64_t n = below(6); n > 0; --n) {
      out += pick<const char*>({"a", "b9", " ", "\"", "\\", "\n", "\t", "|", "`", "{{.x}}", "ä",
                                "😀", "\x01", "#", "'"});
    }
    return out;
  }
  std::string regex() {
    return pick<const char*>({"a.*", "x|y", "", "\\d+", "(?i)abc", "[a-z]{2,3}", "\"q\""});
  }
  std::string ip() {
    return pick<const char*>({"10.0.0.0/8", "1.2.3.4", "1.2.3.4-1.2.3.9", "::1", "fe80::/10"});
  }
  double number() {
    return pick<double>({0, 1, -1, 0.5, 1e21, 1e-7, 123456789, -2.25, 3.141592653589793, 1e308});
  }
  int64_t duration_ns() {
    return pick<int64_t>(
        {0, 1, 1500, kMillisecondNs, 90 * kSecondNs, kHourNs, 36 * kHourNs, -5 * kMinuteNs});
  }

  Matcher matcher() {
    Matcher out{name(), op(MatchOp::not_regex), {}};
    const bool is_regex = out.op == MatchOp::regex || out.op == MatchOp::not_regex;
    out.value = is_regex ? regex() : text();
    return out;
  }

  LabelFilter label_filter(int depth) {
    switch (below(depth > 0 ? 7 : 5)) {
      case 0:
        return {matcher()};
      case 1:
        return {NumberFilter{name(), op(CompareOp::less_equal), number()}};
      case 2:
        return {DurationFilter{name(), op(CompareOp::less_equal), duration_ns()}};
      case 3:
        return {BytesFilter{
            name(), op(CompareOp::less_equal),
            pick<uint64_t>({0, 1, 1000, 1024, 1500, 5'000'000, 1ULL << 40, UINT64_MAX})}};
      case 4:
        return {IpFilter{name(), coin(), ip()}};
      default:
        break;
    }
    LabelFilterGroup group;
    group.any = coin();
    const uint64_t size = 2 + below(2);
    while (group.operands.size() < size) {
      LabelFilter operand = label_filter(depth - 1);
      const auto* inner = std::get_if<LabelFilterGroup>(&operand.node);
      if (inner == nullptr || inner->any != group.any) group.operands.push_back(std::move(operand));
    }
    return {std::move(group)};
  }

  LineFilter line_filter() {
    LineFilter out{op(LineOp::not_pattern), {}};
    const bool is_regex = out.op == LineOp::regex || out.op == LineOp::not_regex;
    const bool is_pattern = out.op == LineOp::pattern || out.op == LineOp::not_pattern;
    const bool negated = out.op == LineOp::not_contains || out.op == LineOp::not_regex ||
                         out.op == LineOp::not_pattern;
    for (uint64_t n = negated ? 1 : 1 + below(3); n > 0; --n) {
      LineFilter::Operand operand;
      operand.ip = !is_regex && !is_pattern && below(4) == 0;
      operand.text = operand.ip   ? ip()
                     : is_regex   ? regex()
                     : is_pattern ? "<_> " + text() + " <_>"
                                  : text();
      out.operands.push_back(std::move(operand));
    }
    return out;
  }

  std::vector<Extraction> extractions() {
    std::vector<Extraction> out;
    for (uint64_t n = below(3); n > 0; --n)
      out.push_back({name(), pick<const char*>({"a", "b_c", "key"})});
    return out;
  }

  // The last one is a matcher: a name before a != line filter would read as a matcher.
  std::vector<LabelChoice> choices() {
    std::vector<LabelChoice> out;
    for (uint64_t n = 1 + below(3); n > 0; --n) {
      LabelChoice choice;
      if (n == 1 || coin()) choice.matcher = matcher();
      choice.name = choice.matcher ? choice.matcher->name : name();
      out.push_back(std::move(choice));
    }
    return out;
  }

  Stage stage() {
    switch (below(12)) {
      case 0:
      case 1:
        return line_filter();
      case 2:
      case 3:
        return label_filter(2);
      case 4:
        return JsonStage{extractions()};
      case 5:
        return LogfmtStage{coin(), coin(), extractions()};
      case 6:
        return RegexpStage{"(?P<x>\\w+)" + regex()};
      case 7:
        return PatternStage{"<x> - <_>"};
      case 8:
        return pick<Stage>({UnpackStage{}, DecolorizeStage{}, LineFormatStage{text()}});
      case 9: {
        LabelFormatStage out;
        out.assignments.push_back({"x", coin(), "y"});
        if (coin()) out.assignments.push_back({"z", false, text()});
        return out;
      }
      case 10:
        return DropStage{choices()};
      default:
        return KeepStage{choices()};
    }
  }

  Grouping grouping(bool may_be_empty) {
    Grouping out;
    out.without = coin();
    for (uint64_t n = below(3) + (may_be_empty ? 0 : 1); n > 0; --n) out.labels.push_back(name());
    return out;
  }

  Expr range_aggregation() {
    RangeAggregation out;
    out.op = op(RangeOp::quantile);
    if (out.op == RangeOp::quantile) out.parameter = pick<double>({0, 0.5, 0.99, 1, 2});
    out.range.selector = selector();
    out.range.range_ns = pick<int64_t>(
        {kMillisecondNs, 1500 * kMillisecondNs, kMinuteNs, 25 * kHourNs, 365 * kDayNs, 9 * kDayNs});
    if (coin()) out.range.offset_ns = duration_ns();
    const bool plain =
        out.op == RangeOp::count || out.op == RangeOp::bytes || out.op == RangeOp::bytes_rate;
    const bool either = out.op == RangeOp::rate || out.op == RangeOp::absent;
    if (!plain && (!either || coin())) {
      Unwrap unwrap{name(), op(Conversion::duration_seconds), {}};
      for (uint64_t n = below(3); n > 0; --n) unwrap.filters.push_back(label_filter(1));
      out.range.unwrap = std::move(unwrap);
    }
    const bool groups =
        !plain && !either && out.op != RangeOp::sum && out.op != RangeOp::rate_counter;
    if (groups && coin()) out.grouping = grouping(true);
    return {std::move(out)};
  }

  Expr binary(int depth) {
    BinaryOperation out;
    out.op = op(BinaryOp::less_equal);
    out.return_bool = below(4) == 0;
    if (below(3) == 0) {
      VectorMatching matching;
      matching.on = coin();
      matching.labels.push_back(name());
      matching.cardinality = op(VectorMatching::Cardinality::one_to_many);
      if (matching.cardinality != VectorMatching::Cardinality::one_to_one && coin())
        matching.include.push_back(name());
      out.matching = std::move(matching);
    }
    const bool set =
        out.op == BinaryOp::or_ || out.op == BinaryOp::and_ || out.op == BinaryOp::unless;
    out.operands.push_back(metric(depth - 1));
    if (!set && below(3) == 0) {
      out.operands.push_back({Literal{number()}});
      if (coin()) std::swap(out.operands[0], out.operands[1]);
    } else {
      out.operands.push_back(metric(depth - 1));
    }
    return {std::move(out)};
  }

  Expr metric(int depth) {
    switch (below(depth > 0 ? 7 : 3)) {
      case 0:
      case 1:
        return range_aggregation();
      case 2:
        return {VectorLiteral{std::fabs(number())}};
      case 3:
      case 4: {
        VectorAggregation out;
        out.op = op(VectorOp::sort_desc);
        if (out.op == VectorOp::topk || out.op == VectorOp::bottomk ||
            out.op == VectorOp::approx_topk) {
          out.parameter = 1 + static_cast<int64_t>(below(20));
        }
        const bool groups = out.op != VectorOp::approx_topk && out.op != VectorOp::sort &&
                            out.op != VectorOp::sort_desc;
        if (groups && coin()) out.grouping = grouping(false);
        out.operand.push_back(metric(depth - 1));
        return {std::move(out)};
      }
      case 5: {
        LabelReplace out;
        out.operand.push_back(metric(depth - 1));
        out.destination = "dst";
        out.replacement = text();
        out.source = name();
        out.regex = regex();
        return {std::move(out)};
      }
      default:
        return binary(depth);
    }
  }

  SeededRandom random_;
};

}  // namespace contextcore::logql
