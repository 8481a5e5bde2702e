#pragma once
// Classic histograms: cumulative counts by upper bound. Private to this folder.

#include <optional>
#include <string_view>
#include <vector>

namespace contextcore::promql {

struct Bucket {
  double upper_bound = 0;
  double count = 0;  // of what is not above it
};

// Linear within a bucket; the lowest one starts at 0 unless its bound is not above 0; in the highest one, the bound
// below it. NaN without observations, without +Inf bucket, and with fewer than two. Sorts buckets.
// forced: counts that fall with rising bounds had to be raised.
double bucket_quantile(double q, std::vector<Bucket>& buckets, bool& forced);

// The value of a label le.
std::optional<double> parse_bound(std::string_view text);

}  // namespace contextcore::promql
