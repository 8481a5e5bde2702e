#include "query/vector/match.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_map>
#include <unordered_set>

#include "query/vector/relabel.h"

namespace contextcore::query {
namespace {

using Cardinality = VectorMatching::Cardinality;

Error bad(std::string message) { return Error{Code::invalid_argument, std::move(message), {}, {}, {}}; }

constexpr const char* kSameLabels = "vector cannot contain metrics with the same labelset";

// True if the name no longer fits what the operation gives.
bool drops_name(const BinaryCall& call) {
  return call.rules.metric_names && (!is_comparison(call.op) || call.return_bool);
}

// The labels that pair the two sides.
LabelPairs signature(const LabelPairs& labels, const BinaryCall& call) {
  LabelPairs out;
  if (!call.matching) {
    out = labels;
  } else {
    out = group_labels(labels, Grouping{!call.matching->on, call.matching->labels});
    if (call.matching->on) return out;
  }
  if (call.rules.metric_names) drop_label(out, kNameLabel);
  return out;
}

// Series of one side by signature, in the order in which the signatures come first.
struct Buckets {
  std::unordered_map<std::string, size_t> index;
  std::vector<std::vector<size_t>> members;

  const std::vector<size_t>* find(const std::string& key) const {
    const auto at = index.find(key);
    return at == index.end() ? nullptr : &members[at->second];
  }
};
Buckets bucket(const GridVector& series, const BinaryCall& call) {
  Buckets out;
  for (size_t i = 0; i < series.size(); ++i) {
    const auto [at, is_new] = out.index.try_emplace(key_of(signature(series[i].labels, call)), out.members.size());
    if (is_new) out.members.emplace_back();
    out.members[at->second].push_back(i);
  }
  return out;
}

// False if the comparison filters the pair out.
bool apply(const BinaryCall& call, double left, double right, double kept, double& out) {
  out = calculate(call, left, right);
  if (!is_comparison(call.op) || call.return_bool) return true;
  const bool holds = out != 0;
  out = kept;
  return holds;
}

// Steps at which any of the listed series has a value.
std::vector<bool> presence(const GridVector& series, const std::vector<size_t>* members, size_t points) {
  std::vector<bool> out(points, false);
  if (members == nullptr) return out;
  for (const size_t i : *members) {
    for (const Point& point : series[i].points) out[point.step] = true;
  }
  return out;
}

std::vector<Point> filter(const std::vector<Point>& points, const std::vector<bool>& steps, bool wanted) {
  std::vector<Point> out;
  for (const Point& point : points) {
    if (steps[point.step] == wanted) out.push_back(point);
  }
  return out;
}

Result<GridVector> set_operation(const BinaryCall& call, const GridVector& left, const GridVector& right,
                                 size_t points) {
  Merger merger;
  const Buckets left_buckets = bucket(left, call);
  const Buckets right_buckets = bucket(right, call);
  for (const GridSeries& series : left) {
    if (call.op == BinaryOp::or_) {
      merger.add(series.labels, series.points);
      continue;
    }
    const auto* members = right_buckets.find(key_of(signature(series.labels, call)));
    merger.add(series.labels, filter(series.points, presence(right, members, points), call.op == BinaryOp::and_));
  }
  if (call.op == BinaryOp::or_) {
    for (const GridSeries& series : right) {
      const auto* members = left_buckets.find(key_of(signature(series.labels, call)));
      merger.add(series.labels, filter(series.points, presence(left, members, points), false));
    }
  }
  std::optional<GridVector> out = merger.take();
  if (!out) return bad(kSameLabels);
  return *std::move(out);
}

LabelPairs result_labels(const LabelPairs& many, const LabelPairs& one, const BinaryCall& call) {
  LabelPairs out = many;
  if (drops_name(call)) drop_metric_labels(out);
  if (!call.matching) return out;
  if (call.matching->cardinality == Cardinality::one_to_one) {
    return group_labels(out, Grouping{!call.matching->on, call.matching->labels});
  }
  for (const std::string& name : call.matching->include) set_label(out, name, std::string(label_of(one, name)));
  return out;
}

std::string describe(const LabelPairs& labels) {
  std::string out = "{";
  for (const auto& [name, value] : labels) {
    if (out.size() > 1) out += ", ";
    out += name + "=\"" + value + "\"";
  }
  return out + "}";
}

// One bucket of the many side against the same of the one side.
class Pairing {
 public:
  Pairing(const BinaryCall& call, const GridVector& left, const GridVector& right, size_t points)
      : call_(call),
        swapped_(call.matching && call.matching->cardinality == Cardinality::one_to_many),
        filters_(is_comparison(call.op) && !call.return_bool && call.matching &&
                 call.matching->cardinality != Cardinality::one_to_one),
        one_to_one_(!call.matching || call.matching->cardinality == Cardinality::one_to_one),
        many_(swapped_ ? right : left),
        one_(swapped_ ? left : right),
        points_(points) {}

  Result<GridVector> run() {
    const Buckets many_buckets = bucket(many_, call_);
    const Buckets one_buckets = bucket(one_, call_);
    for (const auto& [key, index] : one_buckets.index) {
      CC_TRY(set_partners(one_buckets.members[index]));
      if (const auto* members = many_buckets.find(key)) CC_TRY(pair(*members));
    }
    std::optional<GridVector> out = merger_.take();
    if (!out || !dropped_.take()) {
      return bad("multiple matches for labels: grouping labels must ensure unique matches");
    }
    sort_by_labels(*out);
    return *std::move(out);
  }

 private:
  // The series of the one side that has a value at a step.
  struct Partner {
    const GridSeries* series = nullptr;
    double value = 0;
  };

