// SPDX-License-Identifier: MIT
#include "fashion_mnist/schemes.hpp"

#include "fashion_mnist/dataset.hpp"
#include "fashion_mnist/folded_network.hpp"
#include "fashion_mnist/integer_network.hpp"
#include "fashion_mnist/network.hpp"
#include <bitwright/core/distortion.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace fashion_mnist {
namespace {

/// A convolution of 4 channels with 18 weights each, and a linear layer of 2 channels with 4.
network small_network() {
  network net(4, 2);
  net.linear("classes", net.global_average_pooling("pooling", net.convolution("first", 0, 4, {.kernel = 3})), 2);
  return net;
}

std::vector<float> gaussian_weights(std::size_t count) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<float> weights(count);
  for (float& weight : weights) weight = normal(random);
  return weights;
}

TEST(weight_schemes, cost_their_codes_and_parameters) {
  const network net = small_network();
  const auto products = static_cast<std::int64_t>(net.multiply_accumulates());
  std::map<std::string, layer_cost> costs;
  for (const weight_scheme& each : weight_schemes()) costs[each.plan] = cost_of(net, each);
  ASSERT_EQ(costs.size(), 13u);
  // 72 and 8 weights; 6 channels with 3 numbers each, or 2; 2 layers with 16 levels.
  EXPECT_EQ(costs["W4 piecewise linear"].size_bytes, 36 + 4 + 6 * 3 * 4);
  EXPECT_EQ(costs["W3 additive powers"].size_bytes, 27 + 3 + 6 * 2 * 4);
  EXPECT_EQ(costs["W4 codebook"].size_bytes, 36 + 4 + 6 * 2 * 4 + 2 * 16 * 4);
  EXPECT_EQ(costs["W8, 2 terms each"].size_bytes, 72 + 8 + 6 * 2 * 4);
  EXPECT_EQ(costs["W8, 2 terms each"].bops, products * 2 * 8);
  EXPECT_EQ(costs["W3 codebook"].bops, products * 3 * 8);
}

TEST(weight_schemes, have_a_name_each_and_names_in_the_list) {
  const std::vector<std::string> names = scheme_names();
  EXPECT_EQ(names, (std::vector<std::string>{"piecewise_linear", "additive_power_of_two", "codebook", "normal_float4",
                                             "logarithmic", "power_of_two", "term", "ternary", "binary"}));
}

TEST(weight_schemes, store_weights_close_to_what_they_are) {
  const network net = small_network();
  const node& layer = net[1];
  std::vector<float> weights = gaussian_weights(layer.weights());
  std::fill(weights.begin(), weights.begin() + 18, 0.0f);  // A dead channel.
  double energy = 0;
  for (const float weight : weights) energy += double{weight} * weight;
  for (const weight_scheme& each : weight_schemes()) {
    const std::vector<float> stored = values_of(each.store(layer, weights));
    const double error = bitwright::measure_distortion(weights, stored).squared_error;
    // With 3 bits, clipped uniform codes lose a twentieth of the squares of Gaussian values: twice that is close. Three
    // levels lose a fifth, and two lose 0.36 of them: a few dozen weights a little more or less.
    EXPECT_LT(error, (each.bits >= 3 ? 0.1 : 0.45) * energy) << each.plan;
    for (std::size_t i = 0; i < 18; ++i) EXPECT_NEAR(stored[i], 0, 0.2) << each.plan;
  }
}

/// The network in floats, with the values of the integers and of the outputs' codes: the codes of each node.
std::vector<wide_codes> rounded_pass(const folded_network& net, std::span<const integer_weights> layers,
                                     std::span<const activation_quantizer> outputs, std::span<const float> pixels) {
  folded_network rounded = net;
  auto layer = layers.begin();
  for (const node& each : net.graph->nodes())
    if (each.has_weights()) std::ranges::copy(values_of(*layer++), each.weights_in(std::span(rounded.weights)).begin());
  std::vector<wide_codes> codes(outputs.size());
  forward(rounded, pixels, [&](std::size_t node, std::span<float> values) {
    codes[node].resize(values.size());
    outputs[node].quantize(values, codes[node]);
    outputs[node].dequantize(codes[node], values);
  });
  return codes;
}

TEST(weight_schemes, run_in_integers_as_their_values_do_in_floats) {
  const network net = small_network();
  folded_network folded{&net, gaussian_weights(net.weights()), std::vector<float>(net.weighted_channels(), 0.25f)};
  std::vector<std::uint8_t> pixels(20 * net.input().outputs_per_image());
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<std::uint8_t>(i * i * 31 + i / 7);
  const std::vector<float> values = to_values(pixels);
  std::vector<bitwright::range> seen(net.nodes().size());
  forward(folded, values, [&](std::size_t node, std::span<float> made) { seen[node] = bitwright::range_of(made); });
  std::vector<activation_quantizer> outputs;
  for (const node& each : net.nodes()) outputs.push_back(fit_outputs(each, seen[outputs.size()]));
  for (const weight_scheme& each : weight_schemes()) {
    const std::vector<integer_weights> layers = store_all(folded, each);
    const auto exact = integer_network(net, layers, folded.biases, outputs).node_codes(pixels);
    const auto rounded = rounded_pass(folded, layers, outputs, values);
    // The inputs of the first layer are equal. It rounds its bias to an accumulator step or finer: where that or the
    // floats' last bits fall beside a tie, a code is one more or less.
    std::size_t differ = 0;
    for (std::size_t i = 0; i < exact[1].size(); ++i) {
      ASSERT_LE(std::abs(exact[1][i] - rounded[1][i]), 1) << each.plan;
      differ += exact[1][i] != rounded[1][i];
    }
    EXPECT_LE(differ, exact[1].size() / 20) << each.plan;
    for (std::size_t i = 0; i < exact.back().size(); ++i)
      EXPECT_NEAR(exact.back()[i], rounded.back()[i], 32767 / 50) << each.plan;  // An average of 16 such pixels.
  }
}

}  // namespace
}  // namespace fashion_mnist
