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

/// The taps of outputs in order. Where all columns of a window are inside the image, they are those of the output
/// before, a stride further.
class taps_in_order {
 public:
  constexpr taps_in_order(const sliding_window& window, std::size_t channels)
      : window_(window), channels_(channels), whole_(window.horizontal.whole_windows()) {}

  /// Begins output row `y` of an image.
  constexpr void start_row(std::size_t y) {
    down_ = window_.vertical.taps_inside(y);
    pixel_row_ = window_.vertical.pixel(y, down_.first);
  }

  /// Of output `x` of the row, which is 0 or the one after the last asked for.
  constexpr const taps_in_memory& at(std::size_t x) {
    if (x > whole_.first && x < whole_.last)
      taps_.first += window_.horizontal.stride * channels_;
    else
      taps_ = taps_in_memory::of(window_, channels_, down_, pixel_row_, x);
    return taps_;
  }

 private:
  const sliding_window& window_;
  std::size_t channels_;
  tap_range whole_;
  tap_range down_{};
  std::size_t pixel_row_ = 0;
  taps_in_memory taps_{};
};

}  // namespace bitwright::kernels
