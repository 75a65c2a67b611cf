// SPDX-License-Identifier: MIT
#include "refusal.hpp"
#include <bitwright/layers/quantized_weights.hpp>
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

}  // namespace
}  // namespace bitwright
