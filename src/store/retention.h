#pragma once
// How long received data is kept: by kind and tenant, which segments are too old, and what that means
// for the files that a store has. Dropping them is compaction's (compaction.h).

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/result.h"
#include "store/manifest.h"
#include "store/store.h"

namespace contextcore::store {

// By tenant number.
struct RetentionRules {
  Retention all;
  std::map<uint32_t, Retention> of_tenant;  // of those that differ
  RetentionRules(const Retention& retention = {}) : all(retention) {}  // NOLINT: of all tenants
  // Of all these tenants' data (none: the default tenant's), that is of who keeps it longest; 0: for ever.
  int64_t kept_ns(RowsKind kind, const std::vector<uint32_t>& tenants) const;
};
// What holds for a tenant.
Retention retention_of(std::string_view tenant, const Retention& all, const TenantLimitsByName& limits);
// names: by number
RetentionRules retention_rules(const Retention& all, const TenantLimitsByName& limits,
                               const std::vector<std::string>& names);

// Segments of received data with nothing that is younger than the retention of its kind and tenants.
std::set<uint64_t> choose_expired(const std::vector<SegmentInfo>& segments,
                                  const RetentionRules& rules, int64_t now_ns);

// Received data in segments that is kept equally long.
struct RetentionPart {
  RowsKind kind = RowsKind::spans;
  int64_t kept_ns = 0;               // 0: for ever
  std::vector<std::string> tenants;  // whose it is, ascending; of metrics none is told
  uint64_t segments = 0, rows = 0, bytes = 0;
  TimeBounds bounds;
  uint64_t due_segments = 0, due_rows = 0;  // too old now
  uint64_t stays_rows = 0;                  // of rows: what work points at, left of older segments
  std::optional<int64_t> next_ns;           // when the next segment will be too old
};
// By kind, then by how long. Beside whoever has the store open. Errors: as verify_store.
Result<std::vector<RetentionPart>> retention_report(FileSystem& files, Clock& clock,
                                                    const std::string& path, const Retention& all,
                                                    const TenantLimitsByName& limits);

}  // namespace contextcore::store
