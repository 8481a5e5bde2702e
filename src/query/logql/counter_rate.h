#pragma once
// rate_counter: how fast a counter in the lines grows. Private to this folder.

#include <cstdint>

namespace contextcore::logql {

struct RawSample {
  int64_t time_ns;
  double value;
};

// Per second, over the window of range_ns that ends at end_ns: resets are made good, the growth is
// extended to the window's ends where samples come near them. 0 for one sample. REQUIRES: samples
// in order of time, within the window
double counter_rate(const RawSample* first, const RawSample* last, int64_t range_ns,
                    int64_t end_ns);

}  // namespace contextcore::logql
