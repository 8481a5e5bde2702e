#include "query/traceql/value.h"

#include <cmath>

#include "base/time.h"

namespace contextcore::traceql {

namespace {

constexpr double kTwoTo63 = 9223372036854775808.0;

std::partial_ordering order(int64_t left, double right) {
  if (std::isnan(right)) return std::partial_ordering::unordered;
  if (right >= kTwoTo63) return std::partial_ordering::less;
  if (right < -kTwoTo63) return std::partial_ordering::greater;
  const double whole = std::trunc(right);
  const auto truncated = static_cast<int64_t>(whole);
  if (left != truncated) return left <=> truncated;
  return 0.0 <=> right - whole;
}

std::partial_ordering reversed(std::partial_ordering ordering) { return 0 <=> ordering; }

std::partial_ordering order_numbers(const Value& left, const Value& right) {
  const bool left_real = left.type == Value::Type::real;
  const bool right_real = right.type == Value::Type::real;
  if (left_real && right_real) return left.real <=> right.real;
  if (left_real) return reversed(order(right.integer, left.real));
  if (right_real) return order(left.integer, right.real);
  return left.integer <=> right.integer;
}

bool satisfies(Operator op, std::partial_ordering ordering) {
  switch (op) {
    case Operator::equal:
      return ordering == 0;
    case Operator::not_equal:
      return ordering != 0;
    case Operator::less:
      return ordering < 0;
    case Operator::less_equal:
      return ordering <= 0;
    case Operator::greater:
      return ordering > 0;
    case Operator::greater_equal:
      return ordering >= 0;
    default:
      return false;
  }
}

bool compare_scalars(Operator op, const Value& left, const Value& right) {
  const auto ordering = order(left, right);
  return ordering && satisfies(op, *ordering);
}

// Calls fn for every element (a scalar is its own only element) until it returns false.
template <typename Fn>
void for_each_element(const Value& value, const Fn& fn) {
  if (value.type != Value::Type::array) {
    fn(value);
    return;
  }
  for (const otlp::Value& element : *value.source->as_array()) {
    if (!fn(make_value(element))) return;
  }
}

Value make_whole(int64_t integer, bool duration) {
  return duration ? make_duration(integer) : make_integer(integer);
}

Value integer_power(int64_t base, int64_t exponent) {
  const double real = std::pow(static_cast<double>(base), static_cast<double>(exponent));
  if (exponent < 0) return make_real(real);
  int64_t result = 1;
  int64_t factor = base;
  for (int64_t rest = exponent; rest > 0; rest >>= 1) {
    if ((rest & 1) != 0 && __builtin_mul_overflow(result, factor, &result)) return make_real(real);
    if (rest > 1 && __builtin_mul_overflow(factor, factor, &factor)) return make_real(real);
  }
  return make_integer(result);
}

// Both are integers or durations.
Value calculate_integers(Operator op, const Value& left, const Value& right) {
  const int64_t a = left.integer;
  const int64_t b = right.integer;
  const bool durations = left.type == Value::Type::duration || right.type == Value::Type::duration;
  int64_t result = 0;
  switch (op) {
    case Operator::add:
      if (__builtin_add_overflow(a, b, &result)) return make_real(left.number() + right.number());
      return make_whole(result, durations);
    case Operator::subtract:
      if (__builtin_sub_overflow(a, b, &result)) return make_real(left.number() - right.number());
      return make_whole(result, durations);
    case Operator::multiply:
      if (__builtin_mul_overflow(a, b, &result)) return make_real(left.number() * right.number());
      return make_whole(result, durations);
    case Operator::divide:
      if (b == 0) return {};
      if (durations || b == -1) return make_real(left.number() / right.number());
      return make_integer(a / b);
    case Operator::modulo:
      if (b == 0) return {};
      return make_integer(b == -1 ? 0 : a % b);
    case Operator::power:
      return integer_power(a, b);
    default:
      return {};
  }
}

std::string number_word(std::string_view word, int64_t number) {
  return word.empty() ? std::to_string(number) : std::string(word);
}

std::string_view status_word(int64_t code) {
  switch (code) {
    case 0:
      return word(SpanStatus::unset);
    case 1:
      return word(SpanStatus::ok);
    case 2:
      return word(SpanStatus::error);
    default:
      return {};
  }
}

std::string_view kind_word(int64_t kind) {
  switch (kind) {
    case 0:
      return word(SpanKind::unspecified);
    case 1:
      return word(SpanKind::internal);
    case 2:
      return word(SpanKind::server);
    case 3:
      return word(SpanKind::client);
    case 4:
      return word(SpanKind::producer);
    case 5:
      return word(SpanKind::consumer);
    default:
      return {};
  }
}

int64_t otlp_number(SpanStatus status) {
  return status == SpanStatus::unset ? 0 : status == SpanStatus::ok ? 1 : 2;
}

int64_t otlp_number(SpanKind kind) {
  for (int64_t number = 0; number <= 5; ++number) {
    if (kind_word(number) == word(kind)) return number;
  }
  return 0;
}

}  // namespace

Value make_boolean(bool value) {
  Value result;
  result.type = Value::Type::boolean;
  result.boolean = value;
  return result;
}

Value make_integer(int64_t value) {
  Value result;
  result.type = Value::Type::integer;
  result.integer = value;
  return result;
}

Value make_real(double value) {
  Value result;
  result.type = Value::Type::real;
  result.real = value;
  return result;
}

Value make_string(std::string_view value) {
  Value result;
  result.type = Value::Type::string;
  result.string = value;
  return result;
}

Value make_duration(int64_t ns) {
  Value result = make_integer(ns);
  result.type = Value::Type::duration;
  return result;
}

Value make_status(otlp::StatusCode code) {
  Value result = make_integer(static_cast<int64_t>(code));
  result.type = Value::Type::status;
  return result;
}

Value make_kind(otlp::SpanKind kind) {
  Value result = make_integer(static_cast<int64_t>(kind));
  result.type = Value::Type::kind;
  return result;
}

Value make_value(const store::Cell& cell) {
  switch (cell.type) {
    case store::Cell::Type::nil:
      return {};
    case store::Cell::Type::string:
      return make_string(cell.string);
    case store::Cell::Type::boolean:
      return make_boolean(cell.boolean);
    case store::Cell::Type::integer:
      return make_integer(cell.integer);
    case store::Cell::Type::real:
      return make_real(cell.real);
    case store::Cell::Type::array:
    case store::Cell::Type::other:
      break;
  }
  Value result;
  const bool array = cell.type == store::Cell::Type::array && cell.value != nullptr &&
                     cell.value->as_array() != nullptr;
  result.type = array ? Value::Type::array : Value::Type::other;
  result.source = cell.value;
  return result;
}

Value make_value(const otlp::Value& value) {
  if (const auto* v = value.as_string()) return make_string(*v);
  if (const auto* v = value.as_bool()) return make_boolean(*v);
  if (const auto* v = value.as_int()) return make_integer(*v);
  if (const auto* v = value.as_double()) return make_real(*v);
  Value result;
  result.type = value.as_array() != nullptr ? Value::Type::array : Value::Type::other;
  result.source = &value;
  return result;
}

Value make_value(const Static& value) {
  struct Maker {
    Value operator()(const Nil&) const { return {}; }
    Value operator()(int64_t v) const { return make_integer(v); }
    Value operator()(double v) const { return make_real(v); }
    Value operator()(const std::string& v) const { return make_string(v); }
    Value operator()(bool v) const { return make_boolean(v); }
    Value operator()(const Duration& v) const { return make_duration(v.ns); }
    Value operator()(SpanStatus v) const {
      return make_status(static_cast<otlp::StatusCode>(otlp_number(v)));
    }
    Value operator()(SpanKind v) const {
      return make_kind(static_cast<otlp::SpanKind>(otlp_number(v)));
    }
  };
  return std::visit(Maker{}, value);
}

std::optional<std::partial_ordering> order(const Value& left, const Value& right) {
  if (left.is_numeric() && right.is_numeric()) return order_numbers(left, right);
  if (left.type != right.type) return std::nullopt;
  switch (left.type) {
    case Value::Type::string:
      return left.string.compare(right.string) <=> 0;
    case Value::Type::boolean:
      return left.boolean <=> right.boolean;
    case Value::Type::status:
    case Value::Type::kind:
      return left.integer <=> right.integer;
    default:
      return std::nullopt;
  }
}

bool compare(Operator op, const Value& left, const Value& right) {
  if (left.type != Value::Type::array && right.type != Value::Type::array) {
    return compare_scalars(op, left, right);
  }
  bool comparable = false;
  bool some = false;
  const Operator wanted = op == Operator::not_equal ? Operator::equal : op;
  for_each_element(left, [&](const Value& a) {
    for_each_element(right, [&](const Value& b) {
      comparable = comparable || order(a, b).has_value();
      some = some || compare_scalars(wanted, a, b);
      return !some;
    });
    return !some;
  });
  return op == Operator::not_equal ? comparable && !some : some;
}

bool matches(Operator op, const Value& value, const query::Regex& regex) {
  bool comparable = false;
  bool some = false;
  for_each_element(value, [&](const Value& element) {
    if (element.type != Value::Type::string) return true;
    comparable = true;
    some = regex.matches(element.string);
    return !some;
  });
  return op == Operator::not_regex ? comparable && !some : some;
}

Value calculate(Operator op, const Value& left, const Value& right) {
  if (!left.is_numeric() || !right.is_numeric()) return {};
  if (left.type != Value::Type::real && right.type != Value::Type::real) {
    return calculate_integers(op, left, right);
  }
  const double a = left.number();
  const double b = right.number();
  switch (op) {
    case Operator::add:
      return make_real(a + b);
    case Operator::subtract:
      return make_real(a - b);
    case Operator::multiply:
      return make_real(a * b);
    case Operator::divide:
      return b == 0 ? Value() : make_real(a / b);
    case Operator::modulo:
      return b == 0 ? Value() : make_real(std::fmod(a, b));
    case Operator::power: {
      const double result = std::pow(a, b);
      return std::isnan(result) ? Value() : make_real(result);
    }
    default:
      return {};
  }
}

Value negate(const Value& value) {
  if (value.type == Value::Type::real) return make_real(-value.real);
  return value.is_numeric() ? calculate(Operator::subtract, make_integer(0), value) : Value();
}

otlp::Value to_otlp(const Value& value) {
  switch (value.type) {
    case Value::Type::nil:
      return "nil";
    case Value::Type::boolean:
      return value.boolean;
    case Value::Type::integer:
      return value.integer;
    case Value::Type::real:
      return value.real;
    case Value::Type::string:
      return value.string;
    case Value::Type::duration:
      return format_go_duration(value.integer);
    case Value::Type::status:
      return number_word(status_word(value.integer), value.integer);
    case Value::Type::kind:
      return number_word(kind_word(value.integer), value.integer);
    case Value::Type::array:
    case Value::Type::other:
      break;
  }
  return value.source != nullptr ? *value.source : otlp::Value();
}

std::string group_key(const Value& value) {
  std::string key(1, static_cast<char>('a' + static_cast<int>(value.type)));
  switch (value.type) {
    case Value::Type::string:
      key += value.string;
      break;
    case Value::Type::real:
      key.append(reinterpret_cast<const char*>(&value.real), sizeof value.real);
      break;
    case Value::Type::array:
      // Lengths keep ["ab"] and ["a", "b"] apart.
      for_each_element(value, [&key](const Value& element) {
        const std::string part =
            element.type == Value::Type::array ? std::string("nested") : group_key(element);
        key += std::to_string(part.size()) + ":" + part;
        return true;
      });
      break;
    case Value::Type::boolean:
      key.push_back(value.boolean ? '1' : '0');
      break;
    default:
      key += std::to_string(value.integer);
      break;
  }
  return key;
}

}  // namespace contextcore::traceql
