// SPDX-License-Identifier: MIT
#include "refusal.hpp"
#include <bitwright/post_training/bias_correction.hpp>
#include <bitwright/post_training/channel_means.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <limits>
#include <random>
#include <vector>

namespace bitwright {
namespace {

using reference::refusal;

constexpr float nan_value = std::numeric_limits<float>::quiet_NaN();

tensor_view<const float> view(const std::vector<float>& values, const shape& extent) { return {values, extent}; }

std::vector<float> small_whole_numbers(std::size_t count, int least, int most, unsigned seed) {
  std::mt19937 generator(seed);
  std::uniform_int_distribution<int> whole(least, most);
  std::vector<float> values(count);
  for (float& value : values) value = static_cast<float>(whole(generator));
  return values;
}

TEST(correct_bias, subtracts_the_weight_error_times_the_mean_input) {
  const std::vector<float> weights = {1, 2, 3, 4}, quantized = {1.5f, 2, 2, 4};
  std::vector<float> bias = {10, 20};
  correct_bias(view(weights, {2, 2}), view(quantized, {2, 2}), std::vector<double>{4, 100}, bias);
  EXPECT_EQ(bias, (std::vector<float>{8, 24}));  // 10 - 0.5 * 4, 20 + 1 * 4
}

TEST(correct_bias, makes_the_mean_outputs_of_a_linear_layer_those_of_the_float_weights) {
  // 16 inputs of 5 channels, 3 outputs; whole numbers, so that every sum is exact.
  const std::vector<float> inputs = small_whole_numbers(16 * 5, 0, 20, 3),
                           weights = small_whole_numbers(3 * 5, -8, 8, 4);
  std::vector<float> quantized = weights, bias = {1, -2, 3};
  for (float& weight : quantized) weight = 4 * std::floor(weight / 4);  // Floor shifts every mean.
  const auto mean_outputs = [&inputs](const std::vector<float>& w, const std::vector<float>& b) {
    std::vector<double> means(3);
    for (std::size_t sample = 0; sample < 16; ++sample)
      for (std::size_t out = 0; out < 3; ++out) {
        means[out] += b[out] / 16.0;
        for (std::size_t in = 0; in < 5; ++in) means[out] += w[out * 5 + in] * inputs[sample * 5 + in] / 16.0;
      }
    return means;
  };
  const std::vector<double> wanted = mean_outputs(weights, bias);
  EXPECT_NE(mean_outputs(quantized, bias), wanted);
  channel_means means(5);
  means.observe(inputs);
  correct_bias(view(weights, {3, 5}), view(quantized, {3, 5}), means.values(), bias);
  EXPECT_EQ(mean_outputs(quantized, bias), wanted);
}

TEST(correct_bias, knows_kernels_and_groups) {
  // Kernels of 1 x 2 positions, each with two input channels: channels alternate.
  std::vector<float> bias = {0};
  const std::vector<float> zeros(4), quantized = {1, 2, 10, 20};
  correct_bias(view(zeros, {1, 1, 2, 2}), view(quantized, {1, 1, 2, 2}), std::vector<double>{1, 100}, bias);
  EXPECT_EQ(bias, (std::vector<float>{-2211}));
  // Two groups of one output and two input channels.
  std::vector<float> biases = {0, 0};
  correct_bias(view(zeros, {2, 1, 1, 2}), view(quantized, {2, 1, 1, 2}), std::vector<double>{1, 2, 3, 4}, biases, 2);
  EXPECT_EQ(biases, (std::vector<float>{-5, -110}));
}

TEST(correct_bias, of_exact_weights_and_of_zero_means_changes_nothing) {
  const std::vector<float> weights = {0.1f, 0.2f}, other = {9, 9}, nothing;
  std::vector<float> bias = {0.3f};
  correct_bias(view(weights, {1, 2}), view(weights, {1, 2}), std::vector<double>{7, 8}, bias);
  correct_bias(view(weights, {1, 2}), view(other, {1, 2}), std::vector<double>{0, 0}, bias);
  EXPECT_EQ(bias, (std::vector<float>{0.3f}));
  correct_bias(view(nothing, {0, 2}), view(nothing, {0, 2}), std::vector<double>{0, 0}, {});
}

TEST(correct_bias, refuses_sizes_that_do_not_agree_and_changes_nothing) {
  const std::vector<float> weights = {1, 2, 3, 4}, quantized = {0, 0, 0, nan_value};
  std::vector<float> bias = {5, 6};
  const std::vector<double> means = {1, 1};
  const auto linear = view(weights, {2, 2});
  EXPECT_EQ(refusal([&] {
              correct_bias(linear, view(weights, {4, 1}), means, bias);
            }),
            "correct_bias: quantized.shape() is [4, 1], expected that of the weights, [2, 2]");
  EXPECT_EQ(refusal([&] { correct_bias(linear, linear, std::vector<double>(3), bias); }),
            "correct_bias: input_means.size() is 3, expected one for each input channel, 2");
  EXPECT_EQ(refusal([&] { correct_bias(linear, linear, means, std::span(bias).first(1)); }),
            "correct_bias: bias.size() is 1, expected one for each output channel, 2");
  EXPECT_THROW(correct_bias(linear, linear, means, bias, 3), invalid_argument);
  EXPECT_THROW(correct_bias(linear, linear, means, bias, 0), invalid_argument);
  EXPECT_THROW(correct_bias(view(weights, {4}), view(weights, {4}), means, bias), invalid_argument);
  EXPECT_EQ(refusal([&] {
              correct_bias(linear, view(quantized, {2, 2}), means, bias);
            }),
            "correct_bias: corrected bias is nan, expected a finite number for channel 1");
  EXPECT_EQ(bias, (std::vector<float>{5, 6}));
}

}  // namespace
}  // namespace bitwright
