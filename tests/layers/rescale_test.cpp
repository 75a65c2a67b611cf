// SPDX-License-Identifier: MIT
#include "exact_rounding.hpp"
#include "refusal.hpp"
#include <bitwright/layers/rescale.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <vector>

namespace bitwright {
namespace {

using reference::refusal;

TEST(rescale, gives_the_codes_worked_out_by_hand) {
  // Steps of 0.5 in steps of 1: 2.5 is 2, to even, 1.5 is 2, and -1 is -1.
  const rescale<std::uint8_t, std::int8_t> layer({.input = {0.5f, 10}, .output = {1, -3}});
  std::vector<std::int8_t> codes(3);
  layer.run(std::vector<std::uint8_t>{15, 13, 8}, codes);
  EXPECT_EQ(codes, (std::vector<std::int8_t>{-1, -1, -4}));
}

template <class Rounding>
void expect_exact(affine_scale input, affine_scale output, code_range allowed) {
  const rescale<std::int8_t, std::uint8_t, Rounding> layer({.input = input, .output = output, .output_codes = allowed});
  std::vector<std::int8_t> codes;
  for (int code = -128; code < 128; ++code) codes.push_back(static_cast<std::int8_t>(code));
  std::vector<std::uint8_t> result(256);
  layer.run(codes, result);
  const dyadic factor = dyadic::nearest(double{input.scale} / double{output.scale});
  for (std::size_t i = 0; i < 256; ++i)
    ASSERT_EQ(result[i], reference::code_of<Rounding>(codes[i] - input.zero_point, factor, output.zero_point,
                                                      allowed.min, allowed.max));
}

TEST(rescale, has_the_bits_of_requantize_for_every_code) {
  for (const float scale : {0.25f, 0.3f, 1.0f, 1.7f, 300.0f})
    for (const std::int32_t zero_point : {-128, 0, 5, 127}) {
      expect_exact<half_to_even>({scale, zero_point}, {1, 0}, {0, 255});
      expect_exact<half_up>({scale, zero_point}, {1, 255}, {0, 255});
      expect_exact<half_away_from_zero>({scale, zero_point}, {0.5f, 100}, {90, 110});
      expect_exact<gemmlowp_double>({scale, zero_point}, {0.7f, 128}, {0, 255});
    }
}

TEST(rescale, of_a_scale_to_itself_keeps_every_code) {
  const rescale<> layer({.input = {0.037f, 99}, .output = {0.037f, 99}});
  std::vector<std::uint8_t> codes, result(256);
  for (int code = 0; code < 256; ++code) codes.push_back(static_cast<std::uint8_t>(code));
  layer.run(codes, result);
  EXPECT_EQ(result, codes);
}

TEST(rescale, refuses_bad_descriptions_by_name) {
  const auto with = [](const rescale<>::description& layer) { return refusal([&] { rescale<>{layer}; }); };
  EXPECT_EQ(with({.input = {-1}, .output = {1}}),
            "rescale: input.scale is -1, expected a positive, finite, normal number");
  EXPECT_EQ(with({.input = {1}, .output = {1, 256}}),
            "rescale: output.zero_point is 256, expected one of the output_codes, [0, 255]");
  EXPECT_EQ(with({.input = {0x1p30f}, .output = {1}}),
            "rescale: input.scale / output.scale is 1073741824, expected [2^-32, 2^30)");
  EXPECT_THROW(rescale<>({.input = {1}, .output = {1}}, "abacus"), invalid_argument);
}

}  // namespace
}  // namespace bitwright
