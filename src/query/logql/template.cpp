#include "query/logql/template.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <utility>

#include "query/logql/text.h"

namespace contextcore::logql {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";
constexpr int kDepthMax = 50;
constexpr size_t kRenderedBytesMax = 1 << 20;

std::string_view trim_left(std::string_view text) {
  const size_t start = text.find_first_not_of(kBlanks);
  return start == std::string_view::npos ? std::string_view() : text.substr(start);
}
std::string_view trim_right(std::string_view text) {
  const size_t end = text.find_last_not_of(kBlanks);
  return end == std::string_view::npos ? std::string_view() : text.substr(0, end + 1);
}

Error bad_template(const std::string& what) {
  return Error{
      Code::invalid_argument, "invalid line template: template: line:1: " + what, {}, {}, {}};
}

// Loki has them, we do not yet.
bool is_later_function(std::string_view name) {
  constexpr std::array<std::string_view, 18> kNames = {
      "__timestamp__",  "call",         "date",      "fromJson",
      "html",           "index",        "js",        "now",
      "print",          "printf",       "println",   "slice",
      "toDate",         "toDateInZone", "unixEpoch", "unixEpochMillis",
      "unixEpochNanos", "unixToTime"};
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

// The tokens of one action.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  // Empty at the end. A string keeps its quotes.
  Result<std::string_view> next() {
    rest_ = trim_left(rest_);
    if (rest_.empty()) return std::string_view();
    const char first = rest_.front();
    size_t length = 1;
    if (first == '"' || first == '`') {
      while (length < rest_.size() && rest_[length] != first)
        length += first == '"' && rest_[length] == '\\' ? 2 : 1;
      if (length >= rest_.size()) return bad_template("unterminated quoted string");
      ++length;
    } else if (first != '(' && first != ')' && first != '|') {
      length = rest_.find_first_of(" \t\r\n()|\"`");
      if (length == std::string_view::npos) length = rest_.size();
    }
    const std::string_view token = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return token;
  }

 private:
  std::string_view rest_;
};

Result<std::string> unquote(std::string_view token) {
  const std::string_view inner = token.substr(1, token.size() - 2);
  if (token.front() == '`') return std::string(inner);
  std::string out;
  for (size_t at = 0; at < inner.size(); ++at) {
    if (inner[at] != '\\') {
      out += inner[at];
      continue;
    }
    switch (++at < inner.size() ? inner[at] : '\0') {
      case 'n':
        out += '\n';
        break;
      case 't':
        out += '\t';
        break;
      case 'r':
        out += '\r';
        break;
      case '\\':
        out += '\\';
        break;
      case '"':
        out += '"';
        break;
      case '\'':
        out += '\'';
        break;
      default:
        return bad_template("an escape that is not known in " + std::string(token));
    }
  }
  return out;
}

class ActionParser {
 public:
  explicit ActionParser(std::string_view text) : scanner_(text) {}

  Result<TemplatePipeline> parse() {
    CC_TRY(advance());
    CC_ASSIGN(TemplatePipeline pipeline, pipeline_of(0));
    if (!token_.empty()) return bad_template("unexpected " + std::string(token_) + " in action");
    return pipeline;
  }

 private:
  Status advance() {
    CC_ASSIGN(token_, scanner_.next());
    return {};
  }

  Result<TemplatePipeline> pipeline_of(int depth) {
    if (depth > kDepthMax) return bad_template("parentheses nest too deeply");
    TemplatePipeline out;
    while (true) {
      CC_ASSIGN(TemplateCommand command, command_of(depth, !out.commands.empty()));
      out.commands.push_back(std::move(command));
      if (token_ != "|") return out;
      CC_TRY(advance());
    }
  }

