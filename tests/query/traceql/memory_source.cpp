#include "memory_source.h"

#include <fstream>
#include <sstream>

#include "query/common/regex.h"
#include "base/sort.h"

namespace contextcore::traceql::testing {

namespace {

using store::Cell;
using store::Condition;
using store::Op;
using store::Operand;
using store::SpanField;

otlp::Value to_value(const Json& json) {
  if (const auto* v = json.as_string()) return *v;
  if (const auto* v = json.as_bool()) return *v;
  if (const auto* v = json.as_int()) return *v;
  if (json.is_number()) return json.number();
  if (const auto* v = json.as_array()) {
    otlp::Array array;
    for (const Json& element : *v) array.push_back(to_value(element));
    return array;
  }
  otlp::KeyValueList list;
  if (const auto* v = json.as_object()) {
    for (const auto& [key, value] : *v) list.push_back({key, to_value(value)});
  }
  return list;
}

otlp::Attributes to_attributes(const Json* json) {
  otlp::Attributes attributes;
  if (json == nullptr) return attributes;
  for (const auto& [key, value] : *json->as_object()) attributes.push_back({key, to_value(value)});
  return attributes;
}

uint64_t number_or(const Json& json, std::string_view key, uint64_t fallback) {
  const Json* value = json.find(key);
  return value != nullptr ? static_cast<uint64_t>(*value->as_int()) : fallback;
}

MemorySpan to_span(const Json& json) {
  MemorySpan result;
  otlp::Span& span = result.span;
  otlp::parse_hex(json.string_or("id"), span.span_id);
  otlp::parse_hex(json.string_or("parent"), span.parent_span_id);
  span.name = json.string_or("name");
  span.start_ns = number_or(json, "start", 0);
  span.end_ns = span.start_ns + number_or(json, "duration", 0);
  span.kind = static_cast<otlp::SpanKind>(number_or(json, "kind", 0));
  span.status_code = static_cast<otlp::StatusCode>(number_or(json, "status", 0));
  span.status_message = json.string_or("message");
  span.attributes = to_attributes(json.find("attributes"));
  result.resource.attributes = to_attributes(json.find("resource"));
  result.scope.name = json.string_or("scope");
  result.scope.version = json.string_or("version");
  result.scope.attributes = to_attributes(json.find("instrumentation"));
  if (const Json* events = json.find("events")) {
    for (const Json& event : *events->as_array()) {
      span.events.push_back({span.start_ns + number_or(event, "after", 0),
                             std::string(event.string_or("name")),
                             to_attributes(event.find("attributes")), 0});
    }
  }
  if (const Json* links = json.find("links")) {
    for (const Json& item : *links->as_array()) {
      otlp::SpanLink link;
      otlp::parse_hex(item.string_or("trace"), link.trace_id);
      otlp::parse_hex(item.string_or("span"), link.span_id);
      link.attributes = to_attributes(item.find("attributes"));
      span.links.push_back(std::move(link));
    }
  }
  return result;
}

Cell cell_of(const otlp::Attributes& attributes, const std::string& key) {
  const otlp::Value* value = otlp::find(attributes, key);
  Cell cell;
  if (value == nullptr) return cell;
  cell.value = value;
  if (const auto* v = value->as_string()) {
    cell.type = Cell::Type::string;
    cell.string = *v;
  } else if (const auto* b = value->as_bool()) {
    cell.type = Cell::Type::boolean;
    cell.boolean = *b;
  } else if (const auto* i = value->as_int()) {
    cell.type = Cell::Type::integer;
    cell.integer = *i;
  } else if (const auto* d = value->as_double()) {
    cell.type = Cell::Type::real;
    cell.real = *d;
  } else {
    cell.type = value->as_array() != nullptr ? Cell::Type::array : Cell::Type::other;
  }
  return cell;
}

class View : public store::TraceView {
 public:
  View(const MemoryTrace& trace, std::vector<store::Column> columns)
      : trace_(trace), columns_(std::move(columns)) {
    for (const MemorySpan& span : trace.spans) {
      store::SpanCore core;
      core.span_id = span.span.span_id;
      core.parent_span_id = span.span.parent_span_id;
      core.start_ns = static_cast<int64_t>(span.span.start_ns);
      core.end_ns = static_cast<int64_t>(span.span.end_ns);
      core.kind = span.span.kind;
      core.status = span.span.status_code;
      core.name = span.span.name;
      core.status_message = span.span.status_message;
      core.scope_name = span.scope.name;
      core.scope_version = span.scope.version;
      cores_.push_back(core);
    }
  }
  const otlp::TraceId& trace_id() const override { return trace_.id; }
  size_t span_count() const override { return cores_.size(); }
  const store::SpanCore& core(size_t span) const override { return cores_.at(span); }
  Cell cell(size_t span, size_t column) const override {
    const MemorySpan& s = trace_.spans.at(span);
    const store::Column& c = columns_.at(column);
    switch (c.scope) {
      case store::ColumnScope::span:
        return cell_of(s.span.attributes, c.key);
      case store::ColumnScope::resource:
        return cell_of(s.resource.attributes, c.key);
      case store::ColumnScope::instrumentation:
        return cell_of(s.scope.attributes, c.key);
      default:
        return {};
    }
  }
  size_t event_count(size_t span) const override {
    return trace_.spans.at(span).span.events.size();
  }
  store::EventCore event(size_t span, size_t event) const override {
    const otlp::SpanEvent& e = trace_.spans.at(span).span.events.at(event);
    return {e.name, static_cast<int64_t>(e.time_ns)};
  }
  Cell event_cell(size_t span, size_t event, size_t column) const override {
    return cell_of(trace_.spans.at(span).span.events.at(event).attributes, columns_.at(column).key);
  }
  size_t link_count(size_t span) const override { return trace_.spans.at(span).span.links.size(); }
  store::LinkCore link(size_t span, size_t link) const override {
    const otlp::SpanLink& l = trace_.spans.at(span).span.links.at(link);
    return {l.trace_id, l.span_id};
  }
  Cell link_cell(size_t span, size_t link, size_t column) const override {
    return cell_of(trace_.spans.at(span).span.links.at(link).attributes, columns_.at(column).key);
  }

