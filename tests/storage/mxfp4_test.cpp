// SPDX-License-Identifier: MIT
#include <bitwright/quantizers/minifloat.hpp>
#include <bitwright/storage/mxfp4.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>

namespace bitwright {
namespace {

using values_32 = std::array<float, 32>;
using bytes_17 = std::array<std::uint8_t, 17>;

template <class Order = ggml_halves>
bytes_17 bytes_of(const values_32& values) {
  const auto block = mxfp4_block<Order>::from(values);
  bytes_17 bytes;
  std::memcpy(bytes.data(), &block, sizeof block);
  return bytes;
}

template <class Order = ggml_halves>
values_32 back(const values_32& values) {
  values_32 found;
  mxfp4_block<Order>::from(values).to(found);
  return found;
}

constexpr values_32 sixteen = {0, 0.5f, 1, 1.5f, 2, 3, 4, 6, -6, -4, -3, -2, -1.5f, -1, -0.5f, 0};

TEST(mxfp4, of_ggml_is_laid_out_as_published) {
  // Scale 1: e = 127. The second half is 0.
  EXPECT_EQ(bytes_of(sixteen), (bytes_17{127, 0, 1, 2, 3, 4, 5, 6, 7, 15, 14, 13, 12, 11, 10, 9, 0}));
  values_32 turned{};
  for (std::size_t j = 0; j < 16; ++j) turned[j + 16] = sixteen[j] * 4;
  EXPECT_EQ(bytes_of(turned),
            (bytes_17{129, 0, 0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0xf0, 0xe0, 0xd0, 0xc0, 0xb0, 0xa0, 0x90, 0}));
}

TEST(mxfp4, with_neighbours_in_one_byte_has_the_first_in_its_low_half) {
  EXPECT_EQ(bytes_of<least_significant_first>(sixteen),
            (bytes_17{127, 0x10, 0x32, 0x54, 0x76, 0xef, 0xcd, 0xab, 0x09, 0, 0, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(back<least_significant_first>(sixteen), sixteen);
}

TEST(mxfp4, ties_go_toward_zero_and_no_zero_is_negative) {
  values_32 values = {4, 0.25f, 0.75f, 1.25f, 1.75f, 2.5f, 3.5f, -0.25f, -0.75f, -3.5f, -0.0f};
  values[11] = std::nextafter(0.25f, 1.0f);
  values[12] = std::nextafter(3.5f, 4.0f);
  const values_32 found = back(values);
  const values_32 expected = {4, 0, 0.5f, 1, 1.5f, 2, 3, 0, -0.5f, -3, 0, 0.5f, 4};
  EXPECT_EQ(found, expected);
  EXPECT_FALSE(std::signbit(found[7]) || std::signbit(found[10]));
}

TEST(mxfp4, the_scale_follows_the_exponent_so_that_seven_saturates_at_six) {
  EXPECT_EQ(back(values_32{7.9f, -7, 5, 5.01f}), (values_32{6, -6, 4, 6}));
  EXPECT_EQ(bytes_of(values_32{7.9f})[0], 127);
  EXPECT_EQ(bytes_of(values_32{8})[0], 128);
  EXPECT_EQ(bytes_of(values_32{std::nextafter(8.0f, 0.0f)})[0], 127);  // A logarithm as a float would say 3.
}

TEST(mxfp4, codes_are_fp4_e2m1) {
  std::mt19937 generator(13);
  std::uniform_int_distribution<int> any(0, 255);
  mxfp4_block<least_significant_first> block{127, {}};
  for (std::uint8_t& byte : block.codes) byte = static_cast<std::uint8_t>(any(generator));
  values_32 values;
  block.to(values);
  for (std::size_t j = 0; j < 32; ++j) {
    const int code = block.codes[j / 2] >> (4 * (j % 2)) & 15;
    EXPECT_EQ(values[j], fp4_e2m1().dequantize(static_cast<std::uint8_t>(code)));
  }
}

TEST(mxfp4, holds_the_least_and_the_greatest_values) {
  const float huge = std::numeric_limits<float>::max(), denormal = std::numeric_limits<float>::denorm_min();
  EXPECT_EQ(bytes_of(values_32{huge})[0], 252);  // 2^125 * 6 is the greatest value it makes.
  EXPECT_EQ(back(values_32{huge, -huge})[1], -6 * 0x1p125f);
  EXPECT_EQ(bytes_of(values_32{denormal}), bytes_17{});
  EXPECT_EQ(bytes_of(values_32{}), bytes_17{});
  EXPECT_EQ(back(values_32{0x1p-127f, 0x1p-128f}), (values_32{0x1p-127f, 0x1p-128f}));
}

TEST(mxfp4, of_the_scale_255_is_nan) {
  values_32 values;
  mxfp4_block<>{255, {}}.to(values);
  for (const float value : values) EXPECT_TRUE(std::isnan(value));
}

}  // namespace
}  // namespace bitwright
