#pragma once
// The labels of one entry on its way through a pipeline, in Loki's three categories.

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "store/fetch.h"

namespace contextcore::logql {

using store::LabelPairs;

enum class Category : uint8_t { stream, metadata, parsed };

constexpr std::string_view kErrorLabel = "__error__";
constexpr std::string_view kErrorDetailsLabel = "__error_details__";

// A name stands in one category only; setting it in a later category takes it out of the earlier
// ones. The error of a pipeline is kept beside the labels and shows as __error__ and
// __error_details__.
class EntryLabels {
 public:
  struct Found {
    std::string_view value;
    Category category = Category::stream;
  };

  // From now on extract() takes no other names than these and what they are renamed from; nullptr: any. Borrowed.
  void take_only(const std::vector<std::string>* names) { only_ = names; }
  bool takes(std::string_view name) const {
    return only_ == nullptr || std::find(only_->begin(), only_->end(), name) != only_->end();
  }

  // stream and metadata are borrowed until the next reset. Metadata that a stream label hides is
  // renamed.
  void reset(const LabelPairs& stream, const LabelPairs* metadata);

  // When the entry was, and when the query is: for templates.
  void set_times(int64_t time_ns, int64_t now_ns) {
    time_ns_ = time_ns;
    now_ns_ = now_ns;
  }
  int64_t time_ns() const { return time_ns_; }
  int64_t now_ns() const { return now_ns_; }

  // nullptr-like: false when absent. The error labels are found here too.
  bool find(std::string_view name, Found& found) const;
  // The value, or "".
  std::string_view get(std::string_view name) const;
  void set(Category category, std::string_view name, std::string_view value);
  void erase(std::string_view name);
  // What a parser read: a name of the stream or of the metadata as received gets "_extracted"; a
  // name that was parsed before keeps its first value.
  void extract(std::string_view name, std::string_view value);

  bool has_error() const { return !error_.empty(); }
  const std::string& error() const { return error_; }
  const std::string& error_details() const { return error_details_; }
  void set_error(std::string_view error, std::string_view details);
  void clear_error() { set_error({}, {}); }
  void clear_error_details() { error_details_.clear(); }

  // Names and values, sorted; the error is part of parsed.
  LabelPairs of(Category category) const;
  LabelPairs merged() const;
  // True while the labels are exactly those of the stream.
  bool untouched() const { return !changed_; }

  // Calls fn(name, value) for each label without the error, in no order.
  template <typename Fn>
  void for_each(Fn fn) const {
    for (const Label& label : labels_)
      fn(std::string_view(label.name), std::string_view(label.value));
  }

 private:
  struct Label {
    std::string name, value;
    Category category;
  };
  Label* locate(std::string_view name);
  const Label* locate(std::string_view name) const;

  const LabelPairs* stream_ = nullptr;
  const LabelPairs* metadata_ = nullptr;
  const std::vector<std::string>* only_ = nullptr;
  std::vector<Label> labels_;
  std::string error_, error_details_;
  bool changed_ = false;
  int64_t time_ns_ = 0;
  int64_t now_ns_ = 0;
};

// {a="b", c="d"}
std::string to_string(const LabelPairs& labels);

}  // namespace contextcore::logql
