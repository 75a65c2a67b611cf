// SPDX-License-Identifier: MIT
#include "refusal.hpp"
#include <bitwright/quantizers/k_means.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
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

TEST(k_means, levels_are_those_worked_out_by_hand) {
  const floats values{0, 1, 10, 11, 12, 2};
  EXPECT_EQ(k_means(values, 2), (floats{1, 11}));
  EXPECT_EQ(k_means(values, 1), floats{6});
  EXPECT_EQ(k_means(values, 2, density_start{}), (floats{1, 11}));
  EXPECT_EQ(k_means(values, 2, linear_start{}, 0), (floats{0, 12}));
  EXPECT_EQ(k_means(values, 2, density_start{}, 0), (floats{1, 11}));  // Of each half, the median.
}

TEST(k_means, keeps_a_level_that_no_value_is_nearest_to) {
  EXPECT_EQ(k_means(floats{0, 1, 9, 10}, 3), (floats{0.5f, 5, 9.5f}));
}

template <k_means_start Start>
void expect_an_error_that_falls(const Start& start) {
  const floats values = gaussian_values(1000, 7);
  for (const std::size_t count : {1u, 3u, 8u, 16u}) {
    double last = std::numeric_limits<double>::infinity();
    for (std::size_t iterations = 0; iterations < 40; ++iterations) {
      const double error = squared_error(values, k_means(values, count, start, iterations));
      EXPECT_LE(error, last * (1 + 1e-6));  // Means are rounded to floats, whose error beside the optimum is squared.
      last = error;
    }
    // It ends where a step changes nothing.
    EXPECT_EQ(k_means(values, count, start, 100000), k_means(values, count, start, 100001));
  }
}

TEST(k_means, never_raises_the_error) {
  expect_an_error_that_falls(linear_start{});
  expect_an_error_that_falls(density_start{});
  expect_an_error_that_falls(random_start{3});
}

TEST(k_means, depends_on_the_seed_and_not_on_the_order_of_the_values) {
  floats values = gaussian_values(500, 2);
  const floats once = k_means(values, 8, random_start{1}, 2);
  EXPECT_NE(k_means(values, 8, random_start{2}, 2), once);
  std::ranges::reverse(values);
  EXPECT_EQ(k_means(values, 8, random_start{1}, 2), once);
}

TEST(k_means, of_few_different_values_has_just_those) {
  EXPECT_EQ(k_means(floats{3, 1, 3, 1, 1}, 4), (floats{1, 3}));
  EXPECT_EQ(k_means(floats{0, -0.0f, 0}, 16).size(), 1u);
  EXPECT_EQ(k_means(floats{5}, 1, random_start{}), floats{5});
  EXPECT_EQ(k_means({}, 16), floats{0});
  const float denormal = std::numeric_limits<float>::denorm_min();
  EXPECT_LE(k_means(floats{0, denormal, 2 * denormal}, 2).size(), 2u);
}

TEST(k_means, refuses_what_has_no_levels) {
  EXPECT_EQ(refusal([] { k_means(floats{1}, 0); }), "k_means: count is 0, expected [1, 256]");
  EXPECT_EQ(refusal([] { k_means(floats{1}, 257); }), "k_means: count is 257, expected [1, 256]");
  EXPECT_EQ(refusal([] { k_means(floats{1, INFINITY}, 1); }), "ordered_values: values is inf, expected finite numbers");
}

}  // namespace
}  // namespace bitwright