  Result<TemplateCommand> command_of(int depth, bool piped) {
    TemplateCommand command;
    if (token_.empty() || token_ == ")" || token_ == "|")
      return bad_template("missing value for command");
    if (std::isalpha(static_cast<unsigned char>(token_.front())) != 0 || token_.front() == '_') {
      if (token_ != "true" && token_ != "false") {
        command.function = find_template_function(token_);
        if (command.function == nullptr && is_later_function(token_)) {
          return Error{Code::unsupported,
                       "template function " + std::string(token_) + " is not yet supported",
                       {},
                       {},
                       {}};
        }
        if (command.function == nullptr) {
          return bad_template("function \"" + std::string(token_) + "\" not defined");
        }
        CC_TRY(advance());
      }
    } else if (piped) {
      return bad_template("what follows | must be a function, not " + std::string(token_));
    }
    while (!token_.empty() && token_ != ")" && token_ != "|") {
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
    const std::string_view token = token_;
    if (token == "(") {
      CC_TRY(advance());
      CC_ASSIGN(TemplatePipeline inner, pipeline_of(depth + 1));
      if (token_ != ")") return bad_template("unclosed left paren");
      operand.kind = TemplateOperand::Kind::pipeline;
      operand.pipeline = std::make_shared<const TemplatePipeline>(std::move(inner));
    } else if (token == ".") {
      operand.kind = TemplateOperand::Kind::dot;
    } else if (token.front() == '.' && is_label_name(token.substr(1))) {
      operand.kind = TemplateOperand::Kind::label;
      operand.label = token.substr(1);
    } else if (token.front() == '"' || token.front() == '`') {
      CC_ASSIGN(operand.literal, unquote(token));
    } else if (token == "true" || token == "false") {
      operand.literal = token == "true";
    } else if (const TemplateFunction* function = find_template_function(token);
               function != nullptr) {
      if (function->arguments_min > 0)
        return bad_template("wrong number of args for " + std::string(token) + ": got 0");
      operand.kind = TemplateOperand::Kind::pipeline;
      operand.pipeline = std::make_shared<const TemplatePipeline>(
          TemplatePipeline{{TemplateCommand{function, {}}}});
    } else {
      CC_TRY(number(token, operand.literal));
    }
    CC_TRY(advance());
    return operand;
  }

  static Status number(std::string_view token, TemplateValue& out) {
    int64_t integer = 0;
    const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), integer);
    if (error == std::errc() && end == token.data() + token.size()) {
      out = integer;
      return {};
    }
    double real = 0;
    const bool digit =
        std::isdigit(static_cast<unsigned char>(token.front())) != 0 || token.front() == '-';
    if (digit && parse_number(token, real)) {
      out = real;
      return {};
    }
    return bad_template("\"" + std::string(token) +
                        "\" is not supported here: labels, text, numbers and functions are");
  }

  Scanner scanner_;
  std::string_view token_;
};

// The text between actions, and the actions, in order.
struct Piece {
  bool action = false;
  std::string_view text;
};

Result<std::vector<Piece>> split(std::string_view text) {
  std::vector<Piece> out;
  bool trim_next = false;
  while (!text.empty()) {
    const size_t open = text.find("{{");
    std::string_view literal = text.substr(0, open);
    if (std::exchange(trim_next, false)) literal = trim_left(literal);
    if (open == std::string_view::npos) {
      if (!literal.empty()) out.push_back({false, literal});
      break;
    }
    const size_t close = text.find("}}", open);
    if (close == std::string_view::npos) return bad_template("unclosed action");
    std::string_view action = text.substr(open + 2, close - open - 2);
    text.remove_prefix(close + 2);
    if (action.size() > 1 && action.front() == '-' &&
        kBlanks.find(action[1]) != std::string_view::npos) {
      literal = trim_right(literal);
      action.remove_prefix(1);
    }
    if (action.size() > 1 && action.back() == '-' &&
        kBlanks.find(action[action.size() - 2]) != std::string_view::npos) {
      trim_next = true;
      action.remove_suffix(1);
    }
    if (!literal.empty()) out.push_back({false, literal});
    action = trim_right(trim_left(action));
    if (!(action.starts_with("/*") && action.ends_with("*/"))) out.push_back({true, action});
  }
  return out;
}

std::string_view first_word(std::string_view action) {
  return action.substr(0, action.find_first_of(" \t\r\n("));
}

// Nodes up to the end of the template or, inside a block, up to {{else}} or {{end}}.
class BlockParser {
 public:
  explicit BlockParser(const std::vector<Piece>& pieces) : pieces_(pieces) {}

  Result<std::vector<TemplateNode>> parse() {
    CC_ASSIGN(std::vector<TemplateNode> nodes, block(0));
    if (at_ < pieces_.size())
      return bad_template("unexpected {{" + std::string(pieces_[at_].text) + "}}");
    return nodes;
  }

 private:
  Result<std::vector<TemplateNode>> block(int depth) {
    if (depth > kDepthMax) return bad_template("blocks nest too deeply");
    std::vector<TemplateNode> out;
    for (; at_ < pieces_.size(); ++at_) {
      const Piece& piece = pieces_[at_];
      TemplateNode node;
      if (!piece.action) {
        node.text = piece.text;
      } else {
        const std::string_view word = first_word(piece.text);
        if (word == "else" || word == "end") return out;
        if (word == "range" || word == "define" || word == "template" || word == "block" ||
            word == "break" || word == "continue" || piece.text.starts_with('$')) {
          return Error{Code::unsupported,
                       "template action {{" + std::string(piece.text) + "}} is not yet supported",
                       "labels, text, functions, pipelines, if and with are",
                       {},
                       {}};
        }
        if (word == "if" || word == "with") {
          ++at_;
          CC_TRY(conditional(word == "if", piece.text.substr(word.size()), depth, node));
        } else {
          node.kind = TemplateNode::Kind::value;
          CC_ASSIGN(node.pipeline, ActionParser(piece.text).parse());
        }
      }
      out.push_back(std::move(node));
    }
    return out;
  }

