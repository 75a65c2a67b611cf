// SPDX-License-Identifier: MIT
/// \file
/// The last step of requantization in 32 bits, for vectors that have no 64-bit sums to spare.
///
///     clamp(rounded + zero_point, codes) = clamp(rounded, [least, most]) + zero_point
///
/// with least = codes.min - zero_point and most = codes.max - zero_point. Neither side's sum overflows.
#pragma once

#include <bitwright/core/code_range.hpp>

#include <cstdint>

namespace bitwright::kernels {

/// `clamp(rounded, [least, most]) + zero_point` is the code of any 32-bit `rounded`.
struct code_window {
  std::int32_t least;
  std::int32_t most;
  std::int32_t zero_point;

  /// The window that gives the codes of `requantize(accumulator, factor, zero_point, codes)`.
  static constexpr code_window of(std::int32_t zero_point, code_range codes) {
    constexpr code_range all = code_range::all_of<std::int32_t>();
    const std::int64_t least = std::int64_t{codes.min} - zero_point, most = std::int64_t{codes.max} - zero_point;
    // No 32-bit number lies in such a window: every one of them becomes the code at its nearer end.
    if (most < all.min) return {0, 0, codes.max};
    if (least > all.max) return {0, 0, codes.min};
    return {all.clamp(least), all.clamp(most), zero_point};
  }

  friend constexpr bool operator==(code_window, code_window) = default;
};

/// Whether 8-bit codes may be made in 16-bit lanes: rounded numbers saturate to 16 bits, the zero point is added, the sum
/// saturates again, to the code's type. Exact, as for these zero points 16 bits hold all that becomes a code.
constexpr bool suits_byte_lanes(std::int32_t zero_point) { return zero_point >= -(1 << 14) && zero_point <= 1 << 14; }

}  // namespace bitwright::kernels
