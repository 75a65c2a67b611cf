// SPDX-License-Identifier: MIT
#include "refusal.hpp"
#include <bitwright/quantizers/additive_power_of_two.hpp>
#include <bitwright/quantizers/codebook.hpp>
#include <bitwright/quantizers/integer_levels.hpp>
#include <bitwright/quantizers/learned_bases.hpp>
#include <bitwright/quantizers/logarithmic.hpp>
#include <bitwright/quantizers/minifloat.hpp>
#include <bitwright/quantizers/piecewise_linear.hpp>
#include <bitwright/quantizers/power_of_two.hpp>
#include <bitwright/quantizers/ternary.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace bitwright {
namespace {

using reference::refusal;
using floats = std::vector<float>;
using integers = std::vector<int>;

/// The levels of all codes, in order.
template <enumerable_quantizer Q>
integers levels_of(const Q& q) {
  const integer_levels levels = integer_levels_of(q);
  integers all;
  for (int code = q.codes().min; code <= q.codes().max; ++code)
    all.push_back(levels[static_cast<typename Q::code_type>(code)]);
  return all;
}

TEST(integer_levels, of_powers_of_two_are_powers_of_two) {
  const power_of_two q(-5, -2);
  EXPECT_EQ(levels_of(q), (integers{-8, -4, -2, -1, 0, 1, 2, 4, 8}));
  EXPECT_EQ(integer_levels_of(q).scale, 0x1p-5f);
  EXPECT_EQ(integer_levels_of(q).error, 0);
  EXPECT_EQ(levels_of(logarithmic<>(0.3f, 3)), (integers{-4, -2, -1, 0, 1, 2, 4}));
}

TEST(integer_levels, of_additive_powers_of_two_are_their_numerators) {
  EXPECT_EQ(levels_of(additive_power_of_two<3>(7)), (integers{-4, -2, -1, 0, 1, 2, 4}));
  EXPECT_EQ(levels_of(additive_power_of_two<4>(0.123f)),
            (integers{-10, -8, -6, -4, -3, -2, -1, 0, 1, 2, 3, 4, 6, 8, 10}));
  EXPECT_EQ(levels_of(additive_power_of_two<4, std::uint8_t>(0.123f)),
            (integers{0, 1, 2, 3, 4, 6, 8, 9, 12, 16, 18, 24, 32, 33, 36, 48}));
  for (float alpha = 0.1f; alpha < 0.2f; alpha += 0.0007f) {
    // Its floats are rounded, but each of them is unit * numerator rounded once: nothing is lost.
    const additive_power_of_two<6> q(alpha);
    EXPECT_EQ(integer_levels_of(q).error, 0);
    EXPECT_EQ(integer_levels_of(q).scale, q.unit());
  }
}

TEST(integer_levels, of_small_floats_are_whole_multiples_of_the_least) {
  const fp4_e2m1 q = fp4_e2m1::symmetric({-0.7f, 0.5f});
  EXPECT_EQ(levels_of(q), (integers{0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12}));
  EXPECT_EQ(integer_levels_of(q).error, 0);
  EXPECT_EQ(integer_levels_of(fp6_e2m3(0.3f)).error, 0);
  EXPECT_EQ(integer_levels_of(fp6_e2m3(0.3f))[std::uint8_t{31}], 60);
}

TEST(integer_levels, of_uniform_ternary_and_binary_codes_need_no_levels) {
  static_assert(enumerable_quantizer<codebook<>> && enumerable_quantizer<power_of_two> &&
                enumerable_quantizer<learned_bases> && enumerable_quantizer<piecewise_linear<>>);
  static_assert(!enumerable_quantizer<ternary>);  // Its codes are levels already.
}

TEST(integer_levels, find_the_grid_that_holds_all_values_whatever_its_scale) {
  // 3/7 of the limit, 5/7 of it and so on: seven steps, and none of six or fewer.
  for (const float unit : {1.0f, 0.1f, 0x1.fffffep-9f, 3e30f, 1e-25f}) {
    const codebook<> q(floats{-7 * unit, -3 * unit, 0, 2 * unit, 5 * unit});
    EXPECT_EQ(levels_of(q), (integers{-7, -3, 0, 2, 5})) << unit;
    EXPECT_EQ(integer_levels_of(q).error, 0) << unit;
  }
}

TEST(integer_levels, say_how_far_the_farthest_value_lies_from_its_own) {
  // Four steps hold -4 and 1, and 2.9 is nearest to a third of a multiple of nothing short of 40 steps.
  const floats values{-4, 1, 2.9f, 3.33f};
  const integer_levels levels = integer_levels_of(codebook<>(values));
  double greatest = 0;
  for (std::size_t i = 0; i < values.size(); ++i)
    greatest =
        std::max(greatest, std::abs(double{values[i]} - double{levels.scale} * levels[static_cast<std::uint8_t>(i)]));
  EXPECT_EQ(levels.error, greatest);
  EXPECT_GT(levels.error, 0);
  EXPECT_LE(levels.error, 4 / 127.0 / 2);  // What the finest grid does for any values.
}

/// The least greatest error over a fine sweep of steps that lead to at most 64.
double swept_error(std::span<const float> values, double limit) {
  double least = limit;
  for (double steps = 1; steps <= 64.5; steps += 1.0 / 512) {
    double greatest = 0;
    for (const float value : values) {
      const double level = std::clamp(std::nearbyint(value / limit * steps), -64.0, 64.0);
      greatest = std::max(greatest, std::abs(value - level * limit / steps));
    }
    least = std::min(least, greatest);
  }
  return least;
}

TEST(integer_levels, of_a_codebook_of_16_levels_are_about_the_nearest_that_64_steps_allow) {
  const codebook<16> nf4 = normal_float4(1);
  const double swept = swept_error(nf4.levels(), 1);
  EXPECT_LE(integer_levels_of(nf4).error, 1.1 * swept);
  EXPECT_GE(integer_levels_of(nf4).error, (1 - 0x1p-10) * swept);
  EXPECT_LT(integer_levels_of(nf4).error, 1 / 178.0);
}

TEST(integer_levels, of_scaled_copies_are_the_same) {
  // So that a tensor with a codebook scaled to each channel has 16 integers in all.
  const auto expected = integer_levels_of(normal_float4(1)).by_byte;
  for (float limit = 0.01f; limit < 3; limit += 0.0137f)
    EXPECT_EQ(integer_levels_of(normal_float4(limit)).by_byte, expected) << limit;
}

TEST(integer_levels, of_values_that_no_grid_holds_are_near) {
  EXPECT_LT(integer_levels_of(logarithmic<base_sqrt_two>(0.125f, 7)).error, 1 / 64.0 / 2);
  const piecewise_linear<> q(floats{0.4f}, 1, 3);
  EXPECT_EQ(q.codes(), (code_range{0, 15}));
  EXPECT_LT(integer_levels_of(q).error, 1 / 64.0 / 2);
  EXPECT_LT(integer_levels_of(learned_bases(floats{0.3f, 0.7f})).error, 1 / 64.0 / 2);
}

TEST(integer_levels, beyond_127_units_are_refused_or_asked_to_be_near) {
  const power_of_two q(0, 7);
  EXPECT_EQ(refusal([&] { integer_levels_of(q); }),
            "integer_levels_of: value / unit is -128, expected [-127, 127]: fewer bits, or nearest_integer_levels");
  EXPECT_EQ(refusal([] { integer_levels_of(additive_power_of_two<7>(1)); }),
            "integer_levels_of: value / unit is -448, expected [-127, 127]: fewer bits, or nearest_integer_levels");
  const integer_levels near = nearest_integer_levels(q);
  EXPECT_GT(near.error, 0);
  EXPECT_LE(near.error, 128.0 / 127 / 2);
}

TEST(integer_levels, of_degenerate_values_are_defined) {
  const integer_levels zero = integer_levels_of(codebook<>(floats{0}));
  EXPECT_EQ(zero.scale, 1);
  EXPECT_EQ(zero.error, 0);
  EXPECT_EQ(zero[std::uint8_t{0}], 0);
  EXPECT_EQ(levels_of(codebook<>(floats{-5})), integers{-1});
  EXPECT_EQ(levels_of(codebook<>(floats{1e-40f, 2e-40f})), (integers{0, 0}));
  EXPECT_EQ(levels_of(piecewise_linear<>(floats{0}, 0, 2)), (integers{0, 0, 0, 0, 0, 0, 0, 0}));
}

/// A scheme of a user's own.
struct two_values {
  using code_type = std::int8_t;
  float first, second;
  int bits() const { return 1; }
  code_range codes() const { return {-1, 0}; }
  void quantize(std::span<const float> values, std::span<std::int8_t> codes) const {
    std::ranges::transform(values, codes.begin(),
                           [](float value) { return static_cast<std::int8_t>(value < 0 ? -1 : 0); });
  }
  void dequantize(std::span<const std::int8_t> codes, std::span<float> values) const {
    std::ranges::transform(codes, values.begin(), [this](std::int8_t code) { return code < 0 ? first : second; });
  }
};

TEST(integer_levels, of_a_scheme_of_ones_own_come_from_its_codes) {
  EXPECT_EQ(levels_of(two_values{-0.3f, 0.2f}), (integers{-3, 2}));
  EXPECT_EQ(refusal([] {
              integer_levels_of(two_values{0, std::numeric_limits<float>::infinity()});
            }),
            "nearest_integer_levels: value is inf, expected finite");
}

}  // namespace
}  // namespace bitwright
