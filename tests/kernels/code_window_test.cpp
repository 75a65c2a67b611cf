// SPDX-License-Identifier: MIT
#include <bitwright/kernels/code_window.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <initializer_list>

namespace bitwright::kernels {
namespace {

TEST(code_window, clamps_before_the_zero_point_is_added) {
  EXPECT_EQ(code_window::of(10, {0, 255}), (code_window{-10, 245, 10}));
  EXPECT_EQ(code_window::of(-128, {-128, 127}), (code_window{0, 255, -128}));
}

TEST(code_window, gives_the_codes_of_a_64_bit_sum_for_all_extremes) {
  const auto extremes = {INT32_MIN, INT32_MIN + 1, -1, 0, 1, INT32_MAX - 1, INT32_MAX};
  for (const std::int32_t zero_point : extremes)
    for (const std::int32_t least : extremes)
      for (const std::int32_t most : extremes) {
        if (least > most) continue;
        const code_window window = code_window::of(zero_point, {least, most});
        for (const std::int32_t rounded : extremes) {
          const std::int64_t exact = std::clamp<std::int64_t>(std::int64_t{rounded} + zero_point, least, most);
          const std::int64_t code = std::int64_t{std::clamp(rounded, window.least, window.most)} + window.zero_point;
          EXPECT_EQ(code, exact) << rounded << " + " << zero_point << " in [" << least << ", " << most << "]";
        }
      }
}

}  // namespace
}  // namespace bitwright::kernels
