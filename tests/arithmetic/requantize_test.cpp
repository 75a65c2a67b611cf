// SPDX-License-Identifier: MIT
#include "exact_division.hpp"
#include <bitwright/arithmetic/requantize.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <vector>

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

const std::vector<std::int32_t> multipliers{1 << 30, (1 << 30) + 1, 3 << 29, 1431655765, 1583594044, INT32_MAX};
const std::vector<std::int32_t> accumulators{
    INT32_MIN, INT32_MIN + 1, -65537, -1000, -7, -3, -2, -1, 0, 1, 2, 3, 5, 7984, 65536, INT32_MAX - 1, INT32_MAX};

template <class Policy>
struct requantize_exactly : testing::Test {};
TYPED_TEST_SUITE(requantize_exactly, policies);

TYPED_TEST(requantize_exactly, rounds_the_rational_number_at_every_shift_and_extreme) {
  for (int shift = 0; shift <= 62; ++shift)
    for (const std::int32_t multiplier : multipliers)
      for (const std::int32_t accumulator : accumulators)
        ASSERT_EQ(requantize<typename TypeParam::rounding>(accumulator, {multiplier, shift}),
                  reference::requantized(accumulator, multiplier, shift, TypeParam::to))
            << accumulator << " * " << multiplier << " / 2^" << shift;
}

TYPED_TEST(requantize_exactly, rounds_every_tie_and_its_neighbours) {
  // accumulator / 2^n is a tie for every odd multiple of 2^(n-1).
  for (int n = 1; n <= 32; ++n)
    for (std::int64_t odd = -9; odd <= 9; odd += 2)
      for (std::int64_t beside = -1; beside <= 1; ++beside) {
        const std::int64_t accumulator = odd * (std::int64_t{1} << (n - 1)) + beside;
        if (accumulator < INT32_MIN || accumulator > INT32_MAX) continue;
        const auto a = static_cast<std::int32_t>(accumulator);
        ASSERT_EQ(requantize<typename TypeParam::rounding>(a, {1 << 30, 30 + n}),
                  reference::requantized(a, 1 << 30, 30 + n, TypeParam::to))
            << a << " / 2^" << n;
      }
}

TYPED_TEST(requantize_exactly, rounds_millions_at_random) {
  std::mt19937_64 generator(1);
  for (int i = 0; i < 2000000; ++i) {
    const std::uint64_t bits = generator();
    // Magnitudes of every length, so that small quotients and their ties are met as often as large ones.
    const auto accumulator = static_cast<std::int32_t>(static_cast<std::uint32_t>(bits)) >> (bits >> 32) % 32;
    const auto multiplier = static_cast<std::int32_t>((1u << 30) + generator() % (1u << 30));
    const int shift = static_cast<int>(generator() % 63);
    ASSERT_EQ(requantize<typename TypeParam::rounding>(accumulator, {multiplier, shift}),
              reference::requantized(accumulator, multiplier, shift, TypeParam::to))
        << accumulator << " * " << multiplier << " / 2^" << shift;
  }
}

TEST(requantize, ties_follow_the_policy) {
  const dyadic one_half = dyadic::nearest(0.5);
  EXPECT_EQ(requantize<half_up>(5, one_half), 3);
  EXPECT_EQ(requantize<half_up>(-5, one_half), -2);
  EXPECT_EQ(requantize<half_to_even>(5, one_half), 2);
  EXPECT_EQ(requantize<half_to_even>(-5, one_half), -2);
  EXPECT_EQ(requantize<half_to_even>(INT32_MAX, one_half), 1 << 30);
  EXPECT_EQ(requantize<half_away_from_zero>(-5, one_half), -3);
  EXPECT_EQ(requantize<toward_zero>(-5, one_half), -2);
  EXPECT_EQ(requantize<floor>(-5, one_half), -3);
}

