#pragma once
// What a field is while a query runs: a typed value, borrowed from the trace, and the rules by
// which values compare and combine. Where Tempo's answer is an artefact of its storage (integers
// never equal floats, division by zero fails the query) the sensible one is given.

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "otlp/model.h"
#include "query/common/regex.h"
#include "query/traceql/ast.h"
#include "store/fetch.h"

namespace contextcore::traceql {

struct Value {
  enum class Type : uint8_t {
    nil,
    boolean,
    integer,
    real,
    string,
    duration,
    status,
    kind,
    array,
    other,  // present, but nothing to compare with: maps, bytes
  };
  Type type = Type::nil;
  bool boolean = false;
  int64_t integer = 0;  // integer; duration in ns; status and kind as their OTLP numbers
  double real = 0;
  std::string_view string;
  const otlp::Value* source = nullptr;  // array and other

  bool is_nil() const { return type == Type::nil; }
  bool is_true() const { return type == Type::boolean && boolean; }
  bool is_numeric() const {
    return type == Type::integer || type == Type::real || type == Type::duration;
  }
  // REQUIRES: is_numeric()
  double number() const { return type == Type::real ? real : static_cast<double>(integer); }
};

Value make_boolean(bool value);
Value make_integer(int64_t value);
Value make_real(double value);
Value make_string(std::string_view value);  // borrows
Value make_duration(int64_t ns);
Value make_status(otlp::StatusCode code);
Value make_kind(otlp::SpanKind kind);
Value make_value(const store::Cell& cell);   // borrows
Value make_value(const otlp::Value& value);  // borrows
Value make_value(const Static& value);       // borrows

// Order of two scalars; nullopt when their types do not compare. Numbers compare exactly across
// types.
std::optional<std::partial_ordering> order(const Value& left, const Value& right);

// = != < <= > >=. nil and values of other types satisfy nothing, != included. Arrays: != holds when
// no element equals, everything else when some element satisfies.
bool compare(Operator op, const Value& left, const Value& right);
// =~ and !~ likewise; only strings match.
bool matches(Operator op, const Value& value, const query::Regex& regex);

// + - * / % ^. Integers stay integers while they fit. nil for anything that is not a number, for
// division by zero and for results that are none.
Value calculate(Operator op, const Value& left, const Value& right);
Value negate(const Value& value);

// As answers carry it: durations, statuses and kinds as words, nil as "nil".
otlp::Value to_otlp(const Value& value);
// Distinct for distinct values, for grouping.
std::string group_key(const Value& value);

}  // namespace contextcore::traceql
