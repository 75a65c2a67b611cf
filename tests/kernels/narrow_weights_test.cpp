// SPDX-License-Identifier: MIT
// Every path with weights of few levels, packed in 1, 2 and 4 bits, against 64-bit sums and exact rounding.
#include "kernel_calls.hpp"
#include "naive_convolution.hpp"
#include "random_codes.hpp"
#include <bitwright/core/code_range.hpp>
#include <bitwright/kernels/convolution.hpp>
#include <bitwright/kernels/gemm.hpp>
#include <bitwright/kernels/weight_levels.hpp>

#include <gtest/gtest.h>

#include <algorithm>
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
using levels = std::vector<std::int64_t>;

/// A problem whose shape is given, with weights of these levels, activations of these codes, and outputs of all codes.
template <class Code>
problem filled(problem p, const levels& of_weights, code_range activation_codes, random_codes& random) {
  p = reference::filled<Code, Code>(p, random);
  for (std::int64_t& code : p.activations) code = random.between(activation_codes.min, activation_codes.max);
  for (std::int64_t& weight : p.weights)
    weight = of_weights[static_cast<std::size_t>(random.between(0, static_cast<std::int64_t>(of_weights.size()) - 1))];
  if (random.between(0, 1) == 0) p.weight_zero_points.assign(p.weight_zero_points.size(), 0);
  p.activation_zero_point = random.between(activation_codes.min, activation_codes.max);
  p.least = std::numeric_limits<Code>::min();
  p.most = std::numeric_limits<Code>::max();
  return p;
}

template <class Code>
constexpr code_range all_codes = code_range::all_of<Code>();

template <class Code, class Rounding>
void expect_exact_gemm(const problem& p, int index_bits, code_range activation_codes = all_codes<Code>) {
  reference::expect_gemm_gives<Code, Code>(p.result<Rounding>(), p, kernels::gemm_paths<Code, Code, Rounding>,
                                           {.index_bits = index_bits, .activations = activation_codes});
}

template <class Code, class Rounding>
void expect_exact_convolution(const problem& p, int index_bits) {
  reference::expect_convolution_gives<Code, Code>(p.result<Rounding>(), p,
                                                  kernels::convolution_paths<Code, Code, Rounding>,
                                                  {.index_bits = index_bits, .activations = all_codes<Code>});
}

/// Some levels for each number of bits: uniform codes, powers of two, a codebook up to the ends, and sets without 0,
/// whose padding must not count.
struct level_set {
  int bits;
  levels values;
};
const std::vector<level_set> level_sets{
    {4, {-8, -7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7}},
    {4, {-64, -32, -16, -8, -4, -2, -1, 0, 1, 2, 4, 8, 16, 32, 64}},
    {4, {-128, -97, -66, -50, -36, -24, -12, -5, 3, 11, 22, 35, 50, 69, 93, 127}},
    {2, {-2, -1, 0, 1}},
    {2, {-128, -10, 30, 127}},
    {2, {-1, 0, 1}},
    {1, {-1, 1}},
    {1, {-128, 127}},
    {1, {5}},
};

TEST(narrow_weights, need_as_many_bits_as_number_their_levels) {
  const auto bits_of = [](const std::vector<s8>& weights) { return kernels::index_bits_of(weights); };
  EXPECT_EQ(bits_of({}), 1);
  EXPECT_EQ(bits_of({7, 7, 7}), 1);
  EXPECT_EQ(bits_of({-128, 127, -128}), 1);
  EXPECT_EQ(bits_of({-1, 0, 1}), 2);
  EXPECT_EQ(bits_of({-1, 0, 1, 4}), 2);
  EXPECT_EQ(bits_of({-1, 0, 1, 4, 3}), 4);
  EXPECT_EQ(bits_of({-8, -7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7}), 4);
  EXPECT_EQ(bits_of({-8, -7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7, 8}), 8);
}

TEST(narrow_weights, give_exact_codes_for_every_number_of_inputs) {
  random_codes random(1);
  for (const auto& [bits, values] : level_sets)
    for (std::int64_t inputs = 1; inputs <= 70; ++inputs)
      for (const std::int64_t rows : {1, 3}) {
        const problem shape{.images = rows, .group_channels = inputs, .outputs = 21};
        expect_exact_gemm<u8, half_to_even>(filled<u8>(shape, values, all_codes<u8>, random), bits);
        expect_exact_gemm<s8, half_up>(filled<s8>(shape, values, all_codes<s8>, random), bits);
      }
}

