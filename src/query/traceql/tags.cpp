#include "query/traceql/tags.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "query/common/text.h"
#include "query/traceql/compiled.h"
#include "query/traceql/lenient.h"
#include "query/traceql/pushdown.h"

namespace contextcore::traceql {

namespace {

using store::Cell;
using store::Column;
using store::ColumnScope;
using store::SpanField;
using store::SpanSelection;

std::string_view scope_word(ColumnScope scope) {
  switch (scope) {
    case ColumnScope::span:
      return "span";
    case ColumnScope::resource:
      return "resource";
    case ColumnScope::event:
      return "event";
    case ColumnScope::link:
      return "link";
    case ColumnScope::instrumentation:
      return "instrumentation";
  }
  return "";
}

// How the spans in question are found: by conditions alone, or by a filter on whole traces.
struct Selected {
  SpanSelection selection;
  std::optional<FieldExpr> filter;  // then selection has the range alone
};

// whole_traces: the filter speaks of other spans than those whose values are wanted.
Selected selected(const TagsOptions& options, bool whole_traces) {
  Selected out{{options.range, {}}, std::nullopt};
  std::optional<FieldExpr> filter = lenient_filter(options.query);
  if (!filter) return out;
  if (auto conditions = exact_conditions(*filter);
      conditions && (!whole_traces || conditions->empty())) {
    out.selection.conditions = std::move(*conditions);
  } else if (!(filter->is_literal() && filter->literal() == Static(true))) {
    out.filter = std::move(filter);
  }
  return out;
}

// Calls fn(evaluator, span) for each span that the filter accepts, until it returns false.
template <typename Fn>
Status for_each_span(const store::Source& source, const FieldExpr& filter, ColumnSet& columns,
                     const TagsOptions& options, const Fn& fn) {
  CC_ASSIGN(const CompiledExpr expr, compile(filter, columns));
  Pipeline pipeline;
  pipeline.stages.emplace_back(SpansetExpr{filter, Operator::none, {}, {}, {}, {}});
  store::FetchRequest request;
  if (!push_down(pipeline, request)) return {};
  const size_t service = columns.add(ColumnScope::resource, "service.name");
  request.range = options.range;
  request.columns = columns.columns();
  request.with_events = columns.with_events;
  request.with_links = columns.with_links;
  CC_ASSIGN(const auto traces, source.fetch(request));
  for (;;) {
    if (options.checkpoint) CC_TRY(options.checkpoint());
    CC_ASSIGN(const store::TraceView* view, traces->next());
    if (view == nullptr) return {};
    const TraceContext trace(*view, columns.with_tree, service);
    Evaluator evaluator(trace);
    for (size_t span = 0; span < view->span_count(); ++span) {
      const store::SpanCore& core = view->core(span);
      if (core.start_ns > options.range.end_ns || core.end_ns < options.range.start_ns) continue;
      const bool accepted =
          expr.is_constant() ? expr.constant.is_true() : evaluator.test(expr, span);
      if (accepted && !fn(trace, evaluator, span)) return {};
    }
  }
}

Attribute attribute_of(const Column& column) {
  Attribute attribute;
  attribute.name = column.key;
  switch (column.scope) {
    case ColumnScope::span:
      attribute.scope = Scope::span;
      break;
    case ColumnScope::resource:
      attribute.scope = Scope::resource;
      break;
    case ColumnScope::event:
      attribute.scope = Scope::event;
      break;
    case ColumnScope::link:
      attribute.scope = Scope::link;
      break;
    case ColumnScope::instrumentation:
      attribute.scope = Scope::instrumentation;
      break;
  }
  return attribute;
}

// ---- values ----

class ValueSet {
 public:
  explicit ValueSet(const TagsOptions& options)
      : limit_(options.limit == 0 ? SIZE_MAX : options.limit), bytes_left_(options.bytes_max) {}

