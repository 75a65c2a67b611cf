// SPDX-License-Identifier: MIT
#include "exact_division.hpp"
#include <bitwright/core/rounding.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <random>

namespace bitwright {
namespace {

using reference::direction;

template <class Rounding, direction To>
struct policy {
  using rounding = Rounding;
  static constexpr direction to = To;
};
using policies = testing::Types<policy<half_up, direction::up_at_ties>, policy<half_to_even, direction::even_at_ties>,
                                policy<half_away_from_zero, direction::away_at_ties>,
                                policy<toward_zero, direction::to_zero>, policy<floor, direction::down>>;

template <class Policy>
struct rounding : testing::Test {};
TYPED_TEST_SUITE(rounding, policies);

TYPED_TEST(rounding, of_small_quotients_is_exact_and_the_same_for_floats) {
  using policy = typename TypeParam::rounding;
  for (int bits = 0; bits <= 6; ++bits)  // Every tie, and everything beside one, within 4 of zero.
    for (std::int64_t value = -256; value <= 256; ++value) {
      const std::int64_t expected = reference::divide(value, bits, TypeParam::to);
      ASSERT_EQ(policy::shift_right(value, bits), expected) << value << " / 2^" << bits;
      ASSERT_EQ(policy::round(std::ldexp(static_cast<float>(value), -bits)), static_cast<float>(expected))
          << value << " / 2^" << bits;
    }
}

TYPED_TEST(rounding, is_exact_at_the_ends_of_what_it_takes) {
  const std::int64_t most = std::int64_t{1} << 62;
  for (int bits = 0; bits <= 62; ++bits)
    for (const std::int64_t centre : {-most, -most / 2, std::int64_t{0}, most / 2, most})
      for (std::int64_t half_steps = -3; half_steps <= 3; ++half_steps)  // Ties of this shift, and their neighbours.
        for (std::int64_t beside = -1; beside <= 1; ++beside) {
          const std::int64_t half = bits == 0 ? 1 : std::int64_t{1} << (bits - 1);
          const double roughly =
              static_cast<double>(centre) + static_cast<double>(half_steps) * static_cast<double>(half);
          if (std::abs(roughly) > static_cast<double>(most)) continue;
          const std::int64_t value = centre + half_steps * half + beside;
          if (value < -most || value > most) continue;
          ASSERT_EQ(TypeParam::rounding::shift_right(value, bits), reference::divide(value, bits, TypeParam::to))
              << value << " / 2^" << bits;
        }
}

TYPED_TEST(rounding, of_a_float_equals_that_of_the_same_number_over_a_power_of_two) {
  using policy = typename TypeParam::rounding;
  std::mt19937 generator(1);
  std::uniform_int_distribution<std::int32_t> mantissa(-(1 << 24), 1 << 24);  // What a float holds exactly.
  std::uniform_int_distribution<int> shift(0, 40);
  for (int i = 0; i < 200000; ++i) {
    const std::int64_t value = mantissa(generator);
    const int bits = shift(generator);
    ASSERT_EQ(policy::round(std::ldexp(static_cast<float>(value), -bits)),
              static_cast<float>(policy::shift_right(value, bits)))
        << value << " / 2^" << bits;
  }
}

TYPED_TEST(rounding, never_moves_a_whole_number) {
  using policy = typename TypeParam::rounding;
  for (const float whole : {0.0f, 1.0f, -1.0f, 8388607.0f, 8388608.0f, 8388609.0f, -16777215.0f, 0x1p24f, 0x1p31f,
                            -0x1p63f, std::numeric_limits<float>::max(), std::numeric_limits<float>::lowest()})
    EXPECT_EQ(policy::round(whole), whole);
}

TYPED_TEST(rounding, keeps_nan_and_infinity) {
  using policy = typename TypeParam::rounding;
  constexpr float infinity = std::numeric_limits<float>::infinity();
  EXPECT_TRUE(std::isnan(policy::round(std::numeric_limits<float>::quiet_NaN())));
  EXPECT_EQ(policy::round(infinity), infinity);
  EXPECT_EQ(policy::round(-infinity), -infinity);
}

TEST(nearest_rounding, does_not_add_a_half_in_float) {
  // 0.49999997 + 0.5 is 1 as a float, and 8388607.5 (the last float with a fraction) + 0.5 needs 24 bits.
  EXPECT_EQ(half_up::round(0.49999997f), 0);
  EXPECT_EQ(half_up::round(-0.49999997f), 0);
  EXPECT_EQ(half_up::round(-0.50000006f), -1);
  EXPECT_EQ(half_up::round(0x1.fffffep-127f), 0);  // A denormal.
  EXPECT_EQ(half_up::round(-0x1p-149f), 0);
  EXPECT_EQ(half_up::round(8388607.5f), 8388608);
  EXPECT_EQ(half_up::round(-8388607.5f), -8388607);
  EXPECT_EQ(half_to_even::round(8388607.5f), 8388608);
  EXPECT_EQ(half_to_even::round(-8388606.5f), -8388606);
  EXPECT_EQ(half_away_from_zero::round(0.49999997f), 0);
  EXPECT_EQ(half_away_from_zero::round(-8388607.5f), -8388608);
}

TEST(nearest_rounding, tie_rules_differ_as_documented) {
  EXPECT_EQ(half_up::shift_right(5, 1), 3);
  EXPECT_EQ(half_up::shift_right(-5, 1), -2);
  EXPECT_EQ(half_to_even::shift_right(5, 1), 2);
  EXPECT_EQ(half_to_even::shift_right(-5, 1), -2);
  EXPECT_EQ(half_to_even::shift_right(-7, 1), -4);
  EXPECT_EQ(half_away_from_zero::shift_right(-5, 1), -3);
  EXPECT_EQ(toward_zero::shift_right(-5, 1), -2);
  EXPECT_EQ(floor::shift_right(-5, 1), -3);
}

TEST(gemmlowp_double, rounds_to_31_bits_first_and_then_again) {
  // 11.499119: to the nearest is 11, but 5888 / 2^9 = 11.5 after the first step, and 12 after the second.
  EXPECT_EQ(half_up::shift_right(std::int64_t{7984} * 1583594044, 40), 11);
  EXPECT_EQ(gemmlowp_double::shift_right(std::int64_t{7984} * 1583594044, 31), 5888);
  EXPECT_EQ(gemmlowp_double::shift_right(std::int64_t{7984} * 1583594044, 40), 12);
  // 1/4 becomes 1/2 (a tie, up: 1), and then 1/2 (a tie, away from zero: 1).
  EXPECT_EQ(gemmlowp_double::shift_right(std::int64_t{1} << 30, 32), 1);
  EXPECT_EQ(gemmlowp_double::shift_right(-(std::int64_t{1} << 30), 32), 0);  // The first tie goes up, to 0.
}

TEST(rounding, policies_are_constant_expressions) {
  static_assert(half_up::shift_right(-3, 1) == -1 && half_to_even::shift_right(-3, 1) == -2);
  static_assert(half_away_from_zero::shift_right(-3, 1) == -2 && toward_zero::shift_right(-3, 1) == -1);
  static_assert(floor::shift_right(-3, 1) == -2 && gemmlowp_double::shift_right(-3, 1) == -1);
}

}  // namespace
}  // namespace bitwright
