// SPDX-License-Identifier: MIT
#include <bitwright/mixed_precision/sensitivity_table.hpp>
#include <bitwright/quantizers/uniform.hpp>

#include <gtest/gtest.h>

#include <span>
#include <vector>

namespace bitwright {
namespace {

const std::vector<trace_estimate> two_layers{{.trace = 6, .standard_error = 1, .weights = 3},
                                             {.trace = -2, .standard_error = 4, .weights = 2}};
const std::vector<int> two_and_four{2, 4};

TEST(sensitivity_table, has_a_row_for_each_layer_and_a_cell_for_each_bit_width) {
  const auto squared_error = [](std::size_t layer, int bits) { return layer == 0 ? 8.0 / bits : 1.0 / bits; };
  const sensitivity_table table = make_sensitivity_table(two_layers, two_and_four, squared_error);
  ASSERT_EQ(table.size(), 2u);
  ASSERT_EQ(table[1].size(), 2u);
  EXPECT_EQ(table[0][0].bits, 2);
  EXPECT_EQ(table[0][1].bits, 4);
  EXPECT_EQ(table[0][1].estimate, (sensitivity{.omega = 4, .standard_error = 2.0 / 3, .at_noise_floor = false}));
  EXPECT_EQ(table[1][0].estimate, (sensitivity{.omega = 1, .standard_error = 1, .at_noise_floor = true}));
}

TEST(sensitivity_table, measures_any_quantizer_on_each_layers_own_weights) {
  // Layer 0 at 2 bits: codes -1, 0, 1 of scale 4 make 4, 0 and 0 of 4, 1 and 1. At 4 bits the scale is 4/7: codes 7, 2
  // and 2 (7/4 rounded) make 4 and twice 8/7. Layer 1 is zero, and loses nothing.
  const std::vector<float> weights{4, 1, 1, 0, 0};
  const auto make_quantizer = [](std::size_t, int bits, std::span<const float> block) {
    return uniform<>::symmetric({0, block[0]}, bits);
  };
  const sensitivity_table table = make_sensitivity_table(two_layers, two_and_four, weights, make_quantizer);
  EXPECT_EQ(table[0][0].estimate.omega, 4);
  EXPECT_NEAR(table[0][1].estimate.omega, 4.0 / 49, 1e-6);  // 2 * 2 * (1/7)^2, up to a few 2^-23 of a value.
  EXPECT_EQ(table[1][1].estimate.omega, 0);
}

TEST(sensitivity_table, is_what_an_allocator_chooses_from) {
  const sensitivity_table table{{{2, {.omega = 5, .standard_error = 1}}, {4, {.omega = 3, .standard_error = 2}}},
                                {{8, {.omega = 0.5}}}};
  const std::vector<allocation_layer> layers = allocation_layers(table, 6);
  ASSERT_EQ(layers.size(), 2u);
  ASSERT_EQ(layers[0].candidates.size(), 2u);
  EXPECT_EQ(layers[0].candidates[1].weight_bits, 4);
  EXPECT_EQ(layers[0].candidates[1].activation_bits, 6);
  EXPECT_EQ(layers[0].candidates[1].omega, 3);
  EXPECT_EQ(layers[0].candidates[1].standard_error, 2);
  EXPECT_EQ(layers[1].candidates[0].weight_bits, 8);
}

TEST(sensitivity_table, takes_any_metric) {
  const std::vector<float> weights{1, 0.25f, 3};
  const std::vector<int> bits{2};
  const auto make_quantizer = [](std::size_t, int width, std::span<const float> block) {
    return uniform<>::symmetric({0, block[0]}, width);
  };
  const auto own = [](std::size_t layer, std::span<const float> from, std::span<const float> to) {
    return sensitivity{.omega = static_cast<double>(layer) + static_cast<double>(from.back() - to.back())};
  };
  const sensitivity_table table =
      make_sensitivity_table(own, std::vector<std::size_t>{2, 1}, bits, weights, make_quantizer);
  EXPECT_EQ(table[0][0].estimate.omega, 0.25);  // Codes of scale 1: 1/4 becomes 0.
  EXPECT_EQ(table[1][0].estimate.omega, 1);
}

TEST(sensitivity_table, refuses_sizes_and_bits_that_do_not_fit) {
  const std::vector<float> weights(4);
  const auto make_quantizer = [](std::size_t, int bits, auto) { return uniform<>::symmetric({0, 1}, bits); };
  EXPECT_THROW(make_sensitivity_table(two_layers, two_and_four, weights, make_quantizer), invalid_argument);
  const std::vector<int> negative{-1};
  EXPECT_THROW(make_sensitivity_table(two_layers, negative, [](auto...) { return 1.0; }), invalid_argument);
}

}  // namespace
}  // namespace bitwright
