// SPDX-License-Identifier: MIT
// The integer network against the simulated one, on a small network with every kind of node.
#include "fashion_mnist/integer_network.hpp"

#include "fashion_mnist/quantization.hpp"
#include "fashion_mnist/simulated_network.hpp"
#include "refusal.hpp"
#include "thread_pool.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <random>

namespace fashion_mnist {
namespace {

using bitwright::reference::refusal;

network small_network() {
  network net(6, 1);
  const std::size_t stem = net.convolution("stem", 0, 4, {.kernel = 3});
  const std::size_t branch = net.convolution("branch", net.depthwise("depthwise", stem, {.kernel = 3}), 4, {}, false);
  net.linear("classes", net.global_average_pooling("pooling", net.residual_add("add", stem, branch)), 3);
  return net;
}

class integer_network_test : public testing::Test {
 protected:
  integer_network_test() {
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    for (float& weight : net_.weights) weight = normal(random) / 2;
    for (float& bias : net_.biases) bias = normal(random) / 4;
    for (std::uint8_t& pixel : pixels_) pixel = static_cast<std::uint8_t>(random());
    forward(net_, to_values(pixels_),
            [this](std::size_t node, std::span<float> values) { ranges_[node] = bitwright::range_of(values); });
  }

  network graph_ = small_network();
  folded_network net_{&graph_, std::vector<float>(graph_.weights()), std::vector<float>(graph_.weighted_channels())};
  std::vector<std::uint8_t> pixels_ = std::vector<std::uint8_t>(40 * 36);
  std::vector<bitwright::range> ranges_ = std::vector<bitwright::range>(graph_.nodes().size());
  std::vector<int> bits_ = {8, 6, 4, 3};
};

TEST_F(integer_network_test, takes_pixels_for_codes_as_they_are) {
  const quantization codes(graph_, net_.weights, bits_, ranges_);
  const auto nodes = integer_network(net_, codes).node_codes(pixels_);
  EXPECT_TRUE(std::ranges::equal(nodes[0], pixels_));
  EXPECT_EQ(codes.outputs[0].scale(), 1.0f / 255);
}

TEST_F(integer_network_test, agrees_with_the_simulation_to_one_code_after_one_layer) {
  // The inputs are equal. The integer layer rounds its bias to an accumulator step, here about 1.5 / 127 / 255 of
  // value or 0.003 output codes; a value that far from a tie, one in 300, can fall to its other side, and no further.
  const quantization codes(graph_, net_.weights, bits_, ranges_);
  const auto exact = integer_network(net_, codes).node_codes(pixels_);
  const auto simulated = simulated_network(net_, codes).node_codes(to_values(pixels_));
  std::size_t differ = 0;
  for (std::size_t i = 0; i < exact[1].size(); ++i) {
    EXPECT_LE(std::abs(exact[1][i] - simulated[1][i]), 1);
    differ += exact[1][i] != simulated[1][i];
  }
  EXPECT_LT(differ, exact[1].size() / 100);
}

TEST_F(integer_network_test, scores_classes_as_the_simulation_does) {
  // Codes differ by one here and there; the average over 36 pixels leaves little of it in a score of 16 bits.
  const quantization codes(graph_, net_.weights, bits_, ranges_);
  const auto exact = integer_network(net_, codes).node_codes(pixels_).back();
  const auto simulated = simulated_network(net_, codes).node_codes(to_values(pixels_)).back();
  for (std::size_t i = 0; i < exact.size(); ++i) EXPECT_NEAR(exact[i], simulated[i], 32767 / 50);
}

TEST_F(integer_network_test, gives_the_same_bits_on_one_thread_and_on_two) {
  const integer_network integer(net_, quantization(graph_, net_.weights, bits_, ranges_));
  thread_pool one(1), two(2);
  const wide_codes scores = integer.run(pixels_, one);
  EXPECT_EQ(scores.size(), 40u * 3);
  EXPECT_EQ(integer.run(pixels_, two), scores);
  EXPECT_EQ(integer.node_codes(pixels_).back(), scores);
}

TEST_F(integer_network_test, wants_bits_for_every_layer_and_a_range_for_every_node) {
  EXPECT_EQ(refusal([&] { quantization(graph_, net_.weights, std::span(bits_).first(3), ranges_); }),
            "quantization: weight_bits.size() is 3, expected one for each layer, 4");
  EXPECT_EQ(refusal([&] { quantization(graph_, net_.weights, bits_, std::span(ranges_).first(2)); }),
            "quantization: seen.size() is 2, expected one range for each node, 7");
}

TEST(quantization, clips_a_lone_outlier_when_bits_are_few) {
  // With codes -1, 0, 1 the limit of least cubed error lies between the many weights of 1 and the one of 3.
  network net(1, 1);
  net.linear("classes", 0, 1);
  const node& layer = net.output();
  EXPECT_EQ(fit_weights(layer, std::vector<float>{2}, 2).quantizers()[0].scale(), 2);

  network wide(1, 101);
  wide.linear("classes", 0, 1);
  std::vector<float> weights(101, 1);
  weights[50] = 3;
  const float scale = fit_weights(wide.output(), weights, 2).quantizers()[0].scale();
  EXPECT_GT(scale, 1);
  EXPECT_LT(scale, 2);
}

TEST(quantization, counts_packed_weights_scales_biases_and_bit_operations) {
  network net(4, 3);
  const std::size_t index = net.convolution("layer", 0, 5, {.kernel = 3});
  // 135 weights of 3 bits are 405 bits, 51 bytes; 5 scales and 5 biases of 4 bytes; 16 pixels of 135 products.
  const layer_cost cost = cost_of(net[index], 3);
  EXPECT_EQ(cost.size_bytes, 51 + 40);
  EXPECT_EQ(cost.bops, 16 * 135 * 3 * 8);
}

}  // namespace
}  // namespace fashion_mnist
