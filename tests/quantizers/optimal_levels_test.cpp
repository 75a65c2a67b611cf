// SPDX-License-Identifier: MIT
#include "refusal.hpp"
#include <bitwright/quantizers/k_means.hpp>
#include <bitwright/quantizers/optimal_levels.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

namespace bitwright {
namespace {

using reference::refusal;
using floats = std::vector<float>;

floats gaussian_values(std::size_t count, unsigned seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal;
  floats values(count);
  for (float& value : values) value = normal(generator);
  return values;
}

/// Every value to the nearest level, by looking at all.
double squared_error(const floats& values, const floats& levels) {
  double sum = 0;
  for (const float value : values) {
    double least = std::numeric_limits<double>::infinity();
    for (const float level : levels) least = std::min(least, std::pow(double{level} - value, 2));
    sum += least;
  }
  return sum;
}

/// All ways to cut the sorted values into `count` runs.
double least_error_of_all(const floats& sorted, std::size_t first, std::size_t count) {
  if (first == sorted.size()) return 0;
  if (count == 0) return std::numeric_limits<double>::infinity();
  double least = std::numeric_limits<double>::infinity(), sum = 0;
  for (std::size_t last = first + 1; last <= sorted.size(); ++last) {
    sum += sorted[last - 1];
    const double mean = sum / static_cast<double>(last - first);
    double error = 0;
    for (std::size_t i = first; i < last; ++i) error += (sorted[i] - mean) * (sorted[i] - mean);
    least = std::min(least, error + least_error_of_all(sorted, last, count - 1));
  }
  return least;
}

TEST(optimal_levels, have_the_least_error_of_all) {
  for (unsigned seed = 0; seed < 20; ++seed) {
    floats values = gaussian_values(14, seed);
    for (float& value : values) value = std::round(4 * value) / 4 + 100;  // Some are equal, and all far from 0.
    floats sorted = values;
    std::ranges::sort(sorted);
    for (std::size_t count = 1; count <= 5; ++count) {
      const floats levels = optimal_levels(values, count);
      EXPECT_LE(levels.size(), count);
      // A level near 100 is rounded by 2^-18, whose square, times 14, is lost.
      EXPECT_NEAR(squared_error(values, levels), least_error_of_all(sorted, 0, count), 1e-9) << seed << ' ' << count;
    }
  }
}

TEST(optimal_levels, are_as_good_as_k_means_from_any_start) {
  const floats values = gaussian_values(2000, 5);
  for (const std::size_t count : {2u, 4u, 16u, 64u}) {
    const double least = squared_error(values, optimal_levels(values, count)) * (1 - 1e-6);  // Rounded to floats.
    EXPECT_LE(least, squared_error(values, k_means(values, count, linear_start{})));
    EXPECT_LE(least, squared_error(values, k_means(values, count, density_start{})));
    for (std::uint64_t seed = 0; seed < 5; ++seed)
      EXPECT_LE(least, squared_error(values, k_means(values, count, random_start{seed})));
  }
}

TEST(optimal_levels, of_many_gaussian_values_reach_the_published_error) {
  // Max (IRE Transactions on Information Theory 6, 1960): 2, 4, 8 and 16 levels for unit variance. 20,000 values vary by
  // sqrt(2 / 20000) = 1 % in their squares; quantizing errors, with thinner tails, by less.
  const floats values = gaussian_values(20000, 8);
  const double errors[] = {0.3634, 0.1175, 0.03454, 0.009497};
  for (std::size_t bits = 1; bits <= 4; ++bits)
    EXPECT_NEAR(squared_error(values, optimal_levels(values, std::size_t{1} << bits)) / 20000, errors[bits - 1],
                0.04 * errors[bits - 1]);
}

TEST(optimal_levels, of_degenerate_values_are_defined) {
  EXPECT_EQ(optimal_levels({}, 4), floats{0});
  EXPECT_EQ(optimal_levels(floats{2}, 4), floats{2});
  EXPECT_EQ(optimal_levels(floats{2, 2, 2}, 2), floats{2});
  EXPECT_EQ(optimal_levels(floats{3, 1, 1, 3, 1}, 16), (floats{1, 3}));
  EXPECT_EQ(refusal([] { optimal_levels(floats{1}, 0); }), "optimal_levels: count is 0, expected [1, 256]");
}

}  // namespace
}  // namespace bitwright
