#include "query/traceql/plan.h"

#include <algorithm>
#include <map>
#include <optional>

#include "query/traceql/printer.h"

namespace contextcore::traceql {

namespace {

void touch(std::vector<FieldRef>& touched, FieldRef field) {
  for (const FieldRef& known : touched) {
    if (known.attribute == field.attribute) return;
  }
  touched.push_back(std::move(field));
}

void touch_all(const CompiledExpr& expr, std::vector<FieldRef>& touched) {
  if (expr.field) touch(touched, *expr.field);
  for (const CompiledExpr& operand : expr.operands) touch_all(operand, touched);
}

class Planner {
 public:
  Planner(ColumnSet& columns, std::vector<FieldRef>& touched)
      : columns_(columns), touched_(touched) {}

  Result<Plan> pipeline(const Pipeline& source) {
    Plan plan;
    for (const Stage& stage : source.stages) {
      CC_TRY(std::visit([&](const auto& part) { return add(part, plan); }, stage));
    }
    return plan;
  }

 private:
  Result<CompiledExpr> field(const FieldExpr& source) {
    CC_ASSIGN(CompiledExpr expr, compile(source, columns_));
    touch_all(expr, touched_);
    return expr;
  }

  Result<PlanSpanset> spanset(const SpansetExpr& source) {
    PlanSpanset result;
    result.op = source.op;
    if (is_structural(source.op)) columns_.with_tree = true;
    if (source.filter) {
      CC_ASSIGN(result.filter, field(*source.filter));
    }
    for (const SpansetExpr& operand : source.operands) {
      CC_ASSIGN(PlanSpanset child, spanset(operand));
      result.operands.push_back(std::move(child));
    }
    for (const Pipeline& inner : source.pipeline) {
      CC_ASSIGN(Plan plan, pipeline(inner));
      result.pipeline.push_back(std::move(plan));
    }
    return result;
  }

  Status add(const SpansetExpr& stage, Plan& plan) {
    CC_ASSIGN(PlanSpanset result, spanset(stage));
    plan.stages.emplace_back(std::move(result));
    return {};
  }

  Result<PlanScalar> scalar(const ScalarExpr& source) {
    PlanScalar result;
    result.op = source.op;
    for (const ScalarExpr& operand : source.operands) {
      CC_ASSIGN(PlanScalar child, scalar(operand));
      result.operands.push_back(std::move(child));
    }
    if (source.op != Operator::none) return result;
    if (source.is_literal()) {
      result.constant = make_value(std::get<Static>(source.leaf));
      return result;
    }
    result.key = to_string(source);
    if (!source.pipeline.empty()) {
      CC_ASSIGN(Plan plan, pipeline(source.pipeline[0].pipeline));
      result.pipeline.push_back(std::move(plan));
    }
    const Aggregate& aggregate =
        source.pipeline.empty() ? std::get<Aggregate>(source.leaf) : source.pipeline[0].aggregate;
    result.function = aggregate.function;
    if (aggregate.argument) {
      CC_ASSIGN(result.argument, field(*aggregate.argument));
    }
    return result;
  }

  Status add(const ScalarFilter& stage, Plan& plan) {
    PlanScalarFilter result;
    result.op = stage.op;
    CC_ASSIGN(result.left, scalar(stage.left));
    CC_ASSIGN(result.right, scalar(stage.right));
    plan.stages.emplace_back(std::move(result));
    return {};
  }

  Status add(const GroupBy& stage, Plan& plan) {
    CC_ASSIGN(CompiledExpr expr, field(stage.expr));
    plan.stages.emplace_back(PlanGroup{std::move(expr), "by(" + to_string(stage.expr) + ")"});
    return {};
  }

  Status add(const Coalesce&, Plan& plan) {
    plan.stages.emplace_back(PlanCoalesce{});
    return {};
  }

  Status add(const Select& stage, Plan&) {
    for (const Attribute& attribute : stage.attributes) {
      touch(touched_, columns_.resolve(attribute));
    }
    return {};
  }

  ColumnSet& columns_;
  std::vector<FieldRef>& touched_;
};

using Spans = std::vector<uint32_t>;
using Spansets = std::vector<Spanset>;

Spans merge(const Spans& left, const Spans& right) {
  Spans merged;
  merged.reserve(left.size() + right.size());
  std::set_union(left.begin(), left.end(), right.begin(), right.end(), std::back_inserter(merged));
  return merged;
}

class Runner {
 public:
  explicit Runner(const TraceContext& trace) : trace_(trace), evaluator_(trace) {}

  Result<Spansets> pipeline(const Plan& plan, Spansets spansets) {
    for (const PlanStage& stage : plan.stages) {
      if (spansets.empty()) break;
      CC_ASSIGN(spansets, std::visit([&](const auto& s) { return apply(s, spansets); }, stage));
    }
    return spansets;
  }

 private:
  Result<Spansets> apply(const PlanSpanset& stage, const Spansets& input) {
    Spansets output;
    for (const Spanset& spanset : input) {
      CC_ASSIGN(Spansets result, evaluate(stage, spanset));
      std::move(result.begin(), result.end(), std::back_inserter(output));
    }
    return output;
  }

