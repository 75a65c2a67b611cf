// SPDX-License-Identifier: MIT
/// \file
/// The mean over batches of the median of each batch's k largest and k smallest samples: close to the extremes, but not
/// at the mercy of one of them.
///
///     max = mean over the batches of median(k largest)        min = mean over the batches of median(k smallest)
///
/// The median of an even number is the mean of both in the middle, so that the range of -x is that of x, turned round.
/// Source: Fang et al., "Post-Training Piecewise Linear Quantization for Deep Neural Networks" (ECCV 2020), section 5,
/// with k = 10, 128 batches of 4 images.
///
/// Merging adds sums of batches in double: two halves merged equal one pass but for the rounding of these sums, 2^-53 of
/// the sum of magnitudes for each batch.
#pragma once

#include <bitwright/calibration/observer.hpp>
#include <bitwright/core/error.hpp>
#include <bitwright/core/range.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace bitwright {

/// A span that is observed is a batch; of one with fewer than k samples all count.
class top_k_median {
 public:
  /// Throws invalid_argument for k = 0.
  explicit top_k_median(std::size_t k = 10) : k_(k) { require(k > 0, "top_k_median: k", k, "at least 1"); }

  /// Throws invalid_argument for a NaN or an infinity, naming its index; then nothing of `samples` counts.
  /// An empty span changes nothing.
  void observe(std::span<const float> samples) {
    if (samples.empty()) return;
    const range batch = range_of(samples);
    seen_ = batches_ == 0 ? batch : join(seen_, batch);
    std::vector<float> extremes(std::min(k_, samples.size()));
    std::ranges::partial_sort_copy(samples, extremes);
    sum_of_min_ += median(extremes);
    std::ranges::partial_sort_copy(samples, extremes, std::ranges::greater());
    sum_of_max_ += median(extremes);
    ++batches_;
  }

  /// Throws invalid_argument unless both have the same k.
  void merge(const top_k_median& other) {
    require(other.k_ == k_, "top_k_median::merge: other.k()", other.k_, "this one's, ", k_);
    if (other.batches_ == 0) return;
    seen_ = batches_ == 0 ? other.seen_ : join(seen_, other.seen_);
    sum_of_min_ += other.sum_of_min_;
    sum_of_max_ += other.sum_of_max_;
    batches_ += other.batches_;
  }

  /// Throws invalid_argument before the first batch.
  range values() const {
    require(batches_ > 0, "top_k_median::values: batches observed", 0, "at least one");
    const auto mean = [this](double sum) {
      // A sum of equal numbers, divided, can miss them by a rounding.
      return std::clamp(static_cast<float>(sum / static_cast<double>(batches_)), seen_.min, seen_.max);
    };
    return {mean(sum_of_min_), mean(sum_of_max_)};
  }

  std::size_t k() const { return k_; }

 private:
  // Of sorted values.
  static double median(std::span<const float> values) {
    const double one = values[values.size() / 2], other = values[(values.size() - 1) / 2];
    return (one + other) / 2;
  }

  std::size_t k_;
  std::uint64_t batches_ = 0;
  double sum_of_min_ = 0, sum_of_max_ = 0;
  range seen_{};
};

static_assert(observer<top_k_median>);

}  // namespace bitwright
