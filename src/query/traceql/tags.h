#pragma once
// What autocompletion asks for: names of attributes and values that a field has, of spans in a
// range that satisfy a filter. Read from the store's dictionaries where the filter allows it.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "query/traceql/ast.h"
#include "store/fetch.h"

namespace contextcore::traceql {

struct TagsOptions {
  store::TimeRange range;
  // Of a half-written query only what is whole counts; what makes no sense at all does not filter.
  std::string query;
  size_t limit = 0;  // of values; 0: all
  size_t bytes_max = 1'000'000;
  // Called before each trace; an error ends the search with it (cancelled, deadline_exceeded).
  std::function<Status()> checkpoint;
};

struct ScopeTags {
  std::string scope;              // "resource", "span", "event", "link", "instrumentation"
  std::vector<std::string> tags;  // by name
};

struct TagValue {
  std::string type;  // "string", "int", "float", "bool", "duration", "keyword"
  std::string value;
  auto operator<=>(const TagValue&) const = default;
};

// Scopes without names are left out.
Result<std::vector<ScopeTags>> tag_names(const store::Source& source, const TagsOptions& options);

// By type and value. Ids, durations and numbers that come from the shape of the trace have none.
Result<std::vector<TagValue>> tag_values(const store::Source& source, const Attribute& field,
                                         const TagsOptions& options);

// Intrinsics as autocompletion offers them.
const std::vector<std::string>& intrinsic_tags();

}  // namespace contextcore::traceql
