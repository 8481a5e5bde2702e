#pragma once
// Compiled matchers, line filters and label filters.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "query/common/regex.h"
#include "query/logql/ast.h"
#include "query/logql/ip.h"
#include "query/logql/labels.h"
#include "query/logql/pattern.h"

namespace contextcore::logql {

class CompiledMatcher {
 public:
  static Result<CompiledMatcher> compile(const Matcher& matcher);
  const std::string& name() const { return name_; }
  bool matches(std::string_view value) const;

 private:
  std::string name_, value_;
  bool negated_ = false;
  std::optional<query::Regex> regex_;
};

// All of them accept the stream; a missing label counts as "".
bool matches(const std::vector<CompiledMatcher>& matchers, const LabelPairs& stream);

class CompiledLineFilter {
 public:
  static Result<CompiledLineFilter> compile(const LineFilter& filter);
  bool matches(std::string_view line) const;

 private:
  struct Operand {
    std::string text;
    std::optional<query::Regex> regex;
    std::optional<IpRange> ip;
    std::vector<PatternPart> pattern;
  };
  bool negated_ = false;
  bool is_pattern_ = false;
  std::vector<Operand> operands_;
};

class CompiledLabelFilter {
 public:
  static Result<CompiledLabelFilter> compile(const LabelFilter& filter);
  // May set LabelFilterErr, and accepts then. Typed comparisons refuse entries that lack the label;
  // ip() accepts those that have an error.
  bool matches(EntryLabels& labels) const;

 private:
  bool compare(EntryLabels& labels) const;
  LabelFilter source_;  // leaf
  std::optional<CompiledMatcher> matcher_;
  std::optional<IpRange> ip_;
  bool group_ = false;
  bool any_ = false;
  std::vector<CompiledLabelFilter> operands_;
};

}  // namespace contextcore::logql
