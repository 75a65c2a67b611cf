// SPDX-License-Identifier: MIT
/// \file
/// The residual add of 8-bit codes as the sum of two functions of 256 codes each, known before it runs.
///
///     index = floor((left[l] + right[r]) / 256) - below,  one more where the policy takes a tie up
///     out   = clamp(index, [0, most]) + first
///
/// l and r count codes from their type's least on. The functions hold what kernels/scalar/residual_add.hpp makes of a
/// code, on the finer grid, and all that is constant: they are not below 0 and fit 16 bits, or there are none. A tie is
/// a sum whose low byte is 255: half a code less one step of the grid is in the functions.
#pragma once

#include <bitwright/arithmetic/requantize.hpp>
#include <bitwright/core/code_range.hpp>
#include <bitwright/kernels/residual_add_arguments.hpp>
#include <bitwright/kernels/vectorized_rounding.hpp>

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace bitwright::kernels {

/// A function of an 8-bit code, by the code's number from the type's least on.
using residual_function = std::array<std::uint16_t, 256>;

/// Both branches' functions, and what makes a code of their sum.
struct residual_functions {
  residual_function left;
  residual_function right;  ///< Below 255 * 256: with a carry from the low bytes, its high byte is still one.
  std::uint8_t below;       ///< Codes from the sum's least to the first code.
  std::uint8_t first;       ///< The first code's bits.
  std::uint8_t most;        ///< The last code, counted from the first.
  std::uint8_t zero;        ///< Where whole numbers from 0 on begin: half_away_from_zero takes ties up from there.
  bool odd;                 ///< Whether index and whole number differ by an odd number: half_to_even takes odd ones up.

  /// Of a call, whose pointers are not looked at. None where some number does not fit.
  template <to_nearest Rounding, class Left, class Right, class Output>
  static std::optional<residual_functions> of(const residual_add_arguments<Left, Right, Output>& call) {
    static_assert(sizeof(Left) == 1 && sizeof(Right) == 1 && sizeof(Output) == 1);
    const auto left = values_of<Rounding>(call.left), right = values_of<Rounding>(call.right);
    const std::int64_t half = 128 - (std::same_as<Rounding, half_up> ? 0 : 1);
    const std::int64_t zero = std::int64_t{call.output_zero_point} - call.output_codes.min;
    const std::int64_t least_left = std::ranges::min(left), least_right = std::ranges::min(right);
    const std::int64_t start = least_left + least_right + half + (zero << residual_guard_bits);
    const std::int64_t codes = start >> residual_guard_bits, steps = start & 255;
    const auto of_left = moved(left, -least_left + (std::max<std::int64_t>(codes, 0) << residual_guard_bits), 0xffff);
    const auto of_right = moved(right, steps - least_right, 0xfeff);
    if (!of_left || !of_right || codes < -255 || zero > 255) return {};
    return residual_functions{*of_left,
                              *of_right,
                              static_cast<std::uint8_t>(std::max<std::int64_t>(-codes, 0)),
                              static_cast<std::uint8_t>(call.output_codes.min),
                              static_cast<std::uint8_t>(call.output_codes.max - call.output_codes.min),
                              static_cast<std::uint8_t>(std::max<std::int64_t>(zero, 0)),
                              zero % 2 != 0};
  }

 private:
  using wide_function = std::array<std::int64_t, 256>;

  /// What the specification makes of each code.
  template <class Rounding, class Code>
  static wide_function values_of(const residual_branch<Code>& branch) {
    wide_function values;
    std::int32_t code = code_range::all_of<Code>().min;
    for (std::int64_t& value : values) value = requantize<Rounding>(code++ - branch.zero_point, branch.factor);
    return values;
  }

  /// values + offset, which are not below 0, in 16 bits; none where they exceed `most`.
  static std::optional<residual_function> moved(const wide_function& values, std::int64_t offset, std::int64_t most) {
    if (std::ranges::max(values) + offset > most) return {};
    residual_function narrow;
    std::ranges::transform(values, narrow.begin(),
                           [offset](std::int64_t value) { return static_cast<std::uint16_t>(value + offset); });
    return narrow;
  }
};

}  // namespace bitwright::kernels
