// SPDX-License-Identifier: MIT
#include "every_path.hpp"
#include "refusal.hpp"
#include <bitwright/core/tensor_view.hpp>
#include <bitwright/quantizers/power_of_two.hpp>
#include <bitwright/quantizers/sliced.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

namespace bitwright {
namespace {

using reference::refusal;

std::array<int, 2> exponents(float s, int bits) {
  const auto q = power_of_two::symmetric({-s, s}, bits);
  return {q.greatest_exponent(), q.least_exponent()};
}

TEST(power_of_two, has_the_published_level_sets) {
  EXPECT_EQ(exponents(1, 5), (std::array{0, -7}));
  EXPECT_EQ(exponents(1, 4), (std::array{0, -3}));
  EXPECT_EQ(exponents(1, 3), (std::array{0, -1}));
  EXPECT_EQ(exponents(1, 2), (std::array{0, 0}));
  EXPECT_EQ(exponents(1.5f, 5), (std::array{1, -6}));
  EXPECT_EQ(exponents(0.31f, 5), (std::array{-2, -9}));
  EXPECT_EQ(exponents(std::nextafter(1.5f, 0.0f), 5), (std::array{0, -7}));  // 4 s / 3 just below 2.
  for (int bits = 2; bits <= 8; ++bits) EXPECT_EQ(power_of_two::symmetric({-1, 1}, bits).bits(), bits);
}

/// The published rule, level by level: beta where (alpha + beta) / 2 <= |w| < 3 beta / 2.
float by_the_rule(const power_of_two& q, float value) {
  const double magnitude = std::abs(double{value});
  double alpha = 0;
  for (int k = q.least_exponent(); k <= q.greatest_exponent(); ++k) {
    const double beta = std::ldexp(1.0, k);
    if ((alpha + beta) / 2 <= magnitude && magnitude < 1.5 * beta)
      return std::copysign(static_cast<float>(beta), value);
    alpha = beta;
  }
  return 0;
}

TEST(power_of_two, follows_the_published_rule_up_to_the_largest_value) {
  for (const float s : {1.0f, 1.5f, 0.31f, 100.0f})
    for (const int bits : {2, 3, 5}) {
      const auto q = power_of_two::symmetric({-s, s}, bits);
      for (int i = -4096; i <= 4096; ++i)
        for (const float value : {s * static_cast<float>(i) / 4096, s * std::exp2(static_cast<float>(i) / 256 - 16)}) {
          if (std::abs(value) > s) continue;
          ASSERT_EQ(q.dequantize(q.quantize(value)), by_the_rule(q, value)) << value << " in " << bits << " bits";
        }
    }
}

TEST(power_of_two, zeroes_what_is_below_half_its_least_level) {
  const power_of_two q(-3, 0);
  EXPECT_EQ(q.quantize(0x1p-4f), 1);
  EXPECT_EQ(q.quantize(std::nextafter(0x1p-4f, 0.0f)), 0);
  EXPECT_EQ(q.quantize(-0x1p-4f), -1);
}

TEST(power_of_two, product_with_a_code_is_a_shift) {
  const power_of_two q(-2, 3);
  for (std::int8_t code = 1; code <= q.count(); ++code) {
    const int shift = code - 1 + q.least_exponent();
    EXPECT_EQ(q.dequantize(code) * 20, static_cast<float>(shift >= 0 ? 20 << shift : 20 >> -shift));
    EXPECT_EQ(q.dequantize(static_cast<std::int8_t>(-code)), -q.dequantize(code));
  }
}

TEST(power_of_two, of_degenerate_values_is_defined) {
  EXPECT_EQ(exponents(0, 4), (std::array{0, -3}));
  EXPECT_EQ(exponents(1e-40f, 4), (std::array{-123, -126}));
  EXPECT_EQ(exponents(0x1p125f, 4), (std::array{125, 122}));
  const power_of_two q(-3, 0);
  EXPECT_EQ(q.quantize(std::numeric_limits<float>::quiet_NaN()), 0);
  EXPECT_EQ(q.quantize(std::numeric_limits<float>::infinity()), 4);
  EXPECT_EQ(q.quantize(-100), -4);
}

TEST(power_of_two, is_fitted_to_each_channel) {
  const std::vector<float> values{1, 0.5f, 8, 3.5f};
  const auto q = fit_slices(tensor_view<const float>(values, {2, 2}), per_channel{},
                            [](std::span<const float> slice) { return power_of_two::symmetric(range_of(slice), 4); });
  EXPECT_EQ(q.quantizers()[0].greatest_exponent(), 0);
  EXPECT_EQ(q.quantizers()[1].greatest_exponent(), 3);
  std::vector<std::int8_t> codes(4);
  q.quantize(values, codes);
  EXPECT_EQ(codes, (std::vector<std::int8_t>{4, 3, 4, 3}));
}

TEST(power_of_two, gives_the_same_bits_on_every_path) {
  reference::expect_every_path_equals_scalar<logarithmic<base_two, nearest_value>>(power_of_two(-7, 0));
  reference::expect_every_path_equals_scalar<logarithmic<base_two, nearest_value>>(power_of_two(-126, -1));
}

TEST(power_of_two, refuses_exponents_that_no_level_has) {
  const std::string expected = ", expected -126 <= least <= greatest <= 126";
  EXPECT_EQ(refusal([] { power_of_two(0, -1); }), "power_of_two: exponents is [0, -1]" + expected);
  EXPECT_EQ(refusal([] { power_of_two(-127, 0); }), "power_of_two: exponents is [-127, 0]" + expected);
  EXPECT_EQ(refusal([] {
              power_of_two::symmetric({-1, 1}, 9);
            }),
            "power_of_two::symmetric: bits is 9, expected [2, 8]");
}

}  // namespace
}  // namespace bitwright
