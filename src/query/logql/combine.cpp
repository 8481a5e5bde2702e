#include <re2/re2.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <unordered_map>

#include "query/common/lexing.h"
#include "query/common/regex.h"
#include "query/logql/series_math.h"
#include "query/logql/text.h"
#include "query/logql/validate.h"

namespace contextcore::logql {
namespace {

using Cardinality = VectorMatching::Cardinality;

Error bad(std::string message) {
  return Error{Code::invalid_argument, std::move(message), {}, {}, {}};
}

bool is_comparison(BinaryOp op) { return op >= BinaryOp::equal; }

// The labels that pair the two sides.
LabelPairs signature(const LabelPairs& labels, const std::optional<VectorMatching>& matching) {
  if (!matching) return labels;
  return group_labels(labels, Grouping{!matching->on, matching->labels});
}

// Series of one side by signature.
using Buckets = std::unordered_map<std::string, std::vector<size_t>>;
Buckets bucket(const std::vector<GridSeries>& series,
               const std::optional<VectorMatching>& matching) {
  Buckets out;
  for (size_t i = 0; i < series.size(); ++i)
    out[key_of(signature(series[i].labels, matching))].push_back(i);
  return out;
}

// Adds points to the series of the same labels.
class Merger {
 public:
  void add(LabelPairs labels, std::vector<Point> points) {
    if (points.empty()) return;
    const auto [at, is_new] = index_.try_emplace(key_of(labels), out_.size());
    if (is_new) {
      out_.push_back({std::move(labels), std::move(points)});
      return;
    }
    auto& target = out_[at->second].points;
    target.insert(target.end(), points.begin(), points.end());
    merged_ = true;
  }
  // False when two series of the same labels have a value at the same step.
  bool take(std::vector<GridSeries>& out) {
    for (GridSeries& one : out_) {
      if (!merged_) break;
      std::sort(one.points.begin(), one.points.end(),
                [](const Point& a, const Point& b) { return a.step < b.step; });
      const auto twice =
          std::adjacent_find(one.points.begin(), one.points.end(),
                             [](const Point& a, const Point& b) { return a.step == b.step; });
      if (twice != one.points.end()) return false;
    }
    out = std::move(out_);
    return true;
  }

