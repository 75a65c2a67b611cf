// SPDX-License-Identifier: MIT
#include "refusal.hpp"
#include <bitwright/arithmetic/dyadic.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <random>

namespace bitwright {
namespace {

using reference::refusal;

TEST(dyadic, is_the_one_worked_out_by_hand) {
  EXPECT_EQ(dyadic::nearest(1.0 / 3), (dyadic{1431655765, 32}));
  EXPECT_EQ(dyadic::nearest(0.5), (dyadic{1 << 30, 31}));
  EXPECT_EQ(dyadic::nearest(0.0123), (dyadic{1690499128, 37}));
  EXPECT_EQ(dyadic::nearest(1e-4), (dyadic{1759218604, 44}));
  EXPECT_EQ(dyadic::nearest(1), (dyadic{1 << 30, 30}));
  EXPECT_EQ(dyadic::nearest(3), (dyadic{3 << 29, 29}));
}

TEST(dyadic, one_minus_a_little_does_not_overflow_the_multiplier) {
  EXPECT_EQ(dyadic::nearest(1 - 1e-11), (dyadic{1 << 30, 30}));
  EXPECT_EQ(dyadic::nearest(std::nextafter(0x1p30, 0)), (dyadic{1 << 30, 0}));  // With no bit of shift to spare.
  EXPECT_EQ(dyadic::nearest(1 - 0x1p-31), (dyadic{2147483647, 31}));            // The largest multiplier of all.
}

TEST(dyadic, half_way_between_two_multipliers_goes_up) {
  // At a factor in [1/2, 1) neighbouring multipliers stand 2^-31 apart.
  EXPECT_EQ(dyadic::nearest(0.5 + 0x1p-32), (dyadic{(1 << 30) + 1, 31}));
  EXPECT_EQ(dyadic::nearest(0.5 + 0x3p-32), (dyadic{(1 << 30) + 2, 31}));
  EXPECT_EQ(dyadic::nearest(std::nextafter(0.5 + 0x1p-32, 0)), (dyadic{1 << 30, 31}));
  EXPECT_EQ(dyadic::nearest(1 - 0x1p-32), (dyadic{1 << 30, 30}));
}

TEST(dyadic, takes_every_factor_from_two_to_the_minus_32_to_two_to_the_30) {
  EXPECT_EQ(dyadic::nearest(0x1p-32), (dyadic{1 << 30, 62}));
  EXPECT_EQ(dyadic::nearest(0x1p29), (dyadic{1 << 30, 1}));
}

/// A positive double as an integer over a power of two, read from its bits: 53 bits, the highest of them set.
struct exact {
  std::int64_t mantissa;
  int exponent;  // factor = mantissa * 2^exponent
};
exact parts(double factor) {
  int exponent;
  const double fraction = std::frexp(factor, &exponent);
  return {static_cast<std::int64_t>(std::ldexp(fraction, 53)), exponent - 53};
}

TEST(dyadic, is_within_two_to_the_minus_31_of_its_factor) {
  std::mt19937_64 generator(1);
  std::uniform_int_distribution<std::int64_t> mantissa(std::int64_t{1} << 52, (std::int64_t{1} << 53) - 1);
  std::uniform_int_distribution<int> exponent(-31, 30);
  for (int i = 0; i < 1000000; ++i) {
    const double factor = std::ldexp(static_cast<double>(mantissa(generator)), exponent(generator) - 53);
    const dyadic nearest = dyadic::nearest(factor);
    ASSERT_GE(nearest.multiplier, 1 << 30);
    ASSERT_GE(nearest.shift, 0);
    ASSERT_LE(nearest.shift, 62);
    // multiplier / 2^shift in units of the factor's last place; -shift - exponent is 22, or 23 after a carry.
    const exact given = parts(factor);
    const int places = -nearest.shift - given.exponent;
    ASSERT_TRUE(places == 22 || (places == 23 && nearest.multiplier == 1 << 30));
    const std::int64_t error = (std::int64_t{nearest.multiplier} << places) - given.mantissa;
    // |error| / mantissa <= 2^-31, all in integers; nearest is within half a multiplier's step, 2^21, of the mantissa.
    ASSERT_LE(std::abs(error), std::int64_t{1} << 21) << factor;
    ASSERT_LE(std::abs(error), given.mantissa >> 31) << factor;
    ASSERT_EQ(nearest.value(), std::ldexp(static_cast<double>(nearest.multiplier), -nearest.shift));
  }
}

TEST(dyadic, value_is_exact) {
  EXPECT_EQ((dyadic{1 << 30, 62}.value()), 0x1p-32);
  EXPECT_EQ((dyadic{2147483647, 0}.value()), 2147483647.0);
  EXPECT_EQ((dyadic{1431655765, 32}.value()), 0x1.55555554p-2);
}

TEST(dyadic, a_factor_that_is_no_scale_is_refused_by_name) {
  EXPECT_EQ(refusal([] { dyadic::nearest(0); }), "dyadic::nearest: factor is 0, expected [2^-32, 2^30)");
  EXPECT_EQ(refusal([] { dyadic::nearest(-0.25); }), "dyadic::nearest: factor is -0.25, expected [2^-32, 2^30)");
  EXPECT_EQ(refusal([] { dyadic::nearest(std::numeric_limits<double>::quiet_NaN()); }),
            "dyadic::nearest: factor is nan, expected [2^-32, 2^30)");
  for (const double factor : {0x1p30, std::nextafter(0x1p-32, 0), std::numeric_limits<double>::infinity(),
                              std::numeric_limits<double>::denorm_min()})
    EXPECT_THROW(dyadic::nearest(factor), invalid_argument) << factor;
}

}  // namespace
}  // namespace bitwright
