// contextcore store retention: how long received data is kept, and what of it goes next.

#include <fmt/format.h>

#include "base/time.h"
#include "cli/store_view.h"
#include "demo/demo_store.h"
#include "sdk/store_settings.h"
#include "sdk/tenant_config.h"
#include "store/retention.h"

namespace contextcore::cli {
namespace {

constexpr size_t kTenantsShown = 3;
constexpr const char* kDefaultTenantName = "(default)";

int64_t integer(uint64_t number) { return static_cast<int64_t>(number); }

std::string tenants_text(const store::RetentionPart& part) {
  if (part.kind == store::RowsKind::metrics) return "all";
  std::string text;
  for (size_t i = 0; i < part.tenants.size() && i < kTenantsShown; ++i) {
    text += (i > 0 ? ", " : "") + (part.tenants[i].empty() ? kDefaultTenantName : part.tenants[i]);
  }
  if (part.tenants.size() > kTenantsShown) text += fmt::format(" and {} more", part.tenants.size() - kTenantsShown);
  return text;
}

Json part_json(const store::RetentionPart& part) {
  JsonArray tenants;
  for (const std::string& name : part.tenants) tenants.emplace_back(name);
  const auto time = [](bool known, int64_t ns) { return known ? Json(format_rfc3339(ns)) : Json(); };
  return JsonObject{{"kind", kind_name(part.kind)},
                    {"kept_seconds", part.kept_ns / 1'000'000'000},
                    {"tenants", part.kind == store::RowsKind::metrics ? Json() : Json(std::move(tenants))},
                    {"segments", integer(part.segments)},
                    {"rows", integer(part.rows)},
                    {"bytes", integer(part.bytes)},
                    {"oldest", time(part.bounds.known(), part.bounds.least_ns)},
                    {"newest", time(part.bounds.known(), part.bounds.greatest_ns)},
                    {"due_segments", integer(part.due_segments)},
                    {"due_rows", integer(part.due_rows)},
                    {"stays_rows", integer(part.stays_rows)},
                    {"next", time(part.next_ns.has_value(), part.next_ns.value_or(0))}};
}

void print_parts(Context& context, const std::vector<store::RetentionPart>& parts) {
  const int64_t now_ns = real_clock().wall_ns();
  Table table({"WHAT", "KEPT", "FILES", "ROWS", "BYTES", "OLDEST", "TOO OLD", "NEXT GOES", "TENANTS"});
  for (const store::RetentionPart& part : parts) {
    table.row({kind_name(part.kind), part.kept_ns == 0 ? "for ever" : format_duration_short(part.kept_ns),
               std::to_string(part.segments), std::to_string(part.rows), size_text(part.bytes),
               part.bounds.known() ? format_local_minute(part.bounds.least_ns) : "",
               part.due_segments == 0 ? "" : fmt::format("{} rows", part.due_rows),
               part.next_ns ? "in " + format_duration_short(*part.next_ns - now_ns) : "", tenants_text(part)});
  }
  context.print(table.render(context.terminal));
}

}  // namespace

int show_retention(Context& context) {
  const auto path = store_path(context);
  if (!path.ok()) return context.fail(path.error());
  const auto config = context.config();
  if (!config.ok()) return context.fail(config.error());
  // The history of a DEMO store is made up for a time that has passed, and stays.
  const bool demo = demo::is_demo_store(real_file_system(), *path);
  const auto parts = store::retention_report(real_file_system(), real_clock(), *path,
                                             demo ? store::Retention{} : sdk::retention_of(**config),
                                             demo ? store::TenantLimitsByName{} : sdk::tenant_limits_of(**config));
  if (!parts.ok()) return context.fail(parts.error());
  if (context.flags.json) {
    JsonArray all;
    for (const store::RetentionPart& part : *parts) all.push_back(part_json(part));
    context.print(json_line("store_retention", JsonObject{{"store", *path}, {"received", std::move(all)}}));
    return kDone;
  }
  if (parts->empty()) {
    context.print("Nothing that was received is in files yet; work is kept for ever.\n");
    return kDone;
  }
  print_parts(context, *parts);
  uint64_t due = 0, stays = 0;
  for (const store::RetentionPart& part : *parts) {
    due += part.due_segments;
    stays += part.stays_rows;
  }
  if (due > 0)
    context.print("\nWhat is too old goes with a server's next merge, or with contextcore store compact --expire, once "
                  "exports have sent it.\n");
  if (stays > 0) context.print(fmt::format("\n{} older spans stay: work points at them.\n", stays));
  return kDone;
}

}  // namespace contextcore::cli
