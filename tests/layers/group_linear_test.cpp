// SPDX-License-Identifier: MIT
#include "group_problem.hpp"
#include "refusal.hpp"
#include "two_threads.hpp"
#include <bitwright/layers/group_linear.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bitwright {
namespace {

using reference::bits_of;
using reference::group_problem;
using reference::random_codes;
using reference::refusal;

template <class Format>
grouped_weights<Format> weights_of(const group_problem<Format>& p) {
  grouped_weights<Format> weights{tensor<std::int8_t>({p.outputs, p.inputs}), p.scales, p.zero_points};
  std::ranges::copy(p.codes, weights.codes.values().begin());
  return weights;
}

/// Runs the plan on its own workspace, at an odd address.
template <class Format, class... Executor>
std::vector<float> outputs_of(const group_linear<Format>& layer, const std::vector<float>& input, Executor&&... pool) {
  const std::size_t rows = input.size() / layer.input_size();
  std::vector<float> output(rows * layer.output_size(), 99);
  std::vector<std::byte> workspace(layer.workspace_bytes(rows) + 1);
  layer.run(input, output, std::span(workspace).subspan(1), pool...);
  return output;
}

template <class Format>
void expect_exact_sums() {
  random_codes any(1);
  for (const std::size_t rows : std::initializer_list<std::size_t>{0, 1, 3, 17, 35}) {
    const auto p = group_problem<Format>::random(rows, 75, 96, any);
    for (const auto& path : kernels::group_gemm_paths<Format>) {
      if (!path.available()) continue;
      const group_linear<Format> layer(weights_of(p), p.bias, path.name);
      EXPECT_EQ(layer.path(), path.name);
      EXPECT_EQ(bits_of(outputs_of(layer, p.activations)), bits_of(p.result())) << path.name << ", rows " << rows;
    }
  }
}

TEST(group_linear, gives_sums_in_whole_numbers_rounded_once_each) {
  expect_exact_sums<four_bit_groups>();
  expect_exact_sums<four_bit_groups_with_zero_points>();
  expect_exact_sums<eight_bit_groups>();
}

TEST(group_linear, of_blocks_is_near_the_sum_of_the_blocks_values) {
  // Activations are at most half a step of max / 127 from their codes: each adds so much times |weight| to the error.
  // Rounding in floats adds less than 2^-20 of the sum of all magnitudes.
  random_codes any(2);
  std::vector<float> values, input;
  for (int i = 0; i < 5 * 256; ++i) values.push_back(static_cast<float>(any.between(-1000, 1000)) / 1000);
  for (int i = 0; i < 2 * 256; ++i) input.push_back(static_cast<float>(any.between(-1000, 1000)) / 250);
  std::vector<q4_0_block> blocks(5 * 8);
  quantize_blocks(values, std::span(blocks));
  dequantize_blocks(std::span<const q4_0_block>(blocks), std::span(values));
  const group_linear<> layer(weights_of_blocks(std::span<const q4_0_block>(blocks), 256));
  const std::vector<float> output = outputs_of(layer, input);
  for (std::size_t m = 0; m < 2; ++m) {
    float greatest = 0;
    for (std::size_t k = 0; k < 256; ++k) greatest = std::max(greatest, std::abs(input[m * 256 + k]));
    for (std::size_t n = 0; n < 5; ++n) {
      double sum = 0, weights = 0, magnitudes = 0;
      for (std::size_t k = 0; k < 256; ++k) {
        const double weight = values[n * 256 + k], activation = input[m * 256 + k];
        sum += weight * activation, weights += std::abs(weight), magnitudes += std::abs(weight * activation);
      }
      EXPECT_NEAR(output[m * 5 + n], sum, weights * double{greatest} / 254 + magnitudes * 0x1p-20);
    }
  }
}

TEST(group_linear, gives_the_same_bits_on_two_threads_and_divides_a_single_row) {
  random_codes any(3);
  for (const std::size_t rows : std::initializer_list<std::size_t>{1, 40}) {
    const auto p = group_problem<four_bit_groups>::random(rows, 333, 2048, any);
    const group_linear<> layer(weights_of(p), p.bias);
    reference::two_threads pool;
    EXPECT_EQ(bits_of(outputs_of(layer, p.activations, pool)), bits_of(outputs_of(layer, p.activations)));
    EXPECT_EQ(pool.pieces, 6u) << "of 64 columns";
  }
}

TEST(group_linear, gives_a_row_the_same_bits_whatever_rows_are_beside_it) {
  random_codes any(4);
  const auto p = group_problem<four_bit_groups_with_zero_points>::random(21, 50, 128, any);
  const group_linear<four_bit_groups_with_zero_points> layer(weights_of(p), p.bias);
  const std::vector<float> together = outputs_of(layer, p.activations);
  for (std::size_t m = 0; m < 21; ++m) {
    const auto row = p.activations.begin() + static_cast<std::ptrdiff_t>(m * 128);
    const std::vector<float> alone = outputs_of(layer, std::vector<float>(row, row + 128));
    EXPECT_TRUE(std::ranges::equal(alone, std::span(together).subspan(m * 50, 50))) << m;
  }
}

TEST(group_linear, stays_valid_when_its_weights_are_gone_and_when_copied_or_moved) {
  random_codes any(5);
  const auto p = group_problem<eight_bit_groups>::random(2, 20, 64, any);
  auto first = std::make_unique<group_linear<eight_bit_groups>>(weights_of(p), p.bias);
  group_linear<eight_bit_groups> copy = *first;
  first.reset();
  EXPECT_EQ(bits_of(outputs_of(copy, p.activations)), bits_of(p.result()));
  const group_linear<eight_bit_groups> moved = std::move(copy);
  EXPECT_EQ(bits_of(outputs_of(moved, p.activations)), bits_of(p.result()));
}

/// How a small layer is refused after `change` to its weights or its bias.
template <class Format, class Change>
std::string refusal_after(Change change) {
  return refusal([&] {
    random_codes any(6);
    const auto p = group_problem<Format>::random(0, 2, 64, any);
    auto weights = weights_of(p);
    auto bias = p.bias;
    change(weights, bias);
    group_linear<Format> layer(weights, bias);
  });
}

TEST(group_linear, refuses_inputs_that_are_no_whole_groups_by_name) {
  EXPECT_EQ(refusal_after<four_bit_groups>([](auto& weights, auto&) {
              weights.codes = tensor<std::int8_t>({2, 48});
            }),
            "group_linear: weights.codes.shape()[1] is 48, expected a multiple of 32");
}

TEST(group_linear, refuses_shapes_that_do_not_match_by_name) {
  using format = four_bit_groups_with_zero_points;
  EXPECT_EQ(refusal_after<format>([](auto& weights, auto&) { weights.codes = tensor<std::int8_t>({128}); }),
            "group_linear: weights.codes.shape() is [128], expected outputs x inputs, no dimension of 0");
  EXPECT_EQ(refusal_after<format>([](auto& weights, auto&) {
              weights.codes = tensor<std::int8_t>({0, 64});
            }),
            "group_linear: weights.codes.shape() is [0, 64], expected outputs x inputs, no dimension of 0");
  EXPECT_EQ(refusal_after<format>([](auto& weights, auto&) { weights.scales.pop_back(); }),
            "group_linear: weights.scales.size() is 3, expected one for each group, 4");
  EXPECT_EQ(refusal_after<format>([](auto& weights, auto&) { weights.zero_points.clear(); }),
            "group_linear: weights.zero_points.size() is 0, expected one for each group, 4");
  EXPECT_EQ(refusal_after<four_bit_groups>([](auto& weights, auto&) {
              weights.zero_points = {8, 8, 8, 8};
            }),
            "group_linear: weights.zero_points.size() is 4, expected none of this format, 0");
  EXPECT_EQ(refusal_after<format>([](auto&, auto& bias) { bias.push_back(1); }),
            "group_linear: bias.size() is 3, expected 0 or the number of outputs, 2");
}

TEST(group_linear, refuses_codes_scales_zero_points_and_biases_that_are_none_by_index) {
  using format = four_bit_groups_with_zero_points;
  EXPECT_EQ(refusal_after<format>([](auto& weights, auto&) { weights.codes.values()[70] = 16; }),
            "group_linear: weights.codes[70] is 16, expected [0, 15]");
  EXPECT_EQ(refusal_after<format>([](auto& weights, auto&) { weights.codes.values()[3] = -1; }),
            "group_linear: weights.codes[3] is -1, expected [0, 15]");
  EXPECT_EQ(refusal_after<format>([](auto& weights, auto&) { weights.scales[2] = 0xfc00; }),
            "group_linear: weights.scales[2] is -inf, expected a finite number");
  EXPECT_EQ(refusal_after<format>([](auto& weights, auto&) { weights.zero_points[1] = 17; }),
            "group_linear: weights.zero_points[1] is 17, expected [0, 16]");
  EXPECT_EQ(refusal_after<format>([](auto&, auto& bias) { bias[1] = std::numeric_limits<float>::infinity(); }),
            "group_linear: bias[1] is inf, expected a finite number");
}

TEST(group_linear, refuses_a_path_that_is_none) {
  random_codes any(7);
  const auto p = group_problem<four_bit_groups>::random(0, 1, 32, any);
  EXPECT_TRUE(refusal([&] {
                group_linear<> layer(weights_of(p), {}, "abacus");
              }).starts_with("choose_path: name is \"abacus\", expected a path that this processor can run: "));
}

}  // namespace
}  // namespace bitwright
