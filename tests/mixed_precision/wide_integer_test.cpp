// SPDX-License-Identifier: MIT
#include <bitwright/mixed_precision/wide_integer.hpp>

#include <gtest/gtest.h>

#include <cstdint>

namespace bitwright {
namespace {

TEST(wide_integer, products_of_extremes_are_exact) {
  // (-2^63)^2 = 2^126 and -2^63 (2^63 - 1) = -2^126 + 2^63.
  const wide_integer square = wide_integer::product(INT64_MIN, INT64_MIN);
  EXPECT_EQ(square.shift_right(63), wide_integer::product(INT64_MIN, -1));
  EXPECT_EQ(square.to_double(), 0x1p126);
  EXPECT_EQ(wide_integer::product(INT64_MIN, INT64_MAX) + square, wide_integer::product(INT64_MIN, -1));
  wide_integer sum = 0;
  for (int i = 0; i < 1000; ++i) sum += wide_integer::product(1'000'000'007, -999'999'937);
  EXPECT_EQ(sum, wide_integer::product(1'000'000'007'000, -999'999'937));
}

TEST(wide_integer, sums_carry_and_borrow) {
  const wide_integer carried = wide_integer::product(INT64_MAX, 2) + wide_integer(2);  // 2^64
  EXPECT_EQ(carried, wide_integer::product(std::int64_t{1} << 32, std::int64_t{1} << 32));
  EXPECT_EQ(carried - wide_integer(2), wide_integer::product(INT64_MAX, 2));
  EXPECT_EQ(-carried + carried, wide_integer(0));
}

TEST(wide_integer, order_is_that_of_the_numbers) {
  const wide_integer large = wide_integer::product(INT64_MAX, INT64_MAX);
  EXPECT_LT(-large, wide_integer(-1));
  EXPECT_LT(wide_integer(-1), wide_integer(0));
  EXPECT_LT(wide_integer(0), large);
}

TEST(wide_integer, shifts_round_down) {
  EXPECT_EQ(wide_integer(-1).shift_right(1), wide_integer(-1));
  EXPECT_EQ(wide_integer(-5).shift_right(1), wide_integer(-3));
  EXPECT_EQ(wide_integer(5).shift_right(1), wide_integer(2));
  EXPECT_EQ(wide_integer(-7).shift_right(0), wide_integer(-7));
}

TEST(wide_integer, saturates_to_64_bits) {
  EXPECT_EQ(wide_integer::product(INT64_MAX, 2).saturated(), INT64_MAX);
  EXPECT_EQ(wide_integer::product(INT64_MIN, 2).saturated(), INT64_MIN);
  EXPECT_EQ(wide_integer(INT64_MIN).saturated(), INT64_MIN);
  EXPECT_EQ(wide_integer(-42).saturated(), -42);
}

TEST(wide_integer, converts_to_the_double_next_to_it) {
  EXPECT_EQ(wide_integer(-1).to_double(), -1);
  EXPECT_EQ(wide_integer::product(std::int64_t{1} << 40, -(std::int64_t{1} << 40)).to_double(), -0x1p80);
}

}  // namespace
}  // namespace bitwright
