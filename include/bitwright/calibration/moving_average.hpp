// SPDX-License-Identifier: MIT
/// \file
/// The exponential moving average of the ranges of batches: one strange batch moves it little, a lasting change comes
/// through.
///
///     end_1 = batch_1        end_t = momentum * end_(t-1) + (1 - momentum) * batch_t        for min and for max
///
/// Source: Jacob et al. (CVPR 2018), section 3.1; HAWQ (Yao et al., ICML 2021) takes 0.95.
///
/// The order of the batches counts, so that there is one way to merge: the other's batches come after this one's own.
/// With k of them, momentum^k is what their average leaves of all that was before:
///
///     end = other.end + momentum^k * (this.end - other.batch_1)
///
/// which is one pass over both but for the rounding of doubles. For data in shares without an order, take percentile.
#pragma once

#include <bitwright/calibration/observer.hpp>
#include <bitwright/core/error.hpp>
#include <bitwright/core/range.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>

namespace bitwright {

/// A span that is observed is a batch, and counts as one whatever its size.
class moving_average {
 public:
  /// Throws invalid_argument unless 0 <= momentum < 1.
  explicit moving_average(double momentum = 0.95) : momentum_(momentum) {
    require(momentum >= 0 && momentum < 1, "moving_average: momentum", momentum, "at least 0, less than 1");
  }

  /// Throws invalid_argument for a NaN or an infinity, naming its index; then nothing of `samples` counts.
  /// An empty span changes nothing.
  void observe(std::span<const float> samples) {
    if (samples.empty()) return;
    const range batch = range_of(samples);
    if (batches_++ == 0) {
      first_ = {batch.min, batch.max};
      average_ = first_;
      return;
    }
    // In this form a constant stays exactly what it is.
    average_.min += (1 - momentum_) * (batch.min - average_.min);
    average_.max += (1 - momentum_) * (batch.max - average_.max);
  }

  /// As if `other` had been watching on from here. Throws invalid_argument unless both have the same momentum.
  void merge(const moving_average& other) {
    require(other.momentum_ == momentum_, "moving_average::merge: other.momentum()", other.momentum_, "this one's, ",
            momentum_);
    if (other.batches_ == 0) return;
    const double kept = std::pow(momentum_, static_cast<double>(other.batches_));
    if (batches_ == 0)
      *this = other;
    else {
      average_ = {other.average_.min + kept * (average_.min - other.first_.min),
                  other.average_.max + kept * (average_.max - other.first_.max)};
      batches_ += other.batches_;
    }
  }

  /// Throws invalid_argument before the first batch.
  range values() const {
    require(batches_ > 0, "moving_average::values: batches observed", 0, "at least one");
    const auto min = static_cast<float>(average_.min), max = static_cast<float>(average_.max);
    return {min, std::max(min, max)};
  }

  double momentum() const { return momentum_; }

 private:
  struct ends {
    double min = 0;
    double max = 0;
  };

  double momentum_;
  std::uint64_t batches_ = 0;
  ends first_, average_;
};

static_assert(observer<moving_average>);

}  // namespace bitwright
