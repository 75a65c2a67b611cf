// SPDX-License-Identifier: MIT
#include "refusal.hpp"
#include <bitwright/core/tensor.hpp>
#include <bitwright/post_training/batch_norm_folding.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <random>
#include <string>
#include <vector>

namespace bitwright {
namespace {

using reference::refusal;

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float nan_value = std::numeric_limits<float>::quiet_NaN();

/// A linear layer of two inputs and two outputs, and a batch norm behind it.
struct layer {
  tensor<float> weights{shape{2, 2}};
  std::vector<float> bias{0, 0}, gamma{1, 1}, beta{0, 0}, mean{0, 0}, variance{1, 1};
  float epsilon = 0;

  layer() { std::ranges::copy(std::vector<float>{1, 2, 3, 4}, weights.values().begin()); }
  void fold() { fold_batch_norm(weights.view(), bias, {gamma, beta, mean, variance, epsilon}); }
  std::vector<float> folded_weights() const { return {weights.values().begin(), weights.values().end()}; }
};

TEST(fold_batch_norm, gives_the_weights_and_bias_worked_out_by_hand) {
  layer folding;
  folding.bias = {1, -1};
  folding.gamma = {3, -1};  // Gains 3 / 2 and -1 / 4.
  folding.variance = {4, 16};
  folding.mean = {5, 3};
  folding.beta = {0.5f, 2};
  folding.fold();
  EXPECT_EQ(folding.folded_weights(), (std::vector<float>{1.5f, 3, -0.75f, -1}));
  EXPECT_EQ(folding.bias, (std::vector<float>{-5.5f, 3}));  // 0.5 + 1.5 (1 - 5), 2 - 0.25 (-1 - 3)
}

TEST(fold_batch_norm, turns_a_channel_of_gamma_zero_into_its_beta) {
  layer folding;
  folding.gamma = {0, 1};
  folding.beta = {7, 0};
  folding.fold();
  EXPECT_EQ(folding.folded_weights(), (std::vector<float>{0, 0, 3, 4}));
  EXPECT_EQ(folding.bias, (std::vector<float>{7, 0}));
}

TEST(fold_batch_norm, of_a_channel_without_variance_divides_by_the_root_of_epsilon) {
  layer folding;
  folding.variance = {0, 0.75f};
  folding.epsilon = 0.25f;
  folding.fold();
  EXPECT_EQ(folding.folded_weights(), (std::vector<float>{2, 4, 3, 4}));
}

/// One output of the unfolded layer, in double, and the sum of the magnitudes of all its terms.
struct output {
  double value;
  double magnitude;
};

TEST(fold_batch_norm, leaves_the_layers_function_as_it_was) {
  constexpr std::size_t channels = 16, inputs = 27;
  std::mt19937 generator(1);
  std::normal_distribution<float> normal;
  const auto draw = [&](std::size_t count) {
    std::vector<float> values(count);
    for (float& value : values) value = normal(generator);
    return values;
  };
  for (const float epsilon : {1e-5f, 1e-3f, 0.0f})
    for (int trial = 0; trial < 20; ++trial) {
      tensor<float> weights({channels, 3, 3, 3});
      std::ranges::copy(draw(channels * inputs), weights.values().begin());
      const std::vector<float> gamma = draw(channels), beta = draw(channels), mean = draw(channels), x = draw(inputs);
      std::vector<float> variance = draw(channels), bias = draw(channels);
      for (float& v : variance) v *= v;
      std::vector<output> expected;
      for (std::size_t c = 0; c < channels; ++c) {
        const double gain = gamma[c] / std::sqrt(double{variance[c]} + epsilon);
        double sum = bias[c], magnitude = std::abs(beta[c]) + std::abs(gain) * (std::abs(bias[c]) + std::abs(mean[c]));
        for (std::size_t i = 0; i < inputs; ++i) {
          sum += double{weights.view()[c].values()[i]} * x[i];
          magnitude += std::abs(gain * weights.view()[c].values()[i] * x[i]);
        }
        expected.push_back({gain * (sum - mean[c]) + beta[c], magnitude});
      }
      fold_batch_norm(weights.view(), bias, {gamma, beta, mean, variance, epsilon});
      for (std::size_t c = 0; c < channels; ++c) {
        double folded = bias[c];
        for (std::size_t i = 0; i < inputs; ++i) folded += double{weights.view()[c].values()[i]} * x[i];
        // Each weight and the bias were rounded once to float: 2^-24 of themselves. The rest is double, here and there
        // some 30 terms of 2^-53 each: less than 2^-46 of all terms, a millionth of the first.
        EXPECT_NEAR(folded, expected[c].value, expected[c].magnitude * 0x1.00001p-24);
      }
    }
}

TEST(fold_batch_norm, of_a_layer_without_channels_does_nothing) {
  tensor<float> weights({0, 3});
  EXPECT_NO_THROW(fold_batch_norm(weights.view(), {}, {}));
}

/// The message, after which everything must be as before.
template <class Spoil>
std::string refusal_of(Spoil spoil) {
  layer folding;
  folding.gamma = {2, 2};  // Folding the first channel would show.
  folding.beta = {1, 1};
  spoil(folding);
  const std::vector<float> weights = folding.folded_weights(), bias = folding.bias;
  const std::string message = refusal([&] { folding.fold(); });
  const auto same = [](float a, float b) { return a == b || (std::isnan(a) && std::isnan(b)); };
  EXPECT_TRUE(std::ranges::equal(folding.folded_weights(), weights, same));
  EXPECT_TRUE(std::ranges::equal(folding.bias, bias, same));
  return message;
}

TEST(fold_batch_norm, refuses_what_has_no_finite_result_and_changes_nothing) {
  EXPECT_EQ(refusal_of([](layer& l) { l.variance[1] = 0; }),
            "fold_batch_norm: gamma / sqrt(variance + epsilon) is inf, expected a finite number for channel 1");
  EXPECT_EQ(refusal_of([](layer& l) { l.variance[1] = -1; }),
            "fold_batch_norm: norm.variance is -1, expected at least 0 for channel 1");
  EXPECT_EQ(refusal_of([](layer& l) { l.variance[1] = nan_value; }),
            "fold_batch_norm: norm.variance is nan, expected at least 0 for channel 1");
  EXPECT_EQ(refusal_of([](layer& l) { l.gamma[1] = nan_value; }),
            "fold_batch_norm: gamma / sqrt(variance + epsilon) is nan, expected a finite number for channel 1");
  EXPECT_EQ(refusal_of([](layer& l) { l.epsilon = nan_value; }),
            "fold_batch_norm: gamma / sqrt(variance + epsilon) is nan, expected a finite number for channel 0");
  EXPECT_EQ(refusal_of([](layer& l) { l.mean[1] = infinity; }),
            "fold_batch_norm: folded bias is -inf, expected a finite number for channel 1");
  EXPECT_EQ(refusal_of([](layer& l) { l.bias[1] = std::numeric_limits<float>::max(); }),
            "fold_batch_norm: folded bias is inf, expected a finite number for channel 1");
  EXPECT_EQ(refusal_of([](layer& l) { l.weights(1, 1) = std::numeric_limits<float>::max(); }),
            "fold_batch_norm: folded weight is inf, expected a finite number for channel 1");
  EXPECT_EQ(refusal_of([](layer& l) { l.weights(1, 0) = nan_value; }),
            "fold_batch_norm: folded weight is nan, expected a finite number for channel 1");
}

TEST(fold_batch_norm, refuses_sizes_that_do_not_agree) {
  const std::string expected = " is 3, expected one entry for each of the 2 output channels";
  EXPECT_EQ(refusal_of([](layer& l) { l.bias.resize(3); }), "fold_batch_norm: bias.size()" + expected);
  EXPECT_EQ(refusal_of([](layer& l) { l.gamma.resize(3); }), "fold_batch_norm: norm.gamma.size()" + expected);
  EXPECT_EQ(refusal_of([](layer& l) { l.beta.resize(3); }), "fold_batch_norm: norm.beta.size()" + expected);
  EXPECT_EQ(refusal_of([](layer& l) { l.mean.resize(3); }), "fold_batch_norm: norm.mean.size()" + expected);
  EXPECT_EQ(refusal_of([](layer& l) { l.variance.resize(3); }), "fold_batch_norm: norm.variance.size()" + expected);
  tensor<float> scalar(shape{});
  EXPECT_EQ(refusal([&] { fold_batch_norm(scalar.view(), {}, {}); }),
            "fold_batch_norm: weights.shape() is [], expected at least one dimension");
}

}  // namespace
}  // namespace bitwright