  // False when no more are wanted.
  bool add(const Value& value) {
    switch (value.type) {
      case Value::Type::boolean:
        return add("bool", value.boolean ? "true" : "false");
      case Value::Type::integer:
        return add("int", std::to_string(value.integer));
      case Value::Type::real:
        return add("float", query::format_sample(value.real));
      case Value::Type::string:
        return add("string", std::string(value.string));
      case Value::Type::array:
        return std::all_of(value.source->as_array()->begin(), value.source->as_array()->end(),
                           [&](const otlp::Value& element) {
                             const Value one = make_value(element);
                             return one.type == Value::Type::array || add(one);
                           });
      default:
        return true;
    }
  }

  bool add(std::string type, std::string text) {
    if (full_) return false;
    if (text.size() > bytes_left_) {
      full_ = true;
      return false;
    }
    const size_t bytes = text.size();
    if (values_.insert({std::move(type), std::move(text)}).second) bytes_left_ -= bytes;
    full_ = values_.size() >= limit_;
    return !full_;
  }

  std::vector<TagValue> take() { return {values_.begin(), values_.end()}; }

 private:
  size_t limit_;
  size_t bytes_left_;
  bool full_ = false;
  std::set<TagValue> values_;
};

std::vector<TagValue> keywords(std::initializer_list<std::string_view> words) {
  std::vector<TagValue> values;
  for (const std::string_view word : words) values.push_back({"keyword", std::string(word)});
  return values;
}

struct Place {
  SpanField field = SpanField::attribute;
  Column column;
  bool of_root = false;
};

// Where the values of a field lie; none for fields that are not enumerated.
std::vector<Place> places_of(const Attribute& field) {
  const auto attribute = [&](ColumnScope scope) {
    return Place{SpanField::attribute, {scope, field.name}, false};
  };
  switch (field.intrinsic) {
    case Intrinsic::none:
      break;
    case Intrinsic::name:
      return {{SpanField::name, {}, false}};
    case Intrinsic::status_message:
      return {{SpanField::status_message, {}, false}};
    case Intrinsic::root_name:
      return {{SpanField::name, {}, true}};
    case Intrinsic::root_service:
      return {{SpanField::attribute, {ColumnScope::resource, "service.name"}, true}};
    case Intrinsic::event_name:
      return {{SpanField::event_name, {}, false}};
    case Intrinsic::instrumentation_name:
      return {{SpanField::scope_name, {}, false}};
    case Intrinsic::instrumentation_version:
      return {{SpanField::scope_version, {}, false}};
    default:
      return {};
  }
  switch (field.scope) {
    case Scope::none:
      return {attribute(ColumnScope::span), attribute(ColumnScope::resource)};
    case Scope::span:
      return {attribute(ColumnScope::span)};
    case Scope::resource:
      return {attribute(ColumnScope::resource)};
    case Scope::event:
      return {attribute(ColumnScope::event)};
    case Scope::link:
      return {attribute(ColumnScope::link)};
    case Scope::instrumentation:
      return {attribute(ColumnScope::instrumentation)};
  }
  return {};
}

// Of a span whose events or links have the field: all of them, not only the first.
bool add_all(ValueSet& values, const TraceContext& trace, Evaluator& evaluator,
             const FieldRef& field, size_t span) {
  const store::TraceView& view = trace.view();
  const bool attribute = field.attribute.intrinsic == Intrinsic::none;
  if (field.of_event()) {
    for (size_t event = 0; event < view.event_count(span); ++event) {
      const Value value = attribute ? make_value(view.event_cell(span, event, *field.column))
                                    : make_string(view.event(span, event).name);
      if (!values.add(value)) return false;
    }
    return true;
  }
  if (field.of_link()) {
    for (size_t link = 0; attribute && link < view.link_count(span); ++link) {
      if (!values.add(make_value(view.link_cell(span, link, *field.column)))) return false;
    }
    return true;
  }
  return values.add(evaluator.value(field, span));
}

}  // namespace

Result<std::vector<ScopeTags>> tag_names(const store::Source& source, const TagsOptions& options) {
  const Selected wanted = selected(options, false);
  CC_ASSIGN(std::vector<Column> columns, source.attributes(wanted.selection));
  if (wanted.filter) {
    ColumnSet set;
    std::vector<FieldRef> fields;
    for (const Column& column : columns) fields.push_back(set.resolve(attribute_of(column)));
    std::vector<bool> seen(columns.size());
    CC_TRY(for_each_span(source, *wanted.filter, set, options,
                         [&](const TraceContext&, Evaluator& evaluator, size_t span) {
                           for (size_t i = 0; i < fields.size(); ++i) {
                             if (!seen[i]) seen[i] = !evaluator.value(fields[i], span).is_nil();
                           }
                           return true;
                         }));
    std::vector<Column> kept;
    for (size_t i = 0; i < columns.size(); ++i) {
      if (seen[i]) kept.push_back(std::move(columns[i]));
    }
    columns = std::move(kept);
  }
  std::vector<ScopeTags> scopes;
  for (const ColumnScope scope : {ColumnScope::resource, ColumnScope::span, ColumnScope::event,
                                  ColumnScope::link, ColumnScope::instrumentation}) {
    ScopeTags tags{std::string(scope_word(scope)), {}};
    for (const Column& column : columns) {
      if (column.scope == scope) tags.tags.push_back(column.key);
    }
    std::sort(tags.tags.begin(), tags.tags.end());
    if (!tags.tags.empty()) scopes.push_back(std::move(tags));
  }
  return scopes;
}

Result<std::vector<TagValue>> tag_values(const store::Source& source, const Attribute& field,
                                         const TagsOptions& options) {
  if (field.of_parent) return std::vector<TagValue>{};
  if (field.intrinsic == Intrinsic::status) return keywords({"error", "ok", "unset"});
  if (field.intrinsic == Intrinsic::kind) {
    return keywords({"client", "consumer", "internal", "producer", "server", "unspecified"});
  }
  const std::vector<Place> places = places_of(field);
  if (places.empty()) return std::vector<TagValue>{};
  const bool of_root =
      std::any_of(places.begin(), places.end(), [](const Place& place) { return place.of_root; });
  const Selected wanted = selected(options, of_root);
  ValueSet values(options);
  if (wanted.filter) {
    ColumnSet columns;
    const FieldRef ref = columns.resolve(field);
    CC_TRY(for_each_span(source, *wanted.filter, columns, options,
                         [&](const TraceContext& trace, Evaluator& evaluator, size_t span) {
                           return add_all(values, trace, evaluator, ref, span);
                         }));
    return values.take();
  }
  for (const Place& place : places) {
    SpanSelection selection = wanted.selection;
    if (place.of_root) {
      selection.conditions.push_back(
          {SpanField::parent_span_id, {}, store::Op::equal, {std::string(16, '0')}});
    }
    CC_TRY(source.values(selection, place.field, place.column,
                         [&](const Cell& cell) { return values.add(make_value(cell)); }));
  }
  return values.take();
}

const std::vector<std::string>& intrinsic_tags() {
  static const std::vector<std::string> kTags = {"duration",
                                                 "event:name",
                                                 "event:timeSinceStart",
                                                 "instrumentation:name",
                                                 "instrumentation:version",
                                                 "kind",
                                                 "link:spanID",
                                                 "link:traceID",
                                                 "name",
                                                 "rootName",
                                                 "rootServiceName",
                                                 "span:duration",
                                                 "span:id",
                                                 "span:kind",
                                                 "span:name",
                                                 "span:parentID",
                                                 "span:status",
                                                 "span:statusMessage",
                                                 "status",
                                                 "statusMessage",
                                                 "trace:duration",
                                                 "trace:id",
                                                 "trace:rootName",
                                                 "trace:rootService",
                                                 "traceDuration"};
  return kTags;
}

}  // namespace contextcore::traceql
