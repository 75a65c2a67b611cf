// SPDX-License-Identifier: MIT
/// \file
/// A window of taps that slides over an image: where its taps lie, and which of them are inside.
#pragma once

#include <cstddef>

namespace bitwright::kernels {

/// The taps, or outputs, k with first <= k < last.
struct tap_range {
  std::size_t first;
  std::size_t last;

  constexpr std::size_t count() const { return last > first ? last - first : 0; }
  constexpr bool contains(std::size_t tap) const { return first <= tap && tap < last; }
};

/// One axis of a sliding window. Tap k of output o lies at pixel o * stride + k * dilation - padding_before.
struct window_axis {
  std::size_t input;     ///< Pixels of the image.
  std::size_t kernel;    ///< Taps of the window.
  std::size_t stride;    ///< Pixels from one output's window to the next.
  std::size_t dilation;  ///< Pixels from one tap to the next.
  std::size_t padding_before;
  std::size_t padding_after;

  /// How many windows fit the padded image.
  constexpr std::size_t output() const {
    const std::size_t padded = padding_before + input + padding_after, window = (kernel - 1) * dilation + 1;
    return padded < window ? 0 : (padded - window) / stride + 1;
  }

  /// The taps of output `o` that lie inside the image; the others are padding.
  constexpr tap_range taps_inside(std::size_t o) const {
    return {taps_below(padding_before, o), taps_below(padding_before + input, o)};
  }

  /// The outputs, first to last, all of whose taps lie inside the image.
  constexpr tap_range whole_windows() const {
    const std::size_t extent = (kernel - 1) * dilation + 1, end = padding_before + input;
    return {(padding_before + stride - 1) / stride, end < extent ? 0 : (end - extent) / stride + 1};
  }

  /// The pixel of a tap inside the image.
  constexpr std::size_t pixel(std::size_t o, std::size_t tap) const {
    return o * stride + tap * dilation - padding_before;
  }

 private:
  // How many taps of output o lie before `position` of the padded image: ceil of a quotient, at most all.
  constexpr std::size_t taps_below(std::size_t position, std::size_t o) const {
    const std::size_t start = o * stride, before = position - start;
    if (position <= start) return 0;
    return before > (kernel - 1) * dilation ? kernel : (before + dilation - 1) / dilation;  // Mostly no division.
  }
};

/// Rows of the window run down the image, columns across.
struct sliding_window {
  window_axis vertical;
  window_axis horizontal;

  /// How many taps of output (y, x) lie inside the image.
  constexpr std::size_t taps_inside(std::size_t y, std::size_t x) const {
    return vertical.taps_inside(y).count() * horizontal.taps_inside(x).count();
  }
};

}  // namespace bitwright::kernels
