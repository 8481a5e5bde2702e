#pragma once
// The parser stages: labels out of a line. Each reports failure by setting the entry's error.

#include <memory>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "query/logql/ast.h"
#include "query/logql/json_path.h"
#include "query/logql/labels.h"

namespace contextcore::logql {

// Every scalar member as a label, nested names joined by "_"; arrays and null are left out.
void extract_json(std::string_view line, EntryLabels& labels);
// The given paths; an absent one gives an empty label.
struct JsonTarget {
  std::string label;
  JsonPath path;
};
void extract_json_paths(std::string_view line, const std::vector<JsonTarget>& targets,
                        EntryLabels& labels);

void extract_logfmt(std::string_view line, const LogfmtStage& stage, EntryLabels& labels);

// JSON of strings: labels, and "_entry" replaces the line (true if it did).
bool unpack(std::string_view line, EntryLabels& labels, std::string& entry);

// Other characters than [a-zA-Z0-9_] become "_", a leading digit gets one before it.
std::string sanitize_label(std::string_view name);

// Without terminal colour sequences.
std::string decolorize(std::string_view line);

}  // namespace contextcore::logql
