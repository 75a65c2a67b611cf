// SPDX-License-Identifier: MIT
// Requantization on 64-bit Arm against exact division, lane by lane.
#include <gtest/gtest.h>

#if defined(__aarch64__)

#include "exact_rounding.hpp"
#include "random_codes.hpp"
#include <bitwright/arithmetic/requantize.hpp>
#include <bitwright/kernels/code_window.hpp>
#include <bitwright/kernels/neon/codes.hpp>
#include <bitwright/kernels/neon/requantize.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace bitwright {
namespace {

using reference::random_codes;
using std::int32_t;

/// Whether four accumulators with their factors give the oracle's numbers.
template <class Rounding>
void expect_exact(const std::array<int32_t, 4>& accumulators, const std::array<dyadic, 4>& factors) {
  std::array<int32_t, 4> multipliers, shifts, result;
  for (std::size_t i = 0; i < 4; ++i) multipliers[i] = factors[i].multiplier, shifts[i] = factors[i].shift;
  vst1q_s32(result.data(),
            kernels::neon::requantize<Rounding>(vld1q_s32(accumulators.data()), vld1q_s32(multipliers.data()),
                                                vld1q_s32(shifts.data())));
  for (std::size_t i = 0; i < 4; ++i)
    ASSERT_EQ(result[i], reference::requantized_by<Rounding>(accumulators[i], factors[i]))
        << accumulators[i] << " * " << multipliers[i] << " / 2^" << shifts[i];
}

template <class Rounding>
struct requantize_neon : testing::Test {};
using policies =
    testing::Types<half_up, half_to_even, half_away_from_zero, toward_zero, bitwright::floor, gemmlowp_double>;
TYPED_TEST_SUITE(requantize_neon, policies);

TYPED_TEST(requantize_neon, rounds_every_tie_and_its_neighbours_at_every_shift) {
  // accumulator / 2^n is a tie for every odd multiple of 2^(n - 1).
  for (int n = 1; n <= 32; ++n)
    for (std::int64_t odd = -5; odd <= 5; odd += 2) {
      const std::int64_t tie =
          std::clamp<std::int64_t>(odd * (std::int64_t{1} << (n - 1)), INT32_MIN + 1, INT32_MAX - 1);
      const auto a = static_cast<int32_t>(tie);
      const dyadic factor{1 << 30, 30 + n};
      expect_exact<TypeParam>({a - 1, a, a + 1, -a}, {factor, factor, factor, factor});
    }
}

TYPED_TEST(requantize_neon, is_exact_for_extremes_at_every_shift) {
  for (int shift = 0; shift <= 62; ++shift)
    for (const int32_t multiplier : {1 << 30, (1 << 30) + 1, INT32_MAX})
      for (const int32_t accumulator : {INT32_MIN, -2, -1, 0, 1, 3, INT32_MAX})
        expect_exact<TypeParam>({accumulator, INT32_MIN, accumulator, INT32_MAX},
                                {dyadic{multiplier, shift}, {1 << 30, 62 - shift}, {INT32_MAX, shift}, {1 << 30, 31}});
}

TYPED_TEST(requantize_neon, is_exact_for_random_numbers_of_all_lengths) {
  random_codes random(1);
  for (int i = 0; i < 20000; ++i) {
    std::array<int32_t, 4> accumulators;
    std::array<dyadic, 4> factors;
    for (std::size_t lane = 0; lane < 4; ++lane) {
      accumulators[lane] = static_cast<int32_t>(random.between(INT32_MIN, INT32_MAX) >> random.between(0, 31));
      factors[lane] = random.factor(0, 62);
    }
    expect_exact<TypeParam>(accumulators, factors);
  }
}

/// Truncates to a multiple of 2: none of bitwright's policies.
struct to_even_below {
  static constexpr std::int64_t shift_right(std::int64_t value, int bits) { return value >> bits & ~std::int64_t{1}; }
};

TEST(requantize_neon, takes_a_policy_of_the_users_as_it_says) {
  const int32x4_t result = kernels::neon::requantize<to_even_below>(int32x4_t{7, -7, 1000, INT32_MIN},
                                                                    vdupq_n_s32(1 << 30), int32x4_t{30, 31, 33, 0});
  EXPECT_EQ(result[0], 6);
  EXPECT_EQ(result[1], -4);
  EXPECT_EQ(result[2], 124);
  EXPECT_EQ(result[3], INT32_MIN);
}

TEST(requantize_neon, writes_so_many_codes_and_no_more) {
  const int32x4_t codes{-128, 127, 5, -6};
  for (std::size_t count = 0; count <= 4; ++count) {
    std::vector<std::int8_t> bytes(6, 99), expected{-128, 127, 5, -6, 99, 99};
    std::fill(expected.begin() + static_cast<std::ptrdiff_t>(count), expected.end(), std::int8_t{99});
    kernels::neon::store(bytes.data(), codes, count);
    EXPECT_EQ(bytes, expected);
  }
}

TEST(requantize_neon, loads_the_last_bytes_of_any_row_and_nothing_else) {
  const std::vector<std::byte> row = [] {
    std::vector<std::byte> bytes;
    for (int i = 1; i <= 40; ++i) bytes.push_back(static_cast<std::byte>(i));
    return bytes;
  }();
  for (std::size_t length = 1; length <= 40; ++length)
    for (std::size_t count = 1; count < std::min<std::size_t>(length + 1, 16); ++count) {
      const std::vector<std::byte> own(row.begin(), row.begin() + static_cast<std::ptrdiff_t>(length));
      const int8x16_t loaded = kernels::neon::load_padded(own.data() + length, count, length);
      for (std::size_t i = 0; i < 16; ++i)
        EXPECT_EQ(loaded[i], i < count ? static_cast<int>(length - count + i + 1) : 0) << length << ", " << count;
    }
}

}  // namespace
}  // namespace bitwright

#endif
