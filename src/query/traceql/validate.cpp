#include "query/traceql/validate.h"

#include <string>

#include "query/common/lexing.h"
#include "query/common/regex.h"
#include "query/traceql/printer.h"

namespace contextcore::traceql {

namespace {

constexpr size_t kGroupByMax = 5;
constexpr int64_t kCompareTopMax = 1000;

bool operands_match(Type left, Type right) {
  return left == right || left == Type::attribute || right == Type::attribute ||
         (is_numeric(left) && is_numeric(right)) || left == Type::nil || right == Type::nil;
}

bool binary_allowed(Operator op, Type type) {
  const bool equality = op == Operator::equal || op == Operator::not_equal;
  switch (type) {
    case Type::attribute:
      return true;
    case Type::boolean:
      return equality || op == Operator::logical_and || op == Operator::logical_or;
    case Type::integer:
    case Type::real:
    case Type::duration:
      return is_arithmetic(op) ||
             (is_comparison(op) && op != Operator::regex && op != Operator::not_regex);
    case Type::string:
      return is_comparison(op);
    case Type::nil:
    case Type::status:
    case Type::kind:
      return equality;
  }
  return false;
}

bool unary_allowed(Operator op, Type type) {
  if (type == Type::attribute || op == Operator::exists || op == Operator::not_exists) return true;
  return op == Operator::negate ? is_numeric(type) : type == Type::boolean;
}

class Validator {
 public:
  explicit Validator(std::string_view text) : text_(text) {}

  Status check(const Query& query) const {
    if (!query.is_metrics()) {
      CC_TRY(check(query.pipeline()));
      if (!query.trailing) return {};
      CC_TRY(check(query.trailing->aggregate));
      return check(query.trailing->by);
    }
    const auto& metrics = std::get<MetricsQuery>(query.body);
    CC_TRY(check(metrics.expr, metrics.stages.empty() && metrics.expr.op == Operator::none));
    return check(metrics.stages);
  }

 private:
  Error fail(Position position, const std::string& message, Code code = Code::invalid_argument,
             std::string hint = {}) const {
    Error error;
    error.code = code;
    error.message = message + " at " + query::describe_position(text_, position.value);
    error.hint = std::move(hint);
    error.position = position.value;
    return error;
  }

  Status check(const Attribute& attribute) const {
    if (attribute.intrinsic == Intrinsic::parent) {
      return fail(attribute.position, "intrinsic (parent) not yet supported", Code::unsupported);
    }
    return {};
  }

  Status check(const std::vector<Attribute>& attributes) const {
    for (const Attribute& attribute : attributes) CC_TRY(check(attribute));
    return {};
  }

  Status check(const FieldExpr& expr) const {
    if (expr.is_literal()) return {};
    if (expr.is_attribute()) return check(expr.attribute());
    for (const FieldExpr& operand : expr.operands) CC_TRY(check(operand));
    return expr.operands.size() == 1 ? check_unary(expr) : check_binary(expr);
  }

  Status check_unary(const FieldExpr& expr) const {
    const FieldExpr& operand = expr.operands[0];
    if (expr.op == Operator::not_exists && operand.is_attribute()) {
      const Attribute& attribute = operand.attribute();
      const std::string name = to_string(attribute);
      if (attribute.intrinsic != Intrinsic::none) {
        return fail(attribute.position,
                    name + "=nil is not valid because intrinsics cannot be nil");
      }
      if (attribute.scope == Scope::resource && attribute.name == "service.name") {
        return fail(attribute.position,
                    name + "=nil is not valid because " + name + " cannot be nil");
      }
    }
    if (unary_allowed(expr.op, type_of(operand))) return {};
    return fail(expr.position, "illegal operation for the given type: " + to_string(expr));
  }

  Status check_binary(const FieldExpr& expr) const {
    for (size_t i = 1; i < expr.operands.size(); ++i) {
      const Type left = i == 1 ? type_of(expr.operands[0]) : Type::boolean;
      const Type right = type_of(expr.operands[i]);
      if (!operands_match(left, right)) {
        return fail(expr.position,
                    "binary operations must operate on the same type: " + to_string(expr));
      }
      if (!binary_allowed(expr.op, left) || !binary_allowed(expr.op, right)) {
        return fail(expr.position, "illegal operation for the given types: " + to_string(expr));
      }
    }
    if (expr.op == Operator::regex || expr.op == Operator::not_regex) return check_regex(expr);
    return {};
  }

  Status check_regex(const FieldExpr& expr) const {
    const FieldExpr& right = expr.operands[1];
    const std::string* pattern =
        right.is_literal() ? std::get_if<std::string>(&right.literal()) : nullptr;
    if (pattern == nullptr) {
      return fail(right.position, "invalid type for =~ or !~: " + to_string(right));
    }
    const auto regex = query::Regex::compile(*pattern);
    if (regex.ok()) return {};
    return fail(right.position, "invalid regex: " + to_string(right), Code::invalid_argument,
                regex.error().message);
  }

  Status check(const SpansetExpr& expr) const {
    for (const SpansetExpr& operand : expr.operands) CC_TRY(check(operand));
    for (const Pipeline& pipeline : expr.pipeline) CC_TRY(check(pipeline));
    if (!expr.filter) return {};
    CC_TRY(check(*expr.filter));
    const Type type = type_of(*expr.filter);
    if (type == Type::boolean || type == Type::attribute) return {};
    return fail(expr.filter->position,
                "span filter field expressions must resolve to a boolean: " + to_string(expr));
  }

