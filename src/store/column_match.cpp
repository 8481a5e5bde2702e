#include "store/column_match.h"

#include <re2/re2.h>

#include <algorithm>
#include <bit>

#include "store/column_value.h"

namespace contextcore::store {
namespace {

template <typename T>
bool compare(Op op, const T& left, const T& right) {
  switch (op) {
    case Op::exists:
      return true;
    case Op::equal:
      return left == right;
    case Op::not_equal:
      return !(left == right);
    case Op::less:
      return left < right;
    case Op::less_equal:
      return left <= right;
    case Op::greater:
      return left > right;
    case Op::greater_equal:
      return left >= right;
    case Op::regex:
    case Op::not_regex:
      break;
  }
  return false;
}

std::optional<std::pair<int64_t, int64_t>> interval_of(Op op, int64_t operand) {
  switch (op) {
    case Op::equal:
      return {{operand, operand}};
    case Op::less:
      if (operand == INT64_MIN) return {};
      return {{INT64_MIN, operand - 1}};
    case Op::less_equal:
      return {{INT64_MIN, operand}};
    case Op::greater:
      if (operand == INT64_MAX) return {};
      return {{operand + 1, INT64_MAX}};
    case Op::greater_equal:
      return {{operand, INT64_MAX}};
    default:
      return {};
  }
}

}  // namespace

Predicate::Predicate() = default;
Predicate::Predicate(Predicate&&) noexcept = default;
Predicate& Predicate::operator=(Predicate&&) noexcept = default;
Predicate::~Predicate() = default;

Result<Predicate> Predicate::compile(Op op, const std::vector<Operand>& operands) {
  Predicate predicate;
  predicate.op_ = op;
  predicate.operands_ = operands;
  for (const Operand& operand : operands) {
    const auto* text = std::get_if<std::string>(&operand);
    if (op == Op::equal && text != nullptr) predicate.equal_strings_.push_back(*text);
    if ((op != Op::regex && op != Op::not_regex) || text == nullptr) continue;
    RE2::Options options;
    options.set_dot_nl(true);
    options.set_log_errors(false);
    auto pattern = std::make_unique<RE2>(*text, options);
    if (!pattern->ok()) {
      return Error{Code::invalid_argument,
                   "regular expression \"" + *text + "\": " + pattern->error(),
                   {},
                   {},
                   {}};
    }
    predicate.patterns_.push_back(std::move(pattern));
  }
  std::sort(predicate.equal_strings_.begin(), predicate.equal_strings_.end());
  if (operands.size() == 1) {
    if (const auto* number = std::get_if<int64_t>(&operands[0]))
      predicate.interval_ = interval_of(op, *number);
  }
  return predicate;
}

bool Predicate::test(std::string_view value) const {
  switch (op_) {
    case Op::exists:
      return true;
    case Op::equal: {
      if (equal_strings_.size() == 1) return equal_strings_[0] == value;
      const auto at = std::lower_bound(equal_strings_.begin(), equal_strings_.end(), value);
      return at != equal_strings_.end() && *at == value;
    }
    case Op::regex:
    case Op::not_regex:
      return std::any_of(patterns_.begin(), patterns_.end(), [&](const auto& pattern) {
        return RE2::FullMatch(re2::StringPiece(value.data(), value.size()), *pattern) ==
               (op_ == Op::regex);
      });
    default:
      break;
  }
  return std::any_of(operands_.begin(), operands_.end(), [&](const Operand& operand) {
    const auto* text = std::get_if<std::string>(&operand);
    return text == nullptr ? negated() : compare(op_, value, std::string_view(*text));
  });
}

bool Predicate::test(int64_t value) const {
  if (op_ == Op::exists) return true;
  if (interval_) return value >= interval_->first && value <= interval_->second;
  return std::any_of(operands_.begin(), operands_.end(), [&](const Operand& operand) {
    if (const auto* integer = std::get_if<int64_t>(&operand))
      return compare(op_, value, *integer) || op_ == Op::not_regex;
    if (const auto* real = std::get_if<double>(&operand)) {
      return compare(op_, static_cast<double>(value), *real) || op_ == Op::not_regex;
    }
    return negated();
  });
}

bool Predicate::test(double value) const {
  if (op_ == Op::exists) return true;
  return std::any_of(operands_.begin(), operands_.end(), [&](const Operand& operand) {
    if (const auto* real = std::get_if<double>(&operand))
      return compare(op_, value, *real) || op_ == Op::not_regex;
    if (const auto* integer = std::get_if<int64_t>(&operand)) {
      return compare(op_, value, static_cast<double>(*integer)) || op_ == Op::not_regex;
    }
    return negated();
  });
}

bool Predicate::test(bool value) const {
  if (op_ == Op::exists) return true;
  return std::any_of(operands_.begin(), operands_.end(), [&](const Operand& operand) {
    const auto* flag = std::get_if<bool>(&operand);
    return flag == nullptr ? negated() : compare(op_, value, *flag) || op_ == Op::not_regex;
  });
}

bool Predicate::test(const otlp::Value& value) const {
  if (op_ == Op::exists) return true;
  if (const auto* text = value.as_string()) return test(std::string_view(*text));
  if (const auto* integer = value.as_int()) return test(*integer);
  if (const auto* real = value.as_double()) return test(*real);
  if (const auto* flag = value.as_bool()) return test(*flag);
  if (const auto* array = value.as_array()) {
    return std::any_of(array->begin(), array->end(),
                       [this](const otlp::Value& element) { return test(element); });
  }
  return true;  // kvlists, bytes and unset values are for the engine to judge
}

bool Predicate::may_pass(const Zone& zone) const {
  if (!zone.known || !interval_) return true;
  return interval_->first <= zone.max && interval_->second >= zone.min;
}

bool Predicate::test_remembered(std::string_view value) const {
  constexpr size_t kRememberedMax = 1u << 16;
  if (remembered_.size() >= kRememberedMax) {
    const uint32_t id = remembered_.find(value);
    return id == StringPool::kNone ? test(value) : remembered_passes_[id] != 0;
  }
  const uint32_t id = remembered_.intern(value);
  if (id == remembered_passes_.size()) remembered_passes_.push_back(test(value) ? 1 : 0);
  return remembered_passes_[id] != 0;
}

bool Predicate::passes(const ColumnView& view, size_t i) const {
  switch (view.type) {
    case ColumnType::string:
      return test(view.string(i));
    case ColumnType::boolean:
      return test(view.numbers[i] != 0);
    case ColumnType::integer:
      return test(static_cast<int64_t>(view.numbers[i]));
    case ColumnType::real:
      return test(std::bit_cast<double>(view.numbers[i]));
    case ColumnType::encoded:
      break;
  }
  if (op_ == Op::exists) return true;
  ByteReader reader(view.string(i));
  otlp::Value value;
  // What does not parse passes: whoever reads the row gets the error.
  return !decode_value(reader, value) || test(value);
}

std::vector<uint8_t> Predicate::distinct_passes(const ColumnView& view) const {
  ColumnView distinct = view;
  distinct.ids = nullptr;
  std::vector<uint8_t> passing(view.strings.count);
  for (size_t id = 0; id < passing.size(); ++id) passing[id] = passes(distinct, id);
  return passing;
}

namespace {

// Sets base + row for every value i with pass(i). Dense columns go 64 rows at a time.
template <typename Pass>
void set_passing(const ColumnView& view, size_t base, RowSet& out, Pass pass) {
  if (view.rows != nullptr) {
    for (size_t i = 0; i < view.count; ++i) {
      if (pass(i)) out.set(base + view.rows[i]);
    }
    return;
  }
  const size_t begin = base + view.first;
  size_t i = 0;
  for (; i < view.count && (begin + i) % 64 != 0; ++i) {
    if (pass(i)) out.set(begin + i);
  }
  for (; i + 64 <= view.count; i += 64) {
    uint64_t word = 0;
    for (size_t bit = 0; bit < 64; ++bit) word |= static_cast<uint64_t>(pass(i + bit)) << bit;
    out.words()[(begin + i) / 64] |= word;
  }
  for (; i < view.count; ++i) {
    if (pass(i)) out.set(begin + i);
  }
}

}  // namespace

void Predicate::match(const ColumnView& view, size_t base, RowSet& out) const {
  if (view.count == 0) return;
  if (op_ == Op::exists) return set_passing(view, base, out, [](size_t) { return true; });
  if (has_strings(view.type)) {
    const std::vector<uint8_t> passing = distinct_passes(view);
    const auto hits = std::count(passing.begin(), passing.end(), uint8_t{1});
    if (hits == 0) return;
    if (view.ids == nullptr)
      return set_passing(view, base, out, [&](size_t i) { return passing[i] != 0; });
    const uint32_t* ids = view.ids;
    if (hits == 1) {
      const auto wanted =
          static_cast<uint32_t>(std::find(passing.begin(), passing.end(), 1) - passing.begin());
      return set_passing(view, base, out, [ids, wanted](size_t i) { return ids[i] == wanted; });
    }
    const uint8_t* pass = passing.data();
    return set_passing(view, base, out, [ids, pass](size_t i) { return pass[ids[i]] != 0; });
  }
  if (view.type == ColumnType::integer && interval_) {
    const auto low = static_cast<uint64_t>(interval_->first);
    const uint64_t width = static_cast<uint64_t>(interval_->second) - low;
    const uint64_t* numbers = view.numbers;
    return set_passing(view, base, out, [=](size_t i) { return numbers[i] - low <= width; });
  }
  set_passing(view, base, out, [&](size_t i) { return passes(view, i); });
}

void Predicate::match_with_default(const ColumnView& view, size_t rows, size_t base,
                                   RowSet& out) const {
  const bool by_default = has_strings(view.type) ? test(std::string_view()) : test(int64_t{0});
  if (by_default && view.count < rows) {
    size_t next = 0;  // the first row that is not known to have a value
    for (size_t i = 0; i < view.count; ++i) {
      set_range(out, base + next, base + view.row(i));
      next = view.row(i) + 1;
    }
    set_range(out, base + next, base + rows);
  }
  match(view, base, out);
}

void set_range(RowSet& rows, size_t begin, size_t end) {
  for (; begin < end && begin % 64 != 0; ++begin) rows.set(begin);
  for (; begin + 64 <= end; begin += 64) rows.words()[begin / 64] = ~uint64_t{0};
  for (; begin < end; ++begin) rows.set(begin);
}

}  // namespace contextcore::store
