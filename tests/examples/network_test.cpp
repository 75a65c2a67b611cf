// SPDX-License-Identifier: MIT
#include "fashion_mnist/network.hpp"

#include <bitwright/core/error.hpp>

#include <gtest/gtest.h>

namespace fashion_mnist {
namespace {

TEST(network, of_the_examples_fits_what_the_data_set_and_a_demonstration_allow) {
  const network& net = residual_network();
  EXPECT_EQ(net.input().outputs_per_image(), 784u);
  EXPECT_EQ(net.output().outputs_per_image(), 10u);
  // stem 144, down1 3456, block1 2 x 5184, down2 216 + 1536, two blocks of 576 + 4096, classes 640.
  EXPECT_EQ(net.weights(), 25704u);
  // 784 x 144 + 196 x (3456 + 2 x 5184) + 49 x (216 + 1536 + 2 x 4672) + 640.
  EXPECT_EQ(net.multiply_accumulates(), 3366744u);
}

TEST(network, places_the_weights_of_all_nodes_one_after_the_other) {
  std::size_t weights = 0, channels = 0;
  for (const node& each : residual_network().nodes()) {
    if (!each.has_weights()) continue;
    EXPECT_EQ(each.first_weight, weights) << each.name;
    EXPECT_EQ(each.first_channel, channels) << each.name;
    weights += each.weights();
    channels += each.channels;
  }
  EXPECT_EQ(residual_network().weights(), weights);
  EXPECT_EQ(residual_network().weighted_channels(), channels);
}

TEST(network, halves_an_odd_size_upwards_with_stride_two) {
  network net(5, 3);
  EXPECT_EQ(net[net.depthwise("half", 0, {.kernel = 3, .stride = 2})].size, 3u);
  EXPECT_EQ(net[1].weights(), 27u);  // 9 for each of 3 channels.
  EXPECT_EQ(net.weights(), 27u);
}

TEST(network, refuses_nodes_that_cannot_be) {
  network net(4, 2);
  using bitwright::invalid_argument;
  EXPECT_THROW(net.convolution("input to come", 1, 3, {}), invalid_argument);
  EXPECT_THROW(net.convolution("even window", 0, 3, {.kernel = 2}), invalid_argument);
  EXPECT_THROW(net.convolution("no stride", 0, 3, {.stride = 0}), invalid_argument);
  EXPECT_THROW(net.convolution("no channels", 0, 0, {}), invalid_argument);
  EXPECT_THROW(net.linear("of many pixels", 0, 10), invalid_argument);
  const std::size_t wider = net.convolution("wider", 0, 3, {});
  EXPECT_THROW(net.residual_add("of two shapes", 0, wider), invalid_argument);
  EXPECT_THROW(network(0, 1), invalid_argument);
}

}  // namespace
}  // namespace fashion_mnist
