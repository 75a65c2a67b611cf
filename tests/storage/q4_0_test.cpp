// SPDX-License-Identifier: MIT
#include "refusal.hpp"
#include <bitwright/storage/q4_0.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <span>
#include <vector>

namespace bitwright {
namespace {

using reference::refusal;
using values_32 = std::array<float, 32>;
using bytes_18 = std::array<std::uint8_t, 18>;

bytes_18 bytes_of(const values_32& values) {
  const q4_0_block block = q4_0_block::from(values);
  bytes_18 bytes;
  std::memcpy(bytes.data(), &block, sizeof block);
  return bytes;
}

values_32 values_of(const q4_0_block& block) {
  values_32 values;
  block.to(values);
  return values;
}

TEST(q4_0, is_laid_out_as_published) {
  values_32 values;  // -8 ... 7 in the first half, 7 ... -8 in the second: d = -8 / -8 = 1, code = value + 8.
  for (std::size_t j = 0; j < 16; ++j) {
    values[j] = static_cast<float>(j) - 8;
    values[j + 16] = 7 - static_cast<float>(j);
  }
  EXPECT_EQ(bytes_of(values), (bytes_18{0x00, 0x3c, 0xf0, 0xe1, 0xd2, 0xc3, 0xb4, 0xa5, 0x96, 0x87, 0x78, 0x69, 0x5a,
                                        0x4b, 0x3c, 0x2d, 0x1e, 0x0f}));
  EXPECT_EQ(values_of(q4_0_block::from(values)), values);
}

TEST(q4_0, a_positive_largest_value_has_a_negative_scale_and_the_code_zero) {
  values_32 values{};
  values[0] = 4;
  values[1] = -4;
  values[16] = 1;
  // d = -0.5 = 0xb800. 4 / d + 8.5 = 0.5: code 0. -4 / d + 8.5 = 16.5: code 15. 1 / d + 8.5 = 6.5: code 6. 0: code 8.
  EXPECT_EQ(bytes_of(values), (bytes_18{0x00, 0xb8, 0x60, 0x8f, 0x88, 0x88, 0x88, 0x88, 0x88, 0x88, 0x88, 0x88, 0x88,
                                        0x88, 0x88, 0x88, 0x88, 0x88}));
  const values_32 back = values_of(q4_0_block::from(values));
  EXPECT_EQ(back[0], 4);
  EXPECT_EQ(back[1], -3.5f);
  EXPECT_EQ(back[16], 1);
}

TEST(q4_0, the_first_of_equal_magnitudes_gives_the_sign_and_halves_round_up) {
  values_32 values{};
  values[3] = -8;
  values[4] = 8;
  values[5] = 0.5f;
  values[6] = -0.5f;
  const values_32 back = values_of(q4_0_block::from(values));
  EXPECT_EQ(back[3], -8);
  EXPECT_EQ(back[4], 7);
  EXPECT_EQ(back[5], 1);
  EXPECT_EQ(back[6], 0);
}

TEST(q4_0, a_sum_is_rounded_after_its_product) {
  values_32 values{};
  values[0] = -8;                          // d = 1
  values[1] = std::nextafter(0.5f, 0.0f);  // 0.49999997 + 8.5 = 8.99999997 rounds to 9 as a float.
  EXPECT_EQ(values_of(q4_0_block::from(values))[1], 1);
}

TEST(q4_0, divides_by_the_float_and_stores_the_half) {
  values_32 values{};
  values[0] = -8.003f;  // d = 1.000375 is stored as 1, the nearest half: the next is 1 + 2^-10.
  values[1] = 3.5014f;  // 3.50008 of the float d, 3.5014 of the half: both round to 4.
  const q4_0_block block = q4_0_block::from(values);
  EXPECT_EQ(block.scale, (block_scale{{0x00, 0x3c}}));
  EXPECT_EQ(values_of(block)[0], -8);
  EXPECT_EQ(values_of(block)[1], 4);
}

TEST(q4_0, errs_by_at_most_half_a_step_or_a_whole_one_at_the_far_end) {
  std::mt19937 generator(12);
  std::normal_distribution<float> normal;
  for (int trial = 0; trial < 100; ++trial) {
    values_32 values;
    for (float& value : values) value = normal(generator);
    const q4_0_block block = q4_0_block::from(values);
    const values_32 back = values_of(block);
    const float d = std::abs(block.scale.value());
    for (std::size_t j = 0; j < 32; ++j) {
      // fp16 changes d by 2^-11 of itself, times at most 8.
      const bool far_end = (back[j] > 0) != (block.scale.value() < 0) && std::abs(back[j]) > 6.5f * d;
      EXPECT_LE(std::abs(back[j] - values[j]), d * (far_end ? 1.0f : 0.5f) + 8.1f * 0x1p-11f * d);
    }
  }
}

TEST(q4_0, of_zeros_and_of_values_below_all_scales_is_zeros) {
  EXPECT_EQ(values_of(q4_0_block::from(values_32{})), values_32{});
  values_32 tiny{};
  tiny[0] = std::numeric_limits<float>::denorm_min();
  tiny[1] = -1e-39f;
  tiny[2] = 1e-30f;
  for (const float value : values_of(q4_0_block::from(tiny))) EXPECT_EQ(value, 0);
}

TEST(q4_0, spans_hold_whole_blocks_of_finite_values) {
  std::vector<float> values(64, 1);
  std::vector<q4_0_block> blocks(2);
  quantize_blocks(values, std::span(blocks));
  EXPECT_EQ(blocks[0], blocks[1]);
  std::vector<float> back(64);
  dequantize_blocks(std::span<const q4_0_block>(blocks), back);
  EXPECT_EQ(back, values);
  EXPECT_EQ(refusal([&] { quantize_blocks(std::span(values).first(63), std::span(blocks)); }),
            "quantize_blocks: values.size() is 63, expected 32 for each block, 64");
  EXPECT_EQ(refusal([&] { dequantize_blocks(std::span<const q4_0_block>(blocks), std::span(values).first(32)); }),
            "dequantize_blocks: values.size() is 32, expected 32 for each block, 64");
  values[40] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(refusal([&] { quantize_blocks(values, std::span(blocks)); }),
            "range_of: values[40] is nan, expected a finite number");
  values[40] = 8 * 65536.0f;
  EXPECT_EQ(refusal([&] { quantize_blocks(values, std::span(blocks)); }),
            "q4_0_block: scale is -65536, expected at most 65504 in magnitude");
  quantize_blocks(std::span<const float>(), std::span<q4_0_block>());
}

}  // namespace
}  // namespace bitwright
