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

// The members of JSON lines that the stages look at, where they look at nothing else of the line: an object of only these
// does as well. names: the labels that are needed. nullopt: they look at the whole line; empty: at nothing of it.
std::optional<std::vector<std::string>> needed_members(const LogRange& range, const std::vector<std::string>& names);

}  // namespace contextcore::logql
