#include <algorithm>

#include "query/traceql/compiled.h"

namespace contextcore::traceql {

namespace {

// !(condition), as opposed to !x of a boolean attribute.
bool negates_condition(const CompiledExpr& expr) {
  return expr.op == Operator::logical_not && is_boolean(expr.operands[0].op);
}

}  // namespace

TraceContext::TraceContext(const store::TraceView& view, bool with_tree, size_t service_column)
    : view_(view), service_column_(service_column), trace_id_(short_hex(view.trace_id())) {
  if (with_tree) tree_.emplace(view);
  start_ns_ = INT64_MAX;
  end_ns_ = INT64_MIN;
  for (size_t span = 0; span < view.span_count(); ++span) {
    const store::SpanCore& core = view.core(span);
    start_ns_ = std::min(start_ns_, core.start_ns);
    end_ns_ = std::max(end_ns_, core.end_ns);
    if (core.parent_span_id.empty() && (!root_ || core.start_ns < view.core(*root_).start_ns)) {
      root_ = span;
    }
  }
}

std::string_view TraceContext::service(size_t span) const {
  const store::Cell cell = view_.cell(span, service_column_);
  return cell.type == store::Cell::Type::string ? cell.string : std::string_view();
}

std::string_view TraceContext::root_service() const {
  return root_ ? service(*root_) : std::string_view();
}

std::string short_hex(const otlp::TraceId& id) {
  std::string text = otlp::to_hex(id);
  text.erase(0, text.find_first_not_of('0'));
  return text;
}

bool Evaluator::test(const CompiledExpr& expr, size_t span) {
  texts_.clear();
  return test(expr, span, Binding{});
}

Value Evaluator::value(const CompiledExpr& expr, size_t span) {
  texts_.clear();
  return value(expr, span, Binding{});
}

Value Evaluator::value(const FieldRef& field, size_t span) {
  texts_.clear();
  return value(field, span, Binding{});
}

bool Evaluator::test(const CompiledExpr& expr, size_t span, const Binding& binding) {
  switch (expr.op) {
    case Operator::logical_and:
      return test_and(expr, span, binding);
    case Operator::logical_or:
      return std::any_of(expr.operands.begin(), expr.operands.end(),
                         [&](const CompiledExpr& o) { return test(o, span, binding); });
    case Operator::logical_not:
      // Speaks of the span as a whole, whatever event the conditions beside it were found on.
      if (negates_condition(expr)) return !test(expr.operands[0], span, Binding{});
      break;
    default:
      break;
  }
  if (expr.events && !binding.event) {
    const size_t count = trace_->view().event_count(span);
    for (size_t event = 0; event < count; ++event) {
      if (test(expr, span, Binding{event, binding.link})) return true;
    }
    return false;
  }
  if (expr.links && !binding.link) {
    const size_t count = trace_->view().link_count(span);
    for (size_t link = 0; link < count; ++link) {
      if (test(expr, span, Binding{binding.event, link})) return true;
    }
    return false;
  }
  return test_bound(expr, span, binding);
}

// Operands that speak of no event and no link first; then one event for all that speak of events,
// one link for those that speak of links only.
bool Evaluator::test_and(const CompiledExpr& expr, size_t span, const Binding& binding) {
  const auto wants_event = [&](const CompiledExpr& o) {
    return o.events && !binding.event && !negates_condition(o);
  };
  const auto wants_link = [&](const CompiledExpr& o) {
    return !wants_event(o) && o.links && !binding.link && !negates_condition(o);
  };
  bool events = false;
  bool links = false;
  for (const CompiledExpr& operand : expr.operands) {
    events = events || wants_event(operand);
    links = links || wants_link(operand);
    if (!wants_event(operand) && !wants_link(operand) && !test(operand, span, binding))
      return false;
  }
  const auto all = [&](const auto& wanted, const Binding& bound) {
    return std::all_of(expr.operands.begin(), expr.operands.end(),
                       [&](const CompiledExpr& o) { return !wanted(o) || test(o, span, bound); });
  };
  if (events) {
    bool found = false;
    for (size_t event = 0; !found && event < trace_->view().event_count(span); ++event) {
      found = all(wants_event, Binding{event, binding.link});
    }
    if (!found) return false;
  }
  if (!links) return true;
  for (size_t link = 0; link < trace_->view().link_count(span); ++link) {
    if (all(wants_link, Binding{binding.event, link})) return true;
  }
  return false;
}

bool Evaluator::test_bound(const CompiledExpr& expr, size_t span, const Binding& binding) {
  if (expr.op == Operator::exists || expr.op == Operator::not_exists) {
    return value(expr.operands[0], span, binding).is_nil() == (expr.op == Operator::not_exists);
  }
  if (expr.op == Operator::logical_not) {
    // Of a value: a missing one is neither true nor false.
    const Value operand = value(expr.operands[0], span, binding);
    return operand.type == Value::Type::boolean && !operand.boolean;
  }
  if (!is_comparison(expr.op)) return value(expr, span, binding).is_true();
  const Value left = value(expr.operands[0], span, binding);
  if (expr.regex) return matches(expr.op, left, *expr.regex);
  return compare(expr.op, left, value(expr.operands[1], span, binding));
}

Value Evaluator::value(const CompiledExpr& expr, size_t span, const Binding& binding) {
  if (expr.op == Operator::none) {
    return expr.field ? value(*expr.field, span, binding) : expr.constant;
  }
  if (is_boolean(expr.op)) return make_boolean(test(expr, span, binding));
  const Value left = value(expr.operands[0], span, binding);
  if (expr.op == Operator::negate) return negate(left);
  return calculate(expr.op, left, value(expr.operands[1], span, binding));
}

Value Evaluator::value(const FieldRef& field, size_t span, const Binding& binding) {
  const store::TraceView& view = trace_->view();
  if (field.attribute.of_parent) {
    const int32_t parent = trace_->tree().parent(span);
    if (parent == TraceTree::kNone) return {};
    span = static_cast<size_t>(parent);
  }
  if (field.of_event()) {
    if (binding.event) return event_value(field, span, *binding.event);
    for (size_t event = 0; event < view.event_count(span); ++event) {
      const Value found = event_value(field, span, event);
      if (!found.is_nil()) return found;
    }
    return {};
  }
  if (field.of_link()) {
    if (binding.link) return link_value(field, span, *binding.link);
    for (size_t link = 0; link < view.link_count(span); ++link) {
      const Value found = link_value(field, span, link);
      if (!found.is_nil()) return found;
    }
    return {};
  }
  if (field.attribute.intrinsic != Intrinsic::none) {
    return intrinsic(field.attribute.intrinsic, span);
  }
  const Value own = make_value(view.cell(span, *field.column));
  if (!own.is_nil() || !field.resource_column) return own;
  return make_value(view.cell(span, *field.resource_column));
}

Value Evaluator::event_value(const FieldRef& field, size_t span, size_t event) {
  const store::TraceView& view = trace_->view();
  if (field.attribute.intrinsic == Intrinsic::none) {
    return make_value(view.event_cell(span, event, *field.column));
  }
  const store::EventCore core = view.event(span, event);
  if (field.attribute.intrinsic == Intrinsic::event_name) return make_string(core.name);
  return make_duration(core.time_ns - view.core(span).start_ns);
}

Value Evaluator::link_value(const FieldRef& field, size_t span, size_t link) {
  const store::TraceView& view = trace_->view();
  if (field.attribute.intrinsic == Intrinsic::none) {
    return make_value(view.link_cell(span, link, *field.column));
  }
  const store::LinkCore core = view.link(span, link);
  const bool trace = field.attribute.intrinsic == Intrinsic::link_trace_id;
  return hex(trace ? short_hex(core.trace_id) : otlp::to_hex(core.span_id));
}

Value Evaluator::hex(std::string text) { return make_string(texts_.emplace_back(std::move(text))); }

Value Evaluator::intrinsic(Intrinsic intrinsic, size_t span) {
  const store::SpanCore& core = trace_->view().core(span);
  switch (intrinsic) {
    case Intrinsic::duration:
      return make_duration(core.end_ns - core.start_ns);
    case Intrinsic::name:
      return make_string(core.name);
    case Intrinsic::status:
      return make_status(core.status);
    case Intrinsic::status_message:
      return make_string(core.status_message);
    case Intrinsic::kind:
      return make_kind(core.kind);
    case Intrinsic::child_count:
      return make_integer(trace_->tree().child_count(span));
    case Intrinsic::span_id:
      return hex(otlp::to_hex(core.span_id));
    case Intrinsic::parent_id:
      return hex(core.parent_span_id.empty() ? "" : otlp::to_hex(core.parent_span_id));
    case Intrinsic::root_name:
      return trace_->root() ? make_string(trace_->view().core(*trace_->root()).name) : Value();
    case Intrinsic::root_service:
      return trace_->root() ? make_string(trace_->root_service()) : Value();
    case Intrinsic::trace_duration:
      return make_duration(trace_->end_ns() - trace_->start_ns());
    case Intrinsic::trace_id:
      return make_string(trace_->trace_id());
    case Intrinsic::instrumentation_name:
      return make_string(core.scope_name);
    case Intrinsic::instrumentation_version:
      return make_string(core.scope_version);
    case Intrinsic::nested_set_left:
      return make_integer(trace_->tree().nested_set(span).left);
    case Intrinsic::nested_set_right:
      return make_integer(trace_->tree().nested_set(span).right);
    case Intrinsic::nested_set_parent:
      return make_integer(trace_->tree().nested_set(span).parent);
    case Intrinsic::none:
    case Intrinsic::event_name:
    case Intrinsic::event_time_since_start:
    case Intrinsic::link_trace_id:
    case Intrinsic::link_span_id:
    case Intrinsic::parent:
      break;
  }
  return {};
}

}  // namespace contextcore::traceql
