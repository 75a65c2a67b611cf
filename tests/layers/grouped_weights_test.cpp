// SPDX-License-Identifier: MIT
#include "random_codes.hpp"
#include "refusal.hpp"
#include <bitwright/layers/grouped_weights.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

namespace bitwright {
namespace {

using reference::random_codes;
using reference::refusal;

/// Blocks of random bytes, with scales below 4.
template <class Block>
std::vector<Block> random_blocks(std::size_t count) {
  random_codes any(3);
  std::vector<Block> blocks(count);
  for (Block& block : blocks) {
    block.scale.bytes = {static_cast<std::uint8_t>(any.between(0, 255)), static_cast<std::uint8_t>(any.between(0, 68))};
    for (auto& code : block.codes) code = static_cast<std::remove_reference_t<decltype(code)>>(any.between(0, 255));
  }
  return blocks;
}

/// Whether weights are worth what their blocks are.
template <class Block>
void expect_the_same_values(const std::vector<Block>& blocks, std::size_t inputs) {
  const auto weights = weights_of_blocks(std::span<const Block>(blocks), inputs);
  EXPECT_EQ(weights.codes.shape(), (shape{blocks.size() * 32 / inputs, inputs}));
  std::vector<float> values(blocks.size() * 32);
  dequantize_blocks(std::span<const Block>(blocks), std::span(values));
  for (std::size_t i = 0; i < values.size(); ++i) ASSERT_EQ(weights.value(i / inputs, i % inputs), values[i]) << i;
}

TEST(grouped_weights, of_blocks_have_the_values_of_the_blocks) {
  expect_the_same_values(random_blocks<q4_0_block>(30), 96);
  expect_the_same_values(random_blocks<q8_0_block>(30), 160);
}

TEST(grouped_weights, of_quantized_floats_are_those_of_their_blocks) {
  random_codes any(4);
  std::vector<float> values;
  for (int i = 0; i < 4 * 64; ++i) values.push_back(static_cast<float>(any.between(-1000, 1000)) / 512);
  const tensor_view<const float> view(values, {4, 64});
  std::vector<q4_0_block> four(8);
  quantize_blocks(values, std::span(four));
  std::vector<q8_0_block> eight(8);
  quantize_blocks(values, std::span(eight));
  std::vector<float> of_four(values.size()), of_eight(values.size());
  dequantize_blocks(std::span<const q4_0_block>(four), std::span(of_four));
  dequantize_blocks(std::span<const q8_0_block>(eight), std::span(of_eight));
  const auto quantized_to_four = quantize_groups<four_bit_groups>(view);
  const auto quantized_to_eight = quantize_groups<eight_bit_groups>(view);
  for (std::size_t i = 0; i < values.size(); ++i) {
    EXPECT_EQ(quantized_to_four.value(i / 64, i % 64), of_four[i]);
    EXPECT_EQ(quantized_to_eight.value(i / 64, i % 64), of_eight[i]);
  }
}

TEST(grouped_weights, with_zero_points_keep_a_grid_of_16_values_beside_0) {
  // 0.25 * (code - 3): the scale is fp16, and every value a code.
  std::vector<float> values;
  for (int i = 0; i < 64; ++i) values.push_back(0.25f * static_cast<float>(i * 7 % 16 - 3));
  const auto weights = quantize_groups<four_bit_groups_with_zero_points>(tensor_view<const float>(values, {2, 32}));
  EXPECT_EQ(weights.zero_points, (std::vector<std::uint8_t>{3, 3}));
  for (std::size_t i = 0; i < 64; ++i) EXPECT_EQ(weights.value(i / 32, i % 32), values[i]);
}

TEST(grouped_weights, with_zero_points_are_within_a_step_and_a_bit_of_their_values) {
  // Half a step for the nearest code, and half of one for the zero point's; fp16 leaves the scale 2^-11 of itself and so
  // up to 15 * 2^-11 of a step at the far end.
  random_codes any(5);
  for (int trial = 0; trial < 50; ++trial) {
    std::vector<float> values;
    const auto offset = static_cast<float>(any.between(-1500, 1500));
    for (int i = 0; i < 32; ++i) values.push_back((static_cast<float>(any.between(-1000, 1000)) + offset) / 300);
    const auto [least, greatest] = std::ranges::minmax(values);
    const double step = (std::max(greatest, 0.0f) - std::min(least, 0.0f)) / 15;
    const auto weights = quantize_groups<four_bit_groups_with_zero_points>(tensor_view<const float>(values, {1, 32}));
    for (std::size_t k = 0; k < 32; ++k)
      EXPECT_NEAR(weights.value(0, k), values[k], step * (1 + 16 * 0x1p-11)) << "of step " << step;
  }
}

TEST(grouped_weights, of_zeros_and_of_constants_are_defined) {
  for (const float value : {0.0f, 1.0f, -1.0f, std::numeric_limits<float>::denorm_min(), 3e-8f}) {
    const std::vector<float> values(32, value);
    const tensor_view<const float> view(values, {1, 32});
    // Nearest values of the finest fp16 scale, 2^-24, at worst; for others one of 16 codes is the constant's.
    const double bound = std::max(double{std::abs(value)} * 0x1p-10, 0x1p-24);
    EXPECT_NEAR(quantize_groups<four_bit_groups>(view).value(0, 31), value, bound);
    EXPECT_NEAR(quantize_groups<eight_bit_groups>(view).value(0, 31), value, bound);
    EXPECT_NEAR(quantize_groups<four_bit_groups_with_zero_points>(view).value(0, 31), value, bound);
  }
}

TEST(grouped_weights, are_refused_by_name_where_sizes_do_not_match) {
  const auto blocks = random_blocks<q4_0_block>(6);
  const std::span<const q4_0_block> view(blocks);
  EXPECT_EQ(refusal([&] { weights_of_blocks(view, 48); }),
            "weights_of_blocks: inputs is 48, expected a multiple of 32");
  EXPECT_EQ(refusal([&] { weights_of_blocks(view, 0); }), "weights_of_blocks: inputs is 0, expected a multiple of 32");
  EXPECT_EQ(refusal([&] { weights_of_blocks(view, 128); }),
            "weights_of_blocks: blocks.size() is 6, expected a multiple of inputs / 32, 4");
  EXPECT_EQ(refusal([&] { weights_of_blocks(view.first(0), 64); }),
            "weights_of_blocks: blocks.size() is 0, expected a multiple of inputs / 32, 2");
  const std::vector<float> values(33);
  EXPECT_EQ(refusal([&] {
              quantize_groups<four_bit_groups>(tensor_view<const float>(values, {1, 33}));
            }),
            "quantize_groups: weights.shape() is [1, 33], expected outputs x inputs, the latter a multiple of 32");
}

TEST(grouped_weights, are_refused_by_name_where_scales_are_not_finite) {
  auto blocks = random_blocks<q8_0_block>(2);
  blocks[1].scale.bytes = {0x00, 0x7c};
  EXPECT_EQ(refusal([&] { weights_of_blocks(std::span<const q8_0_block>(blocks), 64); }),
            "weights_of_blocks: weights.scales[1] is inf, expected a finite number");
  std::vector<float> values(32, 1e6f);
  EXPECT_EQ(refusal([&] {
              quantize_groups<four_bit_groups_with_zero_points>(tensor_view<const float>(values, {1, 32}));
            }),
            "quantize_group: scale is 66666.664, expected at most 65504");
  values[7] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(refusal([&] {
              quantize_groups<four_bit_groups_with_zero_points>(tensor_view<const float>(values, {1, 32}));
            }),
            "range_of: values[7] is nan, expected a finite number");
}

}  // namespace
}  // namespace bitwright
