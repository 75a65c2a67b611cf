// SPDX-License-Identifier: MIT
/// \file
/// The range that leaves out a share of the samples at either end, so that a few outliers do not cost all others their
/// precision.
///
///     [greatest edge with percent % of the samples above or on it, least edge with percent % below or on it]
///
/// where the edges are those of a histogram's bins, clamped to the samples: an end lies at most one bin beyond the exact
/// percentile, never inside it. 100 percent is min_max, exactly.
/// Source: HAWQ-V3 (Yao et al., ICML 2021), which takes 99.9 for activations.
#pragma once

#include <bitwright/calibration/histogram.hpp>
#include <bitwright/calibration/observer.hpp>
#include <bitwright/core/error.hpp>
#include <bitwright/core/range.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <ranges>
#include <span>
#include <vector>

namespace bitwright {

/// Percentiles of all samples seen. Two halves merged equal one pass, exactly.
class percentile {
 public:
  /// Throws invalid_argument unless 50 < percent <= 100, and for bins that histogram refuses.
  explicit percentile(double percent = 99.9, std::size_t bins = histogram::default_bins)
      : percent_(percent), samples_(bins) {
    require(percent > 50 && percent <= 100, "percentile: percent", percent, "more than 50, at most 100");
  }

  /// Throws invalid_argument for a NaN or an infinity, naming its index; then nothing of `samples` counts.
  void observe(std::span<const float> samples) { samples_.observe(samples); }

  /// Throws invalid_argument unless both have the same percentile and the same number of bins.
  void merge(const percentile& other) {
    require(other.percent_ == percent_, "percentile::merge: other's percent", other.percent_, "this one's, ", percent_);
    samples_.merge(other.samples_);
  }

  /// Throws invalid_argument before the first sample.
  range values() const {
    const range seen = samples_.values();
    const std::vector<histogram_piece> pieces = samples_.pieces();
    const double least = reach(pieces | std::views::reverse, &histogram_piece::low);
    const double greatest = reach(pieces, &histogram_piece::high);
    return {std::clamp(static_cast<float>(least), seen.min, seen.max),
            std::clamp(static_cast<float>(greatest), seen.min, seen.max)};
  }

  double percent() const { return percent_; }

 private:
  // Where `percent` % of the samples are passed, walking through the pieces in their order.
  double reach(std::ranges::input_range auto&& pieces, double histogram_piece::*end) const {
    const auto count = static_cast<double>(samples_.count());
    double left = std::ceil(percent_ * count / 100), edge = 0;
    for (const histogram_piece& each : pieces) {
      edge = each.*end;
      left -= static_cast<double>(each.count);
      if (left <= 0) break;
    }
    return edge;
  }

  double percent_;
  histogram samples_;
};

static_assert(observer<percentile>);

}  // namespace bitwright