 private:
  const MemoryTrace& trace_;
  std::vector<store::Column> columns_;
  std::vector<store::SpanCore> cores_;
};

template <typename T>
bool satisfies(Op op, const T& value, const T& operand) {
  switch (op) {
    case Op::exists:
      return true;
    case Op::equal:
      return value == operand;
    case Op::not_equal:
      return value != operand;
    case Op::less:
      return value < operand;
    case Op::less_equal:
      return value <= operand;
    case Op::greater:
      return value > operand;
    case Op::greater_equal:
      return value >= operand;
    case Op::regex:
    case Op::not_regex:
      if constexpr (std::is_same_v<T, std::string>) {
        return query::Regex::compile(operand)->matches(value) == (op == Op::regex);
      }
  }
  return false;
}

bool satisfies(const Condition& condition, const otlp::Value& value) {
  if (const auto* array = value.as_array()) {
    if (condition.op == Op::exists) return true;
    return std::any_of(array->begin(), array->end(),
                       [&](const otlp::Value& e) { return satisfies(condition, e); });
  }
  if (condition.op == Op::exists) return true;
  return std::any_of(condition.operands.begin(), condition.operands.end(), [&](const Operand& o) {
    if (const auto* s = std::get_if<std::string>(&o)) {
      return value.as_string() != nullptr && satisfies(condition.op, *value.as_string(), *s);
    }
    if (const auto* i = std::get_if<int64_t>(&o)) {
      return value.as_int() != nullptr && satisfies(condition.op, *value.as_int(), *i);
    }
    if (const auto* d = std::get_if<double>(&o)) {
      return value.as_double() != nullptr && satisfies(condition.op, *value.as_double(), *d);
    }
    return value.as_bool() != nullptr &&
           satisfies(condition.op, *value.as_bool(), std::get<bool>(o));
  });
}

// The values of a span that a condition looks at.
otlp::Array values_of(const Condition& condition, const MemoryTrace& trace, const MemorySpan& s) {
  otlp::Array values;
  const auto add = [&](const otlp::Attributes& attributes) {
    if (const auto* v = otlp::find(attributes, condition.column.key)) values.push_back(*v);
  };
  const otlp::Span& span = s.span;
  switch (condition.field) {
    case SpanField::attribute:
      if (condition.column.scope == store::ColumnScope::span) add(span.attributes);
      if (condition.column.scope == store::ColumnScope::resource) add(s.resource.attributes);
      if (condition.column.scope == store::ColumnScope::instrumentation) add(s.scope.attributes);
      for (const auto& e : span.events) {
        if (condition.column.scope == store::ColumnScope::event) add(e.attributes);
      }
      for (const auto& l : span.links) {
        if (condition.column.scope == store::ColumnScope::link) add(l.attributes);
      }
      return values;
    case SpanField::name:
      return {span.name};
    case SpanField::kind:
      return {static_cast<int64_t>(span.kind)};
    case SpanField::status:
      return {static_cast<int64_t>(span.status_code)};
    case SpanField::status_message:
      return {span.status_message};
    case SpanField::duration:
      return {static_cast<int64_t>(span.end_ns - span.start_ns)};
    case SpanField::start:
      return {static_cast<int64_t>(span.start_ns)};
    case SpanField::end:
      return {static_cast<int64_t>(span.end_ns)};
    case SpanField::span_id:
      return {otlp::to_hex(span.span_id)};
    case SpanField::parent_span_id:
      return {otlp::to_hex(span.parent_span_id)};
    case SpanField::trace_id:
      return {otlp::to_hex(trace.id)};
    case SpanField::scope_name:
      return {s.scope.name};
    case SpanField::scope_version:
      return {s.scope.version};
    case SpanField::event_name:
      for (const auto& e : span.events) values.emplace_back(e.name);
      return values;
    case SpanField::link_trace_id:
      for (const auto& l : span.links) values.emplace_back(otlp::to_hex(l.trace_id));
      return values;
    case SpanField::link_span_id:
      for (const auto& l : span.links) values.emplace_back(otlp::to_hex(l.span_id));
      return values;
  }
  return values;
}

bool satisfies(const Condition& condition, const MemoryTrace& trace, const MemorySpan& span) {
  const otlp::Array values = values_of(condition, trace, span);
  return std::any_of(values.begin(), values.end(),
                     [&](const otlp::Value& v) { return satisfies(condition, v); });
}

bool satisfies(const store::FetchRequest& request, const MemoryTrace& trace) {
  if (request.conditions.empty()) return true;
  const auto& c = request.conditions;
  return std::any_of(trace.spans.begin(), trace.spans.end(), [&](const MemorySpan& span) {
    const auto holds = [&](const Condition& condition) {
      return satisfies(condition, trace, span);
    };
    return request.all_conditions ? std::all_of(c.begin(), c.end(), holds)
                                  : std::any_of(c.begin(), c.end(), holds);
  });
}

bool overlaps(const store::TimeRange& range, const MemoryTrace& trace) {
  return std::any_of(trace.spans.begin(), trace.spans.end(), [&](const MemorySpan& s) {
    return static_cast<int64_t>(s.span.start_ns) <= range.end_ns &&
           static_cast<int64_t>(s.span.end_ns) >= range.start_ns;
  });
}

bool is_selected(const store::SpanSelection& selection, const MemoryTrace& trace,
                 const MemorySpan& span) {
  return static_cast<int64_t>(span.span.start_ns) <= selection.range.end_ns &&
         static_cast<int64_t>(span.span.end_ns) >= selection.range.start_ns &&
         std::all_of(selection.conditions.begin(), selection.conditions.end(),
                     [&](const Condition& c) { return satisfies(c, trace, span); });
}

class Iterator : public store::TraceIterator {
 public:
  Iterator(std::vector<const MemoryTrace*> traces, std::vector<store::Column> columns)
      : traces_(std::move(traces)), columns_(std::move(columns)) {}
  Result<const store::TraceView*> next() override {
    if (at_ == traces_.size()) return nullptr;
    view_ = std::make_unique<View>(*traces_[at_++], columns_);
    return view_.get();
  }