  // From behind {{if …}} to its {{end}}, which stays current.
  Status conditional(bool is_if, std::string_view condition, int depth, TemplateNode& node) {
    node.kind = is_if ? TemplateNode::Kind::branch : TemplateNode::Kind::with;
    CC_ASSIGN(node.pipeline, ActionParser(condition).parse());
    CC_ASSIGN(node.then_do, block(depth + 1));
    if (at_ == pieces_.size()) return bad_template("unexpected EOF: {{end}} is missing");
    if (first_word(pieces_[at_].text) == "end") return {};
    const std::string_view rest = trim_left(pieces_[at_++].text.substr(4));
    const std::string_view word = first_word(rest);
    if (word == "if" || word == "with") {
      TemplateNode inner;
      CC_TRY(conditional(word == "if", rest.substr(word.size()), depth + 1, inner));
      node.else_do.push_back(std::move(inner));
      return {};
    }
    if (!rest.empty()) return bad_template("unexpected " + std::string(rest) + " after else");
    CC_ASSIGN(node.else_do, block(depth + 1));
    if (at_ == pieces_.size() || first_word(pieces_[at_].text) != "end") {
      return bad_template("expected end; found " +
                          (at_ == pieces_.size() ? "the end of the template"
                                                 : "{{" + std::string(pieces_[at_].text) + "}}"));
    }
    return {};
  }

  const std::vector<Piece>& pieces_;
  size_t at_ = 0;
};

class Renderer {
 public:
  Renderer(const EntryLabels& labels, std::string_view line) : labels_(labels), line_(line) {}

  Status nodes(const std::vector<TemplateNode>& nodes, const TemplateValue* dot,
               std::string& out) const {
    for (const TemplateNode& node : nodes) {
      if (node.kind == TemplateNode::Kind::text) {
        out += node.text;
      } else {
        CC_ASSIGN(const TemplateValue value, pipeline(node.pipeline, dot));
        if (node.kind == TemplateNode::Kind::value) {
          out += template_text(value);
        } else {
          const bool yes = template_truth(value);
          const TemplateValue* inner = yes && node.kind == TemplateNode::Kind::with ? &value : dot;
          CC_TRY(this->nodes(yes ? node.then_do : node.else_do, inner, out));
        }
      }
      if (out.size() > kRenderedBytesMax)
        return Error{Code::resource_exhausted, "the template's text is too long", {}, {}, {}};
    }
    return {};
  }

 private:
  Result<TemplateValue> pipeline(const TemplatePipeline& pipeline, const TemplateValue* dot) const {
    TemplateValue value;
    bool piped = false;
    for (const TemplateCommand& command : pipeline.commands) {
      TemplateValues arguments;
      for (const TemplateOperand& operand : command.arguments) {
        CC_ASSIGN(TemplateValue argument, this->operand(operand, dot));
        arguments.push_back(std::move(argument));
      }
      if (std::exchange(piped, true)) arguments.push_back(std::move(value));
      if (command.function == nullptr) {
        value = std::move(arguments.front());
      } else {
        CC_ASSIGN(value, command.function->call(arguments, line_));
      }
    }
    return value;
  }

  Result<TemplateValue> operand(const TemplateOperand& operand, const TemplateValue* dot) const {
    switch (operand.kind) {
      case TemplateOperand::Kind::label:
        return TemplateValue(std::string(labels_.get(operand.label)));
      case TemplateOperand::Kind::dot:
        return dot == nullptr ? TemplateValue(std::string()) : *dot;
      case TemplateOperand::Kind::pipeline:
        return pipeline(*operand.pipeline, dot);
      case TemplateOperand::Kind::literal:
        break;
    }
    return operand.literal;
  }

  const EntryLabels& labels_;
  std::string_view line_;
};

}  // namespace

Result<Template> Template::compile(std::string_view text) {
  Template out;
  CC_ASSIGN(const std::vector<Piece> pieces, split(text));
  CC_ASSIGN(out.nodes_, BlockParser(pieces).parse());
  return out;
}

Result<std::string> Template::render(const EntryLabels& labels, std::string_view line) const {
  std::string out;
  CC_TRY(Renderer(labels, line).nodes(nodes_, nullptr, out));
  return out;
}

}  // namespace contextcore::logql
