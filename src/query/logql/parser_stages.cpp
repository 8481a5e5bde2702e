#include <algorithm>

#include "query/logql/parser_impl.h"
#include "query/logql/print.h"
#include "query/logql/text.h"
#include "query/logql/validate.h"

namespace contextcore::logql {
namespace {

std::optional<LineOp> line_op(const Token& token) {
  if (token.kind != TokenKind::symbol) return std::nullopt;
  for (LineOp op : {LineOp::contains, LineOp::not_contains, LineOp::regex, LineOp::not_regex,
                    LineOp::pattern, LineOp::not_pattern}) {
    if (token.text == name_of(op)) return op;
  }
  return std::nullopt;
}

bool is_negated(LineOp op) {
  return op == LineOp::not_contains || op == LineOp::not_regex || op == LineOp::not_pattern;
}

std::optional<MatchOp> match_op(const std::string& text) {
  for (MatchOp op : {MatchOp::equal, MatchOp::not_equal, MatchOp::regex, MatchOp::not_regex}) {
    if (text == name_of(op)) return op;
  }
  return std::nullopt;
}

std::optional<CompareOp> compare_op(const std::string& text) {
  if (text == "=") return CompareOp::equal;
  for (CompareOp op : {CompareOp::equal, CompareOp::not_equal, CompareOp::greater,
                       CompareOp::greater_equal, CompareOp::less, CompareOp::less_equal}) {
    if (text == name_of(op)) return op;
  }
  return std::nullopt;
}

int height(const LabelFilter& filter) {
  const auto* group = std::get_if<LabelFilterGroup>(&filter.node);
  if (group == nullptr) return 1;
  int highest = 0;
  for (const LabelFilter& operand : group->operands) highest = std::max(highest, height(operand));
  return highest + 1;
}

// Groups of the same kind become one.
void append(LabelFilterGroup& group, LabelFilter filter) {
  auto* inner = std::get_if<LabelFilterGroup>(&filter.node);
  if (inner == nullptr || inner->any != group.any) {
    group.operands.push_back(std::move(filter));
    return;
  }
  for (LabelFilter& operand : inner->operands) group.operands.push_back(std::move(operand));
}

LabelFilter join(bool any, LabelFilter left, LabelFilter right) {
  auto* group = std::get_if<LabelFilterGroup>(&left.node);
  if (group != nullptr && group->any == any) {
    append(*group, std::move(right));
    return left;
  }
  LabelFilterGroup both;
  both.any = any;
  append(both, std::move(left));
  append(both, std::move(right));
  return LabelFilter{std::move(both)};
}

}  // namespace

Result<std::vector<Matcher>> Parser::parse_selector_only() {
  CC_ASSIGN(LogSelector selector, parse_log_selector());
  if (!at(TokenKind::end)) return unexpected();
  if (!selector.stages.empty()) return semantic_error("only label matchers is supported");
  return std::move(selector.matchers);
}

// ---- selectors and ranges ----

Result<LogSelector> Parser::parse_log_selector() {
  LogSelector selector;
  CC_ASSIGN(selector.matchers, parse_matcher_list());
  CC_TRY(parse_stages(selector.stages));
  return selector;
}

Result<std::vector<Matcher>> Parser::parse_matcher_list() {
  std::vector<Matcher> matchers;
  CC_TRY(expect("{"));
  if (accept("}")) return matchers;
  if (!at(TokenKind::identifier)) return unexpected("IDENTIFIER or }");
  do {
    CC_ASSIGN(Matcher matcher, parse_matcher());
    matchers.push_back(std::move(matcher));
  } while (accept(","));
  if (!accept("}")) return unexpected("} or ,");
  return matchers;
}

Result<Matcher> Parser::parse_matcher() {
  Matcher matcher;
  CC_ASSIGN(matcher.name, expect(TokenKind::identifier, "IDENTIFIER"));
  const auto op = at(TokenKind::symbol) ? match_op(peek().text) : std::nullopt;
  if (!op) return unexpected("= or != or =~ or !~");
  matcher.op = *op;
  take();
  CC_ASSIGN(matcher.value, expect(TokenKind::string, "STRING"));
  if (Status status = validate(matcher); !status.ok())
    return semantic_error(std::move(status).error());
  return matcher;
}

// selector, pipeline, unwrap, range and offset in the orders that the grammar knows:
// {..} | stages | unwrap [5m] offset, {..} [5m] offset | stages | unwrap, the part before the range
// or all of it in parentheses.
Result<LogRange> Parser::parse_log_range() {
  const Level level(*this);
  CC_TRY(check_depth());
  LogRange range;
  if (accept("(")) {
    if (at("(")) {
      CC_ASSIGN(range, parse_log_range());
      CC_TRY(expect(")"));
      return range;
    }
    CC_ASSIGN(range.selector, parse_log_selector());
    if (at_unwrap()) {
      CC_ASSIGN(range.unwrap, parse_unwrap());
    }
    const bool inside = at(TokenKind::range);
    if (inside) CC_TRY(parse_range_suffix(range));
    CC_TRY(expect(")"));
    if (inside) return range;
  } else {
    CC_ASSIGN(range.selector, parse_log_selector());
    if (at_unwrap()) {
      CC_ASSIGN(range.unwrap, parse_unwrap());
    }
  }
  CC_TRY(parse_range_suffix(range));
  return range;
}

Status Parser::parse_range_suffix(LogRange& range) {
  if (!at(TokenKind::range)) return unexpected();
  range.range_ns = take().value_ns;
  if (accept("offset")) {
    if (!at(TokenKind::duration)) return unexpected("DURATION");
    range.offset_ns = take().value_ns;
  }
  if (!range.selector.stages.empty() || range.unwrap) return {};
  CC_TRY(parse_stages(range.selector.stages));
  if (at_unwrap()) {
    CC_ASSIGN(range.unwrap, parse_unwrap());
  }
  return {};
}

Result<Unwrap> Parser::parse_unwrap() {
  Unwrap unwrap;
  take();  // |
  take();  // unwrap
  if (at("bytes") || at("duration") || at("duration_seconds")) {
    const std::string name = take().text;
    unwrap.conversion = name == "bytes"      ? Conversion::bytes
                        : name == "duration" ? Conversion::duration
                                             : Conversion::duration_seconds;
    CC_TRY(expect("("));
    CC_ASSIGN(unwrap.label, expect(TokenKind::identifier, "IDENTIFIER"));
    CC_TRY(expect(")"));
  } else {
    CC_ASSIGN(unwrap.label, expect(TokenKind::identifier, "IDENTIFIER"));
  }
  while (accept("|")) {
    CC_ASSIGN(LabelFilter filter, parse_filter());
    unwrap.filters.push_back(std::move(filter));
  }
  return unwrap;
}

// ---- stages ----

bool Parser::at_line_filter() const {
  // != and !~ after a complete metric expression are never reached here.
  return line_op(peek()).has_value();
}

Status Parser::parse_stages(std::vector<Stage>& stages) {
  while (true) {
    const size_t first = stages.size();
    if (at_line_filter()) {
      CC_TRY(parse_line_filter(stages));
    } else if (at("|") && !at_unwrap()) {
      CC_ASSIGN(Stage stage, parse_pipe_stage());
      stages.push_back(std::move(stage));
    } else {
      return {};
    }
    for (size_t i = first; i < stages.size(); ++i) {
      if (Status status = validate(stages[i]); !status.ok())
        return semantic_error(std::move(status).error());
    }
  }
}

Status Parser::parse_line_filter(std::vector<Stage>& stages) {
  LineFilter filter;
  filter.op = *line_op(take());
  do {
    CC_ASSIGN(LineFilter::Operand operand, parse_line_operand());
    filter.operands.push_back(std::move(operand));
  } while (accept("or"));
  if (!is_negated(filter.op)) {
    stages.emplace_back(std::move(filter));
    return {};
  }
  // Neither of them: a filter each.
  for (LineFilter::Operand& operand : filter.operands) {
    stages.emplace_back(LineFilter{filter.op, {std::move(operand)}});
  }
  return {};
}

Result<LineFilter::Operand> Parser::parse_line_operand() {
  LineFilter::Operand operand;
  operand.ip = accept("ip");
  if (operand.ip) CC_TRY(expect("("));
  CC_ASSIGN(operand.text, expect(TokenKind::string, operand.ip ? "STRING" : "STRING or ip"));
  if (operand.ip) CC_TRY(expect(")"));
  return operand;
}

Result<Stage> Parser::parse_pipe_stage() {
  CC_TRY(expect("|"));
  if (at(TokenKind::keyword)) return parse_stage_keyword(peek().text);
  CC_ASSIGN(LabelFilter filter, parse_filter());
  return Stage{std::move(filter)};
}

Result<Stage> Parser::parse_stage_keyword(const std::string& keyword) {
  const std::string word = keyword;
  if (word == "logfmt") {
    CC_ASSIGN(LogfmtStage stage, parse_logfmt());
    return Stage{std::move(stage)};
  }
  if (word == "json") {
    take();
    JsonStage stage;
    CC_ASSIGN(stage.extractions, parse_extractions());
    return Stage{std::move(stage)};
  }
  if (word == "label_format") {
    CC_ASSIGN(LabelFormatStage stage, parse_label_format());
    return Stage{std::move(stage)};
  }
  if (word == "drop" || word == "keep") {
    take();
    CC_ASSIGN(auto labels, parse_label_choices());
    if (word == "drop") return Stage{DropStage{std::move(labels)}};
    return Stage{KeepStage{std::move(labels)}};
  }
  if (word == "unpack" || word == "decolorize") {
    take();
    if (word == "unpack") return Stage{UnpackStage{}};
    return Stage{DecolorizeStage{}};
  }
  if (word == "regexp" || word == "pattern" || word == "line_format") {
    take();
    CC_ASSIGN(std::string text, expect(TokenKind::string, "STRING"));
    if (word == "regexp") return Stage{RegexpStage{std::move(text)}};
    if (word == "pattern") return Stage{PatternStage{std::move(text)}};
    return Stage{LineFormatStage{std::move(text)}};
  }
  return unexpected();
}

Result<LogfmtStage> Parser::parse_logfmt() {
  LogfmtStage stage;
  take();
  while (at(TokenKind::flag)) {
    const Token flag = take();
    if (flag.text == "--strict") {
      stage.strict = true;
    } else {
      stage.keep_empty = true;
    }
  }
  CC_ASSIGN(stage.extractions, parse_extractions());
  return stage;
}

Result<std::vector<Extraction>> Parser::parse_extractions() {
  std::vector<Extraction> extractions;
  if (!at(TokenKind::identifier)) return extractions;
  do {
    Extraction extraction;
    CC_ASSIGN(extraction.label, expect(TokenKind::identifier, "IDENTIFIER"));
    extraction.path = extraction.label;
    if (accept("=")) {
      CC_ASSIGN(extraction.path, expect(TokenKind::string, "STRING"));
    }
    extractions.push_back(std::move(extraction));
  } while (accept(","));
  return extractions;
}

Result<LabelFormatStage> Parser::parse_label_format() {
  LabelFormatStage stage;
  take();
  do {
    LabelFormatStage::Assignment assignment;
    CC_ASSIGN(assignment.name, expect(TokenKind::identifier, "IDENTIFIER"));
    CC_TRY(expect("="));
    if (!at(TokenKind::identifier) && !at(TokenKind::string))
      return unexpected("STRING or IDENTIFIER");
    assignment.rename = at(TokenKind::identifier);
    assignment.value = take().text;
    stage.assignments.push_back(std::move(assignment));
  } while (accept(","));
  return stage;
}

Result<std::vector<LabelChoice>> Parser::parse_label_choices() {
  std::vector<LabelChoice> labels;
  do {
    LabelChoice choice;
    // A name followed by an operator is a matcher, never a name and a line filter.
    if (at(TokenKind::identifier) && peek(1).kind == TokenKind::symbol && match_op(peek(1).text)) {
      CC_ASSIGN(Matcher matcher, parse_matcher());
      choice.name = matcher.name;
      choice.matcher = std::move(matcher);
    } else {
      CC_ASSIGN(choice.name, expect(TokenKind::identifier, "IDENTIFIER"));
    }
    labels.push_back(std::move(choice));
  } while (accept(","));
  return labels;
}

// ---- label filters ----

Result<LabelFilter> Parser::parse_filter() {
  CC_ASSIGN(LabelFilter filter, parse_label_filter(0));
  CC_TRY(check_height(height(filter)));
  if (Status status = validate(filter); !status.ok()) {
    return semantic_error(std::move(status).error());
  }
  return filter;
}

// `or` binds weaker than `and`; after a comma or a blank everything that follows is the right
// operand, as in Loki's grammar.
Result<LabelFilter> Parser::parse_label_filter(int precedence_min) {
  constexpr int kOr = 1, kAnd = 2;
  const Level level(*this);
  CC_TRY(check_depth());
  CC_ASSIGN(LabelFilter left, parse_label_filter_operand());
  std::vector<LabelFilter> before;  // each is joined with all that follows it
  while (true) {
    const bool any = at("or");
    const bool both = at("and");
    if (at(",") || at("(") || at(TokenKind::identifier)) {
      accept(",");
      before.push_back(std::move(left));
      precedence_min = 0;
      CC_ASSIGN(left, parse_label_filter_operand());
      continue;
    }
    if ((!any && !both) || (any ? kOr : kAnd) < precedence_min) break;
    take();
    CC_ASSIGN(LabelFilter right, parse_label_filter(any ? kOr + 1 : kAnd + 1));
    left = join(any, std::move(left), std::move(right));
  }
  if (before.empty()) return left;
  LabelFilterGroup all;
  for (LabelFilter& filter : before) append(all, std::move(filter));
  append(all, std::move(left));
  return LabelFilter{std::move(all)};
}

Result<LabelFilter> Parser::parse_label_filter_operand() {
  if (!accept("(")) return parse_comparison();
  CC_ASSIGN(LabelFilter inner, parse_label_filter(0));
  CC_TRY(expect(")"));
  return inner;
}

Result<LabelFilter> Parser::parse_comparison() {
  if (!at(TokenKind::identifier)) return unexpected();
  const auto next = peek(1).kind == TokenKind::symbol ? peek(1).text : std::string();
  if (peek(2).kind == TokenKind::string || next == "=~" || next == "!~") {
    CC_ASSIGN(Matcher matcher, parse_matcher());
    return LabelFilter{std::move(matcher)};
  }
  std::string name = take().text;
  const auto op = compare_op(next);
  if (!op) return unexpected();
  take();
  if (next != "==" && accept("ip")) {
    if (next != "=" && next != "!=") {
      --at_;
      return unexpected();
    }
    IpFilter filter;
    filter.name = std::move(name);
    filter.negated = next == "!=";
    CC_TRY(expect("("));
    CC_ASSIGN(filter.pattern, expect(TokenKind::string, "STRING"));
    CC_TRY(expect(")"));
    return LabelFilter{std::move(filter)};
  }
  if (at(TokenKind::duration))
    return LabelFilter{DurationFilter{std::move(name), *op, take().value_ns}};
  if (at(TokenKind::bytes))
    return LabelFilter{BytesFilter{std::move(name), *op, take().value_bytes}};
  if (!at_literal()) return unexpected();
  CC_ASSIGN(const double value, parse_signed_number());
  return LabelFilter{NumberFilter{std::move(name), *op, value}};
}

}  // namespace contextcore::logql
