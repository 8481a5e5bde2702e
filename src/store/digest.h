#pragma once
// Which requests were received lately: a retried batch is acknowledged and not written again.
// Remembers between half a million and a million digests, in two tables of which the older is
// dropped when the younger is full. Not thread-safe.

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "store/frame.h"

namespace contextcore::store {

// Of traces and logs. tenant: its name.
Hash128 request_digest(PartSignal signal, std::string_view tenant, std::string_view body);
// Of metrics, where the encoding tells requests apart, too. tenant: its number.
Hash128 request_digest(PartSignal signal, PartEncoding encoding, uint32_t tenant,
                       std::string_view body);
std::string digest_bytes(const Hash128& digest);
std::optional<Hash128> parse_digest(std::string_view bytes);

class DigestRing {
 public:
  explicit DigestRing(size_t capacity = size_t{1} << 20) : half_(capacity / 2) {}
  void add(const Hash128& digest, uint64_t sequence);
  // The sequence of the frame that the request became.
  std::optional<uint64_t> find(const Hash128& digest) const;

 private:
  struct Entry {
    Hash128 digest;
    uint64_t sequence = 0;  // 0: free
  };
  struct Table {
    std::vector<Entry> entries;  // open addressing, a power of two
    size_t used = 0;
    void insert(const Entry& entry);
    void grow();
    std::optional<uint64_t> find(const Hash128& digest) const;
  };
  size_t half_;
  Table young_, old_;
};

}  // namespace contextcore::store
