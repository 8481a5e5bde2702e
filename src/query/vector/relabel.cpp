#include "query/vector/relabel.h"

#include <re2/re2.h>

#include <algorithm>

#include "query/common/lexing.h"

namespace contextcore::query {
namespace {

// Go's Regexp.Expand: $1, ${1}, $name, ${name}, $$.
std::string expand(std::string_view text, const re2::RE2& regex, const std::vector<re2::StringPiece>& groups) {
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
    while (end < text.size() && is_word_part(text[end])) ++end;
    if (end == start || (braces && (end >= text.size() || text[end] != '}'))) {
      out.push_back('$');
      continue;
    }
    const std::string name(text.substr(start, end - start));
    at = end + (braces ? 1 : 0);
    size_t index = groups.size();
    if (std::all_of(name.begin(), name.end(), is_ascii_digit)) {
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

Result<GridVector> replace_label(const LabelReplacement& replacement, GridVector series) {
  const re2::RE2& regex = replacement.regex.re2();
  std::vector<re2::StringPiece> groups(static_cast<size_t>(regex.NumberOfCapturingGroups()) + 1);
  Merger merger;
  for (GridSeries& one : series) {
    const std::string source(label_of(one.labels, replacement.source));
    if (regex.Match(source, 0, source.size(), re2::RE2::ANCHOR_BOTH, groups.data(), static_cast<int>(groups.size()))) {
      set_label(one.labels, replacement.destination, expand(replacement.replacement, regex, groups));
    }
    merger.add(std::move(one.labels), std::move(one.points));
  }
  std::optional<GridVector> out = merger.take();
  if (!out) {
    return Error{Code::invalid_argument, "vector cannot contain metrics with the same labelset", {}, {}, {}};
  }
  return *std::move(out);
}

void drop_metric_labels(LabelPairs& labels) {
  for (const std::string_view name : kMetricLabels) drop_label(labels, name);
}

}  // namespace contextcore::query
