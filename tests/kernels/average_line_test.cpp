// SPDX-License-Identifier: MIT
// The line of a window's average against exact rounding of every sum.
#include "exact_rounding.hpp"
#include "random_codes.hpp"
#include <bitwright/kernels/average_line.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace bitwright {
namespace {

using kernels::average_line;
using kernels::average_sum;
using reference::random_codes;
using u8 = std::uint8_t;
using s8 = std::int8_t;
using s16 = std::int16_t;

/// Whether there is a line; each code of it is checked.
template <class Rounding, class Activation, class Output>
bool expect_exact(const average_sum& sum) {
  const auto line = average_line::through<Rounding, Activation, Output>(sum);
  using code = std::numeric_limits<Activation>;
  using output = std::numeric_limits<Output>;
  const auto taps = static_cast<std::int32_t>(sum.taps);
  for (std::int32_t each = taps * code::min(); line.fits && each <= taps * code::max(); ++each) {
    const int saturated = std::clamp<int>(line.value(each), output::min(), output::max());
    const auto expected =
        reference::code_of<Rounding>(std::int64_t{each} - std::int64_t{taps} * sum.activation_zero_point, sum.factor,
                                     sum.output_zero_point, sum.output_codes.min, sum.output_codes.max);
    EXPECT_EQ(sum.output_codes.clamp(saturated), expected) << each << " of " << taps;
    if (sum.output_codes.clamp(saturated) != expected) return false;
  }
  return line.fits;
}

TEST(average_line, takes_ties_to_even_numbers) {
  // Averages of four: 2/4 -> 0, 6/4 -> 2, 10/4 -> 2.
  const average_sum four{4, 0, {1 << 30, 32}, 0, {0, 255}};
  const auto line = average_line::through<half_to_even, u8, u8>(four);
  ASSERT_TRUE(line.fits);
  EXPECT_EQ(line.value(2), 0);
  EXPECT_EQ(line.value(6), 2);
  EXPECT_EQ(line.value(10), 2);
  EXPECT_EQ(line.value(1020), 255);
}

TEST(average_line, is_there_for_averages_in_one_scale_and_exact) {
  random_codes random(1);
  for (const std::size_t taps : {2u, 3u, 4u, 6u, 9u, 16u, 25u, 49u, 64u, 128u}) {
    const dyadic factor = dyadic::nearest(1.0 / static_cast<double>(taps));
    const auto zero_point = static_cast<std::int32_t>(random.between(0, 255));
    EXPECT_TRUE((expect_exact<half_to_even, u8, u8>({taps, zero_point, factor, zero_point, {0, 255}}))) << taps;
    EXPECT_TRUE((expect_exact<half_up, s8, s8>({taps, zero_point - 128, factor, zero_point - 128, {-128, 127}})))
        << taps;
  }
}

TEST(average_line, is_exact_wherever_it_is_there) {
  random_codes random(2);
  int found = 0;
  for (int i = 0; i < 60; ++i) {
    const auto taps = static_cast<std::size_t>(random.between(1, 20));
    const average_sum sum{
        taps,
        static_cast<std::int32_t>(random.between(0, 127)),
        random.factor(29, 37),
        static_cast<std::int32_t>(random.between(0, 127)),
        {static_cast<std::int32_t>(random.between(0, 50)), static_cast<std::int32_t>(random.between(50, 127))}};
    found += expect_exact<half_to_even, u8, s8>(sum) ? 1 : 0;
    found += expect_exact<half_up, s8, u8>(sum) ? 1 : 0;
    found += expect_exact<half_away_from_zero, s8, s8>(sum) ? 1 : 0;
  }
  EXPECT_GT(found, 60);
}

TEST(average_line, is_of_8_bit_codes_few_taps_and_roundings_to_the_nearest_only) {
  const average_sum four{4, 0, {1 << 30, 32}, 0, {0, 127}};
  EXPECT_FALSE((average_line::through<toward_zero, u8, u8>(four).fits));
  EXPECT_FALSE((average_line::through<half_to_even, s16, u8>(four).fits));
  EXPECT_FALSE((average_line::through<half_to_even, u8, s16>(four).fits));
  EXPECT_FALSE((average_line::through<half_to_even, u8, u8>({129, 0, {1 << 30, 37}, 0, {0, 255}}).fits));
  EXPECT_FALSE((average_line::through<half_to_even, u8, u8>({0, 0, {0, 0}, 0, {0, 255}}).fits));
}

}  // namespace
}  // namespace bitwright
