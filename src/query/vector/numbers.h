#pragma once
// Sums, means, variances and quantiles that lose as little as they can. A value may be added many times at once: a
// series that does not change costs what one of its samples costs.

#include <cmath>
#include <limits>
#include <vector>

namespace contextcore::query {

// Neumaier's summation.
class CompensatedSum {
 public:
  void add(double value) {
    const double next = sum_ + value;
    if (std::isinf(next)) {
      rest_ = 0;
    } else if (std::abs(sum_) >= std::abs(value)) {
      rest_ += (sum_ - next) + value;
    } else {
      rest_ += (value - next) + sum_;
    }
    sum_ = next;
  }
  double value() const { return std::isinf(sum_) ? sum_ : sum_ + rest_; }
  // Without the rest.
  double rough() const { return sum_; }
  void scale(double factor) {
    sum_ *= factor;
    rest_ *= factor;
  }

 private:
  double sum_ = 0, rest_ = 0;
};

// The sum, and the mean even where the sum of finite numbers does not fit a double.
class Average {
 public:
  void add(double value, double times) {
    const CompensatedSum before = sum_;
    count_ += times;
    sum_.add(value * times);
    if (!incremental_ && std::isinf(sum_.rough())) {
      incremental_ = true;
      mean_ = before;
      mean_.scale(count_ > times ? 1 / (count_ - times) : 0);
    }
    if (!incremental_) return;
    mean_.scale((count_ - times) / count_);
    mean_.add(value * (times / count_));
  }
  double sum() const { return sum_.value(); }
  double mean() const { return incremental_ ? mean_.value() : sum_.value() / count_; }

 private:
  CompensatedSum sum_, mean_;
  double count_ = 0;
  bool incremental_ = false;
};

// Of the population.
class Variance {
 public:
  void add(double value, double times) {
    count_ += times;
    const double delta = value - mean_.value();
    mean_.add(delta / (count_ / times));  // all of one value: exactly that value
    squares_.add(times * delta * (value - mean_.value()));
  }
  double value() const { return squares_.value() / count_; }

 private:
  CompensatedSum mean_, squares_;
  double count_ = 0;
};

// Interpolated; below 0 and above 1 the infinities. Sorts values (NaN first). NaN for none.
double quantile(double q, std::vector<double>& values);

// A value and how often it occurs.
struct Weighted {
  double value = 0;
  double times = 1;
};
double quantile(double q, std::vector<Weighted>& values);

}  // namespace contextcore::query
