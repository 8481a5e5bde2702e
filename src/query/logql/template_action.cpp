#include "query/logql/template_action.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <utility>

#include "query/common/lexing.h"
#include "query/logql/template_parser.h"
#include "query/logql/text.h"

namespace contextcore::logql {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";

struct Token {
  std::string_view text;  // empty at the end; a string keeps its quotes
  bool spaced = false;    // blanks stand before it
};

class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  Result<Token> next() {
    const size_t blanks = std::min(rest_.find_first_not_of(kBlanks), rest_.size());
    Token token;
    token.spaced = blanks > 0;
    rest_.remove_prefix(blanks);
    if (rest_.empty()) return token;
    CC_ASSIGN(const size_t length, length_of_token());
    token.text = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return token;
  }

 private:
  Result<size_t> length_of_token() const {
    const char first = rest_.front();
    if (first == '"' || first == '`' || first == '\'') {
      size_t length = 1;
      while (length < rest_.size() && rest_[length] != first)
        length += first != '`' && rest_[length] == '\\' ? 2 : 1;
      if (length >= rest_.size()) {
        return bad_template(first == '\'' ? "unterminated character constant"
                                          : "unterminated quoted string");
      }
      return length + 1;
    }
    if (rest_.starts_with(":=")) return size_t{2};
    if (std::string_view("()|,=").find(first) != std::string_view::npos) return size_t{1};
    const size_t length = rest_.find_first_of(" \t\r\n()|,\"`'=:", 1);
    return length == std::string_view::npos ? rest_.size() : length;
  }

  std::string_view rest_;
};

bool is_name(std::string_view text) {
  return !text.empty() && query::is_word_start(text[0]) &&
         std::all_of(text.begin(), text.end(), query::is_word_part);
}

// ".a.b" into a and b. False: not that.
bool split_path(std::string_view text, std::vector<std::string>& out) {
  while (!text.empty()) {
    if (text[0] != '.') return false;
    text.remove_prefix(1);
    const std::string_view name = text.substr(0, text.find('.'));
    if (!is_name(name)) return false;
    out.emplace_back(name);
    text.remove_prefix(name.size());
  }
  return true;
}

Result<TemplateValue> number_of(std::string_view token) {
  std::string digits(token);
  digits.erase(std::remove(digits.begin(), digits.end(), '_'), digits.end());
  const bool negative = digits.starts_with('-');
  std::string_view size = digits;
  if (negative || size.starts_with('+')) size.remove_prefix(1);
  int base = 10;
  if (size.size() > 2 && size[0] == '0') {
    const char kind = static_cast<char>(size[1] | 32);
    base = kind == 'x' ? 16 : kind == 'b' ? 2 : kind == 'o' ? 8 : 10;
    if (base != 10) size.remove_prefix(2);
  }
  int64_t integer = 0;
  const auto [end, error] = std::from_chars(size.data(), size.data() + size.size(), integer, base);
  if (error == std::errc() && end == size.data() + size.size() && !size.empty())
    return TemplateValue(negative ? -integer : integer);
  double real = 0;
  const bool starts = !size.empty() && (query::is_ascii_digit(size[0]) || size[0] == '.');
  if (starts && parse_number(digits, real)) return TemplateValue(real);
  return bad_template("bad number syntax: \"" + std::string(token) + "\"");
}

// 'a' and '\n' are numbers.
Result<TemplateValue> character_of(std::string_view token) {
  std::string_view inner = token.substr(1, token.size() - 2);
  std::string text(inner);
  if (inner.starts_with('\\') && inner != "\\'") {
    CC_ASSIGN(const query::StringLiteral literal,
              query::scan_string_literal("\"" + std::string(inner) + "\""));
    text = literal.value;
  } else if (inner == "\\'") {
    text = "'";
  }
  if (text.empty() || query::utf8_length(text) != text.size())
    return bad_template("malformed character constant: " + std::string(token));
  const auto lead = static_cast<unsigned char>(text[0]);
  uint32_t point = text.size() == 1 ? lead : lead & (0xFFU >> (text.size() + 1));
  for (size_t i = 1; i < text.size(); ++i)
    point = point << 6 | (static_cast<unsigned char>(text[i]) & 0x3FU);
  return TemplateValue(static_cast<int64_t>(point));
}

class PipelineParser {
 public:
  PipelineParser(std::string_view text, TemplateScope& scope) : scanner_(text), scope_(scope) {}

  Result<TemplatePipeline> parse(size_t max_variables) {
    CC_TRY(advance());
    CC_ASSIGN(std::vector<std::string> variables, declared(max_variables));
    const bool assigns = assigns_;
    CC_ASSIGN(TemplatePipeline pipeline, pipeline_of(0));
    if (!token_.text.empty())
      return bad_template("unexpected " + std::string(token_.text) + " in action");
    pipeline.variables = std::move(variables);
    pipeline.assigns = assigns;
    if (!assigns) scope_.insert(scope_.end(), pipeline.variables.begin(), pipeline.variables.end());
    return pipeline;
  }

 private:
  Status advance() {
    CC_ASSIGN(token_, scanner_.next());
    return {};
  }

  // "$x :=", "$i, $x :=", "$x =": nothing is taken if the text starts with none of them.
  Result<std::vector<std::string>> declared(size_t max_variables) {
    std::vector<std::string> names;
    if (!token_.text.starts_with('$')) return names;
    const Scanner start = scanner_;
    const Token first = token_;
    while (token_.text.starts_with('$') && token_.text.find('.') == std::string_view::npos) {
      names.emplace_back(token_.text);
      CC_TRY(advance());
      if (token_.text != ",") break;
      CC_TRY(advance());
    }
    if (token_.text != ":=" && token_.text != "=") {
      scanner_ = start;
      token_ = first;
      return std::vector<std::string>();
    }
    assigns_ = token_.text == "=";
    if (names.size() > max_variables) return bad_template("too many declarations");
    for (const std::string& name : names) {
      if (name.size() < 2 || !is_name(std::string_view(name).substr(1)))
        return bad_template("bad variable name " + name);
      if (assigns_) CC_TRY(check_defined(name));
    }
    CC_TRY(advance());
    return names;
  }

