#pragma once
// Field expressions ready to run: columns resolved to indexes, constants folded, regular
// expressions compiled once. And their evaluation against one span of a trace.

#include <array>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "query/traceql/trace_tree.h"
#include "query/traceql/value.h"

namespace contextcore::traceql {

// A field with the columns it is read from. Unscoped attributes have two: the span's shadows the
// resource's. Events, links and scopes are not looked at without their prefix.
struct FieldRef {
  Attribute attribute;
  std::optional<size_t> column;
  std::optional<size_t> resource_column;
  bool of_event() const {
    return attribute.scope == Scope::event || attribute.intrinsic == Intrinsic::event_name ||
           attribute.intrinsic == Intrinsic::event_time_since_start;
  }
  bool of_link() const {
    return attribute.scope == Scope::link || attribute.intrinsic == Intrinsic::link_trace_id ||
           attribute.intrinsic == Intrinsic::link_span_id;
  }
};

// The columns that one query reads, each once.
class ColumnSet {
 public:
  FieldRef resolve(const Attribute& attribute);
  size_t add(store::ColumnScope scope, std::string_view key);
  const std::vector<store::Column>& columns() const { return columns_; }
  bool with_events = false;
  bool with_links = false;
  bool with_tree = false;  // somebody needs parents, child counts or nested sets

 private:
  std::vector<store::Column> columns_;
};

struct CompiledExpr {
  Operator op = Operator::none;  // none: a constant or a field
  Value constant;
  std::shared_ptr<const std::string> text;  // what a string constant borrows from
  std::optional<FieldRef> field;
  std::vector<CompiledExpr> operands;
  std::optional<query::Regex> regex;
  bool events = false;  // reads event fields somewhere below
  bool links = false;

  bool is_constant() const { return op == Operator::none && !field; }
};

// REQUIRES: validated.
Result<CompiledExpr> compile(const FieldExpr& expr, ColumnSet& columns);

// One trace while it is evaluated. Trace-wide values are computed once.
class TraceContext {
 public:
  TraceContext(const store::TraceView& view, bool with_tree, size_t service_column);

  const store::TraceView& view() const { return view_; }
  const TraceTree& tree() const { return *tree_; }  // REQUIRES: with_tree
  int64_t start_ns() const { return start_ns_; }
  int64_t end_ns() const { return end_ns_; }
  std::optional<size_t> root() const { return root_; }  // the earliest span without a parent
  std::string_view root_service() const;
  std::string_view service(size_t span) const;
  std::string_view trace_id() const { return trace_id_; }  // without leading zeros

 private:
  const store::TraceView& view_;
  std::optional<TraceTree> tree_;
  size_t service_column_;
  std::optional<size_t> root_;
  int64_t start_ns_ = 0, end_ns_ = 0;
  std::string trace_id_;
};

// Evaluates expressions on spans of one trace. Values stay valid until the next span is begun.
class Evaluator {
 public:
  explicit Evaluator(const TraceContext& trace) : trace_(&trace) {}
  // For constants only.
  Evaluator() = default;

  // Whether the expression is true for the span. Event conditions joined by && have to hold on one
  // and the same event, link conditions on one link; ! negates what its operand says of the span.
  bool test(const CompiledExpr& expr, size_t span);
  // Its value; of several events or links the first that has one.
  Value value(const CompiledExpr& expr, size_t span);
  Value value(const FieldRef& field, size_t span);

 private:
  // Which event and link an expression speaks of; none: any.
  struct Binding {
    std::optional<size_t> event, link;
  };
  bool test(const CompiledExpr& expr, size_t span, const Binding& binding);
  bool test_and(const CompiledExpr& expr, size_t span, const Binding& binding);
  bool test_bound(const CompiledExpr& expr, size_t span, const Binding& binding);
  Value value(const CompiledExpr& expr, size_t span, const Binding& binding);
  Value value(const FieldRef& field, size_t span, const Binding& binding);
  Value event_value(const FieldRef& field, size_t span, size_t event);
  Value link_value(const FieldRef& field, size_t span, size_t link);
  Value intrinsic(Intrinsic intrinsic, size_t span);
  Value hex(std::string text);

  const TraceContext* trace_ = nullptr;
  std::deque<std::string> texts_;  // ids written out for the span at hand
};

// Hexadecimal without leading zeros, as TraceQL has trace ids.
std::string short_hex(const otlp::TraceId& id);

}  // namespace contextcore::traceql