 private:
  std::vector<GridSeries> out_;
  std::unordered_map<std::string, size_t> index_;
  bool merged_ = false;
};

Result<GridValue> with_scalar(const BinaryOperation& operation, GridValue left, GridValue right) {
  const bool scalar_left = left.is_scalar;
  GridValue& vector = scalar_left ? right : left;
  const double scalar = scalar_left ? left.scalar : right.scalar;
  for (GridSeries& series : vector.series) {
    std::vector<Point> points;
    for (const Point& point : series.points) {
      double value = 0;
      const double l = scalar_left ? scalar : point.value;
      const double r = scalar_left ? point.value : scalar;
      if (apply(operation.op, operation.return_bool, l, r, point.value, value))
        points.push_back({point.step, value});
    }
    series.points = std::move(points);
  }
  std::erase_if(vector.series, [](const GridSeries& series) { return series.points.empty(); });
  return std::move(vector);
}

// Steps at which any of the listed series has a value.
std::vector<bool> presence(const std::vector<GridSeries>& series, const Buckets& buckets,
                           const std::string& key, const Grid& grid) {
  std::vector<bool> out(grid.points, false);
  const auto bucket = buckets.find(key);
  if (bucket == buckets.end()) return out;
  for (const size_t i : bucket->second) {
    for (const Point& point : series[i].points) out[point.step] = true;
  }
  return out;
}

std::vector<Point> filter(const std::vector<Point>& points, const std::vector<bool>& steps,
                          bool wanted) {
  std::vector<Point> out;
  for (const Point& point : points) {
    if (steps[point.step] == wanted) out.push_back(point);
  }
  return out;
}

Result<GridValue> set_operation(const BinaryOperation& operation, const GridValue& left,
                                const GridValue& right, const Grid& grid) {
  Merger merger;
  const Buckets left_buckets = bucket(left.series, operation.matching);
  const Buckets right_buckets = bucket(right.series, operation.matching);
  for (const GridSeries& series : left.series) {
    if (operation.op == BinaryOp::or_) {
      merger.add(series.labels, series.points);
      continue;
    }
    const auto steps = presence(right.series, right_buckets,
                                key_of(signature(series.labels, operation.matching)), grid);
    merger.add(series.labels, filter(series.points, steps, operation.op == BinaryOp::and_));
  }
  if (operation.op == BinaryOp::or_) {
    for (const GridSeries& series : right.series) {
      const auto steps = presence(left.series, left_buckets,
                                  key_of(signature(series.labels, operation.matching)), grid);
      merger.add(series.labels, filter(series.points, steps, false));
    }
  }
  GridValue out;
  if (!merger.take(out.series)) return bad("vector cannot contain metrics with the same labelset");
  return out;
}

LabelPairs result_labels(const LabelPairs& many, const LabelPairs& one,
                         const std::optional<VectorMatching>& matching) {
  if (!matching) return many;
  if (matching->cardinality == Cardinality::one_to_one) return signature(many, matching);
  LabelPairs out;
  auto included = [&](const auto& label) {
    return std::find(matching->include.begin(), matching->include.end(), label.first) !=
           matching->include.end();
  };
  for (const auto& label : many) {
    if (!included(label)) out.push_back(label);
  }
  for (const auto& label : one) {
    if (included(label)) out.push_back(label);
  }
  std::sort(out.begin(), out.end());
  return out;
}

// The series of the "one" side that has a value at a step.
struct Partner {
  const GridSeries* series = nullptr;
  double value = 0;
};

Result<GridValue> match_vectors(const BinaryOperation& operation, const GridValue& left,
                                const GridValue& right, const Grid& grid) {
  const auto& matching = operation.matching;
  const bool swapped = matching && matching->cardinality == Cardinality::one_to_many;
  const bool one_to_one = !matching || matching->cardinality == Cardinality::one_to_one;
  const GridValue& many = swapped ? right : left;
  const GridValue& one = swapped ? left : right;
  const Buckets many_buckets = bucket(many.series, matching);
  Merger merger;
  for (const auto& [key, members] : bucket(one.series, matching)) {
    std::vector<Partner> partners(grid.points);
    for (const size_t i : members) {
      for (const Point& point : one.series[i].points) {
        if (partners[point.step].series != nullptr) {
          return bad("found duplicate series on the " + std::string(swapped ? "left" : "right") +
                     " hand-side;many-to-many matching not allowed: matching labels must be unique "
                     "on one side");
        }
        partners[point.step] = {&one.series[i], point.value};
      }
    }
    const auto bucket_of_many = many_buckets.find(key);
    if (bucket_of_many == many_buckets.end()) continue;
    std::vector<bool> used(one_to_one ? grid.points : 0, false);
    for (const size_t i : bucket_of_many->second) {
      const GridSeries& series = many.series[i];
      const GridSeries* partner = nullptr;  // of the points collected so far
      std::vector<Point> points;
      for (const Point& point : series.points) {
        const Partner& other = partners[point.step];
        if (other.series == nullptr) continue;
        if (one_to_one) {
          if (used[point.step]) {
            return bad(
                "multiple matches for labels: many-to-one matching must be explicit "
                "(group_left/group_right)");
          }
          used[point.step] = true;
        }
        if (partner != nullptr && partner != other.series) {
          merger.add(result_labels(series.labels, partner->labels, matching), std::move(points));
          points.clear();
        }
        partner = other.series;
        const double l = swapped ? other.value : point.value;
        const double r = swapped ? point.value : other.value;
        double value = 0;
        if (apply(operation.op, operation.return_bool, l, r, l, value))
          points.push_back({point.step, value});
      }
      if (partner != nullptr)
        merger.add(result_labels(series.labels, partner->labels, matching), std::move(points));
    }
  }
  GridValue out;
  if (!merger.take(out.series)) {
    return bad("multiple matches for labels: grouping labels must ensure unique matches");
  }
  return out;
}

// Go's Regexp.Expand: $1, ${1}, $name, ${name}, $$.
std::string expand(std::string_view text, const re2::RE2& regex,
                   const std::vector<re2::StringPiece>& groups) {
  std::string out;
  size_t at = 0;
  while (at < text.size()) {
    if (text[at] != '$') {
      out.push_back(text[at++]);
      continue;
    }
    ++at;
    if (at < text.size() && text[at] == '$') {
      out.push_back(text[at++]);
      continue;
    }
    const bool braces = at < text.size() && text[at] == '{';
    const size_t start = at + (braces ? 1 : 0);
    size_t end = start;
    while (end < text.size() && query::is_word_part(text[end])) ++end;
    if (end == start || (braces && (end >= text.size() || text[end] != '}'))) {
      out.push_back('$');
      continue;
    }
    const std::string name(text.substr(start, end - start));
    at = end + (braces ? 1 : 0);
    size_t index = groups.size();
    if (std::all_of(name.begin(), name.end(), query::is_ascii_digit)) {
      index = name.size() < 6 ? std::stoul(name) : groups.size();
    } else if (const auto named = regex.NamedCapturingGroups().find(name);
               named != regex.NamedCapturingGroups().end()) {
      index = static_cast<size_t>(named->second);
    }
    if (index < groups.size()) out.append(groups[index].data(), groups[index].size());
  }
  return out;
}

}  // namespace

bool apply(BinaryOp op, bool return_bool, double left, double right, double kept, double& out) {
  out = fold(op, left, right);
  if (!is_comparison(op) || return_bool) return true;
  const bool holds = out != 0;
  out = kept;
  return holds;
}

Result<GridValue> combine(const BinaryOperation& operation, GridValue left, GridValue right,
                          const Grid& grid) {
  if (left.is_scalar && right.is_scalar) {
    GridValue out;
    out.is_scalar = true;
    out.scalar = fold(operation.op, left.scalar, right.scalar);
    return out;
  }
  if (left.is_scalar || right.is_scalar)
    return with_scalar(operation, std::move(left), std::move(right));
  switch (operation.op) {
    case BinaryOp::or_:
    case BinaryOp::and_:
    case BinaryOp::unless:
      return set_operation(operation, left, right, grid);
    default:
      return match_vectors(operation, left, right, grid);
  }
}

Result<GridValue> replace_label(const LabelReplace& replace, GridValue operand) {
  CC_ASSIGN(const query::Regex regex, query::Regex::compile(replace.regex));
  const re2::RE2& re = regex.re2();
  std::vector<re2::StringPiece> groups(static_cast<size_t>(re.NumberOfCapturingGroups()) + 1);
  Merger merger;
  for (GridSeries& series : operand.series) {
    std::string source;
    for (const auto& [name, value] : series.labels) {
      if (name == replace.source) source = value;
    }
    if (re.Match(source, 0, source.size(), RE2::ANCHOR_BOTH, groups.data(),
                 static_cast<int>(groups.size()))) {
      std::string value = expand(replace.replacement, re, groups);
      std::erase_if(series.labels,
                    [&](const auto& label) { return label.first == replace.destination; });
      if (!value.empty()) series.labels.emplace_back(replace.destination, std::move(value));
      std::sort(series.labels.begin(), series.labels.end());
    }
    merger.add(std::move(series.labels), std::move(series.points));
  }
  GridValue out;
  out.ordered = operand.ordered;
  if (!merger.take(out.series)) return bad("vector cannot contain metrics with the same labelset");
  return out;
}

}  // namespace contextcore::logql
