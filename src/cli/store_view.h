#pragma once
// What commands about the files of a store share, and the longer of their views.

#include <cstdint>
#include <string>

#include "base/result.h"
#include "cli/arguments.h"
#include "store/manifest.h"

namespace contextcore::cli {

// "4.2 MiB"
std::string size_text(uint64_t bytes);
// "spans", "logs", "metrics"
const char* kind_name(store::RowsKind kind);
// The local store; with only a server's address there are no files to look at (invalid_argument).
Result<std::string> store_path(Context& context);

// contextcore store retention
int show_retention(Context& context);

}  // namespace contextcore::cli
