// SPDX-License-Identifier: MIT
// Every vector path of depthwise convolution against signed coordinates, 64-bit sums and exact rounding.
#include <bitwright/core/cpu.hpp>

#include <gtest/gtest.h>

#if defined(__x86_64__) || defined(__aarch64__)

#include "kernel_calls.hpp"
#include "naive_convolution.hpp"
#include "random_codes.hpp"
#include <bitwright/core/path.hpp>
#include <bitwright/kernels/convolution.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace bitwright {
namespace {

using reference::naive_axis;
using reference::random_codes;
using problem = reference::naive_convolution;
using u8 = std::uint8_t;
using s8 = std::int8_t;
using s16 = std::int16_t;
using s32 = std::int32_t;

#if defined(__x86_64__)
template <class Activation, class Output, class Rounding>
const std::array paths{
    kernels::convolution_path<Activation, Output>{
        "avx512_vnni", cpu::has_avx512_vnni, kernels::avx512_vnni::depthwise_packed_bytes,
        kernels::avx512_vnni::depthwise_pack, kernels::avx512_vnni::depthwise_workspace_bytes,
        kernels::avx512_vnni::depthwise<Activation, Output, Rounding>},
    kernels::convolution_path<Activation, Output>{
        "avx2", cpu::has_avx2, kernels::avx2::depthwise_packed_bytes, kernels::avx2::depthwise_pack,
        kernels::avx2::depthwise_workspace_bytes, kernels::avx2::depthwise<Activation, Output, Rounding>}};
#else
template <class Activation, class Output, class Rounding>
const std::array paths{kernels::convolution_path<Activation, Output>{
    "neon", always_available, kernels::neon::depthwise_packed_bytes, kernels::neon::depthwise_pack,
    kernels::neon::depthwise_workspace_bytes, kernels::neon::depthwise<Activation, Output, Rounding>}};
#endif

/// Codes, zero points, biases and factors for a problem whose shape is given. Every other has weights of 8 bits.
template <class Activation, class Output>
problem filled_depthwise(problem p, random_codes& random) {
  using activation = std::numeric_limits<Activation>;
  using output = std::numeric_limits<Output>;
  p.outputs = p.groups;
  p.activations =
      random.many(p.images * p.down.image * p.across.image * p.groups, activation::min(), activation::max());
  p.weights = random.many(p.outputs * p.down.kernel * p.across.kernel, -128, 127);
  const int wide = static_cast<int>(random.between(0, 1));
  p.weight_zero_points = random.many(p.outputs, -128 * wide, 127 * wide);
  p.bias = random.many(p.outputs, -30000, 30000);
  // Every other without a factor of at least 1/4, which is code of its own.
  const int least = random.between(0, 1) == 0 ? 33 : 30;
  for (std::int64_t n = 0; n < p.outputs; ++n) p.factors.push_back(random.factor(least, 45));
  if (random.between(0, 1) == 0)
    for (dyadic& factor : p.factors) factor.multiplier |= 1;
  p.activation_zero_point = random.between(activation::min(), activation::max());
  p.least = random.between(0, 1) == 0 ? output::min() : random.between(output::min(), 0);
  p.most = random.between(0, 1) == 0 ? output::max() : random.between(p.least, output::max());
  p.output_zero_point = random.between(p.least, p.most);
  return p;
}

template <class Activation, class Output, class Rounding>
void expect_exact(const problem& p) {
  ASSERT_TRUE(kernels::suits_depthwise(reference::kernel_constants(p).convolution()));
  reference::expect_convolution_gives<Activation, Output>(p.result<Rounding>(), p, paths<Activation, Output, Rounding>);
}

/// An axis on which at least one window fits, padding on both sides drawn on its own.
naive_axis random_axis(random_codes& random) {
  for (;;) {
    const naive_axis axis{.image = random.between(1, 9),
                          .kernel = random.between(1, 6),
                          .stride = random.between(1, 3),
                          .dilation = random.between(1, 3),
                          .before = random.between(0, 7),
                          .after = random.between(0, 7)};
    if (axis.windows() > 0) return axis;
  }
}

TEST(depthwise, is_exact_for_all_numbers_of_channels_from_16_to_twice_a_vector) {
  random_codes random(1);
  for (std::int64_t channels = 16; channels <= 65; ++channels)
    for (const std::int64_t kernel : {3, 5}) {
      const naive_axis axis{.image = 7, .kernel = kernel, .stride = 1 + channels % 2, .before = 1, .after = 2};
      const problem shape{.down = axis, .across = axis, .groups = channels};
      expect_exact<u8, u8, half_to_even>(filled_depthwise<u8, u8>(shape, random));
      expect_exact<s8, s8, half_up>(filled_depthwise<s8, s8>(shape, random));
    }
}

TEST(depthwise, is_exact_for_random_kernels_strides_paddings_and_dilations) {
  random_codes random(2);
  for (int i = 0; i < 300; ++i) {
    problem shape{.down = random_axis(random), .across = random_axis(random)};
    shape.images = random.between(1, 2);
    shape.groups = random.between(16, 48);
    expect_exact<u8, u8, half_to_even>(filled_depthwise<u8, u8>(shape, random));
    expect_exact<s8, u8, half_up>(filled_depthwise<s8, u8>(shape, random));
  }
}

TEST(depthwise, is_exact_for_rows_longer_than_a_line) {
  random_codes random(3);
  for (const std::int64_t stride : {1, 2})
    for (const std::int64_t kernel : {3, 9}) {
      const naive_axis across{.image = 301, .kernel = kernel, .stride = stride, .before = 150, .after = 1};
      expect_exact<u8, s8, half_away_from_zero>(
          filled_depthwise<u8, s8>({.down = {3, kernel, 1, 1, 4, 4}, .across = across, .groups = 17}, random));
    }
}

TEST(depthwise, is_exact_for_every_type_and_every_rounding) {
  random_codes random(4);
  const auto all_roundings = [&random]<class Activation, class Output>(Activation, Output) {
    for (int i = 0; i < 5; ++i) {
      problem p{.down = random_axis(random), .across = random_axis(random), .groups = 16 + 7 * i};
      p = filled_depthwise<Activation, Output>(p, random);
      expect_exact<Activation, Output, half_up>(p);
      expect_exact<Activation, Output, half_to_even>(p);
      expect_exact<Activation, Output, half_away_from_zero>(p);
      expect_exact<Activation, Output, toward_zero>(p);
      expect_exact<Activation, Output, bitwright::floor>(p);
      expect_exact<Activation, Output, gemmlowp_double>(p);
    }
  };
  all_roundings(u8{}, u8{}), all_roundings(u8{}, s16{}), all_roundings(s8{}, s8{}), all_roundings(s8{}, s32{});
}

TEST(depthwise, is_exact_for_extreme_codes_and_zero_points) {
  random_codes random(5);
  const naive_axis axis{.image = 5, .kernel = 3, .before = 1, .after = 1};
  for (const std::int64_t activation : {-128, 127})
    for (const std::int64_t weight : {-128, 127})
      for (const std::int64_t activation_zero_point : {-128, 127})
        for (const std::int64_t weight_zero_point : {-128, 0, 127}) {
          auto p = filled_depthwise<s8, s32>({.down = axis, .across = axis, .groups = 33}, random);
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

TEST(depthwise, rounds_ties_by_its_policy) {
  // Single taps of weight 1 and codes 0 to 255 by powers of two from 2^-3: every code is a tie or beside one.
  for (const int shift : {33, 34, 35}) {
    problem p{.down = {16, 1}, .across = {16, 1}, .groups = 32, .outputs = 32};
    for (std::int64_t i = 0; i < 16 * 16 * 32; ++i) p.activations.push_back(i / 32);
    p.weights.assign(32, 1), p.weight_zero_points.assign(32, 0), p.bias.assign(32, 0);
    p.factors.assign(32, {1 << 30, shift});
    p.activation_zero_point = 128, p.output_zero_point = 64, p.most = 255;
    expect_exact<u8, u8, half_up>(p);
    expect_exact<u8, u8, half_to_even>(p);
    expect_exact<u8, u8, half_away_from_zero>(p);
  }
}

}  // namespace
}  // namespace bitwright

#endif