  Status check(const Aggregate& aggregate) const {
    if (!aggregate.argument) return {};
    CC_TRY(check(*aggregate.argument));
    const Type type = type_of(*aggregate.argument);
    if (type != Type::attribute && !is_numeric(type)) {
      return fail(
          aggregate.position,
          "aggregate field expressions must resolve to a number type: " + to_string(aggregate));
    }
    if (!references_span(*aggregate.argument)) {
      return fail(aggregate.position,
                  "aggregate field expressions must reference the span: " + to_string(aggregate));
    }
    return {};
  }

  static Type type_of_scalar(const ScalarExpr& expr) {
    if (expr.is_literal()) return type_of(std::get<Static>(expr.leaf));
    const Aggregate* aggregate = !expr.pipeline.empty() ? &expr.pipeline[0].aggregate
                                 : expr.is_aggregate()  ? &std::get<Aggregate>(expr.leaf)
                                                        : nullptr;
    if (aggregate != nullptr) {
      return aggregate->argument ? type_of(*aggregate->argument) : Type::integer;
    }
    const Type left = type_of_scalar(expr.operands[0]);
    return left != Type::attribute ? left : type_of_scalar(expr.operands[1]);
  }

  // Operands are numbers or attributes by now, so arithmetic between them is always well typed.
  Status check(const ScalarExpr& expr) const {
    for (const ScalarExpr& operand : expr.operands) CC_TRY(check(operand));
    for (const ScalarPipeline& inner : expr.pipeline) {
      CC_TRY(check(inner.pipeline));
      CC_TRY(check(inner.aggregate));
    }
    return expr.is_aggregate() ? check(std::get<Aggregate>(expr.leaf)) : Status();
  }

  Status check(const ScalarFilter& filter) const {
    CC_TRY(check(filter.left));
    CC_TRY(check(filter.right));
    if (!operands_match(type_of_scalar(filter.left), type_of_scalar(filter.right))) {
      return fail(filter.position,
                  "binary operations must operate on the same type: " + to_string(filter));
    }
    return {};
  }

  Status check(const GroupBy& group) const {
    if (!references_span(group.expr)) {
      return fail(group.position, "grouping field expressions must reference the span: by(" +
                                      to_string(group.expr) + ")");
    }
    return check(group.expr);
  }
  Status check(const Coalesce&) const { return {}; }
  Status check(const Select& select) const { return check(select.attributes); }

  Status check(const Pipeline& pipeline) const {
    for (const Stage& stage : pipeline.stages) {
      CC_TRY(std::visit([this](const auto& part) { return check(part); }, stage));
    }
    return {};
  }

  Status check(const std::vector<SecondStage>& stages) const {
    for (const SecondStage& stage : stages) {
      if (stage.function != SecondStage::Function::filter && stage.limit <= 0) {
        return fail(stage.position, "limit must be greater than 0");
      }
    }
    return {};
  }

  Status check(const Metrics& metrics) const {
    if (metrics.attribute) CC_TRY(check(*metrics.attribute));
    CC_TRY(check(metrics.by));
    for (const double quantile : metrics.quantiles) {
      if (quantile < 0 || quantile > 1) {
        return fail(metrics.position,
                    "quantile must be between 0 and 1: " + to_string(Static(quantile)));
      }
    }
    if (metrics.selection) CC_TRY(check_compare(metrics));
    // These keep one label for themselves.
    const bool reserves = metrics.function == MetricsFunction::quantile_over_time ||
                          metrics.function == MetricsFunction::histogram_over_time ||
                          metrics.function == MetricsFunction::avg_over_time;
    if (metrics.by.size() <= (reserves ? kGroupByMax - 1 : kGroupByMax)) return {};
    return fail(
        metrics.position,
        "metrics group by " + std::to_string(metrics.by.size()) + " values not yet supported",
        Code::unsupported);
  }

  Status check_compare(const Metrics& metrics) const {
    CC_TRY(check(*metrics.selection));
    if (metrics.top <= 0 || metrics.top > kCompareTopMax) {
      return fail(metrics.position,
                  "compare() top number of values must be an integer between 1 and " +
                      std::to_string(kCompareTopMax));
    }
    if (metrics.start_ns == 0 && metrics.end_ns == 0) return {};
    if (metrics.start_ns <= 0 || metrics.end_ns <= 0) {
      return fail(metrics.position,
                  "compare() timestamps must be positive integer unix nanoseconds");
    }
    if (metrics.end_ns <= metrics.start_ns) {
      return fail(metrics.position, "compare() end timestamp must be greater than start timestamp");
    }
    return {};
  }

  Status check(const MetricsExpr& expr, bool alone) const {
    for (const MetricsExpr& operand : expr.operands) CC_TRY(check(operand, false));
    const auto* leaf = std::get_if<MetricsPipeline>(&expr.leaf);
    if (expr.op != Operator::none || leaf == nullptr) return {};
    CC_TRY(check(leaf->pipeline));
    CC_TRY(check(leaf->metrics));
    if (leaf->metrics.function == MetricsFunction::compare && (!alone || !leaf->stages.empty())) {
      return fail(leaf->metrics.position, "`compare()` cannot be used with second stage functions");
    }
    return check(leaf->stages);
  }

  std::string_view text_;
};

}  // namespace

Status validate(const Query& query, std::string_view text) { return Validator(text).check(query); }

}  // namespace contextcore::traceql
