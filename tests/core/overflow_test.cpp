// SPDX-License-Identifier: MIT
#include <bitwright/core/overflow.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>

namespace bitwright {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float nan_value = std::numeric_limits<float>::quiet_NaN();
constexpr std::int64_t most = std::int64_t{1} << 62;

template <class Policy>
struct overflow : testing::Test {};
using policies = testing::Types<saturate, saturate_to_zero, wrap>;
TYPED_TEST_SUITE(overflow, policies);

TYPED_TEST(overflow, leaves_every_code_where_it_is) {
  for (const code_range codes : {code_range::signed_bits(4), code_range::unsigned_bits(8),
                                 code_range::symmetric_bits(5), code_range{-1, 0}, code_range{3, 9}})
    for (std::int32_t code = codes.min; code <= codes.max; ++code) EXPECT_EQ(TypeParam::fit(code, codes), code);
}

TYPED_TEST(overflow, stays_within_its_reach) {
  for (const code_range codes : {code_range::signed_bits(4), code_range::unsigned_bits(3),
                                 code_range::symmetric_bits(5), code_range{-1, 0}, code_range{3, 9}})
    for (std::int64_t value = -100; value <= 100; ++value)
      for (const std::int64_t far : {std::int64_t{0}, most - 100, 100 - most})
        EXPECT_TRUE(TypeParam::reach(codes).contains(TypeParam::fit(value + far, codes))) << value + far;
}

TYPED_TEST(overflow, of_a_whole_float_is_that_of_the_same_integer) {
  for (const code_range codes : {code_range::signed_bits(8), code_range::unsigned_bits(16),
                                 code_range::symmetric_bits(5), code_range{-1, 0}, code_range{3, 9}})
    for (const float whole : {0.0f, -1.0f, 127.0f, 128.0f, -129.0f, 65535.0f, 65536.0f, 65537.0f, -65537.0f, 1000001.0f,
                              -1000001.0f, 0x1.000002p30f, -0x1.000002p30f, 0x1.555554p40f, 0x1p62f})
      EXPECT_EQ(TypeParam::fit_whole(whole, codes), TypeParam::fit(static_cast<std::int64_t>(whole), codes)) << whole;
}

TYPED_TEST(overflow, of_nan_is_that_of_zero) {
  volatile float read_when_run =
      nan_value;  // A compiler folds the cast of a NaN it knows to 0; the processor does not.
  for (const code_range codes : {code_range::signed_bits(8), code_range::unsigned_bits(16), code_range{3, 9}})
    EXPECT_EQ(TypeParam::fit_whole(read_when_run, codes), TypeParam::fit(0, codes));
}

TEST(saturate, gives_the_outermost_code_for_everything_beyond_it) {
  constexpr code_range codes = code_range::signed_bits(4);
  EXPECT_EQ(saturate::fit(8, codes), 7);
  EXPECT_EQ(saturate::fit(most, codes), 7);
  EXPECT_EQ(saturate::fit(-9, codes), -8);
  EXPECT_EQ(saturate::fit(-most, codes), -8);
  EXPECT_EQ(saturate::fit_whole(infinity, code_range::unsigned_bits(16)), 65535);
  EXPECT_EQ(saturate::fit_whole(-infinity, code_range::signed_bits(16)), -32768);
}

TEST(saturate_to_zero, gives_zero_for_everything_outside) {
  constexpr code_range codes = code_range::signed_bits(4);
  for (const std::int64_t outside : {std::int64_t{8}, std::int64_t{-9}, most, -most})
    EXPECT_EQ(saturate_to_zero::fit(outside, codes), 0);
  EXPECT_EQ(saturate_to_zero::fit_whole(infinity, codes), 0);
  EXPECT_EQ(saturate_to_zero::fit(100, {3, 9}), 3);  // No code 0: the nearest.
}

TEST(wrap, counts_modulo_two_to_the_bits) {
  constexpr code_range codes = code_range::signed_bits(4);
  EXPECT_EQ(wrap::fit(8, codes), -8);
  EXPECT_EQ(wrap::fit(-9, codes), 7);
  EXPECT_EQ(wrap::fit(15, codes), -1);
  EXPECT_EQ(wrap::fit(most + 5, codes), 5);
  EXPECT_EQ(wrap::fit(-1, code_range::unsigned_bits(8)), 255);
  EXPECT_EQ(wrap::fit(8, code_range::symmetric_bits(4)), -8);  // The code that the symmetric range leaves out.
  EXPECT_EQ(wrap::reach(code_range::symmetric_bits(8)), code_range::signed_bits(8));
  EXPECT_EQ(wrap::reach({0, 4}), (code_range{-3, 4}));  // Eight codes that end at 4.
  EXPECT_EQ(wrap::fit_whole(infinity, codes), 0);
}

TEST(wrap, of_a_difference_is_the_difference_of_the_wrapped) {
  for (const code_range codes : {code_range::signed_bits(4), code_range::unsigned_bits(4), code_range::signed_bits(1)})
    for (std::int64_t a = -40; a <= 40; ++a)
      for (std::int64_t b = -40; b <= 40; ++b)
        ASSERT_EQ(wrap::fit(std::int64_t{wrap::fit(a, codes)} - wrap::fit(b, codes), codes), wrap::fit(a - b, codes))
            << a << " - " << b;
}

TEST(wrap, is_what_a_cast_to_a_register_does) {
  for (std::int64_t value = -1000; value <= 1000; ++value) {
    EXPECT_EQ(wrap::fit(value, code_range::signed_bits(8)), static_cast<std::int8_t>(value));
    EXPECT_EQ(wrap::fit(value, code_range::unsigned_bits(8)), static_cast<std::uint8_t>(value));
    EXPECT_EQ(wrap::fit(most - value, code_range::signed_bits(16)), static_cast<std::int16_t>(most - value));
  }
}

}  // namespace
}  // namespace bitwright
