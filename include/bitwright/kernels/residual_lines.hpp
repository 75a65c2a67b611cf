// SPDX-License-Identifier: MIT
/// \file
/// The functions of a residual add as lines that 16-bit lanes can draw: two products of 16 bits where 32-bit rounding
/// would take twice the lanes and three times the instructions.
///
///     value[u] = (steps * x + floor(fraction * x / 2^16) + addend) mod 2^16,  x = u + 256 * start
///
/// The slope, steps + fraction / 2^16, has fewer bits than the factor, so a line is looked for, slope by slope around
/// the factor's, that goes through every one of the 256 values. There is one for 399 of 400 factors; not for those that
/// come close to ties, as 77.1 does at 5, 15, 25, ... `start` chooses where the line is rounded, at no cost:
/// interleaving codes with it is what makes 16-bit lanes of them.
#pragma once

#include <bitwright/arithmetic/dyadic.hpp>
#include <bitwright/core/rounding.hpp>
#include <bitwright/kernels/residual_add_arguments.hpp>
#include <bitwright/kernels/residual_functions.hpp>
#include <bitwright/kernels/vectorized_rounding.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <new>
#include <optional>

namespace bitwright::kernels {

/// One branch's function.
struct residual_line {
  std::int16_t steps;
  std::int16_t fraction;
  std::uint8_t start;
  std::uint16_t addend;

  /// The line through all of the function's values, of about the factor's slope.
  static std::optional<residual_line> through(const residual_function& function, dyadic factor) {
    if (factor.shift < 22) return {};  // A slope of 2^8 or more: values of more than 16 bits.
    const std::int64_t slope = half_up::shift_right(std::int64_t{factor.multiplier} << 16, factor.shift);
    const std::int64_t steps = half_up::shift_right(slope, 16), nearest = slope - (steps << 16);
    for (std::int64_t distance = 0; distance <= 12; ++distance)
      for (const std::int64_t fraction : {nearest + distance, nearest - distance})
        if (const auto line = through(function, steps, fraction)) return line;
    return {};
  }

  /// The value of the code `u`: what a path's lanes do.
  constexpr std::uint16_t value(std::size_t u) const {
    const std::int32_t x = static_cast<std::int16_t>(u + std::size_t{256} * start);
    return static_cast<std::uint16_t>(steps * x + ((fraction * x) >> 16) + addend);
  }

 private:
  // value[u] - steps * u has to be floor((fraction * u + c) / 2^16) but for a constant: this bounds c, and only those
  // c = 2^8 * start * fraction can be had.
  static std::optional<residual_line> through(const residual_function& function, std::int64_t steps,
                                              std::int64_t fraction) {
    using sixteen = std::numeric_limits<std::int16_t>;
    if (fraction < sixteen::min() || fraction > sixteen::max()) return {};
    std::int64_t least = std::numeric_limits<std::int64_t>::min(), most = std::numeric_limits<std::int64_t>::max();
    for (std::int64_t u = 0; u < 256; ++u) {
      const std::int64_t rest = function[static_cast<std::size_t>(u)] - steps * u;
      least = std::max(least, rest * 65536 - fraction * u);
      most = std::min(most, rest * 65536 - fraction * u + 65535);
    }
    for (std::int64_t start = 0; start < 256 && least <= most; ++start) {
      const std::int64_t x = static_cast<std::int16_t>(256 * start), above = (fraction * x - least) & 0xffff;
      if (above > most - least) continue;
      const std::int64_t whole = (fraction * x - least - above) >> 16;  // What the floor has too much.
      return residual_line{static_cast<std::int16_t>(steps), static_cast<std::int16_t>(fraction),
                           static_cast<std::uint8_t>(start), static_cast<std::uint16_t>(-steps * x - whole)};
    }
    return {};
  }
};

/// What paths without table lookups pack.
struct residual_lines {
  bool fit;  ///< Whether there are lines; else nothing below counts.
  residual_line left;
  residual_line right;
  std::uint16_t below;  ///< In steps of the finer grid.
  std::uint8_t first;
  std::uint8_t most;
  std::uint16_t zero;  ///< In steps of the finer grid.
  bool odd;

  /// Of a call, whose pointers are not looked at.
  template <integer_rounding Rounding, class Left, class Right, class Output>
  static residual_lines of(const residual_add_arguments<Left, Right, Output>& call) {
    if constexpr (to_nearest<Rounding> && sizeof(Left) == 1 && sizeof(Right) == 1 && sizeof(Output) == 1) {
      if (const auto functions = residual_functions::of<Rounding>(call)) {
        const auto left = residual_line::through(functions->left, call.left.factor);
        const auto right = residual_line::through(functions->right, call.right.factor);
        const auto on_grid = [](std::uint8_t codes) {
          return static_cast<std::uint16_t>(codes << residual_guard_bits);
        };
        if (left && right)
          return {true,
                  *left,
                  *right,
                  on_grid(functions->below),
                  functions->first,
                  functions->most,
                  on_grid(functions->zero),
                  functions->odd};
      }
    }
    return {};
  }
};

/// Packs a call's lines into `packed`, of sizeof(residual_lines) bytes.
template <class Left, class Right, class Output, integer_rounding Rounding>
void pack_residual_lines(const residual_add_arguments<Left, Right, Output>& call, std::byte* packed) {
  ::new (packed) residual_lines(residual_lines::of<Rounding>(call));
}

}  // namespace bitwright::kernels