  Result<Spansets> evaluate(const PlanSpanset& stage, const Spanset& input) {
    if (!stage.pipeline.empty()) return pipeline(stage.pipeline[0], {input});
    if (stage.filter) return filter(*stage.filter, input);
    CC_ASSIGN(const Spansets left, evaluate(stage.operands[0], input));
    CC_ASSIGN(const Spansets right, evaluate(stage.operands[1], input));
    if (left.size() > 1 || right.size() > 1) {
      return Error{Code::unsupported,
                   "spanset operators are not supported for multiple spansets per trace",
                   "consider using coalesce()",
                   {},
                   {}};
    }
    static const Spans kNothing;
    const Spans& a = left.empty() ? kNothing : left[0].spans;
    const Spans& b = right.empty() ? kNothing : right[0].spans;
    Spanset result{{}, input.attributes};
    if (stage.op == Operator::logical_and) {
      if (!a.empty() && !b.empty()) result.spans = merge(a, b);
    } else if (stage.op == Operator::logical_or) {
      result.spans = merge(a, b);
    } else {
      result.spans = relate(stage.op, trace_, a, b);
    }
    return result.spans.empty() ? Spansets{} : Spansets{std::move(result)};
  }

  Spansets filter(const CompiledExpr& expr, const Spanset& input) {
    Spanset result{{}, input.attributes};
    if (expr.is_constant()) {
      if (expr.constant.is_true()) result.spans = input.spans;
    } else {
      for (const uint32_t span : input.spans) {
        if (evaluator_.test(expr, span)) result.spans.push_back(span);
      }
    }
    return result.spans.empty() ? Spansets{} : Spansets{std::move(result)};
  }

  Result<Spansets> apply(const PlanScalarFilter& stage, const Spansets& input) {
    Spansets output;
    for (const Spanset& spanset : input) {
      Spanset result = spanset;
      std::optional<Spans> counted;  // by pipelines of the filter: they are what it shows
      CC_ASSIGN(const Value left, number(stage.left, spanset, counted, result));
      CC_ASSIGN(const Value right, number(stage.right, spanset, counted, result));
      if (!compare(stage.op, left, right)) continue;
      if (counted) result.spans = std::move(*counted);
      output.push_back(std::move(result));
    }
    return output;
  }

  Result<Value> number(const PlanScalar& scalar, const Spanset& input,
                       std::optional<Spans>& counted, Spanset& result) {
    if (scalar.op != Operator::none) {
      CC_ASSIGN(const Value left, number(scalar.operands[0], input, counted, result));
      CC_ASSIGN(const Value right, number(scalar.operands[1], input, counted, result));
      return calculate(scalar.op, left, right);
    }
    if (!scalar.function) return scalar.constant;
    Value value;
    if (scalar.pipeline.empty()) {
      value = aggregate(scalar, input.spans);
    } else {
      CC_ASSIGN(const Spansets inner, pipeline(scalar.pipeline[0], {input}));
      Spans spans;
      for (const Spanset& spanset : inner) spans = merge(spans, spanset.spans);
      value = aggregate(scalar, spans);
      counted = counted ? merge(*counted, spans) : std::move(spans);
    }
    result.attributes.emplace_back(scalar.key, to_otlp(value));
    return value;
  }

  // nil when no span has a value.
  Value aggregate(const PlanScalar& scalar, const Spans& spans) {
    if (!scalar.argument) return make_integer(static_cast<int64_t>(spans.size()));
    Value result;
    double total = 0;  // beside the exact sum, whose type follows from its parts
    int64_t count = 0;
    for (const uint32_t span : spans) {
      const Value value = evaluator_.value(*scalar.argument, span);
      if (!value.is_numeric()) continue;
      total += value.number();
      const bool first = count++ == 0;
      if (scalar.function == AggregateFunction::min) {
        if (first || compare(Operator::less, value, result)) result = value;
      } else if (scalar.function == AggregateFunction::max) {
        if (first || compare(Operator::greater, value, result)) result = value;
      } else {
        result = first ? value : calculate(Operator::add, result, value);
      }
    }
    if (scalar.function != AggregateFunction::avg || count == 0) return result;
    const double average = total / static_cast<double>(count);
    if (result.type != Value::Type::duration) return make_real(average);
    return make_duration(static_cast<int64_t>(average));
  }

  Result<Spansets> apply(const PlanGroup& stage, const Spansets& input) {
    Spansets output;
    for (const Spanset& spanset : input) {
      std::map<std::string, size_t> groups;  // of this spanset, by value; in order of appearance
      for (const uint32_t span : spanset.spans) {
        const Value value = evaluator_.value(stage.expr, span);
        const auto [group, added] = groups.try_emplace(group_key(value), output.size());
        if (added) {
          output.push_back({{}, spanset.attributes});
          output.back().attributes.emplace_back(stage.key, to_otlp(value));
        }
        output[group->second].spans.push_back(span);
      }
    }
    return output;
  }

  Result<Spansets> apply(const PlanCoalesce&, const Spansets& input) {
    Spanset result;
    for (const Spanset& spanset : input) result.spans = merge(result.spans, spanset.spans);
    return Spansets{std::move(result)};
  }

  const TraceContext& trace_;
  Evaluator evaluator_;
};

}  // namespace

Result<Plan> make_plan(const Pipeline& pipeline, ColumnSet& columns,
                       std::vector<FieldRef>& touched) {
  return Planner(columns, touched).pipeline(pipeline);
}

Result<Spansets> run(const Plan& plan, const TraceContext& trace) {
  Spanset all;
  all.spans.resize(trace.view().span_count());
  for (uint32_t span = 0; span < all.spans.size(); ++span) all.spans[span] = span;
  return Runner(trace).pipeline(plan, {std::move(all)});
}

}  // namespace contextcore::traceql
