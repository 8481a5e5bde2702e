#include "query/logql/match.h"

#include <algorithm>

#include "base/time.h"
#include "query/logql/text.h"

namespace contextcore::logql {
namespace {

template <typename T>
bool holds(CompareOp op, T left, T right) {
  switch (op) {
    case CompareOp::equal:
      return left == right;
    case CompareOp::not_equal:
      return left != right;
    case CompareOp::greater:
      return left > right;
    case CompareOp::greater_equal:
      return left >= right;
    case CompareOp::less:
      return left < right;
    case CompareOp::less_equal:
      return left <= right;
  }
  return false;
}

// The entry stays, and what went wrong before stands.
bool refuse_value(EntryLabels& labels, std::string details) {
  if (!labels.has_error()) labels.set_error("LabelFilterErr", details);
  return true;
}

bool is_negated(LineOp op) {
  return op == LineOp::not_contains || op == LineOp::not_regex || op == LineOp::not_pattern;
}

}  // namespace

Result<CompiledMatcher> CompiledMatcher::compile(const Matcher& matcher) {
  CompiledMatcher out;
  out.name_ = matcher.name;
  out.value_ = matcher.value;
  out.negated_ = matcher.op == MatchOp::not_equal || matcher.op == MatchOp::not_regex;
  if (matcher.op == MatchOp::regex || matcher.op == MatchOp::not_regex) {
    CC_ASSIGN(out.regex_, query::Regex::compile(matcher.value));
  }
  return out;
}

bool CompiledMatcher::matches(std::string_view value) const {
  return (regex_ ? regex_->matches(value) : value == value_) != negated_;
}

bool matches(const std::vector<CompiledMatcher>& matchers, const LabelPairs& stream) {
  return std::all_of(matchers.begin(), matchers.end(), [&](const CompiledMatcher& matcher) {
    const auto label = std::find_if(stream.begin(), stream.end(),
                                    [&](const auto& pair) { return pair.first == matcher.name(); });
    return matcher.matches(label == stream.end() ? std::string_view()
                                                 : std::string_view(label->second));
  });
}

Result<CompiledLineFilter> CompiledLineFilter::compile(const LineFilter& filter) {
  CompiledLineFilter out;
  out.negated_ = is_negated(filter.op);
  out.is_pattern_ = filter.op == LineOp::pattern || filter.op == LineOp::not_pattern;
  for (const LineFilter::Operand& operand : filter.operands) {
    Operand compiled;
    compiled.text = operand.text;
    if (operand.ip) {
      compiled.ip = parse_ip_range(operand.text);
      if (!compiled.ip) return Error{Code::invalid_argument, "ip: invalid pattern", {}, {}, {}};
    } else if (filter.op == LineOp::regex || filter.op == LineOp::not_regex) {
      CC_ASSIGN(compiled.regex,
                query::Regex::compile(operand.text, {.anchored = false, .dot_is_newline = false}));
    } else if (out.is_pattern_) {
      CC_ASSIGN(compiled.pattern, parse_line_pattern(operand.text));
    }
    out.operands_.push_back(std::move(compiled));
  }
  return out;
}

bool CompiledLineFilter::matches(std::string_view line) const {
  for (const Operand& operand : operands_) {
    const bool found = operand.ip      ? contains_ip(line, *operand.ip)
                       : operand.regex ? operand.regex->matches(line)
                       : is_pattern_   ? matches_pattern(line, operand.pattern)
                                       : line.find(operand.text) != std::string_view::npos;
    if (found) return !negated_;
  }
  return negated_;
}

Result<CompiledLabelFilter> CompiledLabelFilter::compile(const LabelFilter& filter) {
  CompiledLabelFilter out;
  if (const auto* group = std::get_if<LabelFilterGroup>(&filter.node)) {
    out.group_ = true;
    out.any_ = group->any;
    for (const LabelFilter& operand : group->operands) {
      CC_ASSIGN(CompiledLabelFilter compiled, compile(operand));
      out.operands_.push_back(std::move(compiled));
    }
    return out;
  }
  out.source_ = filter;
  if (const auto* matcher = std::get_if<Matcher>(&filter.node)) {
    CC_ASSIGN(out.matcher_, CompiledMatcher::compile(*matcher));
  }
  if (const auto* ip = std::get_if<IpFilter>(&filter.node)) {
    out.ip_ = parse_ip_range(ip->pattern);
    if (!out.ip_) return Error{Code::invalid_argument, "ip: invalid pattern", {}, {}, {}};
  }
  return out;
}

bool CompiledLabelFilter::matches(EntryLabels& labels) const {
  if (group_) {
    for (const CompiledLabelFilter& operand : operands_) {
      if (operand.matches(labels) == any_) return any_;
    }
    return !any_;
  }
  return matcher_ ? matcher_->matches(labels.get(matcher_->name())) : compare(labels);
}

bool CompiledLabelFilter::compare(EntryLabels& labels) const {
  EntryLabels::Found found;
  if (const auto* number = std::get_if<NumberFilter>(&source_.node)) {
    double value = 0;
    if (!labels.find(number->name, found)) return false;
    if (!parse_number(found.value, value)) return refuse_value(labels, no_number(found.value));
    return holds(number->op, value, number->value);
  }
  if (const auto* duration = std::get_if<DurationFilter>(&source_.node)) {
    if (!labels.find(duration->name, found)) return false;
    auto value = parse_go_duration(found.value);
    if (!value.ok()) return refuse_value(labels, no_duration(found.value));
    return holds(duration->op, *value, duration->value_ns);
  }
  if (const auto* bytes = std::get_if<BytesFilter>(&source_.node)) {
    uint64_t value = 0;
    if (!labels.find(bytes->name, found)) return false;
    if (!parse_bytes(found.value, value)) return refuse_value(labels, no_number(found.value));
    return holds(bytes->op, value, bytes->value_bytes);
  }
  const auto& ip = std::get<IpFilter>(source_.node);
  if (labels.has_error()) return true;  // unlike the comparisons
  if (!labels.find(ip.name, found)) return false;
  return contains_ip(found.value, *ip_) != ip.negated;
}

}  // namespace contextcore::logql
