#include "base/random.h"

#include <sys/random.h>

#include <algorithm>
#include <atomic>
#include <cassert>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace contextcore {
namespace {

class RealRandom : public Random {
 public:
  void fill(void* out, size_t n) override {
    auto* bytes = static_cast<char*>(out);
    while (n > 0) {
      const ssize_t got = ::getrandom(bytes, n, 0);
      if (got < 0) {
        if (errno == EINTR) continue;
        // Ids and tokens made from anything else would collide or be guessable.
        std::fprintf(stderr, "contextcore: getrandom failed: %d\n", errno);
        std::abort();
      }
      bytes += got;
      n -= static_cast<size_t>(got);
    }
  }
};

constexpr uint64_t kGamma = 0x9e3779b97f4a7c15;

uint64_t mix(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

}  // namespace

uint64_t Random::next_u64() {
  uint64_t value = 0;
  fill(&value, sizeof value);
  return value;
}

uint64_t Random::below(uint64_t bound) {
  assert(bound > 0);
  // Values under 2^64 mod bound would make the small results likelier; draw again.
  const uint64_t biased = (uint64_t{0} - bound) % bound;
  for (;;) {
    const uint64_t value = next_u64();
    if (value >= biased) return value % bound;
  }
}

Random& real_random() {
  static auto* const random = new RealRandom;  // never destroyed: threads may outlive statics
  return *random;
}

void SeededRandom::fill(void* out, size_t n) {
  auto* bytes = static_cast<char*>(out);
  const std::atomic_ref<uint64_t> state(state_);
  while (n > 0) {
    const uint64_t value = mix(state.fetch_add(kGamma) + kGamma);
    const size_t take = std::min(n, sizeof value);
    std::memcpy(bytes, &value, take);
    bytes += take;
    n -= take;
  }
}

std::string uuid_v7(int64_t wall_ns, Random& random) {
  unsigned char bytes[16];
  random.fill(bytes, sizeof bytes);
  const uint64_t ms = wall_ns > 0 ? static_cast<uint64_t>(wall_ns) / 1'000'000 : 0;
  for (int i = 0; i < 6; ++i) bytes[i] = static_cast<unsigned char>(ms >> (40 - 8 * i));
  bytes[6] = static_cast<unsigned char>(0x70 | (bytes[6] & 0x0f));
  bytes[8] = static_cast<unsigned char>(0x80 | (bytes[8] & 0x3f));

  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(36);
  for (int i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += kDigits[bytes[i] >> 4];
    text += kDigits[bytes[i] & 15];
  }
  return text;
}

}  // namespace contextcore
