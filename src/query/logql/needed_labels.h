#pragma once
// Which labels an answer depends on, where these are few: what a scan need not read is what nobody asks for. Private to
// this folder.

#include <optional>
#include <string>
#include <vector>

#include "query/logql/ast.h"

namespace contextcore::logql {

// The names of labels that decide which entries pass the selector and what a range aggregation makes of them; labels of
// other names may be missing. nullopt: it depends on all of them. grouping: by which series are told apart.
std::optional<std::vector<std::string>> needed_labels(const LogRange& range, const std::optional<Grouping>& grouping);

}  // namespace contextcore::logql
