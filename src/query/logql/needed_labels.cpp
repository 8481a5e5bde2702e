#include "query/logql/needed_labels.h"

#include <algorithm>
#include <set>
#include <string_view>

#include "query/logql/json_path.h"

namespace contextcore::logql {
namespace {

using Names = std::set<std::string>;

void add(const LabelFilter& filter, Names& names) {
  if (const auto* group = std::get_if<LabelFilterGroup>(&filter.node)) {
    for (const LabelFilter& operand : group->operands) add(operand, names);
  } else if (const auto* matcher = std::get_if<Matcher>(&filter.node)) {
    names.insert(matcher->name);
  } else if (const auto* number = std::get_if<NumberFilter>(&filter.node)) {
    names.insert(number->name);
  } else if (const auto* duration = std::get_if<DurationFilter>(&filter.node)) {
    names.insert(duration->name);
  } else if (const auto* bytes = std::get_if<BytesFilter>(&filter.node)) {
    names.insert(bytes->name);
  } else if (const auto* ip = std::get_if<IpFilter>(&filter.node)) {
    names.insert(ip->name);
  }
}

// False: the stage may look at any label. What drop and keep remove is removed from whatever is there; parsers only add.
bool add(const Stage& stage, Names& names) {
  if (const auto* filter = std::get_if<LabelFilter>(&stage)) add(*filter, names);
  if (const auto* format = std::get_if<LabelFormatStage>(&stage)) {
    for (const LabelFormatStage::Assignment& assignment : format->assignments) {
      if (!assignment.rename) return false;  // a template
      names.insert(assignment.name);
      names.insert(assignment.value);
    }
  }
  return !std::holds_alternative<LineFormatStage>(stage);
}

}  // namespace

std::optional<std::vector<std::string>> needed_labels(const LogRange& range, const std::optional<Grouping>& grouping) {
  if (!grouping || grouping->without) return std::nullopt;
  Names names(grouping->labels.begin(), grouping->labels.end());
  for (const Stage& stage : range.selector.stages) {
    if (!add(stage, names)) return std::nullopt;
  }
  if (range.unwrap) {
    names.insert(range.unwrap->label);
    for (const LabelFilter& filter : range.unwrap->filters) add(filter, names);
  }
  // A name may come about by renaming.
  constexpr std::string_view kRenamed = "_extracted";
  for (auto name = names.begin(); name != names.end(); ++name) {
    // What is inserted sorts before the name, so the walk goes back for it.
    if (!std::string_view(*name).ends_with(kRenamed)) continue;
    const std::string from = name->substr(0, name->size() - kRenamed.size());
    if (names.insert(from).second) name = names.find(from);
  }
  return std::vector<std::string>(names.begin(), names.end());
}

std::optional<std::vector<std::string>> needed_members(const LogRange& range, const std::vector<std::string>& names) {
  Names members;
  for (const Stage& stage : range.selector.stages) {
    if (const auto* json = std::get_if<JsonStage>(&stage)) {
      if (json->extractions.empty()) members.insert(names.begin(), names.end());
      for (const Extraction& extraction : json->extractions) {
        const auto path = parse_json_path(extraction.path);
        const auto* name = path.ok() && path->size() == 1 ? std::get_if<std::string>(&path->front()) : nullptr;
        if (name == nullptr) return std::nullopt;
        members.insert(*name);
      }
    } else if (!std::holds_alternative<LabelFilter>(stage) && !std::holds_alternative<DropStage>(stage) &&
               !std::holds_alternative<KeepStage>(stage) && !std::holds_alternative<LabelFormatStage>(stage)) {
      return std::nullopt;
    }
  }
  return std::vector<std::string>(members.begin(), members.end());
}

}  // namespace contextcore::logql
