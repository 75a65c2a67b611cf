// SPDX-License-Identifier: MIT
#include "random_codes.hpp"
#include "refusal.hpp"
#include "two_threads.hpp"
#include <bitwright/core/granularity.hpp>
#include <bitwright/layers/binarization.hpp>
#include <bitwright/layers/binary_linear.hpp>
#include <bitwright/layers/magnitude_scales.hpp>
#include <bitwright/layers/quantized_weights.hpp>
#include <bitwright/quantizers/binary.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace bitwright {
namespace {

using reference::random_codes;
using reference::refusal;

/// Runs the plan on its own workspace.
template <class Layer>
std::vector<typename Layer::stored> outputs_of(const Layer& layer, const std::vector<std::byte>& input,
                                               const std::vector<float>& row_scales = {}) {
  std::vector<typename Layer::stored> output(input.size() / layer.input_size() * layer.output_size());
  std::vector<std::byte> workspace(layer.workspace_bytes());
  layer.run(input, output, workspace, serial_executor(), row_scales);
  return output;
}

/// Two outputs of three inputs, of which a 1 is 0.5: y0 = 2 (x0 - x1 + x2) + 1, y1 = 0.25 (-x0 + x1 + x2) - 0.125.
struct small_layer {
  std::vector<std::int8_t> codes{1, -1, 1, -1, 1, 1};
  std::vector<affine_scale> maps{{2}, {0.25f}};
  std::vector<float> bias{1, -0.125f};