TEST(narrow_weights, give_exact_codes_for_every_number_of_outputs_and_of_rows) {
  random_codes random(2);
  for (const auto& [bits, values] : level_sets) {
    for (std::int64_t outputs = 1; outputs <= 129; outputs += outputs < 70 ? 1 : 7)
      expect_exact_gemm<u8, half_to_even>(
          filled<u8>({.images = outputs % 2 + 1, .group_channels = 45, .outputs = outputs}, values, all_codes<u8>,
                     random),
          bits);
    for (const std::int64_t rows : {2, 5, 6, 7, 12, 13, 120, 121, 125})
      expect_exact_gemm<s8, half_up>(
          filled<s8>({.images = rows, .group_channels = 37, .outputs = 33}, values, all_codes<s8>, random), bits);
  }
}

TEST(narrow_weights, may_be_packed_in_more_bits_than_they_need) {
  random_codes random(3);
  const problem p = filled<u8>({.images = 3, .group_channels = 50, .outputs = 20}, {-1, 1}, all_codes<u8>, random);
  for (const int bits : {1, 2, 4, 8}) expect_exact_gemm<u8, half_to_even>(p, bits);
}

/// Sums of 16 bits come as close to their ends as they may: all weights extreme, with codes of 8 bits and of 4.
TEST(narrow_weights, give_exact_codes_at_the_ends_of_their_sums) {
  random_codes random(4);
  for (const code_range codes : {all_codes<u8>, code_range{0, 15}})
    for (const std::int64_t level : {-8, 7, -64, 64, -128, 127, -2})
      for (const std::int64_t rows : {1, 7}) {
        problem p = filled<u8>({.images = rows, .group_channels = 700, .outputs = 18}, {0, level}, codes, random);
        std::ranges::fill(p.weights, level);
        std::ranges::fill(p.activations, codes.max);
        p.activation_zero_point = 0;
        for (dyadic& factor : p.factors) factor.shift += 8;
        expect_exact_gemm<u8, half_to_even>(p, 1, codes);
        expect_exact_gemm<u8, half_to_even>(p, 8, codes);
      }
}

TEST(narrow_weights, give_exact_codes_of_4_bit_activations) {
  random_codes random(5);
  for (const auto& [bits, values] : level_sets)
    for (const std::int64_t inputs : {64, 257, 1200}) {
      const problem shape{.images = 9, .group_channels = inputs, .outputs = 19};
      expect_exact_gemm<u8, half_to_even>(filled<u8>(shape, values, {0, 15}, random), bits, {0, 15});
      expect_exact_gemm<s8, half_up>(filled<s8>(shape, values, {-8, 7}, random), bits, {-8, 7});
    }
}

TEST(narrow_weights, give_exact_codes_of_convolutions) {
  random_codes random(6);
  const auto axis = [](std::int64_t image, std::int64_t kernel, std::int64_t stride, std::int64_t padding) {
    return naive_axis{.image = image, .kernel = kernel, .stride = stride, .before = padding, .after = padding};
  };
  for (const auto& [bits, values] : level_sets)
    for (const std::int64_t channels : {3, 16, 21}) {
      const problem plain{
          .down = axis(9, 3, 1, 1), .across = axis(7, 3, 1, 1), .group_channels = channels, .outputs = 20};
      expect_exact_convolution<u8, half_to_even>(filled<u8>(plain, values, all_codes<u8>, random), bits);
      const problem grouped{.down = axis(6, 3, 2, 0),
                            .across = axis(5, 2, 1, 1),
                            .images = 2,
                            .groups = 2,
                            .group_channels = channels,
                            .outputs = 10};
      expect_exact_convolution<s8, half_up>(filled<s8>(grouped, values, all_codes<s8>, random), bits);
      const problem one_pixel{
          .down = axis(3, 3, 1, 0), .across = axis(3, 3, 1, 0), .group_channels = channels, .outputs = 70};
      expect_exact_convolution<u8, half_to_even>(filled<u8>(one_pixel, values, all_codes<u8>, random), bits);
    }
}

}  // namespace
}  // namespace bitwright
