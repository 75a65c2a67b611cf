// SPDX-License-Identifier: MIT
#include "fashion_mnist/corrected_biases.hpp"

#include "fashion_mnist/dataset.hpp"
#include "fashion_mnist/integer_network.hpp"
#include "fashion_mnist/network.hpp"
#include "fashion_mnist/schemes.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace fashion_mnist {
namespace {

/// A convolution, and a linear layer of 2 classes with 4 weights each.
network small_network() {
  network net(4, 2);
  net.linear("classes", net.global_average_pooling("pooling", net.convolution("first", 0, 4, {.kernel = 3})), 2);
  return net;
}

/// The mean score of a class, in values.
double mean_score(const integer_network& net, const activation_quantizer& output,
                  const std::vector<std::uint8_t>& pixels, std::size_t which) {
  const wide_codes scores = net.node_codes(pixels).back();
  double sum = 0;
  for (std::size_t i = which; i < scores.size(); i += 2) sum += static_cast<double>(output.dequantize(scores[i]));
  return 2 * sum / static_cast<double>(scores.size());
}

TEST(corrected_biases, bring_the_mean_outputs_of_the_integer_network_back) {
  const network graph = small_network();
  folded_network net{&graph, std::vector<float>(graph.weights()), std::vector<float>(graph.weighted_channels(), 0.5f)};
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  for (float& weight : net.weights) weight = normal(random);
  std::vector<std::uint8_t> pixels(50 * graph.input().outputs_per_image());
  for (std::uint8_t& pixel : pixels) pixel = static_cast<std::uint8_t>(random());
  std::vector<activation_quantizer> outputs;
  for (const node& each : graph.nodes())
    outputs.push_back(fit_outputs(each, {has_wide_outputs(each) ? -20.0f : 0.0f, 20}));

  const auto means = mean_outputs(net, pixels);
  ASSERT_EQ(means.size(), graph.nodes().size());
  const std::vector<integer_weights> layers = store_all(net, weight_schemes().back());  // Signs alone.
  const std::vector<float> biases = corrected_biases(net, layers, outputs, means, pixels);
  const integer_network before(graph, layers, net.biases, outputs), after(graph, layers, biases, outputs);
  // The last layer's inputs are what they are measured to be. Its biases are rounded to steps of the accumulator, and
  // scores to codes.
  const auto& signs = std::get<bitwright::quantized_weights>(layers[1]);
  for (std::size_t n = 0; n < 2; ++n) {
    const float step = outputs[2].scale() * signs.maps[n].scale, code = outputs[3].scale();
    EXPECT_NEAR(mean_score(after, outputs[3], pixels, n), means.back()[n], step / 2 + code);
    EXPECT_GT(std::abs(mean_score(before, outputs[3], pixels, n) - means.back()[n]), 5 * (step / 2 + code));
  }
}

}  // namespace
}  // namespace fashion_mnist