  template <class Output>
  typename binary_linear<Output>::description description() const {
    return {.input_scale = 0.5f,
            .weights = tensor_view<const std::int8_t>(codes, {2, 3}),
            .weight_maps = maps,
            .bias = bias,
            .output = {0.25f, 4}};
  }
};

TEST(binary_linear, gives_the_codes_worked_out_by_hand) {
  // x = (0.5, -0.5, -0.5), the bits 001: y0 = 2 * 0.5 + 1 = 2 is code 4 + 8; y1 = 0.25 * -1.5 - 0.125 = -0.5 is code 2.
  const binary_linear<std::uint8_t> layer(small_layer().description<std::uint8_t>());
  EXPECT_EQ(layer.input_size(), 1u);
  EXPECT_EQ(layer.output_size(), 2u);
  EXPECT_EQ(outputs_of(layer, {std::byte{0b001}}), (std::vector<std::uint8_t>{12, 2}));
  EXPECT_EQ(outputs_of(layer, {std::byte{0b11111001}}), (std::vector<std::uint8_t>{12, 2}));
}

TEST(binary_linear, gives_the_bits_of_values_that_are_not_negative) {
  const binary_linear<> layer(small_layer().description<bool>());
  EXPECT_EQ(layer.output_size(), 1u);
  // The values 2 and -0.5; then x = (0.5, 0.5, 0.5): 2 * 0.5 + 1 and 0.25 * 0.5 - 0.125, which is 0.
  EXPECT_EQ(outputs_of(layer, {std::byte{0b001}, std::byte{0b111}}),
            (std::vector<std::byte>{std::byte{0b01}, std::byte{0b11}}));
}

TEST(binary_linear, decides_bits_at_a_bias_between_two_sums_and_beyond_all) {
  // Sums of two signs are -2, 0 and 2; scale 1.
  const std::vector<std::int8_t> codes{1, 1};
  const std::vector<affine_scale> map{{1}};
  const std::vector<std::byte> rows{std::byte{0b00}, std::byte{0b01}, std::byte{0b11}};
  const auto bits = [&](float bias) {
    std::string text;
    const binary_linear<> layer(
        {.weights = tensor_view<const std::int8_t>(codes, {1, 2}), .weight_maps = map, .bias = {&bias, 1}});
    for (const std::byte bit : outputs_of(layer, rows)) text += bit == std::byte{1} ? '1' : '0';
    return text;
  };
  EXPECT_EQ(bits(0), "011");
  EXPECT_EQ(bits(-0.001f), "001");
  EXPECT_EQ(bits(1.999f), "011");
  EXPECT_EQ(bits(2), "111");
  EXPECT_EQ(bits(-2), "001");
  EXPECT_EQ(bits(-2.001f), "000");
  EXPECT_EQ(bits(1e30f), "111");
  EXPECT_EQ(bits(-1e30f), "000");
}

TEST(binary_linear, gives_values_scaled_by_output_and_row) {
  auto parts = small_layer();
  auto description = parts.description<float>();
  description.bias = {};
  const binary_linear<float> layer(description);
  // Sums (1, -3) and (1, 1), times (1, 0.125).
  EXPECT_EQ(outputs_of(layer, {std::byte{0b001}, std::byte{0b111}}), (std::vector<float>{1, -0.375f, 1, 0.125f}));
  EXPECT_EQ(outputs_of(layer, {std::byte{0b001}, std::byte{0b111}}, {2, 4}), (std::vector<float>{2, -0.75f, 4, 0.5f}));
}

TEST(binary_linear, of_bits_feeds_the_next_one) {
  // Both layers' sums by hand, one sign at a time, with 19 and 11 outputs, so that rows of bits end inside a byte.
  random_codes random(1);
  const auto signs = [&random](std::int64_t count) {
    std::vector<std::int8_t> codes;
    for (const std::int64_t bit : random.many(count, 0, 1)) codes.push_back(static_cast<std::int8_t>(2 * bit - 1));
    return codes;
  };
  const std::vector<std::int8_t> first = signs(19 * 70), second = signs(11 * 19), input = signs(5 * 70);
  const std::vector<affine_scale> map{{1}};
  const auto expected_of = [](const std::vector<std::int8_t>& rows, const std::vector<std::int8_t>& weights,
                              std::size_t inputs, std::size_t outputs) {
    std::vector<std::int32_t> sums;
    for (std::size_t m = 0; m < rows.size() / inputs; ++m)
      for (std::size_t n = 0; n < outputs; ++n) {
        std::int32_t sum = 0;
        for (std::size_t k = 0; k < inputs; ++k) sum += rows[m * inputs + k] * weights[n * inputs + k];
        sums.push_back(sum);
      }
    return sums;
  };
  std::vector<std::int8_t> between;
  for (const std::int32_t sum : expected_of(input, first, 70, 19)) between.push_back(sum >= 0 ? 1 : -1);
  std::vector<std::byte> bits(5 * 9), middle(5 * 3);
  binarization<std::int8_t>(70).run(input, bits);
  const binary_linear<> one({.weights = tensor_view<const std::int8_t>(first, {19, 70}), .weight_maps = map});
  const binary_linear<std::int32_t> two(
      {.weights = tensor_view<const std::int8_t>(second, {11, 19}), .weight_maps = map});
  EXPECT_EQ(outputs_of(two, outputs_of(one, bits)), expected_of(between, second, 19, 11));
}

TEST(binary_linear, gives_the_same_bits_on_every_path_and_executor_and_after_a_copy) {
  random_codes random(2);
  std::vector<std::int8_t> codes;
  for (const std::int64_t bit : random.many(67 * 75, 0, 1)) codes.push_back(static_cast<std::int8_t>(2 * bit - 1));
  const std::vector<affine_scale> map{{0.3f}};
  std::vector<std::byte> input;
  for (const std::int64_t byte : random.many(500 * 10, 0, 255)) input.push_back(static_cast<std::byte>(byte));
  const binary_linear<std::uint8_t>::description description{
      .weights = tensor_view<const std::int8_t>(codes, {67, 75}), .weight_maps = map, .output = {0.5f, 100}};
  const std::vector<std::uint8_t> expected = outputs_of(binary_linear<std::uint8_t>(description, "scalar"), input);
  for (const auto& path : kernels::binary_gemm_paths<std::uint8_t>)
    if (path.available()) {
      const binary_linear<std::uint8_t> layer(description, path.name);
      EXPECT_EQ(layer.path(), path.name);
      EXPECT_EQ(outputs_of(layer, input), expected) << path.name;
    }
  auto original = std::make_unique<binary_linear<std::uint8_t>>(description);
  const binary_linear<std::uint8_t> copy = *original;
  original.reset();
  std::vector<std::uint8_t> output(expected.size());
  std::vector<std::byte> workspace(copy.workspace_bytes());
  reference::two_threads pool;
  copy.run(input, output, workspace, pool);
  EXPECT_EQ(output, expected);
  EXPECT_GT(pool.pieces, 1u);
}

TEST(binary_linear, with_xnor_nets_scales_keeps_the_square_of_2_over_pi_of_gaussian_products_energy) {
  // E|x| of a Gaussian is sqrt(2 / pi), so a product of signs and scales has the covariance (2 / pi)^2 with the product of
  // values, and the same energy: the relative error is 1 - (2 / pi)^2 = 0.595. Of 64 x 256 sums, whose squares deviate by
  // sqrt(2) of their mean, it deviates by about 0.01.
  constexpr std::size_t rows = 64, inputs = 1000, outputs = 256;
  std::mt19937 generator(3);
  std::normal_distribution<float> gaussian;
  std::vector<float> values(rows * inputs), weights(outputs * inputs);
  for (float& value : values) value = gaussian(generator);
  for (float& weight : weights) weight = gaussian(generator);
  const auto fitted = fit_slices(tensor_view<const float>(weights, {outputs, inputs}), per_channel{},
                                 [](std::span<const float> channel) { return binary::fit(channel); });
  const quantized_weights quantized = quantize_weights(fitted, weights);
  const binary_linear<float> layer({.weights = quantized.codes, .weight_maps = quantized.maps});
  std::vector<std::byte> bits(rows * layer.input_size());
  binarization(inputs).run(values, bits);
  const magnitude_scales magnitudes({.channels = inputs});
  std::vector<float> scales(rows);
  std::vector<double> workspace(magnitudes.workspace_size());
  magnitudes.run(values, scales, workspace);
  const std::vector<float> result = outputs_of(layer, bits, scales);
  double error = 0, energy = 0;
  for (std::size_t m = 0; m < rows; ++m)
    for (std::size_t n = 0; n < outputs; ++n) {
      double exact = 0;
      for (std::size_t k = 0; k < inputs; ++k)
        exact += double{values[m * inputs + k]} * double{weights[n * inputs + k]};
      error += (exact - result[m * outputs + n]) * (exact - result[m * outputs + n]), energy += exact * exact;
    }
  EXPECT_NEAR(error / energy, 1 - 4 / (M_PI * M_PI), 0.03);
}

/// How the small layer is refused after `change` to its parts or its description.
template <class Output = bool, class Change>
std::string refusal_after(Change change) {
  return refusal([&] {
    small_layer parts;
    auto description = parts.description<Output>();
    change(parts, description);
    binary_linear<Output> layer(description);
  });
}

TEST(binary_linear, refuses_what_is_no_layer_of_bits_by_name) {
  EXPECT_EQ(refusal_after([](auto& parts, auto&) { parts.codes[4] = 0; }),
            "binary_linear: weights.values()[4] is 0, expected -1 or 1");
  EXPECT_EQ(refusal_after([](auto& parts, auto& d) { d.weights = tensor_view<const std::int8_t>(parts.codes, {6}); }),
            "binary_linear: weights.shape() is [6], expected outputs x inputs");
  EXPECT_EQ(refusal_after([](auto&, auto& d) {
              d.weights = tensor_view<const std::int8_t>({}, {0, 3});
            }),
            "binary_linear: weights.shape() is [0, 3], expected no dimension of 0");
  EXPECT_EQ(refusal_after([](auto&, auto& d) { d.weight_maps = {}; }),
            "binary_linear: weight_maps.size() is 0, expected 1 or the number of output channels, 2");
  EXPECT_EQ(refusal_after([](auto& parts, auto&) { parts.maps[1].zero_point = 1; }),
            "binary_linear: weight_maps[1].zero_point is 1, expected 0");
  EXPECT_EQ(refusal_after([](auto&, auto& d) { d.input_scale = 0; }),
            "binary_linear: input.scale is 0, expected a positive, finite, normal number");
  EXPECT_EQ(refusal_after([](auto& parts, auto&) { parts.bias[1] = std::numeric_limits<float>::quiet_NaN(); }),
            "binary_linear: bias[1] is nan, expected a finite number");
  EXPECT_EQ(refusal_after<float>([](auto&, auto&) {}),
            "binary_linear: bias.size() is 2, expected 0, or for codes and bits the number of output channels, 2");
  EXPECT_EQ(refusal_after<std::uint8_t>([](auto& parts, auto&) { parts.bias[0] = 0x1p31f; }),
            "binary_linear: bias[0] is 2147483648, expected 32 bits, with all weights, of steps of 1, input_scale * "
            "weight_maps.scale");
  EXPECT_EQ(refusal_after<std::uint8_t>([](auto&, auto& d) { d.output.zero_point = 256; }),
            "binary_linear: output.zero_point is 256, expected one of the output_codes, [0, 255]");
}

TEST(binarization, refuses_no_channels_and_a_threshold_that_is_no_number) {
  EXPECT_EQ(refusal([] { binarization<float>(0); }), "binarization: channels is 0, expected at least 1");
  EXPECT_EQ(refusal([] { binarization<float>(1, std::numeric_limits<float>::quiet_NaN()); }),
            "binarization: threshold is nan, expected a number");
}

TEST(magnitude_scales, are_means_over_channels_and_over_the_window_with_zeros_around) {
  // Two pixels of three channels, of mean magnitudes 2 and 5, under windows of 1 x 3 with padding.
  const magnitude_scales magnitudes(
      {.image = {1, 2}, .channels = 3, .kernel = {1, 3}, .padding = {.left = 1, .right = 2}});
  const std::vector<float> values{1, -2, 3, -5, 10, 0};
  std::vector<float> scales(magnitudes.output_size());
  std::vector<double> workspace(magnitudes.workspace_size());
  magnitudes.run(values, scales, workspace);
  EXPECT_EQ(scales, (std::vector<float>{7.0f / 3, 7.0f / 3, 5.0f / 3}));
}

TEST(magnitude_scales, are_not_finite_under_values_that_are_not_and_refuse_no_channels) {
  const magnitude_scales magnitudes({.image = {1, 2}, .channels = 1});
  const std::vector<float> values{std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()};
  std::vector<float> scales(2);
  std::vector<double> workspace(2);
  magnitudes.run(values, scales, workspace);
  EXPECT_TRUE(std::isnan(scales[0]));
  EXPECT_EQ(scales[1], std::numeric_limits<float>::infinity());
  EXPECT_EQ(refusal([] { magnitude_scales({.channels = 0}); }), "magnitude_scales: channels is 0, expected at least 1");
}

}  // namespace
}  // namespace bitwright
