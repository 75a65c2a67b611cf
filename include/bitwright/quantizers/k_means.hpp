// SPDX-License-Identifier: MIT
/// \file
/// k-means of single numbers: levels for a codebook, each the mean of the values that are nearest to it.
///
///     repeat: every value goes to its nearest level; every level becomes the mean of its values
///
/// Neither step raises the squared error, so that it ends, in a local optimum that depends on the start: evenly spaced
/// levels give the rare large values one of their own, which matters most in networks; levels of even shares of the
/// values begin closer to the optimum where outliers do not matter. optimal_levels has the least error of all.
/// Sources: Lloyd (IEEE Transactions on Information Theory 28, 1982); starts: Han, Mao and Dally, "Deep Compression"
/// (ICLR 2016), section 3.2.
#pragma once

#include <bitwright/core/error.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <random>
#include <span>
#include <utility>
#include <vector>

namespace bitwright {

/// A policy that says where the levels begin: `start(sorted, count)` has `count` of them, increasing, for sorted values
/// of which more than `count` differ.
template <class Start>
concept k_means_start = requires(const Start& start, std::span<const float> sorted, std::size_t count) {
  { start(sorted, count) } -> std::same_as<std::vector<double>>;
};

/// Evenly spaced from the least value to the largest.
struct linear_start {
  std::vector<double> operator()(std::span<const float> sorted, std::size_t count) const {
    std::vector<double> levels(count);
    const double least = sorted.front(), width = double{sorted.back()} - least;
    for (std::size_t i = 0; i < count; ++i)
      levels[i] =
          count == 1 ? least + width / 2 : least + width * static_cast<double>(i) / static_cast<double>(count - 1);
    return levels;
  }
};

/// The medians of `count` even shares of the values.
struct density_start {
  std::vector<double> operator()(std::span<const float> sorted, std::size_t count) const {
    std::vector<double> levels(count);
    for (std::size_t i = 0; i < count; ++i) levels[i] = sorted[(2 * i + 1) * sorted.size() / (2 * count)];
    return levels;
  }
};

/// Different values, drawn at random: the same ones for a seed on every machine.
struct random_start {
  std::uint64_t seed = 1;
  std::vector<double> operator()(std::span<const float> sorted, std::size_t count) const {
    std::vector<float> different(sorted.begin(), sorted.end());
    different.erase(std::unique(different.begin(), different.end()), different.end());
    std::mt19937_64 random(seed);
    for (std::size_t i = 0; i < count; ++i) std::swap(different[i], different[i + random() % (different.size() - i)]);
    std::vector<double> levels(different.begin(), different.begin() + static_cast<std::ptrdiff_t>(count));
    std::ranges::sort(levels);
    return levels;
  }
};

static_assert(k_means_start<linear_start> && k_means_start<density_start> && k_means_start<random_start>);

/// Values in order, with the sums from the first: the mean of those between two places takes no loop.
class ordered_values {
 public:
  /// Throws invalid_argument for values that are not finite.
  explicit ordered_values(std::span<const float> values) : sorted_(values.begin(), values.end()), sums_{0} {
    for (const float value : values) require(std::isfinite(value), "ordered_values: values", value, "finite numbers");
    std::ranges::sort(sorted_);
    sums_.reserve(sorted_.size() + 1);
    for (const float value : sorted_) sums_.push_back(sums_.back() + value);
  }

  std::span<const float> sorted() const { return sorted_; }

  /// The mean of the values at [first, last).
  double mean(std::size_t first, std::size_t last) const {
    return (sums_[last] - sums_[first]) / static_cast<double>(last - first);
  }

  /// Each value once.
  std::vector<float> different() const {
    std::vector<float> values;
    std::ranges::unique_copy(sorted_, std::back_inserter(values));
    return values;
  }

 private:
  std::vector<float> sorted_;
  std::vector<double> sums_;
};

/// At most `count` levels, strictly increasing, by at most `iterations` repetitions from the start on; fewer levels
/// where fewer values differ, which then are the levels. A level that no value is nearest to stays where it is. No
/// values have the level 0. Takes O(n log n) for n values, then O(count log n) a repetition.
/// Throws invalid_argument unless 1 <= count <= 256, and for values that are not finite.
template <k_means_start Start = linear_start>
std::vector<float> k_means(std::span<const float> values, std::size_t count, const Start& start = {},
                           std::size_t iterations = 1000) {
  require(count >= 1 && count <= 256, "k_means: count", count, "[1, 256]");
  if (values.empty()) return {0};
  const ordered_values ordered(values);
  if (std::vector<float> different = ordered.different(); different.size() <= count) return different;
  std::vector<double> levels = start(ordered.sorted(), count);
  for (bool moved = true; moved && iterations > 0; --iterations) {
    moved = false;
    std::size_t first = 0;
    for (std::size_t i = 0; i < count; ++i) {
      // Borders come from the levels as they were: the next one has not moved yet, this one's lower border is `first`.
      const auto end = i + 1 == count ? ordered.sorted().end()
                                      : std::ranges::upper_bound(ordered.sorted(), (levels[i] + levels[i + 1]) / 2);
      const auto last = static_cast<std::size_t>(end - ordered.sorted().begin());
      const double mean = first == last ? levels[i] : ordered.mean(first, last);
      moved = moved || mean != levels[i];
      levels[i] = mean;
      first = last;
    }
  }
  std::vector<float> rounded(levels.begin(), levels.end());
  rounded.erase(std::unique(rounded.begin(), rounded.end()), rounded.end());
  return rounded;
}

}  // namespace bitwright
