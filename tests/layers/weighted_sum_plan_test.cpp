// SPDX-License-Identifier: MIT
#include <bitwright/layers/weighted_sum_plan.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

namespace bitwright {
namespace {

TEST(weighted_sum_plan, makes_biases_at_the_scale_of_the_accumulator_half_to_even) {
  // Steps of 0.5 * 0.5: 0.625 is 2.5 steps and 0.875 is 3.5.
  const std::vector<std::int8_t> weights{1, 1, 1};
  const std::vector<affine_scale> maps{{0.5f}};
  const std::vector<float> bias{0.625f, 0.875f, -0.625f};
  const code_range bytes = code_range::all_of<std::uint8_t>();
  const weighted_sum_plan plan("test", {0.5f, 7}, bytes, bytes, tensor_view<const std::int8_t>(weights, {3, 1}), maps, bias,
                               {0.75f, 9}, {9, 200}, bytes);
  const kernels::weighted_sum sums = plan.sums(weights.data());
  EXPECT_EQ(sums.outputs, 3u);
  EXPECT_EQ(sums.inputs, 1u);
  EXPECT_EQ(sums.weights, weights.data());
  EXPECT_EQ(std::vector<std::int32_t>(sums.bias, sums.bias + 3), (std::vector<std::int32_t>{2, 4, -2}));
  EXPECT_EQ(sums.activation_zero_point, 7);
  EXPECT_EQ(sums.output_zero_point, 9);
  EXPECT_EQ(sums.output_codes, (code_range{9, 200}));
  // 0.25 / 0.75 = 1/3, whose nearest dyadic is 1431655765 / 2^32.
  for (int n = 0; n < 3; ++n) EXPECT_EQ(sums.factors[n], (dyadic{1431655765, 32}));
}

TEST(weighted_sum_plan, multiplies_scales_in_double) {
  // (1 + 2^-12)^2 = 1 + 2^-11 + 2^-24, whose last bit a float would lose.
  const std::vector<std::int8_t> weights{1};
  const std::vector<affine_scale> maps{{1 + 0x1p-12f}};
  const code_range bytes = code_range::all_of<std::uint8_t>();
  const weighted_sum_plan plan("test", {1 + 0x1p-12f}, bytes, bytes, tensor_view<const std::int8_t>(weights, {1, 1}), maps, {},
                               {1}, bytes, bytes);
  EXPECT_EQ(plan.sums().factors[0], (dyadic{(1 << 30) + (1 << 19) + (1 << 6), 30}));
}

}  // namespace
}  // namespace bitwright
