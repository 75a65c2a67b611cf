// SPDX-License-Identifier: MIT
// Every path of convolution against signed coordinates, 64-bit sums and exact rounding.
#include "kernel_calls.hpp"
#include "naive_convolution.hpp"
#include "random_codes.hpp"
#include <bitwright/core/path.hpp>
#include <bitwright/kernels/convolution.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <vector>

namespace bitwright {
namespace {

using reference::filled;
using reference::naive_axis;
using reference::random_codes;
using problem = reference::naive_convolution;
using u8 = std::uint8_t;
using s8 = std::int8_t;
using s16 = std::int16_t;
using s32 = std::int32_t;

template <class Activation, class Output, class Rounding>
void expect_exact(const problem& p) {
  reference::expect_convolution_gives<Activation, Output>(p.result<Rounding>(), p,
                                                          kernels::convolution_paths<Activation, Output, Rounding>);
}

/// An axis on which at least one window fits, padding on both sides drawn on its own.
naive_axis random_axis(std::int64_t most_pixels, random_codes& random) {
  for (;;) {
    const naive_axis axis{.image = random.between(1, most_pixels),
                          .kernel = random.between(1, 5),
                          .stride = random.between(1, 3),
                          .dilation = random.between(1, 3),
                          .before = random.between(0, 4),
                          .after = random.between(0, 4)};
    if (axis.windows() > 0) return axis;
  }
}

TEST(convolution, ends_its_list_of_paths_with_scalar) {
  EXPECT_EQ((kernels::convolution_paths<u8, u8, half_up>.back().name), "scalar");
}

TEST(convolution, takes_the_path_that_the_environment_expects_of_this_processor) {
  const char* const expected = std::getenv("BITWRIGHT_EXPECTED_PATH");
  if (expected == nullptr) GTEST_SKIP() << "BITWRIGHT_EXPECTED_PATH names no path";
  EXPECT_EQ(best_path(kernels::convolution_paths<u8, u8, half_to_even>).name, expected);
}

TEST(convolution, worked_out_by_hand_counts_padding_as_the_value_0) {
  // One row 4 5 6 with zero point 4, that is 0 1 2, under the weights 1 2 3, padded by one: 0 1 2 -> 3 8 5.
  problem p{.across = {.image = 3, .kernel = 3, .before = 1, .after = 1}};
  p.activations = {4, 5, 6};
  p.weights = {1, 2, 3};
  p.weight_zero_points = {0};
  p.bias = {0};
  p.factors = {{1 << 30, 30}};
  p.activation_zero_point = 4;
  p.most = 255;
  EXPECT_EQ(p.result<half_up>(), (std::vector<std::int64_t>{3, 8, 5}));
  expect_exact<u8, u8, half_up>(p);
}

TEST(convolution, is_exact_for_random_shapes_strides_paddings_dilations_and_groups) {
  random_codes random(1);
  for (int i = 0; i < 1500; ++i) {
    problem p{.down = random_axis(7, random), .across = random_axis(9, random)};
    p.images = random.between(1, 3);
    p.groups = random.between(1, 3);
    p.group_channels = random.between(1, 6);
    p.outputs = p.groups * random.between(1, 4);
    expect_exact<u8, u8, half_to_even>(filled<u8, u8>(p, random));
    expect_exact<s8, s8, half_away_from_zero>(filled<s8, s8>(p, random));
  }
}

TEST(convolution, is_exact_when_depthwise_with_one_or_two_outputs_a_channel) {
  random_codes random(2);
  for (std::int64_t channels = 1; channels <= 35; ++channels)
    for (const std::int64_t kernel : {3, 5}) {
      const naive_axis axis{.image = 6, .kernel = kernel, .stride = 1 + channels % 2, .before = 1, .after = 2};
      problem p{.down = axis, .across = axis, .groups = channels};
      p.outputs = channels * (1 + channels % 3 / 2);
      expect_exact<u8, u8, half_to_even>(filled<u8, u8>(p, random));
      expect_exact<s8, u8, half_up>(filled<s8, u8>(p, random));
    }
}

TEST(convolution, is_exact_for_1x1_kernels_and_kernels_larger_than_the_image) {
  random_codes random(3);
  for (std::int64_t channels = 1; channels <= 35; ++channels) {
    problem point{.down = {3, 1}, .across = {4, 1}, .group_channels = channels, .outputs = 3};
    expect_exact<u8, u8, half_to_even>(filled<u8, u8>(point, random));
    const naive_axis larger{.image = 2, .kernel = 5, .before = 3, .after = 2};
    expect_exact<u8, u8, half_to_even>(
        filled<u8, u8>({.down = larger, .across = larger, .group_channels = channels}, random));
  }
}

TEST(convolution, is_exact_for_every_number_of_channels_and_of_outputs) {
  random_codes random(6);
  const naive_axis axis{.image = 5, .kernel = 3, .before = 1, .after = 1};
  for (std::int64_t count = 1; count <= 70; ++count) {
    expect_exact<u8, u8, half_to_even>(
        filled<u8, u8>({.down = axis, .across = axis, .group_channels = count, .outputs = 3}, random));
    expect_exact<s8, s8, half_up>(
        filled<s8, s8>({.down = axis, .across = {4, 2}, .group_channels = 17, .outputs = count}, random));
  }
}

TEST(convolution, is_exact_for_rows_wider_than_a_block) {
  random_codes random(7);
  const naive_axis axis{.image = 3, .kernel = 3, .before = 1, .after = 1};
  for (const std::int64_t width : {95, 119, 120, 121, 250})
    for (const std::int64_t channels : {2, 16}) {
      const naive_axis wide{.image = width, .kernel = 3, .before = 1, .after = 1};
      expect_exact<u8, u8, half_to_even>(
          filled<u8, u8>({.down = axis, .across = wide, .group_channels = channels, .outputs = 5}, random));
    }
}

TEST(convolution, leaves_out_padding_exactly_whatever_the_zero_points) {
  // Windows larger than the image, so that every row and column of taps is padding somewhere, without weight zero
  // points, without an activation zero point, and with both.
  random_codes random(8);
  for (std::int64_t before = 0; before <= 4; ++before)
    for (int zeros = 0; zeros < 4; ++zeros) {
      const naive_axis axis{.image = 4, .kernel = 5, .before = before, .after = 4};
      auto p = filled<u8, u8>({.down = axis, .across = axis, .images = 2, .group_channels = 16, .outputs = 20}, random);
      if (zeros % 2 == 0) p.weight_zero_points.assign(p.weight_zero_points.size(), 0);
      if (zeros / 2 == 0) p.activation_zero_point = 0;
      expect_exact<u8, u8, half_to_even>(p);
    }
}

TEST(convolution, is_exact_for_weights_of_7_bits) {
  random_codes random(9);
  for (int i = 0; i < 100; ++i) {
    problem p{.down = random_axis(7, random), .across = random_axis(9, random)};
    p.group_channels = random.between(1, 40), p.outputs = random.between(1, 20);
    p = filled<u8, u8>(p, random);
    for (std::int64_t& code : p.weights) code = random.between(-64, 63);
    expect_exact<u8, u8, half_to_even>(p);
  }
}

template <class Activation, class Output, class... Roundings>
void expect_exact_for(random_codes& random) {
  for (int i = 0; i < 5; ++i) {
    problem p{.down = random_axis(7, random), .across = random_axis(7, random), .group_channels = 24, .outputs = 9};
    p = filled<Activation, Output>(p, random);
    (expect_exact<Activation, Output, Roundings>(p), ...);
  }
}

// Every pair of types and every rounding, though not every one of every other: codes are made as gemm's are.
TEST(convolution, is_exact_for_every_type_and_every_rounding) {
  random_codes random(4);
  expect_exact_for<u8, u8, half_up, half_to_even, half_away_from_zero, toward_zero, bitwright::floor, gemmlowp_double>(
      random);
  expect_exact_for<u8, s8, half_to_even>(random);
  expect_exact_for<u8, s16, half_up>(random);
  expect_exact_for<u8, s32, half_to_even>(random);
  expect_exact_for<s8, u8, half_up>(random);
  expect_exact_for<s8, s8, half_away_from_zero>(random);
  expect_exact_for<s8, s16, half_to_even>(random);
  expect_exact_for<s8, s32, half_to_even>(random);
}

TEST(convolution, is_exact_for_extreme_codes_and_zero_points) {
  random_codes random(5);
  const naive_axis axis{.image = 4, .kernel = 3, .before = 1, .after = 1};
  const problem shape{.down = axis, .across = axis, .group_channels = 48, .outputs = 3};
  for (const std::int64_t activation : {-128, 127})
    for (const std::int64_t weight : {-128, 127})
      for (const std::int64_t activation_zero_point : {-128, 127})
        for (const std::int64_t weight_zero_point : {-128, 127}) {
          auto p = filled<s8, s32>(shape, random);
          p.activations.assign(p.activations.size(), activation);
          p.weights.assign(p.weights.size(), weight);
          p.weight_zero_points.assign(p.weight_zero_points.size(), weight_zero_point);
          p.activation_zero_point = activation_zero_point;
          p.factors.assign(p.factors.size(), {1 << 30, 30});  // 1: the accumulator itself.
          p.least = INT32_MIN, p.most = INT32_MAX;
          expect_exact<s8, s32, half_to_even>(p);
          for (std::int64_t& code : p.activations) code += 128;
          p.activation_zero_point += 128;
          expect_exact<u8, s32, half_to_even>(p);
        }
}

}  // namespace
}  // namespace bitwright
