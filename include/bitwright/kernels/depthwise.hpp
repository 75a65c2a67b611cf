// SPDX-License-Identifier: MIT
/// \file
/// Depthwise convolution, one group a channel, as the vector paths divide it: the input rows under an output row are
/// rewritten, a few channels at a time, into a line where the taps of a column lie beside each other.
///
///     sum[n] = folded_bias[n] + sum_{taps} a[tap] * (w[n][tap] - zw[n]),  folded_bias = bias - za * sum (w - zw)
///
/// Taps outside the image read za, so that every window has all its taps. Sums in between may wrap around 32 bits; what
/// kernels/weighted_sum.hpp guarantees is that the last one fits.
#pragma once

#include <bitwright/arithmetic/dyadic.hpp>
#include <bitwright/kernels/convolution_arguments.hpp>
#include <bitwright/kernels/sliding_window.hpp>
#include <bitwright/kernels/vectorized_rounding.hpp>
#include <bitwright/kernels/weighted_sum.hpp>

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace bitwright::kernels {

/// Pixels from a window's first tap to its last, both counted.
constexpr std::size_t window_extent(const window_axis& axis) { return (axis.kernel - 1) * axis.dilation + 1; }

/// Whether a convolution is depthwise and of a shape that lines suit: no window longer than 256 pixels, no fewer than
/// 16 channels.
constexpr bool suits_depthwise(const convolution_constants& constants) {
  return constants.group_channels == 1 && constants.sums.outputs == constants.groups && constants.groups >= 16 &&
         window_extent(constants.window.horizontal) <= 256 && constants.window.vertical.kernel <= 256;
}

/// How many outputs side by side are made from one line: so many that its columns, of `column_bytes` each, stay in the
/// first-level cache, and at least one.
constexpr std::size_t line_outputs(const window_axis& axis, std::size_t column_bytes) {
  const std::size_t columns = (std::size_t{1} << 14) / column_bytes, extent = window_extent(axis);
  return std::clamp<std::size_t>(columns > extent ? (columns - extent) / axis.stride + 1 : 1, 1, axis.output());
}

/// Input columns under `outputs` outputs side by side.
constexpr std::size_t line_columns(const window_axis& axis, std::size_t outputs) {
  return (outputs - 1) * axis.stride + window_extent(axis);
}

/// The columns of a line: left of the image, inside it, and right of it.
struct line_parts {
  std::size_t left;
  std::size_t inside;
  std::size_t right;
  std::size_t first_pixel;  ///< Of those inside.

  /// Of the line under `outputs` outputs from output `first`.
  static constexpr line_parts of(const window_axis& axis, std::size_t first, std::size_t outputs) {
    const std::size_t columns = line_columns(axis, outputs), start = first * axis.stride;  // In the padded image.
    const std::size_t left = axis.padding_before > start ? std::min(columns, axis.padding_before - start) : 0;
    const std::size_t pixel = start + left - axis.padding_before;
    const std::size_t inside = pixel < axis.input ? std::min(columns - left, axis.input - pixel) : 0;
    return {left, inside, columns - left - inside, inside == 0 ? 0 : pixel};
  }
};

/// weight - zero point of channel n, which needs 9 bits, for tap (row, column); 0 for a tap beyond the kernel.
inline std::int32_t depthwise_weight(const convolution_constants& constants, std::size_t n, std::size_t row,
                                     std::size_t column) {
  const auto& [vertical, horizontal] = constants.window;
  if (n >= constants.groups || row >= vertical.kernel) return 0;
  const std::size_t tap = (n * vertical.kernel + row) * horizontal.kernel + column;
  return constants.sums.weights[tap] - constants.sums.weight_zero_points[n];
}

/// What requantization has to reckon with in a channel.
enum class depthwise_rounding : std::int32_t {
  general,
  below_quarter,  ///< The factor's shift is at least 33.
  without_ties,   ///< And no input makes a sum whose quotient is a tie.
};

/// The constants of one channel, weights aside.
struct depthwise_channel {
  std::int32_t folded_bias;
  dyadic factor;
  depthwise_rounding rounding;

  /// Of channel n; of none beyond the last. `zero_point` is that of the codes as a path multiplies them.
  static depthwise_channel of(const convolution_constants& constants, std::size_t n, std::int32_t zero_point) {
    if (n >= constants.groups) return {0, {1 << 30, 40}, depthwise_rounding::without_ties};
    const weighted_sum& sums = constants.sums;
    std::int64_t sum = 0, magnitude = 0;
    for (std::size_t k = 0; k < sums.inputs; ++k) {
      const std::int64_t weight = sums.weights[n * sums.inputs + k] - sums.weight_zero_points[n];
      sum += weight, magnitude += std::abs(weight);
    }
    const std::int64_t bound = std::abs(std::int64_t{sums.bias[n]}) + 255 * magnitude;
    const auto folded = static_cast<std::int32_t>(static_cast<std::uint32_t>(sums.bias[n] - zero_point * sum));
    return {folded, sums.factors[n], rounding_of(sums.factors[n], bound)};
  }

 private:
  // accumulator * multiplier / 2^shift is a tie if both together are even exactly shift - 1 times.
  static constexpr depthwise_rounding rounding_of(dyadic factor, std::int64_t bound) {
    if (factor.shift < 33) return depthwise_rounding::general;
    const int twos = std::countr_zero(static_cast<std::uint32_t>(factor.multiplier));
    const bool ties = bound >= std::int64_t{1} << (factor.shift - 1 - twos);
    return ties ? depthwise_rounding::below_quarter : depthwise_rounding::without_ties;
  }
};

/// Where a window lies in a line, and how it and the next run through it.
struct depthwise_windows {
  const std::byte* first;    ///< The first output's.
  std::size_t window_bytes;  ///< From one output's to the next.
  std::size_t runs;          ///< Stretches of taps that lie beside each other: 1, or one a kernel column.
  std::size_t taps;          ///< Groups of taps in one of them.
  std::size_t run_bytes;     ///< From one to the next.

  static constexpr depthwise_windows of(const convolution_constants& constants, const std::byte* line,
                                        std::size_t column_bytes, std::size_t group_bytes) {
    const window_axis& axis = constants.window.horizontal;
    const std::size_t groups = column_bytes / group_bytes;
    const bool dense = axis.dilation == 1;
    return {line, axis.stride * column_bytes, dense ? 1 : axis.kernel, dense ? groups * axis.kernel : groups,
            axis.dilation * column_bytes};
  }
};

/// A row of codes, and how far its columns are apart; 0 for a row of one code, the zero point.
template <class Activation>
struct depthwise_row {
  const Activation* codes;
  std::size_t stride;

  const Activation* column(std::size_t x) const { return codes + x * stride; }
};

/// The rows under one output row.
template <class Activation>
struct depthwise_rows {
  const convolution_constants& constants;
  const Activation* image;
  std::size_t y;
  tap_range inside;  ///< Which taps of output row y are in the image.

  /// Of row `row` of all images' outputs.
  static depthwise_rows of(const convolution_constants& constants, const Activation* images, std::size_t row) {
    const auto& [vertical, horizontal] = constants.window;
    const std::size_t height = vertical.output(), y = row % height;
    return {constants, images + row / height * vertical.input * horizontal.input * constants.groups, y,
            vertical.taps_inside(y)};
  }

  /// Kernel row `tap`, from this pixel and channel on; `zeros` where it lies outside.
  depthwise_row<Activation> find(std::size_t tap, std::size_t pixel, std::size_t channel,
                                 const Activation* zeros) const {
    if (!inside.contains(tap)) return {zeros, 0};
    const auto& [vertical, horizontal] = constants.window;
    const std::size_t first = vertical.pixel(y, tap) * horizontal.input + pixel;
    return {image + first * constants.groups + channel, constants.groups};
  }
};

/// Whether a unit whose least simple channel is `least` rounds to the nearest as half_up does.
template <to_nearest Rounding>
constexpr bool rounds_simply(depthwise_rounding least) {
  constexpr bool up = std::same_as<Rounding, half_up>;
  return least >= (up ? depthwise_rounding::below_quarter : depthwise_rounding::without_ties);
}

/// The first address from `bytes` on that is a multiple of `alignment`, a power of two.
inline std::byte* aligned(std::byte* bytes, std::size_t alignment) {
  return bytes + (0 - reinterpret_cast<std::uintptr_t>(bytes)) % alignment;
}

}  // namespace bitwright::kernels
