#pragma once
// Names and distinct values of attributes, read from the dictionaries of a row group's columns and
// from the distinct resources and scopes: a value costs what it costs once, however many spans have
// it.

#include <functional>
#include <vector>

#include "store/rows_spans.h"

namespace contextcore::store {

using EachColumn = std::function<void(const Column&)>;
using EachCell = std::function<bool(const Cell&)>;  // false: no more are wanted

// Attributes of spans, events and links. rows: those that count; the group's row r is base + r.
Status attribute_names(const ColumnSource& source, const RowSet& rows, size_t base,
                       const EachColumn& each);
void shared_names(ColumnScope scope, const otlp::Attributes& attributes, const EachColumn& each);

// Values of a field that lies neither in the resource nor in the scope. False: each returned false.
Result<bool> span_values(const ColumnSource& source, SpanField field, const Column& column,
                         const RowSet& rows, size_t base, const EachCell& each);
bool resource_value(const otlp::Resource& resource, const Column& column, const EachCell& each);
bool scope_value(const otlp::Scope& scope, SpanField field, const Column& column,
                 const EachCell& each);

// Sets used[n] for each number of the resource or scope column that one of the rows has.
Status mark_used(const ColumnSource& source, SpanColumn column, const RowSet& rows, size_t base,
                 std::vector<bool>& used);

}  // namespace contextcore::store
