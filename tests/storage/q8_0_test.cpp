// SPDX-License-Identifier: MIT
#include "refusal.hpp"
#include <bitwright/storage/q8_0.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

namespace bitwright {
namespace {

using reference::refusal;
using values_32 = std::array<float, 32>;

values_32 values_of(const q8_0_block& block) {
  values_32 values;
  block.to(values);
  return values;
}

TEST(q8_0, is_laid_out_as_published) {
  values_32 values{};
  values[0] = 63.5f;  // d = 63.5 / 127 = 0.5, as fp16 0x3800.
  values[1] = -63.5f;
  values[2] = 0.5f;
  values[3] = -1;
  values[4] = 0.25f;   // Half a step: away from zero,
  values[5] = -0.25f;  // on either side.
  values[6] = 0.75f;
  values[31] = 2;
  const q8_0_block block = q8_0_block::from(values);
  std::array<std::uint8_t, 34> bytes;
  std::memcpy(bytes.data(), &block, sizeof block);
  std::array<std::uint8_t, 34> expected{0x00, 0x38, 127, 0x81, 1, 0xfe, 1, 0xff, 2};
  expected[33] = 4;
  EXPECT_EQ(bytes, expected);
}

TEST(q8_0, gives_back_its_codes_times_the_half) {
  values_32 values{};
  values[0] = 127.04f;  // d = 1.000315 is stored as 1.
  values[1] = -3;
  const values_32 back = values_of(q8_0_block::from(values));
  EXPECT_EQ(back[0], 127);
  EXPECT_EQ(back[1], -3);
  EXPECT_EQ(back[2], 0);
}

TEST(q8_0, of_zeros_and_of_values_below_all_scales_is_zeros) {
  EXPECT_EQ(q8_0_block::from(values_32{}), q8_0_block{});
  values_32 tiny{};
  tiny[0] = std::numeric_limits<float>::denorm_min();
  EXPECT_EQ(values_of(q8_0_block::from(tiny)), values_32{});
}

TEST(q8_0, refuses_values_beyond_its_scale) {
  EXPECT_EQ(refusal([] { q8_0_block::from(values_32{127.0f * 65536}); }),
            "q8_0_block: scale is 65536, expected at most 65504 in magnitude");
  EXPECT_EQ(values_of(q8_0_block::from(values_32{127.0f * 65504}))[0], 127.0f * 65504);
}

}  // namespace
}  // namespace bitwright
