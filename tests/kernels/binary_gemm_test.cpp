// SPDX-License-Identifier: MIT
// Every path of binary gemm against 64-bit sums of -1 and +1, exact rounding and products in double. Each buffer lies
// beside a page without access.
#include "binary_problem.hpp"
#include "guarded_memory.hpp"
#include "random_codes.hpp"
#include <bitwright/kernels/binary_gemm.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace bitwright {
namespace {

using problem = reference::binary_problem;
using reference::binary_constants;
using reference::fence;
using reference::fenced_call;
using reference::guarded_memory;
using reference::packed_signs;
using reference::random_codes;
using u8 = std::uint8_t;
using s8 = std::int8_t;
using s16 = std::int16_t;
using s32 = std::int32_t;

template <class Output>
problem random_problem(std::int64_t rows, std::int64_t inputs, std::int64_t outputs, random_codes& random) {
  problem p;
  p.images = rows, p.group_channels = inputs, p.outputs = outputs;
  p.fill(random);
  if constexpr (!std::same_as<Output, bool> && !std::same_as<Output, float>) p.fill_outputs<Output>(random);
  return p;
}

/// One path's outputs, of two calls, with `gap` elements behind each row.
template <class Output>
std::vector<kernels::stored_output<Output>> outputs_of(const kernels::binary_gemm_path<Output>& path, const problem& p,
                                                       const binary_constants& constants,
                                                       const std::vector<std::byte>& activations, std::size_t gap,
                                                       fence side) {
  using stored = kernels::stored_output<Output>;
  const auto rows = static_cast<std::size_t>(p.images);
  kernels::binary_sum sums = constants.sums;
  const guarded_memory<std::byte> weights(constants.weights, side), inputs(activations, side);
  const guarded_memory<float> row_scales(p.pixel_scales, side);
  const std::size_t stride = kernels::stored_outputs<Output>(sums.outputs) + gap;
  const guarded_memory<stored> result(std::vector<stored>(rows * stride, stored{77}), side);
  const guarded_memory<std::byte> packed(path.packed_bytes(sums), side, 64);
  const guarded_memory<std::byte> workspace(path.workspace_bytes(sums), side);
  sums.weights = weights.data();
  path.pack(sums, packed.data());
  sums.weights = nullptr;
  const kernels::binary_gemm_arguments<Output> call{.sums = sums,
                                                    .packed = packed.data(),
                                                    .activations = inputs.data(),
                                                    .activation_stride = sums.row_bytes() + gap,
                                                    .outputs = result.data(),
                                                    .output_stride = stride,
                                                    .row_scales = p.pixel_scales.empty() ? nullptr : row_scales.data(),
                                                    .workspace = workspace.data()};
  path.run(call, rows / 3, rows);
  path.run(call, 0, rows / 3);
  EXPECT_TRUE(packed.is_intact_around()) << path.name;
  return {result.elements().begin(), result.elements().end()};
}

/// Whether each path gives the oracle's outputs, from rows with gaps, and writes nothing into the gaps.
template <class Output, class Rounding = half_to_even>
void expect_exact(const problem& p, random_codes& random) {
  const binary_constants constants(p, random);
  const auto gap = static_cast<std::size_t>(random.between(0, 1)) * 3;
  const auto inputs = static_cast<std::size_t>(p.group_channels);
  const std::vector<std::byte> activations = packed_signs(p.activations, inputs, random, gap);
  const auto expected = p.expected<Output, Rounding>(kernels::stored_output<Output>{77}, gap);
  const fence side = random.between(0, 1) == 0 ? fence::before : fence::after;
  const std::string shape =
      std::to_string(p.images) + " x " + std::to_string(inputs) + " x " + std::to_string(p.outputs);
  for (const auto& path : kernels::binary_gemm_paths<Output, Rounding>) {
    if (!path.available()) continue;
    fenced_call::is(std::string(path.name) + ", binary gemm " + shape);
    ASSERT_EQ(outputs_of<Output>(path, p, constants, activations, gap, side), expected) << path.name << ": " << shape;
  }
}

TEST(binary_gemm, ends_its_list_of_paths_with_scalar) {
  EXPECT_EQ(kernels::binary_gemm_paths<u8>.back().name, "scalar");
}

TEST(binary_gemm, of_a_row_worked_out_by_hand_is_its_sum) {
  // 5 + (-1)(+1) + (+1)(+1) + (+1)(-1) + (-1)(-1) = 5.
  random_codes random(1);
  auto p = random_problem<s32>(1, 4, 1, random);
  p.activations = {-1, 1, 1, -1};
  p.weights = {1, 1, -1, -1};
  p.bias = {5};
  p.factors = {{1 << 30, 30}};
  p.output_zero_point = 0, p.least = INT32_MIN, p.most = INT32_MAX;
  EXPECT_EQ(p.result<half_to_even>(), std::vector<std::int64_t>{5});
  expect_exact<s32>(p, random);
}

TEST(binary_gemm, is_exact_for_every_number_of_inputs_up_to_200_whatever_follows_the_last) {
  random_codes random(2);
  for (std::int64_t inputs = 0; inputs <= 200; ++inputs) {
    expect_exact<u8>(random_problem<u8>(3, inputs, 5, random), random);
    expect_exact<bool>(random_problem<bool>(1, inputs, 19, random), random);
  }
}

/// Up to twice the greatest tile and one more in one dimension: 8 rows, 64 columns.
TEST(binary_gemm, is_exact_for_every_number_of_rows_and_of_outputs) {
  random_codes random(3);
  for (std::int64_t outputs = 0; outputs <= 129; ++outputs) {
    expect_exact<u8>(random_problem<u8>(5, 9, outputs, random), random);
    expect_exact<bool>(random_problem<bool>(2, 40, outputs, random), random);
    expect_exact<float>(random_problem<float>(2, 33, outputs, random), random);
  }
  for (const std::int64_t outputs : {7, 16, 32, 33, 48, 64})
    for (std::int64_t rows = 0; rows <= 17; ++rows)
      expect_exact<u8>(random_problem<u8>(rows, 70, outputs, random), random);
}

TEST(binary_gemm, is_exact_for_many_rows_which_take_several_blocks) {
  random_codes random(4);
  for (const std::int64_t rows : {119, 120, 121, 241}) {
    expect_exact<u8>(random_problem<u8>(rows, 64, 18, random), random);
    expect_exact<float>(random_problem<float>(rows, 12, 3, random), random);
  }
  expect_exact<u8>(random_problem<u8>(37, 20003, 2, random), random);
}

template <class Output, class... Roundings>
void expect_exact_for_all(random_codes& random) {
  for (int i = 0; i < 10; ++i) {
    const auto p = random_problem<Output>(random.between(1, 20), random.between(1, 700), random.between(1, 40), random);
    (expect_exact<Output, Roundings>(p, random), ...);
  }
}

TEST(binary_gemm, is_exact_for_every_output_and_every_rounding) {
  random_codes random(5);
  expect_exact_for_all<u8, half_up, half_to_even, half_away_from_zero, toward_zero, bitwright::floor, gemmlowp_double>(
      random);
  expect_exact_for_all<s8, half_to_even>(random);
  expect_exact_for_all<s16, half_to_even>(random);
  expect_exact_for_all<s32, half_to_even>(random);
  expect_exact_for_all<bool, half_to_even>(random);
  expect_exact_for_all<float, half_to_even>(random);
}

TEST(binary_gemm, counts_as_many_differences_as_there_are_inputs) {
  // More than 16 bits count, and multiples of what bytes do, where every product is the same.
  random_codes random(6);
  for (const std::int64_t inputs : {247, 248, 249, 992, 1000, 65471, 65472, 65473, 131072, 140001})
    for (const std::int64_t sign : {-1, 1}) {
      auto p = random_problem<s32>(2, inputs, 3, random);
      p.activations.assign(p.activations.size(), 1);
      p.weights.assign(p.weights.size(), sign);
      p.factors.assign(p.factors.size(), {1 << 30, 30});  // 1: the sum itself.
      p.output_zero_point = 0, p.least = INT32_MIN, p.most = INT32_MAX;
      EXPECT_EQ(p.result<half_to_even>()[0], p.bias[0] + sign * inputs);
      expect_exact<s32>(p, random);
    }
}

TEST(binary_gemm, of_a_sum_of_0_gives_the_bit_1) {
  random_codes random(7);
  for (const std::int64_t bias : {-1, 0}) {
    auto p = random_problem<bool>(1, 2, 17, random);
    for (std::size_t k = 0; k < p.weights.size(); ++k) p.weights[k] = k % 2 == 0 ? 1 : -1;
    p.activations = {1, 1};
    p.bias.assign(17, bias);
    EXPECT_EQ((p.expected<bool, half_to_even>(std::byte{9}, 0)[0]), bias == 0 ? std::byte{255} : std::byte{0});
    expect_exact<bool>(p, random);
  }
}

TEST(binary_gemm, without_scales_of_rows_gives_values_of_the_outputs_scales_alone) {
  random_codes random(8);
  auto p = random_problem<float>(7, 100, 21, random);
  p.pixel_scales.clear();
  expect_exact<float>(p, random);
}

TEST(binary_gemm, rounds_ties_as_the_policy_says) {
  // Sums -9 ... 9 from no inputs and biases, times 1/2, 1/4 and 1/8: every fraction and both signs.
  random_codes random(9);
  for (int shift = 31; shift <= 33; ++shift) {
    auto p = random_problem<u8>(1, 0, 19, random);
    for (std::size_t n = 0; n < 19; ++n) p.bias[n] = static_cast<std::int64_t>(n) - 9;
    p.factors.assign(19, {1 << 30, shift});
    p.least = 0, p.most = 255, p.output_zero_point = 100;
    expect_exact<u8, half_up>(p, random);
    expect_exact<u8, half_to_even>(p, random);
    expect_exact<u8, half_away_from_zero>(p, random);
    expect_exact<u8, toward_zero>(p, random);
    expect_exact<u8, bitwright::floor>(p, random);
    expect_exact<u8, gemmlowp_double>(p, random);
  }
}

TEST(binary_gemm, saturates_for_the_greatest_factors_and_biases_and_survives_the_least) {
  random_codes random(10);
  for (int i = 0; i < 100; ++i) {
    auto p = random_problem<s32>(2, 9, 7, random);
    const int least_shift = static_cast<int>(random.between(0, 62));
    for (dyadic& factor : p.factors) factor = random.factor(least_shift, 62);
    const std::int64_t most = std::int64_t{1} << random.between(0, 30);
    for (std::int64_t& bias : p.bias) bias = random.between(-most, most - 10);
    p.least = INT32_MIN, p.most = INT32_MAX;
    expect_exact<s32>(p, random);
  }
}

}  // namespace
}  // namespace bitwright
