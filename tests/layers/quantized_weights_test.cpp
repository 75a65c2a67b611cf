// SPDX-License-Identifier: MIT
#include "refusal.hpp"
#include <bitwright/layers/quantized_weights.hpp>
#include <bitwright/quantizers/codebook.hpp>
#include <bitwright/quantizers/power_of_two.hpp>
#include <bitwright/quantizers/term.hpp>
#include <bitwright/quantizers/uniform.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <span>
#include <vector>

namespace bitwright {
namespace {

using reference::refusal;

const std::vector<float> values{-0.5f, 1.27f, 2.54f, -1};

template <class Granularity>
auto fitted(Granularity granularity) {
  return fit_slices(tensor_view<const float>(values, {2, 2}), granularity,
                    [](std::span<const float> part) { return uniform<8>::symmetric(range_of(part)); });
}

TEST(quantize_weights, gives_the_codes_and_the_map_of_each_channel) {
  const auto weights = quantize_weights(fitted(per_channel{}), values);
  EXPECT_EQ(weights.codes.shape(), (shape{2, 2}));
  EXPECT_EQ(std::vector<std::int8_t>(weights.codes.values().begin(), weights.codes.values().end()),
            (std::vector<std::int8_t>{-50, 127, 127, -50}));
  ASSERT_EQ(weights.maps.size(), 2u);
  EXPECT_EQ(weights.maps[0], (affine_scale{1.27f / 127, 0}));
  EXPECT_EQ(weights.maps[1], (affine_scale{2.54f / 127, 0}));
}

TEST(quantize_weights, gives_one_map_for_a_tensor) {
  const auto weights = quantize_weights(fitted(per_tensor{}), values);
  ASSERT_EQ(weights.maps.size(), 1u);
  EXPECT_EQ(weights.maps[0], (affine_scale{2.54f / 127, 0}));
}

TEST(quantize_weights, refuses_input_channels_and_values_of_another_shape) {
  EXPECT_EQ(refusal([] { quantize_weights(fitted(per_channel{1}), values); }),
            "quantize_weights: fitted.division().axis is 1, expected 0, the output channels");
  EXPECT_THROW(quantize_weights(fitted(per_channel{}), std::span<const float>(values).first(3)), invalid_argument);
}

std::vector<int> integers_of(const quantized_weights& weights) {
  return {weights.codes.values().begin(), weights.codes.values().end()};
}

TEST(quantize_weights, gives_the_levels_of_schemes_that_have_some) {
  const auto halves = fit_slices(tensor_view<const float>(values, {2, 2}), per_channel{},
                                 [](std::span<const float>) { return power_of_two(-1, 1); });
  const quantized_weights weights = quantize_weights(halves, values);
  EXPECT_EQ(integers_of(weights), (std::vector<int>{-1, 2, 4, -2}));
  EXPECT_EQ(weights.maps, (std::vector<affine_scale>{{0.5f}, {0.5f}}));
}

TEST(quantize_weights, gives_all_channels_of_a_scaled_codebook_the_same_integers) {
  const auto nf4 = fit_slices(tensor_view<const float>(values, {2, 2}), per_channel{},
                              [](auto channel) { return normal_float4(range_of(channel).limit()); });
  const quantized_weights weights = quantize_weights(nf4, values);
  const integer_levels levels = integer_levels_of(normal_float4(1));
  // -0.5 / 1.27 is the fourth level, 1.27 / 1.27 the last; so are -1 / 2.54 and 2.54 / 2.54.
  EXPECT_EQ(integers_of(weights), (std::vector<int>{levels[std::uint8_t{3}], levels[std::uint8_t{15}],
                                                    levels[std::uint8_t{15}], levels[std::uint8_t{3}]}));
  EXPECT_EQ(weights.maps[1].scale, integer_levels_of(normal_float4(2.54f)).scale);
}

/// Integers of the unit 1 as a quantizer whose codes have 16 bits.
uniform<dynamic_bits, std::int16_t> whole(code_range codes, std::int32_t zero_point = 0) {
  return {affine_scale{1, zero_point}, codes};
}

template <class Q>
quantized_weights of_one_channel(const Q& q, const std::vector<float>& weights) {
  return quantize_weights(sliced<Q, per_tensor>({1, weights.size()}, {}, {q}), weights);
}

TEST(quantize_weights, moves_codes_that_no_byte_holds_together_with_their_zero_point) {
  // 127 = 128 - 1, of which one term is left: 128, and so -64 and 4 of -70 and 3.
  const term<> one_term(whole({-127, 127}), {1, 1});
  const quantized_weights terms = of_one_channel(one_term, {127, -70, 3, 0});
  EXPECT_EQ(integers_of(terms), (std::vector<int>{127, -65, 3, -1}));
  EXPECT_EQ(terms.maps[0], (affine_scale{1, -1}));
  // Codes that fit stay as they are, and the zero point alone can be what does not.
  EXPECT_EQ(of_one_channel(one_term, {-127, 64}).maps[0], (affine_scale{1, 0}));
  EXPECT_EQ(integers_of(of_one_channel(one_term, {-127, 64})), (std::vector<int>{-128, 64}));
  const quantized_weights far = of_one_channel(whole({-200, 300}, -150), {200, 250});
  EXPECT_EQ(integers_of(far), (std::vector<int>{72, 122}));
  EXPECT_EQ(far.maps[0], (affine_scale{1, -128}));
}

TEST(quantize_weights, takes_unsigned_codes) {
  const auto unsigned_codes = uniform<8, std::uint8_t>::affine({-1, 1.55f});  // A step of 0.01, and 0 at 100.
  const quantized_weights weights = of_one_channel(unsigned_codes, {-1, 0, 1.55f});
  EXPECT_EQ(integers_of(weights), (std::vector<int>{-128, -28, 127}));
  EXPECT_EQ(weights.maps[0].zero_point, -28);
}

TEST(quantize_weights, refuses_codes_that_are_too_far_apart_and_levels_of_too_many_units) {
  const term<> one_term(whole({-127, 127}), {1, 1});
  EXPECT_EQ(refusal([&] {
              of_one_channel(one_term, {127, -127});
            }),
            "quantize_weights: a channel's codes and zero point is [-128, 128], expected at most 256 codes from the "
            "least to the greatest");
  EXPECT_EQ(refusal([] {
              of_one_channel(power_of_two(0, 7), {1, 2});
            }),
            "integer_levels_of: value / unit is -128, expected [-127, 127]: fewer bits, or nearest_integer_levels");
}

}  // namespace
}  // namespace bitwright
