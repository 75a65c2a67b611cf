// SPDX-License-Identifier: MIT
#include <bitwright/kernels/sliding_window.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>

namespace bitwright {
namespace {

using kernels::window_axis;

TEST(sliding_window, of_three_taps_with_padding_one_keeps_the_size) {
  constexpr window_axis axis{
      .input = 14, .kernel = 3, .stride = 1, .dilation = 1, .padding_before = 1, .padding_after = 1};
  static_assert(axis.output() == 14);
  static_assert(axis.taps_inside(0).first == 1 && axis.taps_inside(0).last == 3);
  static_assert(axis.taps_inside(13).first == 0 && axis.taps_inside(13).last == 2);
  static_assert(axis.pixel(0, 1) == 0 && axis.pixel(13, 1) == 13);
}

TEST(sliding_window, larger_than_the_padded_image_has_no_output) {
  EXPECT_EQ((window_axis{3, 3, 1, 2, 0, 0}.output()), 0u);  // Taps at 0, 2 and 4 of 3 pixels.
  EXPECT_EQ((window_axis{3, 3, 1, 2, 1, 1}.output()), 1u);
}

TEST(sliding_window, has_just_the_taps_inside_that_a_signed_count_finds) {
  for (std::size_t input = 1; input <= 5; ++input)
    for (std::size_t kernel = 1; kernel <= 4; ++kernel)
      for (std::size_t stride = 1; stride <= 3; ++stride)
        for (std::size_t dilation = 1; dilation <= 3; ++dilation)
          for (std::size_t before = 0; before <= 7; ++before) {
            const window_axis axis{input, kernel, stride, dilation, before, 6};
            for (std::size_t o = 0; o < axis.output(); ++o)
              for (std::size_t tap = 0; tap < kernel; ++tap) {
                const auto pixel =
                    static_cast<std::int64_t>(o * stride + tap * dilation) - static_cast<std::int64_t>(before);
                const bool inside = pixel >= 0 && pixel < static_cast<std::int64_t>(input);
                ASSERT_EQ(axis.taps_inside(o).contains(tap), inside) << input << ' ' << kernel << ' ' << o;
                if (inside) {
                  ASSERT_EQ(axis.pixel(o, tap), static_cast<std::size_t>(pixel));
                }
              }
          }
}

}  // namespace
}  // namespace bitwright
