// SPDX-License-Identifier: MIT
/// \file
/// The simplest observer: the range from the least to the greatest sample ever seen. Nothing is clipped, so that one
/// outlier can cost all others their precision.
#pragma once

#include <bitwright/calibration/observer.hpp>
#include <bitwright/core/error.hpp>
#include <bitwright/core/range.hpp>

#include <optional>
#include <span>

namespace bitwright {

/// Running minimum and maximum. Two halves merged equal one pass, in any order.
class min_max {
 public:
  /// Throws invalid_argument for a NaN or an infinity, naming its index; then nothing of `samples` counts.
  /// An empty span changes nothing.
  void observe(std::span<const float> samples) {
    if (!samples.empty()) include(range_of(samples));
  }

  void merge(const min_max& other) {
    if (other.seen_) include(*other.seen_);
  }

  /// Throws invalid_argument before the first sample.
  range values() const {
    require(seen_.has_value(), "min_max::values: samples observed", 0, "at least one");
    return *seen_;
  }

 private:
  void include(range samples) { seen_ = seen_ ? join(*seen_, samples) : samples; }

  std::optional<range> seen_;
};

static_assert(observer<min_max>);

}  // namespace bitwright
