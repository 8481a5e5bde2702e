#include "query/traceql/lenient.h"

#include <algorithm>
#include <string>
#include <vector>

#include "query/traceql/parser.h"

namespace contextcore::traceql {

namespace {

std::optional<FieldExpr> first_filter(std::string_view text) {
  const Result<Query> query = parse_and_validate(text);
  if (!query.ok()) return std::nullopt;
  const Pipeline* pipeline = nullptr;
  if (!query->is_metrics()) {
    pipeline = &query->pipeline();
  } else if (const auto* single =
                 std::get_if<MetricsPipeline>(&std::get<MetricsQuery>(query->body).expr.leaf)) {
    pipeline = &single->pipeline;
  }
  if (pipeline == nullptr || pipeline->stages.empty()) return std::nullopt;
  const auto* spanset = std::get_if<SpansetExpr>(&pipeline->stages.front());
  return spanset != nullptr ? spanset->filter : std::nullopt;
}

// One past the string that begins at `at`; the end of the text when it does not end.
size_t end_of_string(std::string_view text, size_t at) {
  const char quote = text[at];
  for (size_t i = at + 1; i < text.size(); ++i) {
    if (text[i] == '\\' && quote == '"') {
      ++i;
    } else if (text[i] == quote) {
      return i + 1;
    }
  }
  return text.size();
}

// Conditions and what stands between them: "&&", "||", "(" and ")".
struct Piece {
  std::string_view text;
  bool condition = false;
};

std::vector<Piece> pieces_of(std::string_view text) {
  std::vector<Piece> pieces;
  size_t begin = 0;
  const auto flush = [&](size_t end) {
    std::string_view part = text.substr(begin, end - begin);
    const size_t first = part.find_first_not_of(" \t\r\n");
    if (first != std::string_view::npos) pieces.push_back({part.substr(first), true});
  };
  for (size_t at = 0; at < text.size();) {
    if (text[at] == '"' || text[at] == '`') {
      at = end_of_string(text, at);
      continue;
    }
    const std::string_view two = text.substr(at, 2);
    const size_t length = two == "&&" || two == "||"           ? 2
                          : text[at] == '(' || text[at] == ')' ? 1
                                                               : 0;
    if (length == 0) {
      ++at;
      continue;
    }
    flush(at);
    pieces.push_back({text.substr(at, length), false});
    at += length;
    begin = at;
  }
  flush(text.size());
  return pieces;
}

bool is_whole(std::string_view condition) {
  return first_filter("{ " + std::string(condition) + "\n}").has_value();
}

// The conditions once more, with those that are not whole as true and brackets that match.
std::string completed(std::string_view text) {
  std::string out = "{ ";
  int depth = 0;
  bool wants_operand = true;
  for (const Piece& piece : pieces_of(text)) {
    if (piece.condition) {
      if (!wants_operand) out += " && ";
      out += is_whole(piece.text) ? std::string(piece.text) + "\n" : "true";
      wants_operand = false;
    } else if (piece.text == "(") {
      if (!wants_operand) out += " && ";
      out += "(";
      ++depth;
      wants_operand = true;
    } else if (piece.text == ")") {
      if (depth == 0) continue;
      if (wants_operand) out += "true";
      out += ")";
      --depth;
      wants_operand = false;
    } else {
      if (wants_operand) out += "true";
      out += " " + std::string(piece.text) + " ";
      wants_operand = true;
    }
  }
  if (wants_operand) out += "true";
  out.append(static_cast<size_t>(depth), ')');
  return out + " }";
}

}  // namespace

std::optional<FieldExpr> lenient_filter(std::string_view text) {
  if (auto filter = first_filter(text)) return filter;
  if (parse_and_validate(text).ok()) return std::nullopt;  // whole, and something else
  const size_t open = text.find('{');
  if (open == std::string_view::npos) return std::nullopt;
  std::string_view inside = text.substr(open + 1);
  for (size_t at = 0; at < inside.size();) {
    if (inside[at] == '"' || inside[at] == '`') {
      at = end_of_string(inside, at);
    } else if (inside[at] == '}') {
      // What follows has to be whole: nobody types behind a filter that is not.
      if (inside.find_first_not_of(" \t\r\n", at + 1) != std::string_view::npos) {
        return std::nullopt;
      }
      inside = inside.substr(0, at);
      break;
    } else {
      ++at;
    }
  }
  return first_filter(completed(inside));
}

}  // namespace contextcore::traceql
