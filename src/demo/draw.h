#pragma once
// Draws from the distributions that the history is made of; the same seed, the same draws.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/random.h"

namespace contextcore::demo {

class Draw {
 public:
  explicit Draw(uint64_t seed) : random_(seed) {}

  double uniform();  // [0, 1)
  bool chance(double probability) { return uniform() < probability; }
  size_t below(size_t bound) { return static_cast<size_t>(random_.below(bound)); }
  int64_t between(int64_t low, int64_t high);  // both included
  double normal();
  // exp(normal): most are near the median, a few many times as long.
  double log_normal(double median, double sigma);
  int64_t poisson(double mean);
  // An index, as likely as its weight says.
  size_t weighted(std::span<const double> weights);
  std::string_view pick(std::span<const std::string_view> words) {
    return words[below(words.size())];
  }

 private:
  SeededRandom random_;
};

// Time in which people work: Monday to Friday, 9 to 17, UTC. Moves t into it, and hours of it on.
int64_t next_working_time(int64_t t_ns);
int64_t add_working_hours(int64_t t_ns, double hours);
// Monday, midnight UTC, of the week that t lies in.
int64_t week_start(int64_t t_ns);

}  // namespace contextcore::demo
