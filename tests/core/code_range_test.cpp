// SPDX-License-Identifier: MIT
#include "refusal.hpp"
#include <bitwright/core/code_range.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

namespace bitwright {
namespace {

using reference::refusal;

TEST(code_range, signed_codes_are_those_of_twos_complement) {
  EXPECT_EQ(code_range::signed_bits(1), (code_range{-1, 0}));
  EXPECT_EQ(code_range::signed_bits(4), (code_range{-8, 7}));
  EXPECT_EQ(code_range::signed_bits(8), (code_range{-128, 127}));
  EXPECT_EQ(code_range::signed_bits(16), (code_range{-32768, 32767}));
}

TEST(code_range, unsigned_codes_start_at_zero) {
  EXPECT_EQ(code_range::unsigned_bits(1), (code_range{0, 1}));
  EXPECT_EQ(code_range::unsigned_bits(8), (code_range{0, 255}));
  EXPECT_EQ(code_range::unsigned_bits(16), (code_range{0, 65535}));
}

TEST(code_range, symmetric_codes_all_have_an_opposite) {
  EXPECT_EQ(code_range::symmetric_bits(2), (code_range{-1, 1}));
  EXPECT_EQ(code_range::symmetric_bits(8), (code_range{-127, 127}));
  EXPECT_EQ(code_range::symmetric_bits(16), (code_range{-32767, 32767}));
}

TEST(code_range, bits_number_the_codes) {
  for (int bits = 1; bits <= 16; ++bits) {
    EXPECT_EQ(code_range::signed_bits(bits).bits(), bits);
    EXPECT_EQ(code_range::unsigned_bits(bits).bits(), bits);
    EXPECT_EQ(code_range::unsigned_bits(bits).size(), std::int64_t{1} << bits);
    if (bits >= 2) {
      EXPECT_EQ(code_range::symmetric_bits(bits).bits(), bits);
      EXPECT_EQ(code_range::symmetric_bits(bits).size(), (std::int64_t{1} << bits) - 1);
    }
  }
  EXPECT_EQ((code_range{5, 5}).bits(), 0);
  EXPECT_EQ((code_range{0, 4}).bits(), 3);
  EXPECT_EQ(code_range::all_of<std::int32_t>().size(), std::int64_t{1} << 32);
  EXPECT_EQ(code_range::all_of<std::int32_t>().bits(), 32);
}

TEST(code_range, all_of_a_type_are_its_values) {
  static_assert(code_range::all_of<std::int8_t>() == code_range{-128, 127});
  static_assert(code_range::all_of<std::uint16_t>() == code_range{0, 65535});
  static_assert(code_range::all_of<std::int32_t>() == code_range{INT32_MIN, INT32_MAX});
}

TEST(code_range, contains_both_its_ends) {
  constexpr code_range codes{-3, 5};
  for (const std::int64_t inside : {-3, 0, 5}) EXPECT_TRUE(codes.contains(inside)) << inside;
  for (const std::int64_t outside : {std::int64_t{-4}, std::int64_t{6}, std::int64_t{1} << 32})
    EXPECT_FALSE(codes.contains(outside)) << outside;
  EXPECT_TRUE(codes.contains(codes));
  EXPECT_FALSE(codes.contains(code_range{-3, 6}));
  EXPECT_FALSE(codes.contains(code_range{-4, 5}));
}

TEST(code_range, clamp_gives_the_nearest_code) {
  constexpr code_range codes{-3, 5};
  EXPECT_EQ(codes.clamp(4), 4);
  EXPECT_EQ(codes.clamp(6), 5);
  EXPECT_EQ(codes.clamp(std::numeric_limits<std::int64_t>::max()), 5);
  EXPECT_EQ(codes.clamp(std::numeric_limits<std::int64_t>::min()), -3);
  EXPECT_EQ(codes.clamp(std::int64_t{1} << 32), 5);  // Not 0, its low 32 bits.
}

TEST(code_range, refuses_widths_that_no_code_has) {
  EXPECT_EQ(refusal([] { code_range::signed_bits(0); }), "code_range: bits is 0, expected [1, 16]");
  EXPECT_EQ(refusal([] { code_range::unsigned_bits(17); }), "code_range: bits is 17, expected [1, 16]");
  EXPECT_EQ(refusal([] { code_range::symmetric_bits(1); }), "code_range::symmetric_bits: bits is 1, expected [2, 16]");
  EXPECT_EQ(refusal([] { code_range::signed_bits(INT32_MIN); }), "code_range: bits is -2147483648, expected [1, 16]");
}

}  // namespace
}  // namespace bitwright
