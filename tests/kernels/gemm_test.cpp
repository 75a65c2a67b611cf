// SPDX-License-Identifier: MIT
// Every path of gemm against 64-bit sums and exact rounding.
#include "kernel_calls.hpp"
#include "naive_convolution.hpp"
#include "random_codes.hpp"
#include <bitwright/core/path.hpp>
#include <bitwright/kernels/gemm.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

namespace bitwright {
namespace {

using reference::random_codes;
using u8 = std::uint8_t;
using s8 = std::int8_t;
using s16 = std::int16_t;
using s32 = std::int32_t;

/// A gemm is a 1x1 convolution of `rows` images of one pixel.
using problem = reference::naive_convolution;

template <class Activation, class Output>
problem random_problem(std::int64_t rows, std::int64_t inputs, std::int64_t outputs, random_codes& random) {
  return reference::filled<Activation, Output>({.images = rows, .group_channels = inputs, .outputs = outputs}, random);
}

template <class Activation, class Output, class Rounding>
void expect_exact(const problem& p) {
  reference::expect_gemm_gives<Activation, Output>(p.result<Rounding>(), p,
                                                   kernels::gemm_paths<Activation, Output, Rounding>);
}

TEST(gemm, ends_its_list_of_paths_with_scalar) {
  EXPECT_EQ((kernels::gemm_paths<u8, u8, half_up>.back().name), "scalar");
}

TEST(gemm, takes_the_path_that_the_environment_expects_of_this_processor) {
  const char* const expected = std::getenv("BITWRIGHT_EXPECTED_PATH");
  if (expected == nullptr) GTEST_SKIP() << "BITWRIGHT_EXPECTED_PATH names no path";
  EXPECT_EQ(best_path(kernels::gemm_paths<u8, u8, half_to_even>).name, expected);
}

TEST(gemm, of_a_row_worked_out_by_hand_is_its_code) {
  // 7 + (5-1)(2-1) + (0-1)(-3-1) = 15, halved 7.5, to even 8, moved to 18, up to 12 where 12 is the greatest code.
  problem p{.group_channels = 2};
  p.activations = {5, 0};
  p.weights = {2, -3};
  p.weight_zero_points = {1};
  p.bias = {7};
  p.factors = {{1 << 30, 31}};
  p.activation_zero_point = 1;
  p.output_zero_point = 10;
  p.most = 255;
  EXPECT_EQ(p.result<half_to_even>(), std::vector<std::int64_t>{18});
  expect_exact<u8, u8, half_to_even>(p);
  p.most = 12;
  EXPECT_EQ(p.result<half_to_even>(), std::vector<std::int64_t>{12});
  expect_exact<u8, u8, half_to_even>(p);
}

TEST(gemm, is_exact_for_all_small_sizes) {
  random_codes random(1);
  for (std::int64_t rows = 0; rows <= 9; ++rows)
    for (std::int64_t inputs = 0; inputs <= 9; ++inputs)
      for (std::int64_t outputs = 0; outputs <= 9; ++outputs) {
        expect_exact<u8, u8, half_to_even>(random_problem<u8, u8>(rows, inputs, outputs, random));
        expect_exact<s8, s8, half_up>(random_problem<s8, s8>(rows, inputs, outputs, random));
      }
}

/// Up to twice the greatest tile and one more in one dimension: 12 rows, 64 columns, steps of up to 16 inputs.
TEST(gemm, is_exact_for_every_number_of_rows_of_columns_and_of_inputs) {
  random_codes random(2);
  for (std::int64_t outputs = 0; outputs <= 129; ++outputs) {
    expect_exact<u8, u8, half_to_even>(random_problem<u8, u8>(5, 6, outputs, random));
    expect_exact<s8, s8, half_up>(random_problem<s8, s8>(2, 19, outputs, random));
  }
  for (const std::int64_t outputs : {7, 16, 32, 48, 64})
    for (std::int64_t rows = 0; rows <= 25; ++rows)
      expect_exact<u8, u8, half_to_even>(random_problem<u8, u8>(rows, 9, outputs, random));
  for (std::int64_t inputs = 0; inputs <= 70; ++inputs) {
    expect_exact<u8, u8, half_to_even>(random_problem<u8, u8>(1, inputs, 33, random));
    expect_exact<s8, s8, half_up>(random_problem<s8, s8>(7, inputs, 17, random));
  }
}

TEST(gemm, is_exact_for_many_rows_which_take_several_blocks) {
  random_codes random(3);
  for (const std::int64_t rows : {95, 96, 97, 119, 120, 121, 241})
    expect_exact<u8, u8, half_to_even>(random_problem<u8, u8>(rows, 5, 18, random));
  expect_exact<s8, s8, half_up>(random_problem<s8, s8>(30, 6001, 3, random));  // Of 12 rows, where they are converted.
}

template <class Activation, class Output, class... Roundings>
void expect_exact_for(random_codes& random) {
  const auto p =
      random_problem<Activation, Output>(random.between(1, 20), random.between(1, 700), random.between(1, 40), random);
  (expect_exact<Activation, Output, Roundings>(p), ...);
}

template <class Output>
void expect_exact_for_all_roundings(random_codes& random) {
  for (int i = 0; i < 10; ++i) {
    expect_exact_for<u8, Output, half_up, half_to_even, half_away_from_zero, toward_zero, bitwright::floor,
                     gemmlowp_double>(random);
    expect_exact_for<s8, Output, half_to_even>(random);
  }
}

TEST(gemm, is_exact_for_every_type_and_every_rounding) {
  random_codes random(4);
  expect_exact_for_all_roundings<u8>(random);
  expect_exact_for_all_roundings<s8>(random);
  expect_exact_for_all_roundings<s16>(random);
  expect_exact_for_all_roundings<s32>(random);
}

TEST(gemm, is_exact_for_extreme_codes_and_zero_points) {
  random_codes random(5);
  for (const std::int64_t activation : {0, 255})
    for (const std::int64_t weight : {-128, 127})
      for (const std::int64_t activation_zero_point : {0, 255})
        for (const std::int64_t weight_zero_point : {-128, 127}) {
          auto p = random_problem<u8, s32>(3, 1000, 5, random);
          p.activations.assign(p.activations.size(), activation);
          p.weights.assign(p.weights.size(), weight);
          p.weight_zero_points.assign(p.weight_zero_points.size(), weight_zero_point);
          p.activation_zero_point = activation_zero_point;
          p.factors.assign(p.factors.size(), {1 << 30, 30});  // 1: the accumulator itself.
          p.output_zero_point = 0;
          p.least = INT32_MIN, p.most = INT32_MAX;
          expect_exact<u8, s32, half_to_even>(p);
          for (std::int64_t& code : p.activations) code -= 128;
          p.activation_zero_point -= 128;
          expect_exact<s8, s32, half_to_even>(p);
        }
}

/// A row of activations 255, or 0, times weights that repeat `first` and `second`, as the accumulator itself.
problem repeated_pair(std::int64_t activation, std::int64_t first, std::int64_t second, random_codes& random) {
  auto p = random_problem<u8, s32>(2, 40, 9, random);
  p.activations.assign(p.activations.size(), activation);
  for (std::size_t k = 0; k < p.weights.size(); ++k) p.weights[k] = k % 2 == 0 ? first : second;
  p.weight_zero_points.assign(p.weight_zero_points.size(), 0);
  p.factors.assign(p.factors.size(), {1 << 30, 30});
  p.output_zero_point = 0;
  p.least = INT32_MIN, p.most = INT32_MAX;
  return p;
}

TEST(gemm, of_all_greatest_activations_and_all_least_weights_does_not_saturate_16_bits) {
  // 255 * -128 * 2 is -65280, which vpmaddubsw makes -32768.
  random_codes random(7);
  expect_exact<u8, s32, half_to_even>(repeated_pair(255, -128, -128, random));
  expect_exact<u8, s32, half_to_even>(repeated_pair(255, 127, 127, random));
}

TEST(gemm, is_exact_for_pairs_of_weights_that_just_fit_16_bits_and_that_just_do_not) {
  // 255 * 128 is 32640, within 16 bits; 255 * 129 is 32895, beyond them.
  random_codes random(8);
  for (const std::int64_t first : {-128, -127, -65, -64, -1, 0, 1, 2, 63, 64, 65, 126, 127})
    for (const std::int64_t second : {-128, -127, -65, -64, -1, 0, 1, 2, 63, 64, 65, 126, 127})
      expect_exact<u8, s32, half_to_even>(repeated_pair(255, first, second, random));
}

TEST(gemm, is_exact_for_weights_of_7_bits) {
  random_codes random(9);
  for (int i = 0; i < 40; ++i) {
    auto p = random_problem<u8, u8>(random.between(1, 14), random.between(1, 80), random.between(1, 40), random);
    for (std::int64_t& code : p.weights) code = random.between(-64, 63);
    expect_exact<u8, u8, half_to_even>(p);
    p.weight_zero_points.assign(p.weight_zero_points.size(), 0);
    expect_exact<u8, u8, half_to_even>(p);
  }
}

TEST(gemm, rounds_ties_as_the_policy_says) {
  // Accumulators -9 ... 9 from weights 0 and biases, times 1/2, 1/4 and 1/8: every fraction and both signs.
  for (int shift = 31; shift <= 33; ++shift) {
    problem p{.outputs = 19};
    p.activations = {3};
    p.weights.assign(19, 0);
    p.weight_zero_points.assign(19, 0);
    for (std::int64_t n = 0; n < 19; ++n) p.bias.push_back(n - 9);
    p.factors.assign(19, {1 << 30, shift});
    p.least = -128, p.most = 127;
    expect_exact<s8, s8, half_up>(p);
    expect_exact<s8, s8, half_to_even>(p);
    expect_exact<s8, s8, half_away_from_zero>(p);
    expect_exact<s8, s8, toward_zero>(p);
    expect_exact<s8, s8, bitwright::floor>(p);
    expect_exact<s8, s8, gemmlowp_double>(p);
  }
}

TEST(gemm, rounds_ties_of_accumulators_of_every_length) {
  // Accumulators of odd * 2^(n - 1): ties of their products' last n bits, for factors with and without further twos.
  for (int n = 1; n <= 32; ++n) {
    problem p{.outputs = 8};
    p.activations = {3};
    p.weights.assign(8, 0);
    p.weight_zero_points.assign(8, 0);
    for (const std::int64_t odd : {-3, -1, 1, 3, -5, -1, 1, 5}) {
      const std::int64_t tie = odd * (std::int64_t{1} << (n - 1));
      p.bias.push_back(tie >= INT32_MIN && tie <= INT32_MAX ? tie : INT32_MIN);
    }
    p.least = INT32_MIN, p.most = INT32_MAX;
    for (const dyadic factor : {dyadic{1 << 30, 30 + n}, dyadic{(1 << 30) + 1, n}, dyadic{3 << 29, 29 + n}}) {
      p.factors.assign(8, factor);
      expect_exact<s8, s32, half_up>(p);
      expect_exact<s8, s32, half_to_even>(p);
      expect_exact<s8, s32, half_away_from_zero>(p);
    }
  }
}

TEST(gemm, saturates_for_the_greatest_and_survives_the_least_factors) {
  random_codes random(6);
  for (int i = 0; i < 200; ++i) {
    auto p = random_problem<u8, s32>(2, 9, 7, random);
    for (dyadic& factor : p.factors) factor = random.factor(0, 62);
    p.least = INT32_MIN, p.most = INT32_MAX;
    expect_exact<u8, s32, half_to_even>(p);
    expect_exact<u8, s32, gemmlowp_double>(p);
  }
}

}  // namespace
}  // namespace bitwright
