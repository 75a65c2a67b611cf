// SPDX-License-Identifier: MIT
#include "fashion_mnist/schemes.hpp"

#include "fashion_mnist/network.hpp"
#include "thread_pool.hpp"
#include <bitwright/core/distortion.hpp>

#include <gtest/gtest.h>

#include <algorithm>
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
  ASSERT_EQ(costs.size(), 8u);
  // 72 and 8 weights; 6 channels with 3 numbers each, or 2; 2 layers with 16 levels.
  EXPECT_EQ(costs["W4 piecewise linear"].size_bytes, 36 + 4 + 6 * 3 * 4);
  EXPECT_EQ(costs["W3 additive powers"].size_bytes, 27 + 3 + 6 * 2 * 4);
  EXPECT_EQ(costs["W4 codebook"].size_bytes, 36 + 4 + 6 * 2 * 4 + 2 * 16 * 4);
  EXPECT_EQ(costs["W9, 2 terms each"].size_bytes, 81 + 9 + 6 * 2 * 4);
  EXPECT_EQ(costs["W9, 2 terms each"].bops, products * 2 * 8);
  EXPECT_EQ(costs["W3 codebook"].bops, products * 3 * 8);
}

TEST(weight_schemes, store_weights_close_to_what_they_are) {
  const network net = small_network();
  const node& layer = net[1];
  std::vector<float> weights = gaussian_weights(layer.weights());
  std::fill(weights.begin(), weights.begin() + 18, 0.0f);  // A dead channel.
  double energy = 0;
  for (const float weight : weights) energy += double{weight} * weight;
  for (const weight_scheme& each : weight_schemes()) {
    const std::vector<float> stored = each.store(layer, weights);
    const double error = bitwright::measure_distortion(weights, stored).squared_error;
    // With 3 bits, clipped uniform codes lose a twentieth of the squares of Gaussian values: twice that is close.
    EXPECT_LT(error, 0.1 * energy) << each.plan;
    for (std::size_t i = 0; i < 18; ++i) EXPECT_NEAR(stored[i], 0, 0.2) << each.plan;
  }
}

TEST(weight_schemes, change_what_the_network_computes_as_little_as_their_weights) {
  const network net = small_network();
  const folded_network folded{&net, gaussian_weights(net.weights()), std::vector<float>(net.weighted_channels())};
  const std::vector<float> pixels = gaussian_weights(3 * net.input().outputs_per_image());
  thread_pool pool(1);
  const std::vector<bitwright::range> seen(net.nodes().size(), {0, 50});
  const std::vector<float> exact = forward(folded, pixels);
  for (const weight_scheme& each : weight_schemes()) {
    const std::vector<float> simulated = simulate(folded, each, seen, pixels, pool);
    ASSERT_EQ(simulated.size(), exact.size());
    EXPECT_GT(bitwright::measure_distortion(exact, simulated).cosine, 0.8) << each.plan;
  }
}

}  // namespace
}  // namespace fashion_mnist
