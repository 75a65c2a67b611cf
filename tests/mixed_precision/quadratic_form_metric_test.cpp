// SPDX-License-Identifier: MIT
#include <bitwright/mixed_precision/quadratic_form_metric.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <span>
#include <vector>

namespace bitwright {
namespace {

const std::vector<float> original{1, 2}, quantized{1.5f, 1};  // d = (1/2, -1)

/// H = [[2, 1, 9], [1, 2, 9], [9, 9, -4]]: a layer of two weights and one of one.
void product(std::span<const double> v, std::span<double> result) {
  result[0] = 2 * v[0] + v[1] + 9 * v[2];
  result[1] = v[0] + 2 * v[1] + 9 * v[2];
  result[2] = 9 * v[0] + 9 * v[1] - 4 * v[2];
}
const std::vector<std::size_t> sizes{2, 1};

TEST(quadratic_form_metric, is_half_the_form_of_the_layers_own_block) {
  quadratic_form_metric<double, decltype(product)> metric(product, sizes);
  // (2 / 4 + 2 * 1 * (-1/2) + 2) / 2
  EXPECT_EQ(metric(0, original, quantized), sensitivity{.omega = 0.75});
}

TEST(quadratic_form_metric, of_negative_curvature_is_its_size_and_says_so) {
  quadratic_form_metric<double, decltype(product)> metric(product, sizes);
  const std::vector<float> one{1}, two{2};
  EXPECT_EQ(metric(1, one, two), (sensitivity{.omega = 2, .at_noise_floor = true}));
  EXPECT_EQ(metric(1, one, one), sensitivity{});
  EXPECT_THROW(metric(0, one, two), invalid_argument);
  EXPECT_THROW(metric(2, one, two), invalid_argument);
}

}  // namespace
}  // namespace bitwright
