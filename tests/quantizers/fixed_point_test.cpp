// SPDX-License-Identifier: MIT
#include "every_path.hpp"
#include <bitwright/quantizers/fixed_point.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <vector>

namespace bitwright {
namespace {

TEST(fixed_point, covers_the_range_that_its_bits_state) {
  const fixed_point<3, 5> q;
  EXPECT_EQ(q.bits(), 8);
  EXPECT_EQ(q.scale(), 0x1p-5f);
  EXPECT_EQ(q.dequantize(-128), -4);
  EXPECT_EQ(q.dequantize(127), 3.96875f);
  EXPECT_EQ((fixed_point<1, 15>().dequantize(-32768)), -1);
  EXPECT_EQ((fixed_point<10, -2>().dequantize(127)), 508);
  EXPECT_EQ((fixed_point<-3, 7>().dequantize(-8)), -0.0625f);  // -2^(-3 - 1)
  EXPECT_EQ((fixed_point<1, 0>().dequantize(-1)), -1);         // One bit: the codes -1 and 0.
  static_assert(std::is_same_v<fixed_point<1, 8>::code_type, std::int16_t>);
}

TEST(fixed_point, restores_every_code) {
  const fixed_point<5, 7> q;
  for (int code = -2048; code <= 2047; ++code)
    ASSERT_EQ(q.quantize(q.dequantize(static_cast<std::int16_t>(code))), code);
}

TEST(fixed_point, follows_its_rounding_and_overflow) {
  EXPECT_EQ((fixed_point<3, 1>().quantize(1.25f)), 2);  // 2.5 steps, to even
  EXPECT_EQ((fixed_point<3, 1, half_up>().quantize(1.25f)), 3);
  EXPECT_EQ((fixed_point<3, 1, toward_zero>().quantize(-1.3f)), -2);
  EXPECT_EQ((fixed_point<3, 1, floor>().quantize(-1.3f)), -3);
  EXPECT_EQ((fixed_point<3, 1>().quantize(4)), 7);
  EXPECT_EQ((fixed_point<3, 1, half_up, saturate_to_zero>().quantize(4)), 0);
  EXPECT_EQ((fixed_point<3, 1, half_up, wrap>().quantize(4)), -8);
}

TEST(fixed_point, wraps_a_difference_as_it_wraps_its_terms) {
  const fixed_point<3, 1, half_to_even, wrap> q;
  for (int a = -40; a <= 40; ++a)
    for (int b = -40; b <= 40; ++b) {
      const int difference = q.quantize(static_cast<float>(a) / 2) - q.quantize(static_cast<float>(b) / 2);
      ASSERT_EQ(q.quantize(static_cast<float>(difference) / 2), q.quantize(static_cast<float>(a - b) / 2));
    }
}

TEST(fixed_point, makes_nan_zero_and_infinity_the_outermost_code) {
  const fixed_point<3, 5> q;
  EXPECT_EQ(q.quantize(std::numeric_limits<float>::quiet_NaN()), 0);
  EXPECT_EQ(q.quantize(std::numeric_limits<float>::infinity()), 127);
  EXPECT_EQ(q.quantize(-std::numeric_limits<float>::infinity()), -128);
}

TEST(fixed_point, gives_the_same_bits_on_every_path) {
  reference::expect_every_path_equals_scalar(fixed_point<3, 5>());
  reference::expect_every_path_equals_scalar(fixed_point<6, 10, half_away_from_zero, wrap>());
}

}  // namespace
}  // namespace bitwright
