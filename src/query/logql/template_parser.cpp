#include "query/logql/template_parser.h"

#include <algorithm>
#include <utility>

#include "query/logql/template_action.h"

namespace contextcore::logql {

namespace {

constexpr std::string_view kBlanks = " \t\r\n";

std::string_view trim_left(std::string_view text) {
  const size_t start = text.find_first_not_of(kBlanks);
  return start == std::string_view::npos ? std::string_view() : text.substr(start);
}
std::string_view trim_right(std::string_view text) {
  const size_t end = text.find_last_not_of(kBlanks);
  return end == std::string_view::npos ? std::string_view() : text.substr(0, end + 1);
}

// The text between actions, and the actions, in order.
struct Piece {
  bool action = false;
  std::string_view text;
};

// Where the action that begins at `at` ends; quoted }} and comments do not end it.
size_t end_of_action(std::string_view text, size_t at) {
  const std::string_view inner =
      trim_left(text.substr(at).substr(text.substr(at).starts_with("- ")));
  if (inner.starts_with("/*")) {
    const size_t comment = text.find("*/", at);
    return comment == std::string_view::npos ? comment : text.find("}}", comment);
  }
  while (at < text.size() && !text.substr(at).starts_with("}}")) {
    const char quote = text[at++];
    if (quote != '"' && quote != '`' && quote != '\'') continue;
    const size_t inside = at;
    while (at < text.size() && text[at] != quote) at += quote != '`' && text[at] == '\\' ? 2 : 1;
    // A quote that is not closed is found by who reads the action.
    if (at >= text.size()) return text.find("}}", inside);
    ++at;
  }
  return at < text.size() ? at : std::string_view::npos;
}

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
    const size_t close = end_of_action(text, open + 2);
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
  return action.substr(0, action.find_first_of(" \t\r\n(\"`$."));
}

// Nodes up to the end of the template or, inside a block, up to {{else}} or {{end}}.
class BlockParser {
 public:
  explicit BlockParser(const std::vector<Piece>& pieces) : pieces_(pieces) {}

  Result<ParsedTemplate> parse() {
    CC_ASSIGN(out_.nodes, block(0));
    if (at_ < pieces_.size())
      return bad_template("unexpected {{" + std::string(pieces_[at_].text) + "}}");
    return std::move(out_);
  }

 private:
  Result<TemplateNodes> block(int depth) {
    if (depth > kTemplateDepthMax) return bad_template("blocks nest too deeply");
    const size_t outer_scope = scope_.size();
    TemplateNodes out;
    for (; at_ < pieces_.size(); ++at_) {
      const Piece& piece = pieces_[at_];
      TemplateNode node;
      if (!piece.action) {
        node.text = piece.text;
      } else {
        const std::string_view word = first_word(piece.text);
        if (word == "else" || word == "end") break;
        if (word == "define") {
          CC_TRY(definition(piece.text.substr(word.size()), depth));
          continue;
        }
        CC_TRY(action(word, piece.text, depth, node));
      }
      out.push_back(std::move(node));
    }
    scope_.resize(outer_scope);
    return out;
  }

  Status action(std::string_view word, std::string_view text, int depth, TemplateNode& node) {
    const std::string_view rest = text.substr(word.size());
    if (word == "if" || word == "with" || word == "range") {
      ++at_;
      return conditional(word, rest, depth, node);
    }
    if (word == "template" || word == "block") return call(word == "block", rest, depth, node);
    if (word == "break" || word == "continue") {
      if (loops_ == 0) return bad_template("{{" + std::string(word) + "}} outside {{range}}");
      node.kind = word == "break" ? TemplateNode::Kind::leave : TemplateNode::Kind::next;
      return {};
    }
    node.kind = TemplateNode::Kind::value;
    CC_ASSIGN(node.pipeline, parse_template_pipeline(text, 1, scope_));
    return {};
  }

  // {{template "name" pipeline}}; {{block "name" pipeline}} defines it too.
  Status call(bool defines, std::string_view rest, int depth, TemplateNode& node) {
    node.kind = TemplateNode::Kind::call;
    CC_ASSIGN(node.text, take_template_string(rest));
    rest = trim_left(rest);
    if (!rest.empty()) {
      CC_ASSIGN(node.pipeline, parse_template_pipeline(rest, 0, scope_));
    } else if (defines) {
      return bad_template("missing value for block clause");
    }
    if (!defines) return {};
    return body(node.text, depth);
  }

  Status definition(std::string_view rest, int depth) {
    if (depth > 0) return bad_template("unexpected {{define}}");
    CC_ASSIGN(const std::string name, take_template_string(rest));
    if (!trim_left(rest).empty())
      return bad_template("unexpected " + std::string(rest) + " in define clause");
    return body(name, depth);
  }

  // What is defined sees no variables and no loops from around it. {{end}} stays current.
  Status body(const std::string& name, int depth) {
    ++at_;
    TemplateScope outer;
    outer.swap(scope_);
    const int loops = std::exchange(loops_, 0);
    CC_ASSIGN(TemplateNodes nodes, block(depth + 1));
    scope_.swap(outer);
    loops_ = loops;
    CC_TRY(expect_end());
    out_.defined[name] = std::move(nodes);
    return {};
  }

  Status expect_end() const {
    if (at_ == pieces_.size()) return bad_template("unexpected EOF: {{end}} is missing");
    if (first_word(pieces_[at_].text) == "end") return {};
    return bad_template("expected end; found {{" + std::string(pieces_[at_].text) + "}}");
  }

  // From behind {{if …}} to its {{end}}, which stays current.
  Status conditional(std::string_view word, std::string_view condition, int depth,
                     TemplateNode& node) {
    const size_t outer_scope = scope_.size();
    const bool loop = word == "range";
    node.kind = loop           ? TemplateNode::Kind::range
                : word == "if" ? TemplateNode::Kind::branch
                               : TemplateNode::Kind::with;
    CC_ASSIGN(node.pipeline, parse_template_pipeline(condition, loop ? 2 : 1, scope_));
    loops_ += loop ? 1 : 0;
    CC_ASSIGN(node.then_do, block(depth + 1));
    loops_ -= loop ? 1 : 0;
    if (at_ == pieces_.size()) return bad_template("unexpected EOF: {{end}} is missing");
    if (first_word(pieces_[at_].text) == "else") CC_TRY(otherwise(word, depth, node));
    CC_TRY(expect_end());
    scope_.resize(outer_scope);
    return {};
  }

  Status otherwise(std::string_view word, int depth, TemplateNode& node) {
    const std::string_view rest = trim_left(pieces_[at_++].text.substr(4));
    const std::string_view next = first_word(rest);
    if (!next.empty() && next == word && word != "range") {
      TemplateNode inner;
      CC_TRY(conditional(next, rest.substr(next.size()), depth + 1, inner));
      node.else_do.push_back(std::move(inner));
      return {};
    }
    if (!rest.empty()) return bad_template("unexpected " + std::string(rest) + " after else");
    CC_ASSIGN(node.else_do, block(depth + 1));
    return {};
  }

  const std::vector<Piece>& pieces_;
  size_t at_ = 0;
  TemplateScope scope_;
  int loops_ = 0;
  ParsedTemplate out_;
};

}  // namespace

Error bad_template(const std::string& what) {
  return Error{
      Code::invalid_argument, "invalid line template: template: line:1: " + what, {}, {}, {}};
}

Result<ParsedTemplate> parse_template(std::string_view text) {
  CC_ASSIGN(const std::vector<Piece> pieces, split(text));
  return BlockParser(pieces).parse();
}

}  // namespace contextcore::logql
