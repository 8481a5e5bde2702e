#include "query/logql/labels.h"

#include <algorithm>

#include "query/logql/text.h"

namespace contextcore::logql {
namespace {

bool has(const LabelPairs* labels, std::string_view name) {
  return labels != nullptr && std::any_of(labels->begin(), labels->end(),
                                          [&](const auto& label) { return label.first == name; });
}

}  // namespace

void EntryLabels::reset(const LabelPairs& stream, const LabelPairs* metadata) {
  stream_ = &stream;
  metadata_ = metadata;
  labels_.clear();
  clear_error();
  for (const auto& [name, value] : stream) labels_.push_back({name, value, Category::stream});
  changed_ = metadata != nullptr && !metadata->empty();
  if (metadata == nullptr) return;
  for (const auto& [name, value] : *metadata) {
    set(Category::metadata, has(stream_, name) ? name + "_extracted" : name, value);
  }
}

const EntryLabels::Label* EntryLabels::locate(std::string_view name) const {
  for (const Label& label : labels_) {
    if (label.name == name) return &label;
  }
  return nullptr;
}

EntryLabels::Label* EntryLabels::locate(std::string_view name) {
  return const_cast<Label*>(static_cast<const EntryLabels*>(this)->locate(name));
}

bool EntryLabels::find(std::string_view name, Found& found) const {
  if (name == kErrorLabel || name == kErrorDetailsLabel) {
    found = {name == kErrorLabel ? error_ : error_details_, Category::parsed};
    return !found.value.empty();
  }
  const Label* label = locate(name);
  if (label == nullptr) return false;
  found = {label->value, label->category};
  return true;
}

std::string_view EntryLabels::get(std::string_view name) const {
  Found found;
  return find(name, found) ? found.value : std::string_view();
}

void EntryLabels::set(Category category, std::string_view name, std::string_view value) {
  changed_ = true;
  if (Label* label = locate(name)) {
    if (category < label->category) return;
    label->category = category;
    label->value = value;
    return;
  }
  labels_.push_back({std::string(name), std::string(value), category});
}

void EntryLabels::erase(std::string_view name) {
  if (name == kErrorLabel) return clear_error();
  if (name == kErrorDetailsLabel) return clear_error_details();
  changed_ |= std::erase_if(labels_, [&](const Label& label) { return label.name == name; }) > 0;
}

void EntryLabels::extract(std::string_view name, std::string_view value) {
  if (!takes(name)) return;
  std::string renamed;
  if (has(stream_, name) || has(metadata_, name)) {
    renamed = std::string(name) + "_extracted";
    name = renamed;
  }
  const Label* label = locate(name);
  if (label == nullptr || label->category != Category::parsed) set(Category::parsed, name, value);
}

void EntryLabels::set_error(std::string_view error, std::string_view details) {
  error_ = error;
  error_details_ = details;
}

LabelPairs EntryLabels::of(Category category) const {
  LabelPairs out;
  for (const Label& label : labels_) {
    if (label.category == category) out.emplace_back(label.name, label.value);
  }
  if (category == Category::parsed) {
    if (!error_.empty()) out.emplace_back(kErrorLabel, error_);
    if (!error_details_.empty()) out.emplace_back(kErrorDetailsLabel, error_details_);
  }
  std::sort(out.begin(), out.end());
  return out;
}

LabelPairs EntryLabels::merged() const {
  LabelPairs out = of(Category::parsed);
  for (const Label& label : labels_) {
    if (label.category != Category::parsed) out.emplace_back(label.name, label.value);
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::string to_string(const LabelPairs& labels) {
  std::string out = "{";
  for (const auto& [name, value] : labels) {
    if (out.size() > 1) out += ", ";
    out += name + "=" + quote(value);
  }
  return out + "}";
}

}  // namespace contextcore::logql