 private:
  std::vector<const MemoryTrace*> traces_;
  std::vector<store::Column> columns_;
  size_t at_ = 0;
  std::unique_ptr<View> view_;
};

}  // namespace

std::vector<MemoryTrace> load_traces(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  const auto json = parse_json(text.str());
  std::vector<MemoryTrace> traces;
  if (!json.ok()) return traces;
  for (const Json& item : *json->as_array()) {
    MemoryTrace trace;
    otlp::parse_hex(item.string_or("trace"), trace.id);
    for (const Json& span : *item.find("spans")->as_array()) {
      trace.spans.push_back(to_span(span));
      trace.spans.back().span.trace_id = trace.id;
    }
    traces.push_back(std::move(trace));
  }
  return traces;
}

MemorySource::MemorySource(std::vector<MemoryTrace> traces, bool use_conditions)
    : traces_(std::move(traces)), use_conditions_(use_conditions) {
  for (MemoryTrace& trace : traces_) {
    sort_stably(trace.spans,
        [](const MemorySpan& a, const MemorySpan& b) { return a.span.start_ns < b.span.start_ns; });
  }
  std::sort(traces_.begin(), traces_.end(), [](const MemoryTrace& a, const MemoryTrace& b) {
    const uint64_t left = a.spans[0].span.start_ns;
    const uint64_t right = b.spans[0].span.start_ns;
    return left != right ? left > right : a.id < b.id;
  });
}

Result<std::unique_ptr<store::TraceIterator>> MemorySource::fetch(
    const store::FetchRequest& request) const {
  std::vector<const MemoryTrace*> found;
  for (const MemoryTrace& trace : traces_) {
    if (!overlaps(request.range, trace)) continue;
    if (!use_conditions_ || satisfies(request, trace)) found.push_back(&trace);
  }
  fetched_ += found.size();
  return std::unique_ptr<store::TraceIterator>(
      std::make_unique<Iterator>(std::move(found), request.columns));
}

Result<std::vector<store::Column>> MemorySource::attributes(
    const store::SpanSelection& selection) const {
  std::vector<store::Column> columns;
  const auto add = [&](store::ColumnScope scope, const otlp::Attributes& attributes) {
    for (const otlp::KeyValue& attribute : attributes) {
      const store::Column column{scope, attribute.key};
      if (std::find(columns.begin(), columns.end(), column) == columns.end()) {
        columns.push_back(column);
      }
    }
  };
  for (const MemoryTrace& trace : traces_) {
    for (const MemorySpan& s : trace.spans) {
      if (!is_selected(selection, trace, s)) continue;
      add(store::ColumnScope::span, s.span.attributes);
      add(store::ColumnScope::resource, s.resource.attributes);
      add(store::ColumnScope::instrumentation, s.scope.attributes);
      for (const auto& event : s.span.events) add(store::ColumnScope::event, event.attributes);
      for (const auto& link : s.span.links) add(store::ColumnScope::link, link.attributes);
    }
  }
  return columns;
}

Status MemorySource::values(const store::SpanSelection& selection, store::SpanField field,
                            const store::Column& column,
                            const std::function<bool(const store::Cell&)>& each) const {
  for (const MemoryTrace& trace : traces_) {
    for (const MemorySpan& span : trace.spans) {
      if (!is_selected(selection, trace, span)) continue;
      for (const otlp::Value& value : values_of({field, column, Op::exists, {}}, trace, span)) {
        if (!each(Cell::of(&value))) return {};
      }
    }
  }
  return {};
}

}  // namespace contextcore::traceql::testing
