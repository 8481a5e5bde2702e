#include "store/digest.h"

#include <algorithm>
#include <string>
#include <utility>

#include "store/store_codec.h"

namespace contextcore::store {

Hash128 request_digest(PartSignal signal, std::string_view tenant, std::string_view body) {
  const auto seed = static_cast<uint64_t>(signal);
  return xxh3_128(body, tenant.empty() ? seed : xxh3_64(tenant, seed));
}

Hash128 request_digest(PartSignal signal, PartEncoding encoding, uint32_t tenant,
                       std::string_view body) {
  return xxh3_128(body, static_cast<uint64_t>(signal) | static_cast<uint64_t>(encoding) << 8 |
                            static_cast<uint64_t>(tenant) << 16);
}

std::string digest_bytes(const Hash128& digest) {
  std::string out;
  RecordWriter writer(out);
  writer.u64(digest.high);
  writer.u64(digest.low);
  return out;
}

std::optional<Hash128> parse_digest(std::string_view bytes) {
  RecordReader reader(bytes);
  Hash128 digest;
  digest.high = reader.u64();
  digest.low = reader.u64();
  return reader.done() ? std::optional(digest) : std::nullopt;
}

void DigestRing::Table::insert(const Entry& entry) {
  if ((used + 1) * 2 > entries.size()) grow();
  const size_t mask = entries.size() - 1;
  size_t at = entry.digest.low & mask;
  while (entries[at].sequence != 0) {
    if (entries[at].digest == entry.digest) return;  // the first one counts
    at = (at + 1) & mask;
  }
  entries[at] = entry;
  ++used;
}

void DigestRing::Table::grow() {
  std::vector<Entry> before =
      std::exchange(entries, std::vector<Entry>(std::max<size_t>(256, entries.size() * 2)));
  used = 0;
  for (const Entry& entry : before) {
    if (entry.sequence != 0) insert(entry);
  }
}

std::optional<uint64_t> DigestRing::Table::find(const Hash128& digest) const {
  if (entries.empty()) return std::nullopt;
  const size_t mask = entries.size() - 1;
  for (size_t at = digest.low & mask; entries[at].sequence != 0; at = (at + 1) & mask) {
    if (entries[at].digest == digest) return entries[at].sequence;
  }
  return std::nullopt;
}

void DigestRing::add(const Hash128& digest, uint64_t sequence) {
  if (young_.used >= half_) old_ = std::exchange(young_, Table{});
  young_.insert({digest, sequence});
}

std::optional<uint64_t> DigestRing::find(const Hash128& digest) const {
  const std::optional<uint64_t> found = young_.find(digest);
  return found ? found : old_.find(digest);
}

}  // namespace contextcore::store
