#pragma once
// What the fields of a line are, for explorers of logs. Private to this folder.

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "query/logql/engine.h"

namespace contextcore::logql {

struct ParsedLine {
  std::string_view parser;  // "json", "logfmt" or "" when the line is neither
  std::map<std::string, std::set<std::string>> values;  // those of the query's pipeline included
  std::map<std::string, std::vector<std::string>> json_paths;
};
// The line by the json parser, else by the logfmt parser.
ParsedLine parse_fields(const LabelPairs& stream, const ResultEntry& entry);

// string, int, float, boolean, duration or bytes: the first that Go's readers take.
std::string_view field_type(const std::string& value);

// A size as it can stand in a label filter ("5.0kB"); everything else as it is.
std::string filter_text(const std::string& value);

// False when all values are numbers (but for 0 and 1 alone) or UUIDs; cluster, namespace, instance
// and pod are choices always.
bool is_choice_label(const std::string& name, const std::set<std::string>& values);

}  // namespace contextcore::logql