  Status check_defined(const std::string& name) const {
    if (name == "$" || std::find(scope_.begin(), scope_.end(), name) != scope_.end()) return {};
    return bad_template("undefined variable \"" + name + "\"");
  }

  Result<TemplatePipeline> pipeline_of(int depth) {
    if (depth > kTemplateDepthMax) return bad_template("parentheses nest too deeply");
    TemplatePipeline out;
    while (true) {
      CC_ASSIGN(TemplateCommand command, command_of(depth, !out.commands.empty()));
      out.commands.push_back(std::move(command));
      if (token_.text != "|") return out;
      CC_TRY(advance());
    }
  }

  bool at_end_of_command() const {
    return token_.text.empty() || token_.text == ")" || token_.text == "|";
  }

  Result<TemplateCommand> command_of(int depth, bool piped) {
    TemplateCommand command;
    if (at_end_of_command()) return bad_template("missing value for command");
    const std::string word(token_.text);
    if (is_name(word) && word != "true" && word != "false" && word != "nil") {
      command.function = find_template_function(word);
      if (command.function == nullptr) return bad_template("function \"" + word + "\" not defined");
      CC_TRY(advance());
    } else if (piped) {
      return bad_template("what follows | must be a function, not " + word);
    } else if (word == "nil") {
      return bad_template("nil is not a command");
    }
    while (!at_end_of_command()) {
      CC_ASSIGN(TemplateOperand operand, operand_of(depth));
      command.arguments.push_back(std::move(operand));
    }
    const size_t given = command.arguments.size() + (piped ? 1 : 0);
    if (command.function == nullptr && given > 1)
      return bad_template("can't give argument to non-function");
    if (command.function != nullptr &&
        (given < command.function->arguments_min || given > command.function->arguments_max)) {
      return bad_template("wrong number of args for " + std::string(command.function->name) +
                          ": got " + std::to_string(given));
    }
    return command;
  }

  Result<TemplateOperand> operand_of(int depth) {
    TemplateOperand operand;
    const std::string_view token = token_.text;
    if (token == "(") {
      CC_TRY(advance());
      CC_ASSIGN(TemplatePipeline inner, pipeline_of(depth + 1));
      if (token_.text != ")") return bad_template("unclosed left paren");
      operand.kind = TemplateOperand::Kind::pipeline;
      operand.pipeline = std::make_shared<const TemplatePipeline>(std::move(inner));
      CC_TRY(advance());
      // Fields of the value stand without a blank behind the parenthesis.
      if (!token_.spaced && token_.text.starts_with('.') && token_.text.size() > 1) {
        if (!split_path(token_.text, operand.path)) return unexpected();
        CC_TRY(advance());
      }
      return operand;
    }
    if (token == ".") {
      operand.kind = TemplateOperand::Kind::dot;
    } else if (token.starts_with('.') && !(token.size() > 1 && query::is_ascii_digit(token[1]))) {
      operand.kind = TemplateOperand::Kind::dot;
      if (!split_path(token, operand.path)) return unexpected();
    } else if (token.starts_with('$')) {
      operand.kind = TemplateOperand::Kind::variable;
      const size_t dot = std::min(token.find('.'), token.size());
      operand.variable = token.substr(0, dot);
      if (!split_path(token.substr(dot), operand.path)) return unexpected();
      CC_TRY(check_defined(operand.variable));
    } else if (token.front() == '"' || token.front() == '`') {
      CC_ASSIGN(query::StringLiteral literal, query::scan_string_literal(token));
      operand.literal = std::move(literal.value);
    } else if (token.front() == '\'') {
      CC_ASSIGN(operand.literal, character_of(token));
    } else if (token == "true" || token == "false") {
      operand.literal = token == "true";
    } else if (token == "nil") {
      operand.literal = TemplateValue();
    } else if (is_name(token)) {
      CC_TRY(function_alone(std::string(token), operand));
    } else {
      CC_ASSIGN(operand.literal, number_of(token));
    }
    CC_TRY(advance());
    return operand;
  }

  Status function_alone(const std::string& name, TemplateOperand& out) const {
    const TemplateFunction* function = find_template_function(name);
    if (function == nullptr) return bad_template("function \"" + name + "\" not defined");
    if (function->arguments_min > 0)
      return bad_template("wrong number of args for " + name + ": got 0");
    out.kind = TemplateOperand::Kind::pipeline;
    out.pipeline = std::make_shared<const TemplatePipeline>(
        TemplatePipeline{{}, false, {TemplateCommand{function, {}}}});
    return {};
  }

  Error unexpected() const {
    return bad_template("unexpected " + std::string(token_.text) + " in operand");
  }

  Scanner scanner_;
  TemplateScope& scope_;
  Token token_;
  bool assigns_ = false;
};

}  // namespace

Result<TemplatePipeline> parse_template_pipeline(std::string_view text, size_t max_variables,
                                                 TemplateScope& scope) {
  return PipelineParser(text, scope).parse(max_variables);
}

Result<std::string> take_template_string(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
  if (!text.starts_with('"') && !text.starts_with('`'))
    return bad_template("a template's name must be a string");
  CC_ASSIGN(query::StringLiteral name, query::scan_string_literal(text));
  text.remove_prefix(name.length);
  return std::move(name.value);
}

}  // namespace contextcore::logql
