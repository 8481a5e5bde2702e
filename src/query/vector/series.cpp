#include "query/vector/series.h"

#include <algorithm>

namespace contextcore::query {

std::string_view label_of(const LabelPairs& labels, std::string_view name) {
  for (const auto& [key, value] : labels) {
    if (key == name) return value;
  }
  return {};
}

void drop_label(LabelPairs& labels, std::string_view name) {
  std::erase_if(labels, [&](const auto& label) { return label.first == name; });
}

void set_label(LabelPairs& labels, std::string_view name, std::string value) {
  const auto at = std::find_if(labels.begin(), labels.end(), [&](const auto& label) { return label.first >= name; });
  const bool found = at != labels.end() && at->first == name;
  if (value.empty()) {
    if (found) labels.erase(at);
  } else if (found) {
    at->second = std::move(value);
  } else {
    labels.emplace(at, std::string(name), std::move(value));
  }
}

std::string key_of(const LabelPairs& labels) {
  std::string key;
  for (const auto& [name, value] : labels) {
    key += name;
    key.push_back('\0');
    key += std::to_string(value.size());
    key.push_back('\0');
    key += value;
  }
  return key;
}

void sort_by_labels(GridVector& series) {
  std::sort(series.begin(), series.end(), [](const GridSeries& a, const GridSeries& b) { return a.labels < b.labels; });
}

LabelPairs group_labels(const LabelPairs& labels, const Grouping& grouping) {
  LabelPairs out;
  for (const auto& label : labels) {
    const bool listed = std::find(grouping.labels.begin(), grouping.labels.end(), label.first) != grouping.labels.end();
    if (listed != grouping.without) out.push_back(label);
  }
  return out;
}

void Merger::add(LabelPairs labels, std::vector<Point> points) {
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

std::optional<GridVector> Merger::take() {
  for (GridSeries& one : out_) {
    if (!merged_) break;
    std::sort(one.points.begin(), one.points.end(), [](const Point& a, const Point& b) { return a.step < b.step; });
    const auto twice = std::adjacent_find(one.points.begin(), one.points.end(),
                                          [](const Point& a, const Point& b) { return a.step == b.step; });
    if (twice != one.points.end()) return std::nullopt;
  }
  return std::move(out_);
}

}  // namespace contextcore::query
