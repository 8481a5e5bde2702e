#include "query/logql/validate.h"

#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string_view>

#include "query/common/regex.h"
#include "query/logql/ip.h"
#include "query/logql/json_path.h"
#include "query/logql/pattern.h"
#include "query/logql/print.h"
#include "query/logql/text.h"

namespace contextcore::logql {
namespace {

Status invalid(std::string message, std::string hint = {}) {
  return Error{Code::invalid_argument, std::move(message), std::move(hint), {}, {}};
}

// RE2's complaint in the words of Go's regexp, which users of Loki know.
std::string in_words_of_go(std::string_view message) {
  struct Words {
    std::string_view re2, go;
  };
  static constexpr std::array<Words, 7> kWords = {
      {{"missing ]", "missing closing ]"},
       {"missing )", "missing closing )"},
       {"trailing \\", "trailing backslash at end of expression"},
       {"no argument for repetition operator", "missing argument to repetition operator"},
       {"invalid repetition size", "invalid repeat count"},
       {"bad repetition operator", "invalid nested repetition operator"},
       {"invalid named capture group", "invalid named capture"}}};
  const size_t colon = message.find(": ");
  std::string_view what = message.substr(0, colon);
  for (const Words& words : kWords) {
    if (what == words.re2) what = words.go;
  }
  std::string out(what);
  if (colon != std::string_view::npos) out += ": `" + std::string(message.substr(colon + 2)) + "`";
  return out;
}

Result<query::Regex> compile(const std::string& pattern, bool anchored) {
  auto regex = query::Regex::compile(pattern, {.anchored = anchored, .dot_is_newline = anchored});
  if (regex.ok()) return regex;
  Error error = std::move(regex).error();
  constexpr std::string_view kPrefix = "invalid regex: ";
  if (error.message.starts_with(kPrefix)) error.message.erase(0, kPrefix.size());
  error.message = "error parsing regexp: " + in_words_of_go(error.message);
  return error;
}

Status check_ip(std::string_view pattern) {
  if (parse_ip_range(pattern)) return {};
  return invalid("ip: invalid pattern: " + quote(pattern),
                 "write one address, a range a-b, or a CIDR");
}

Status check(const LineFilter& filter) {
  for (const LineFilter::Operand& operand : filter.operands) {
    if (operand.ip) {
      if (filter.op != LineOp::contains && filter.op != LineOp::not_contains) {
        return invalid("ip: invalid operation", "ip() goes with |= and !=");
      }
      CC_TRY(check_ip(operand.text));
    } else if (filter.op == LineOp::regex || filter.op == LineOp::not_regex) {
      CC_TRY(compile(operand.text, false));
    } else if (filter.op == LineOp::pattern || filter.op == LineOp::not_pattern) {
      CC_TRY(parse_line_pattern(operand.text));
    }
  }
  return {};
}

Status check(const JsonStage& stage) {
  for (const Extraction& extraction : stage.extractions) CC_TRY(parse_json_path(extraction.path));
  return {};
}

Status check(const LogfmtStage& stage) {
  for (const Extraction& extraction : stage.extractions) {
    const std::string& path = extraction.path;
    if (path.empty() || path.find_first_of(" =\"\t\n") != std::string::npos) {
      return invalid("cannot parse expression [" + path + "]: a logfmt key has no blank, = or \"");
    }
  }
  return {};
}

Status check(const RegexpStage& stage) {
  CC_ASSIGN(auto regex, compile(stage.regex, false));
  std::vector<std::string> names;
  for (const auto& [index, name] : regex.re2().CapturingGroupNames()) {
    if (!is_label_name(name)) return invalid("invalid extracted label name '" + name + "'");
    names.push_back(name);
  }
  if (names.empty())
    return invalid("at least one named capture must be supplied", "write (?P<name>...)");
  return {};
}

Status check(const PatternStage& stage) { return parse_capture_pattern(stage.pattern).status(); }

Status check(const LabelFormatStage& stage) {
  std::vector<std::string_view> names;
  for (const auto& assignment : stage.assignments) {
    if (assignment.name == "__error__") return invalid("__error__ cannot be formatted");
    if (std::find(names.begin(), names.end(), assignment.name) != names.end()) {
      return invalid("multiple label name '" + assignment.name +
                     "' not allowed in a single format operation");
    }
    names.push_back(assignment.name);
  }
  return {};
}

Status check(const std::vector<LabelChoice>& labels) {
  for (const LabelChoice& choice : labels) {
    if (choice.matcher) CC_TRY(validate(*choice.matcher));
  }
  return {};
}
Status check(const DropStage& stage) { return check(stage.labels); }
Status check(const KeepStage& stage) { return check(stage.labels); }
Status check(const LabelFilter& filter) { return validate(filter); }
Status check(const UnpackStage&) { return {}; }
Status check(const DecolorizeStage&) { return {}; }
Status check(const LineFormatStage&) { return {}; }

bool takes_unwrap(RangeOp op) {
  return op != RangeOp::count && op != RangeOp::bytes && op != RangeOp::bytes_rate;
}
bool needs_unwrap(RangeOp op) {
  return takes_unwrap(op) && op != RangeOp::rate && op != RangeOp::absent;
}
bool takes_grouping(RangeOp op) {
  switch (op) {
    case RangeOp::avg:
    case RangeOp::max:
    case RangeOp::min:
    case RangeOp::first:
    case RangeOp::last:
    case RangeOp::stddev:
    case RangeOp::stdvar:
    case RangeOp::quantile:
      return true;
    default:
      return false;
  }
}

}  // namespace

Status validate(const Matcher& matcher) {
  if (matcher.op == MatchOp::equal || matcher.op == MatchOp::not_equal) return {};
  return compile(matcher.value, true).status();
}

Status validate(const LabelFilter& filter) {
  if (const auto* matcher = std::get_if<Matcher>(&filter.node)) return validate(*matcher);
  if (const auto* ip = std::get_if<IpFilter>(&filter.node)) return check_ip(ip->pattern);
  if (const auto* group = std::get_if<LabelFilterGroup>(&filter.node)) {
    for (const LabelFilter& operand : group->operands) CC_TRY(validate(operand));
  }
  return {};
}

Status validate(const Stage& stage) {
  Status status = std::visit([](const auto& node) { return check(node); }, stage);
  if (status.ok()) return status;
  Error error = std::move(status).error();
  if (std::holds_alternative<RegexpStage>(stage)) {
    error.message.insert(0, "invalid regexp parser: ");
  } else if (std::holds_alternative<PatternStage>(stage)) {
    error.message.insert(0, "invalid pattern parser: ");
  } else {
    error.message = "stage '" + print(stage) + "' : " + error.message;
  }
  error.position.reset();
  return error;
}

Status validate(const RangeAggregation& aggregation) {
  const std::string name = name_of(aggregation.op);
  if (aggregation.parameter && aggregation.op != RangeOp::quantile) {
    return invalid("parameter " + format_number(*aggregation.parameter) +
                   " not supported for operation " + name);
  }
  if (!aggregation.parameter && aggregation.op == RangeOp::quantile) {
    return invalid("parameter required for operation " + name);
  }
  if (aggregation.grouping && !takes_grouping(aggregation.op)) {
    return invalid("grouping not allowed for " + name + " aggregation");
  }
  if (aggregation.range.unwrap && !takes_unwrap(aggregation.op)) {
    return invalid("invalid aggregation " + name + " with unwrap");
  }
  if (!aggregation.range.unwrap && needs_unwrap(aggregation.op)) {
    return invalid("invalid aggregation " + name + " without unwrap");
  }
  return {};
}

bool matches_empty(const Matcher& matcher) {
  switch (matcher.op) {
    case MatchOp::equal:
      return matcher.value.empty();
    case MatchOp::not_equal:
      return !matcher.value.empty();
    case MatchOp::regex:
    case MatchOp::not_regex: {
      auto regex = compile(matcher.value, true);
      return regex.ok() && regex->matches("") == (matcher.op == MatchOp::regex);
    }
  }
  return false;
}

Status require_selective(const std::vector<Matcher>& matchers) {
  for (const Matcher& matcher : matchers) {
    if (!matches_empty(matcher)) return {};
  }
  return invalid(
      "queries require at least one regexp or equality matcher that does not have an "
      "empty-compatible value. "
      "For instance, app=~\".*\" does not meet this requirement, but app=~\".+\" will");
}

double fold(BinaryOp op, double left, double right) {
  query::BinaryCall call;
  call.op = op;
  call.rules = kMatchRules;
  return query::calculate(call, left, right);
}

}  // namespace contextcore::logql
