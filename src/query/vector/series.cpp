#include "query/vector/series.h"

#include <algorithm>

#include "base/sort_runs.h"

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

namespace {

void append_key(const LabelPairs::value_type& label, std::string& key) {
  key += label.first;
  key.push_back('\0');
  key += std::to_string(label.second.size());
  key.push_back('\0');
  key += label.second;
}

bool keeps(const Grouping& grouping, const std::string& name) {
  const bool listed = std::find(grouping.labels.begin(), grouping.labels.end(), name) != grouping.labels.end();
  return listed != grouping.without;
}

}  // namespace

std::string key_of(const LabelPairs& labels) {
  std::string key;
  for (const auto& label : labels) append_key(label, key);
  return key;
}

void sort_by_labels(GridVector& series) {
  sort_runs(series, [](const GridSeries& a, const GridSeries& b) { return a.labels < b.labels; });
}

LabelPairs group_labels(const LabelPairs& labels, const Grouping& grouping) {
  LabelPairs out;
  for (const auto& label : labels) {
    if (keeps(grouping, label.first)) out.push_back(label);
  }
  return out;
}

void append_key(const LabelPairs& labels, const Grouping& grouping, std::string& key) {
  for (const auto& label : labels) {
    if (keeps(grouping, label.first)) append_key(label, key);
  }
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
