// SPDX-License-Identifier: MIT
#include "random_codes.hpp"
#include <bitwright/kernels/short_sums.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace bitwright::kernels {
namespace {

using reference::random_codes;
using weights = std::vector<std::int8_t>;

/// Steps of four weights, of which the first two and the last two are added; operands are codes less Offset.
template <std::int32_t Offset>
struct two_sums {
  using weight = std::int8_t;
  static constexpr bool takes_indices = false;
  static constexpr std::size_t lanes = 1, depth = 4, max_vectors = 1, short_sums = 2;
  static constexpr std::size_t short_sum(std::size_t k) { return k / 2 % 2; }
  static constexpr std::int32_t activation_offset(std::int32_t) { return Offset; }
};
using tile = two_sums<0>;

bool fit(const weights& of, std::size_t steps, operand_range operands) {
  return fit_short_sums<tile>(of.data(), of.size(), steps, operands);
}

TEST(short_sums, fit_up_to_both_ends_of_16_bits) {
  weights most(516, 0), least(516, 0);
  // 258 * 127 = 32766 and 256 * -128 = -32768, in the first sum alone.
  for (std::size_t k = 0; k < 516; ++k)
    if (k % 4 < 2) most[k] = 127, least[k] = k < 512 ? -128 : 0;
  EXPECT_TRUE(fit(most, 129, {0, 1}));
  EXPECT_TRUE(fit(least, 129, {0, 1}));
  EXPECT_FALSE(fit(least, 129, {-1, 0}));
  most.insert(most.end(), {1, 0, 0, 0});
  least[512] = -1;
  EXPECT_TRUE(fit(most, 130, {0, 1}));
  EXPECT_FALSE(fit(least, 129, {0, 1}));
  most.back() = 127;
  EXPECT_TRUE(fit(most, 130, {0, 1}));
  most[517] = 1;
  EXPECT_FALSE(fit(most, 130, {0, 1}));
}

TEST(short_sums, begin_anew_after_their_steps) {
  const weights of(10, 60);  // 2 * 60 * 255 = 30600 a step.
  EXPECT_TRUE(fit(of, 1, {0, 255}));
  EXPECT_FALSE(fit(of, 2, {0, 255}));
  EXPECT_TRUE(fit({}, 1, {-128, 255}));
}

TEST(short_sums, fit_exactly_if_those_of_every_choice_of_extreme_operands_do) {
  random_codes random(1);
  int fitting = 0;
  for (int i = 0; i < 2000; ++i) {
    const auto of = reference::narrowed<std::int8_t>(random.many(4, -128, 127));
    const operand_range operands{static_cast<std::int32_t>(random.between(-255, 0)),
                                 static_cast<std::int32_t>(random.between(0, 255))};
    bool expected = true;
    for (std::size_t first = 0; first < 4; first += 2)
      for (const std::int32_t a : {operands.least, 0, operands.most})
        for (const std::int32_t b : {operands.least, 0, operands.most}) {
          const std::int32_t sum = a * of[first] + b * of[first + 1];
          expected = expected && sum == static_cast<std::int16_t>(sum);
        }
    ASSERT_EQ(fit(of, 1, operands), expected) << i;
    fitting += expected;
  }
  EXPECT_GT(fitting, 200);
  EXPECT_LT(fitting, 1800);
}

/// What matters of a layer of two outputs.
weighted_sum sums_of(const weights& of, std::int32_t zero_point, code_range codes) {
  return {.outputs = 2,
          .inputs = of.size() / 2,
          .weights = of.data(),
          .weight_zero_points = nullptr,
          .bias = nullptr,
          .factors = nullptr,
          .activation_zero_point = zero_point,
          .output_zero_point = 0,
          .output_codes = {0, 255},
          .activation_codes = codes};
}

TEST(short_sums, meet_operands_of_activations_and_of_padding_and_0) {
  const auto expect = [](operand_range range, std::int32_t least, std::int32_t most) {
    EXPECT_EQ(range.least, least);
    EXPECT_EQ(range.most, most);
  };
  const code_range all{-128, 255}, few{3, 15};
  expect(operand_range::of<two_sums<0>, std::uint8_t>(sums_of({}, 7, all)), 0, 255);
  expect(operand_range::of<two_sums<128>, std::uint8_t>(sums_of({}, 7, all)), -128, 127);
  expect(operand_range::of<two_sums<-128>, std::int8_t>(sums_of({}, 7, all)), 0, 255);
  expect(operand_range::of<two_sums<0>, std::uint8_t>(sums_of({}, 7, few)), 0, 15);
  expect(operand_range::of<two_sums<0>, std::uint8_t>(sums_of({}, 200, few)), 0, 200);
  expect(operand_range::of<two_sums<128>, std::uint8_t>(sums_of({}, 7, few)), -125, 0);
}

TEST(short_sums, have_as_many_steps_as_the_greatest_weights_allow) {
  const auto steps = [](const weights& of, code_range codes) {
    const weighted_sum sums = sums_of(of, 0, codes);
    const panel_layout<tile> layout{.groups = 1, .group_outputs = 2, .segments = 1, .length = sums.inputs};
    return fitting_steps<std::uint8_t>(layout, sums);
  };
  weights of(2048, 7);  // 2 * 7 * 255 = 3570 a step: 9 fit.
  EXPECT_EQ(steps(of, {0, 255}), 8u);
  EXPECT_EQ(steps(of, {0, 15}), most_short_steps);
  of[2000] = of[2001] = 64;
  EXPECT_EQ(steps(of, {0, 255}), 1u);
  of[2000] = 65;
  EXPECT_EQ(steps(of, {0, 255}), 0u);
  EXPECT_EQ(steps({}, {0, 255}), most_short_steps);
}

}  // namespace
}  // namespace bitwright::kernels
