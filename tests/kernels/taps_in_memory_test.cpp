// SPDX-License-Identifier: MIT
#include <bitwright/kernels/taps_in_memory.hpp>

#include <gtest/gtest.h>

#include <cstddef>

namespace bitwright {
namespace {

using kernels::sliding_window;
using kernels::taps_in_memory;
using kernels::window_axis;

TEST(taps_in_order, are_those_of_each_output_on_its_own) {
  for (std::size_t input = 1; input <= 6; ++input)
    for (std::size_t kernel = 1; kernel <= 3; ++kernel)
      for (std::size_t stride = 1; stride <= 3; ++stride)
        for (std::size_t dilation = 1; dilation <= 2; ++dilation)
          for (std::size_t before = 0; before < kernel; ++before) {
            const window_axis axis{input, kernel, stride, dilation, before, kernel - 1};
            const sliding_window window{axis, axis};
            kernels::taps_in_order order(window, 5);
            for (std::size_t y = 0; y < axis.output(); ++y) {
              order.start_row(y);
              const auto down = axis.taps_inside(y);
              for (std::size_t x = 0; x < axis.output(); ++x) {
                if (down.count() == 0 || axis.taps_inside(x).count() == 0) continue;  // No window of a pooling.
                const auto expected = taps_in_memory::of(window, 5, down, axis.pixel(y, down.first), x);
                const taps_in_memory& taps = order.at(x);
                ASSERT_EQ(taps.first, expected.first);
                ASSERT_EQ(taps.rows, expected.rows);
                ASSERT_EQ(taps.columns, expected.columns);
                ASSERT_EQ(taps.row_step, expected.row_step);
                ASSERT_EQ(taps.column_step, expected.column_step);
              }
            }
          }
}

TEST(sliding_window, has_all_taps_inside_for_whole_windows_only) {
  for (std::size_t input = 1; input <= 6; ++input)
    for (std::size_t kernel = 1; kernel <= 4; ++kernel)
      for (std::size_t stride = 1; stride <= 3; ++stride)
        for (std::size_t before = 0; before <= 5; ++before) {
          const window_axis axis{input, kernel, stride, 2, before, 4};
          for (std::size_t o = 0; o < axis.output(); ++o)
            ASSERT_EQ(axis.whole_windows().contains(o), axis.taps_inside(o).count() == kernel);
        }
}

}  // namespace
}  // namespace bitwright