TEST(requantize, rounds_once_where_gemmlowp_rounds_twice) {
  // 7984 * 1583594044 / 2^40 = 11.499119; its double rounding passes through 5888 / 2^9 = 11.5.
  EXPECT_EQ(requantize<half_up>(7984, {1583594044, 40}), 11);
  EXPECT_EQ(requantize<half_to_even>(7984, {1583594044, 40}), 11);
  EXPECT_EQ(requantize<gemmlowp_double>(7984, {1583594044, 40}), 12);
  // 1 * 2^30 / 2^32 = 1/4.
  EXPECT_EQ(requantize<half_up>(1, {1 << 30, 32}), 0);
  EXPECT_EQ(requantize<gemmlowp_double>(1, {1 << 30, 32}), 1);
}

TEST(requantize, with_gemmlowp_double_follows_its_published_definition) {
  const auto follows = [](std::int32_t accumulator, std::int32_t multiplier, int shift) {
    return requantize<gemmlowp_double>(accumulator, {multiplier, shift}) ==
           reference::requantized_twice(accumulator, multiplier, shift);
  };
  for (int shift = 31; shift <= 62; ++shift)
    for (const std::int32_t multiplier : multipliers)
      for (const std::int32_t accumulator : accumulators)
        ASSERT_TRUE(follows(accumulator, multiplier, shift)) << accumulator << " " << multiplier << " " << shift;
  std::mt19937_64 generator(2);
  for (int i = 0; i < 3000000; ++i) {
    const std::uint64_t bits = generator();
    const auto accumulator = static_cast<std::int32_t>(static_cast<std::uint32_t>(bits)) >> (bits >> 32) % 32;
    const auto multiplier = static_cast<std::int32_t>((1u << 30) + generator() % (1u << 30));
    const int shift = 31 + static_cast<int>(generator() % 32);
    ASSERT_TRUE(follows(accumulator, multiplier, shift)) << accumulator << " " << multiplier << " " << shift;
  }
}

TEST(requantize, saturates_instead_of_losing_high_bits) {
  EXPECT_EQ(requantize<half_up>(INT32_MAX, {1 << 30, 0}), INT32_MAX);
  EXPECT_EQ(requantize<half_up>(INT32_MIN, {INT32_MAX, 0}), INT32_MIN);
  EXPECT_EQ(requantize<half_up>(4, {1 << 30, 0}), INT32_MAX);  // 2^32: its low half is 0.
  EXPECT_EQ(requantize<half_to_even>(INT32_MAX, {1 << 30, 30}), INT32_MAX);
  EXPECT_EQ(requantize<half_to_even>(INT32_MIN, {1 << 30, 30}), INT32_MIN);
}

TEST(requantize, moves_to_the_zero_point_and_clamps) {
  const dyadic one_half = dyadic::nearest(0.5);
  const code_range codes = code_range::unsigned_bits(8);
  EXPECT_EQ(requantize<half_up>(5, one_half, 10, codes), 13);
  EXPECT_EQ(requantize<half_up>(-5, one_half, 10, codes), 8);  // Rounded before the zero point is added: -2, not -3.
  EXPECT_EQ(requantize<half_to_even>(5, one_half, 11, codes), 13);  // 2.5 is 2, though 13.5 would be 14.
  EXPECT_EQ(requantize<half_up>(-100, one_half, 10, codes), 0);
  EXPECT_EQ(requantize<half_up>(1000, one_half, 10, codes), 255);
  EXPECT_EQ(requantize<half_up>(1000, one_half, 10, {10, 70}), 70);  // A ReLU of at most 60 steps.
  // A saturated accumulator plus a zero point does not wrap around.
  EXPECT_EQ(requantize<half_up>(INT32_MAX, {1 << 30, 0}, 128, codes), 255);
  EXPECT_EQ(requantize<half_up>(INT32_MIN, {1 << 30, 0}, -128, code_range::signed_bits(8)), -128);
}

TEST(requantize, is_a_constant_expression) {
  static_assert(requantize<half_to_even>(5, {1 << 30, 31}) == 2);
  static_assert(requantize<gemmlowp_double>(7984, {1583594044, 40}, 0, {0, 255}) == 12);
}

}  // namespace
}  // namespace bitwright