  Status set_partners(const std::vector<size_t>& members) {
    partners_.assign(points_, {});
    for (const size_t i : members) {
      for (const Point& point : one_[i].points) {
        Partner& partner = partners_[point.step];
        if (partner.series != nullptr) return duplicate(one_[i], *partner.series);
        partner = {&one_[i], point.value};
      }
    }
    return {};
  }

  Error duplicate(const GridSeries& a, const GridSeries& b) const {
    const std::string side = swapped_ ? "left" : "right";
    if (!call_.rules.metric_names) {
      return bad("found duplicate series on the " + side +
                 " hand-side;many-to-many matching not allowed: matching labels must be unique on one side");
    }
    return bad("found duplicate series for the match group " + describe(signature(a.labels, call_)) + " on the " +
               side + " hand-side of the operation: [" + describe(a.labels) + ", " + describe(b.labels) +
               "];many-to-many matching not allowed: matching labels must be unique on one side");
  }

  Status pair(const std::vector<size_t>& members) {
    used_.assign(one_to_one_ ? points_ : 0, false);
    for (const size_t i : members) CC_TRY(pair(many_[i]));
    return {};
  }

  Status pair(const GridSeries& series) {
    const GridSeries* partner = nullptr;  // of the points collected so far
    std::vector<Point> points, all;
    for (const Point& point : series.points) {
      const Partner& other = partners_[point.step];
      if (other.series == nullptr) continue;
      const double left = swapped_ ? other.value : point.value;
      const double right = swapped_ ? point.value : other.value;
      double value = 0;
      const bool holds = apply(call_, left, right, left, value);
      if (one_to_one_) {
        if (used_[point.step]) {
          return bad("multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)");
        }
        used_[point.step] = true;
      }
      if (partner != nullptr && partner != other.series) flush(series, *partner, points, all);
      partner = other.series;
      if (holds) points.push_back({point.step, value});
      if (filters_) all.push_back({point.step, 0});
    }
    if (partner != nullptr) flush(series, *partner, points, all);
    return {};
  }

  void flush(const GridSeries& series, const GridSeries& partner, std::vector<Point>& points, std::vector<Point>& all) {
    LabelPairs labels = result_labels(series.labels, partner.labels, call_);
    if (filters_) dropped_.add(labels, std::move(all));
    merger_.add(std::move(labels), std::move(points));
    points = {};
    all = {};
  }

  const BinaryCall& call_;
  const bool swapped_, filters_, one_to_one_;
  const GridVector& many_;
  const GridVector& one_;
  const size_t points_;
  std::vector<Partner> partners_;
  std::vector<bool> used_;
  Merger merger_;
  Merger dropped_;  // of every pair, also of those that a comparison drops: they must not collide either
};

Result<GridVector> with_numbers(const BinaryCall& call, GridVector vector, const StepNumbers& numbers,
                                bool numbers_left) {
  Merger merger;
  for (GridSeries& series : vector) {
    std::vector<Point> points;
    for (const Point& point : series.points) {
      const double number = numbers.at(point.step);
      const double left = numbers_left ? number : point.value;
      const double right = numbers_left ? point.value : number;
      double value = 0;
      if (apply(call, left, right, point.value, value)) points.push_back({point.step, value});
    }
    if (drops_name(call)) drop_metric_labels(series.labels);
    merger.add(std::move(series.labels), std::move(points));
  }
  std::optional<GridVector> out = merger.take();
  if (!out) return bad(kSameLabels);
  return *std::move(out);
}

}  // namespace

const char* name_of(BinaryOp op) {
  constexpr const char* kNames[] = {"or", "and", "unless", "+", "-",  "*", "/",  "%",
                                    "^",  "==",  "!=",     ">", ">=", "<", "<=", "atan2"};
  return kNames[static_cast<size_t>(op)];
}

double calculate(BinaryOp op, double left, double right) {
  switch (op) {
    case BinaryOp::add:
      return left + right;
    case BinaryOp::subtract:
      return left - right;
    case BinaryOp::multiply:
      return left * right;
    case BinaryOp::divide:
      return left / right;
    case BinaryOp::modulo:
      return std::fmod(left, right);
    case BinaryOp::power:
      return std::pow(left, right);
    case BinaryOp::atan2:
      return std::atan2(left, right);
    case BinaryOp::equal:
      return left == right ? 1 : 0;
    case BinaryOp::not_equal:
      return left != right ? 1 : 0;
    case BinaryOp::greater:
      return left > right ? 1 : 0;
    case BinaryOp::greater_equal:
      return left >= right ? 1 : 0;
    case BinaryOp::less:
      return left < right ? 1 : 0;
    case BinaryOp::less_equal:
      return left <= right ? 1 : 0;
    case BinaryOp::or_:
    case BinaryOp::and_:
    case BinaryOp::unless:
      break;
  }
  return std::numeric_limits<double>::quiet_NaN();
}

double calculate(const BinaryCall& call, double left, double right) {
  const bool divides = call.op == BinaryOp::divide || call.op == BinaryOp::modulo;
  if (divides && right == 0 && call.rules.zero_division_is_nan) return std::numeric_limits<double>::quiet_NaN();
  return calculate(call.op, left, right);
}

Result<GridVector> combine(const BinaryCall& call, const GridVector& left, const GridVector& right, size_t points) {
  if (is_set_operation(call.op)) return set_operation(call, left, right, points);
  return Pairing(call, left, right, points).run();
}

Result<GridVector> combine(const BinaryCall& call, GridVector left, const StepNumbers& right) {
  return with_numbers(call, std::move(left), right, false);
}

Result<GridVector> combine(const BinaryCall& call, const StepNumbers& left, GridVector right) {
  return with_numbers(call, std::move(right), left, true);
}

}  // namespace contextcore::query
