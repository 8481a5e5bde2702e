#include "cli/store_view.h"

#include <fmt/format.h>

#include "base/process.h"

namespace contextcore::cli {

std::string size_text(uint64_t bytes) {
  static constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  auto value = static_cast<double>(bytes);
  size_t unit = 0;
  while (value >= 1024 && unit + 1 < std::size(kUnits)) value /= 1024, ++unit;
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", value, kUnits[unit]);
}

const char* kind_name(store::RowsKind kind) {
  if (kind == store::RowsKind::metrics) return "metrics";
  return kind == store::RowsKind::spans ? "spans" : "logs";
}

Result<std::string> store_path(Context& context) {
  CC_ASSIGN(const sdk::Config* config, context.config());
  if (!config->get("server").empty()) {
    return Error{Code::invalid_argument, "this command reads the files of a store and takes no --server",
                 "run it on the machine of the store, with --store PATH", {}, {}};
  }
  // Each file of the store is held open.
  raise_open_file_limit();
  return config->get("store");
}

}  // namespace contextcore::cli
