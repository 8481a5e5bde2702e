#pragma once
// One compiled comparison (for one thread at a time), tested against values, against whole columns
// (once per distinct string, as one interval for integers), and against zones. Superset semantics:
// it may say yes where a value's type differs from the operand's and the operator is a negation,
// and for values that have no order.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "store/column.h"
#include "store/column_attributes.h"
#include "store/fetch.h"
#include "store/rows.h"

namespace re2 {
class RE2;
}

namespace contextcore::store {

class Predicate {
 public:
  // Errors: invalid_argument for a pattern that RE2 refuses.
  static Result<Predicate> compile(Op op, const std::vector<Operand>& operands);
  Predicate(Predicate&&) noexcept;
  Predicate& operator=(Predicate&&) noexcept;
  ~Predicate();

  bool test(std::string_view value) const;
  bool test(int64_t value) const;
  bool test(double value) const;
  bool test(bool value) const;
  bool test(const otlp::Value& value) const;
  // False when no number of an integer column within zone passes.
  bool may_pass(const Zone& zone) const;
  // Sets base + row for every row of the view whose value passes.
  void match(const ColumnView& view, size_t base, RowSet& out) const;
  // For fixed columns of `rows` rows: a row without a value has the default, 0 or "".
  void match_with_default(const ColumnView& view, size_t rows, size_t base, RowSet& out) const;
  // String operands of an equality; empty for every other predicate.
  const std::vector<std::string>& equal_strings() const { return equal_strings_; }

 private:
  Predicate();
  bool passes(const ColumnView& view, size_t i) const;
  std::vector<uint8_t> distinct_passes(const ColumnView& view) const;
  // test() of a string, remembered: pages of a segment repeat each other's strings.
  bool test_remembered(std::string_view value) const;
  bool negated() const { return op_ == Op::not_equal || op_ == Op::not_regex; }

  Op op_ = Op::exists;
  std::vector<Operand> operands_;
  std::vector<std::string> equal_strings_;  // sorted
  std::vector<std::unique_ptr<re2::RE2>> patterns_;
  mutable StringPool remembered_;
  mutable std::vector<uint8_t> remembered_passes_;
  std::optional<std::pair<int64_t, int64_t>> interval_;  // closed; a single integer operand
};

// Sets bits [begin, end).
void set_range(RowSet& rows, size_t begin, size_t end);

}  // namespace contextcore::store
