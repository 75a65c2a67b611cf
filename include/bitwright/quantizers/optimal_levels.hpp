// SPDX-License-Identifier: MIT
/// \file
/// The levels of least squared error for given values: what no scheme with as many levels can beat.
///
/// In an optimum every level's values are neighbours in order, so that the best k levels for the first j values are the
/// best k - 1 levels for the first i and the mean of the rest, for some i:
///
///     error(k, j) = min_i error(k - 1, i) + sum over [i, j) of (value - mean)^2
///
/// The best i does not fall as j grows, which leaves O(n log n) sums to look at for each level.
/// Sources: Wu, "Optimal quantization by matrix searching" (Journal of Algorithms 12, 1991); Wang and Song,
/// "Ckmeans.1d.dp" (The R Journal 3, 2011).
#pragma once

#include <bitwright/core/error.hpp>
#include <bitwright/quantizers/k_means.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>
#include <vector>

namespace bitwright {

/// One row of the table after the other; each is filled from its middle outwards.
class optimal_partition {
 public:
  explicit optimal_partition(std::span<const float> values) : values_(values), size_(values_.sorted().size()) {
    // Around their mean, so that squares of a large common part do not drown the differences.
    const double centre = values_.mean(0, size_);
    sums_.reserve(size_ + 1);
    for (const float value : values_.sorted()) {
      const double part = value - centre;
      sums_.push_back({sums_.back().first + part, sums_.back().square + part * part});
    }
    error_.resize(size_ + 1);
    for (std::size_t last = 1; last <= size_; ++last) error_[last] = error(0, last);
  }

  /// Allows one level more.
  void add_level() {
    splits_.emplace_back(size_ + 1);
    next_.assign(size_ + 1, 0);
    fill(1, size_, 0, size_);
    std::swap(error_, next_);
  }

  std::vector<float> levels() const {
    std::vector<float> means;
    std::size_t last = size_;
    for (auto row = splits_.rbegin(); last > 0; ++row) {
      const std::size_t first = row == splits_.rend() ? 0 : (*row)[last];
      if (first < last) means.push_back(static_cast<float>(values_.mean(first, last)));
      last = first;
      if (row == splits_.rend()) break;
    }
    std::ranges::reverse(means);
    means.erase(std::unique(means.begin(), means.end()), means.end());
    return means;
  }

 private:
  struct moments {
    double first, square;
  };

  /// Of one level for the values at [first, last).
  double error(std::size_t first, std::size_t last) const {
    const double sum = sums_[last].first - sums_[first].first;
    return std::max(0.0, sums_[last].square - sums_[first].square - sum * sum / static_cast<double>(last - first));
  }

  /// Places [from, to] of the next row, whose best splits lie in [least, most].
  void fill(std::size_t from, std::size_t to, std::size_t least, std::size_t most) {
    if (from > to) return;
    const std::size_t middle = from + (to - from) / 2;
    double best = std::numeric_limits<double>::infinity();
    std::size_t split = least;
    for (std::size_t i = least; i <= std::min(most, middle); ++i) {
      const double total = error_[i] + (i == middle ? 0 : error(i, middle));
      if (total < best) {
        best = total;
        split = i;
      }
    }
    next_[middle] = best;
    splits_.back()[middle] = static_cast<std::uint32_t>(split);
    fill(from, middle - 1, least, split);
    fill(middle + 1, to, split, most);
  }

  ordered_values values_;
  std::size_t size_;
  std::vector<moments> sums_{{0, 0}};
  std::vector<double> error_, next_;
  std::vector<std::vector<std::uint32_t>> splits_;
};

/// At most `count` levels, strictly increasing, of least squared error over the values (but for the float arithmetic);
/// fewer where fewer values differ. No values have the level 0. Takes O(count n log n) and 4 count n bytes for n
/// values: a second and 20 MB for 20,000 values and 256 levels.
/// Throws invalid_argument unless 1 <= count <= 256, for more than 2^32 - 1 values, and for values that are not finite.
inline std::vector<float> optimal_levels(std::span<const float> values, std::size_t count) {
  require(count >= 1 && count <= 256, "optimal_levels: count", count, "[1, 256]");
  require(values.size() < std::numeric_limits<std::uint32_t>::max(), "optimal_levels: values.size()", values.size(),
          "less than 2^32 - 1");
  if (values.empty()) return {0};
  optimal_partition partition(values);
  for (std::size_t i = 1; i < count; ++i) partition.add_level();
  return partition.levels();
}

}  // namespace bitwright
