// SPDX-License-Identifier: MIT
#include "fashion_mnist/folded_network.hpp"

#include "thread_pool.hpp"
#include <bitwright/core/executor.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

namespace fashion_mnist {
namespace {

using values = std::vector<float>;

folded_network shipped_network() {
  const network& graph = residual_network();
  return fold(load(graph, std::filesystem::path(BITWRIGHT_EXAMPLES_DIR) / "fashion_mnist" / "network.weights"), graph);
}

TEST(fold, moves_the_batch_norm_into_weights_and_bias) {
  network net(1, 1);
  net.linear("classes", net.convolution("only", 0, 1, {}), 1);
  trained_network trained(net);
  trained.weights = {6, 1};
  trained.gamma[0] = 4;
  trained.beta = {0.5f, 3};
  trained.mean[0] = 2;
  trained.variance[0] = 4 - batch_norm_epsilon;  // So that 4 / sqrt(variance + epsilon) = 2, to 1e-7.
  const folded_network folded = fold(trained, net);
  EXPECT_FLOAT_EQ(folded.weights[0], 12);
  EXPECT_FLOAT_EQ(folded.biases[0], -3.5f);
  EXPECT_EQ(folded.weights[1], 1);
  EXPECT_EQ(folded.biases[1], 3);
  EXPECT_FLOAT_EQ(forward(folded, values{1})[0], 12 - 3.5f + 3);
}

TEST(forward, shows_each_output_to_the_hook_and_goes_on_with_what_it_leaves) {
  network net(1, 1);
  net.linear("twice", net.convolution("minus", 0, 1, {}), 1);
  const folded_network folded{&net, {-1, 2}, {0, 0}};
  std::vector<values> seen;
  const auto outputs = forward(folded, values{5}, [&seen](std::size_t index, std::span<float> output) {
    seen.emplace_back(output.begin(), output.end());
    if (index == 1) output[0] = 10;
  });
  EXPECT_EQ(seen, (std::vector<values>{{5}, {0}, {20}}));  // ReLU comes before the hook.
  EXPECT_EQ(outputs, values{20});
}

TEST(cross_entropy, of_even_odds_is_the_logarithm_of_the_classes) {
  const std::vector<double> outputs{1000, 1000, -5, -5};  // Whose exponential overflows.
  const std::vector<std::uint8_t> labels{0, 1};
  std::vector<double> cotangent(4);
  EXPECT_DOUBLE_EQ(cross_entropy<double>(outputs, labels, cotangent), 2 * std::log(2));
  EXPECT_EQ(cotangent, (std::vector<double>{-0.5, 0.5, 0.5, -0.5}));
}

TEST(shipped_weights, classify_nine_of_ten_test_images) {
  const dataset data = load_dataset(sample_directory());
  thread_pool pool;
  const values pixels = to_values(std::span(data.test.pixels).first(500 * pixels_per_image));
  EXPECT_GT(top1(forward(shipped_network(), pixels, pool), std::span(data.test.labels).first(500)), 0.9);
}

TEST(loss_gradient, has_the_same_bits_with_every_executor) {
  const dataset data = load_dataset(sample_directory());
  const folded_network net = shipped_network();
  const values pixels = to_values(std::span(data.train.pixels).first(70 * pixels_per_image));
  const auto labels = std::span(data.train.labels).first(70);  // Two chunks and a part.
  const auto gradient_with = [&](auto pool) {
    values gradient(net.weights.size());
    loss_gradient<float>(*net.graph, net.weights, net.biases, pixels, labels, *pool, gradient);
    return gradient;
  };
  const values serial = gradient_with(std::make_unique<bitwright::serial_executor>());
  EXPECT_EQ(gradient_with(std::make_unique<thread_pool>(2)), serial);
  EXPECT_EQ(gradient_with(std::make_unique<thread_pool>(3)), serial);
}

TEST(loss_gradient, in_float_is_that_in_double_up_to_rounding) {
  const dataset data = load_dataset(sample_directory());
  const folded_network net = shipped_network();
  const values pixels = to_values(std::span(data.train.pixels).first(64 * pixels_per_image));
  const auto labels = std::span(data.train.labels).first(64);
  bitwright::serial_executor pool;
  const auto gradient_in = [&]<class Scalar>(Scalar) {
    const std::vector<Scalar> weights(net.weights.begin(), net.weights.end());
    const std::vector<Scalar> biases(net.biases.begin(), net.biases.end()), input(pixels.begin(), pixels.end());
    std::vector<Scalar> gradient(weights.size());
    loss_gradient<Scalar>(*net.graph, weights, biases, input, labels, pool, gradient);
    return gradient;
  };
  const std::vector<float> single = gradient_in(0.0f);
  const std::vector<double> exact = gradient_in(0.0);
  double error = 0, norm = 0;
  for (std::size_t i = 0; i < exact.size(); ++i) {
    error += (single[i] - exact[i]) * (single[i] - exact[i]);
    norm += exact[i] * exact[i];
  }
  // Ten layers there and back, each off by about sqrt(n) * 2^-24 for sums of n <= 784 terms: 20 * 28 * 6e-8 = 3e-5. A
  // value so close to 0 that rounding decides about its ReLU adds its share of one in a million.
  EXPECT_LT(std::sqrt(error / norm), 1e-4);
}

}  // namespace
}  // namespace fashion_mnist
