// SPDX-License-Identifier: MIT
/// \file
/// The taps of one output that lie inside the image, as steps in memory.
#pragma once

#include <bitwright/kernels/sliding_window.hpp>

#include <cstddef>

namespace bitwright::kernels {

/// Rows and columns of taps, of an image height x width x channels. All steps count codes.
struct taps_in_memory {
  std::size_t first;  ///< From the image's first code to the first tap's.
  std::size_t rows;
  std::size_t columns;
  std::size_t row_step;
  std::size_t column_step;

  /// Of output x of the output row whose taps are `down`, from kernel row `down.first` at pixel row `pixel_row` on.
  static constexpr taps_in_memory of(const sliding_window& window, std::size_t channels, tap_range down,
                                     std::size_t pixel_row, std::size_t x) {
    const auto& [vertical, horizontal] = window;
    const tap_range across = horizontal.taps_inside(x);
    return {(pixel_row * horizontal.input + horizontal.pixel(x, across.first)) * channels, down.count(), across.count(),
            vertical.dilation * horizontal.input * channels, horizontal.dilation * channels};
  }

  constexpr std::size_t count() const { return rows * columns; }
};

}  // namespace bitwright::kernels
