#include "store/retention.h"

#include <algorithm>
#include <utility>

#include "store/pinned_files.h"
#include "store/tenant.h"

namespace contextcore::store {

int64_t RetentionRules::kept_ns(RowsKind kind, const std::vector<uint32_t>& tenants) const {
  const auto of = [&](uint32_t tenant) {
    const auto known = of_tenant.find(tenant);
    const Retention& retention = known == of_tenant.end() ? all : known->second;
    if (kind == RowsKind::metrics) return retention.metrics_ns;
    return kind == RowsKind::spans ? retention.spans_ns : retention.logs_ns;
  };
  if (tenants.empty()) return of(kDefaultTenant);
  int64_t longest_ns = 0;
  for (const uint32_t tenant : tenants) {
    const int64_t kept = of(tenant);
    if (kept == 0) return 0;
    longest_ns = std::max(longest_ns, kept);
  }
  return longest_ns;
}

std::set<uint64_t> choose_expired(const std::vector<SegmentInfo>& segments,
                                  const RetentionRules& rules, int64_t now_ns) {
  std::set<uint64_t> expired;
  for (const SegmentInfo& info : segments) {
    if (info.segment_class != SegmentClass::runtime || info.kept || !info.bounds.known()) continue;
    const int64_t kept_ns = rules.kept_ns(info.kind, info.tenants);
    if (kept_ns > 0 && info.bounds.greatest_ns < now_ns - kept_ns) expired.insert(info.number);
  }
  return expired;
}

Retention retention_of(std::string_view tenant, const Retention& all, const TenantLimitsByName& limits) {
  Retention retention = all;
  const auto own = limits.find(tenant);
  if (own == limits.end()) return retention;
  retention.spans_ns = own->second.retention_spans_ns.value_or(all.spans_ns);
  retention.logs_ns = own->second.retention_logs_ns.value_or(all.logs_ns);
  return retention;
}

RetentionRules retention_rules(const Retention& all, const TenantLimitsByName& limits,
                               const std::vector<std::string>& names) {
  RetentionRules rules(all);
  for (uint32_t number = 0; number < names.size(); ++number) {
    const Retention retention = retention_of(names[number], all, limits);
    if (retention != all) rules.of_tenant.emplace(number, retention);
  }
  return rules;
}

Result<std::vector<RetentionPart>> retention_report(FileSystem& files, Clock& clock,
                                                    const std::string& path, const Retention& all,
                                                    const TenantLimitsByName& limits) {
  CC_ASSIGN(const auto pinned, PinnedFiles::pin(files, clock, path));
  const Manifest& manifest = pinned->manifest();
  const RetentionRules rules = retention_rules(all, limits, manifest.tenants);
  const std::set<uint64_t> expired = choose_expired(manifest.segments, rules, clock.wall_ns());
  std::map<std::pair<RowsKind, int64_t>, RetentionPart> parts;
  std::map<std::pair<RowsKind, int64_t>, std::set<std::string>> names;
  for (const SegmentInfo& info : manifest.segments) {
    if (info.segment_class != SegmentClass::runtime) continue;
    const std::pair key{info.kind, rules.kept_ns(info.kind, info.tenants)};
    RetentionPart& part = parts[key];
    std::tie(part.kind, part.kept_ns) = key;
    ++part.segments;
    part.rows += info.rows - info.masked_rows;
    part.bytes += info.bytes;
    if (info.kept) part.stays_rows += info.rows - info.masked_rows;
    if (info.bounds.known()) {
      part.bounds.add(info.bounds.least_ns);
      part.bounds.add(info.bounds.greatest_ns);
    }
    if (expired.contains(info.number)) {
      ++part.due_segments;
      part.due_rows += info.rows - info.masked_rows;
    } else if (part.kept_ns > 0 && !info.kept && info.bounds.known()) {
      const int64_t at_ns = info.bounds.greatest_ns + part.kept_ns;
      part.next_ns = std::min(part.next_ns.value_or(at_ns), at_ns);
    }
    if (info.kind == RowsKind::metrics) continue;
    if (info.tenants.empty()) names[key].insert("");
    for (const uint32_t tenant : info.tenants) {
      if (tenant < manifest.tenants.size()) names[key].insert(manifest.tenants[tenant]);
    }
  }
  std::vector<RetentionPart> out;
  for (auto& [key, part] : parts) {
    part.tenants.assign(names[key].begin(), names[key].end());
    out.push_back(std::move(part));
  }
  return out;
}

}  // namespace contextcore::store
