#pragma once
// Seam 3: randomness.

#include <cstddef>
#include <cstdint>
#include <string>

namespace contextcore {

class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(void* out, size_t n) = 0;
  uint64_t next_u64();
  // Uniform in [0, bound). REQUIRES: bound > 0
  uint64_t below(uint64_t bound);
};

// getrandom(2). Thread-safe.
Random& real_random();

// Deterministic (splitmix64). Thread-safe.
class SeededRandom : public Random {
 public:
  explicit SeededRandom(uint64_t seed) : state_(seed) {}
  void fill(void* out, size_t n) override;

 private:
  uint64_t state_;
};

// Version 7 UUID (RFC 9562): 48 bit milliseconds, then random. Lower-case text.
std::string uuid_v7(int64_t wall_ns, Random& random);

}  // namespace contextcore
