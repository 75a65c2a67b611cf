// SPDX-License-Identifier: MIT
/// \file
/// The average of a window of 8-bit codes as a line that 16-bit lanes can draw: one product of 16 bits.
///
///     x = sum of codes + start,  rounded = floor(x * multiplier / 2^(16 + shift)),  one less for an odd one of a tie
///     out = clamp(rounded - offset)
///
/// A window of up to 128 taps has so few sums that a line of fewer bits than the factor's can be looked for that goes
/// through all of them. half_to_even takes ties down from odd numbers: those x with x & tie_mask = tie.
#pragma once

#include <bitwright/arithmetic/dyadic.hpp>
#include <bitwright/arithmetic/requantize.hpp>
#include <bitwright/core/code_range.hpp>
#include <bitwright/core/rounding.hpp>
#include <bitwright/kernels/vectorized_rounding.hpp>

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>

namespace bitwright::kernels {

/// What makes a code of a window's sum.
struct average_sum {
  std::size_t taps;
  std::int32_t activation_zero_point;
  dyadic factor;
  std::int32_t output_zero_point;
  code_range output_codes;

  /// The specification's code of a sum of codes.
  template <integer_rounding Rounding>
  constexpr std::int32_t code_of(std::int32_t sum) const {
    const auto zeros = static_cast<std::int32_t>(taps) * activation_zero_point;
    return requantize<Rounding>(sum - zeros, factor, output_zero_point, output_codes);
  }
};

/// A window's line. That of no taps fits none.
struct average_line {
  bool fits = false;  ///< Whether there is a line; else nothing below counts.
  bool ties = false;  ///< Whether a sum makes a tie that does not go up.
  std::uint16_t start = 0;
  std::uint16_t multiplier = 0;
  std::uint16_t shift = 0;
  std::uint16_t tie_mask = 0;
  std::uint16_t tie = 0;
  std::int16_t offset = 0;

  static constexpr std::size_t most_taps = 128;

  /// Through the codes of all sums of the type's codes.
  template <integer_rounding Rounding, class Activation, class Output>
  static average_line through(const average_sum& sum) {
    if constexpr (to_nearest<Rounding> && sizeof(Activation) == 1 && sizeof(Output) == 1) {
      const auto& [multiplier, shift] = sum.factor;
      if (sum.taps == 0 || sum.taps > most_taps || shift < 31 || shift > 46) return {};
      const std::int64_t nearest = half_up::shift_right(multiplier, 15);
      for (const std::int64_t distance : {0, 1, -1, 2, -2}) {
        const std::optional<average_line> line = with_multiplier<Activation>(sum, nearest + distance);
        if (!line) continue;
        const average_line complete = line->with_ties<Rounding>(sum);
        if (complete.is_exact<Rounding, Activation, Output>(sum)) return complete;
      }
    }
    return {};
  }

  /// The code, before it is clamped to those allowed, of a sum: what a path's lanes do.
  constexpr std::int16_t value(std::int32_t sum) const {
    const auto x = static_cast<std::uint16_t>(sum + start);
    const auto rounded = static_cast<std::uint16_t>((std::uint32_t{x} * multiplier) >> 16 >> shift);
    const int down = ties && (x & tie_mask) == tie ? rounded & 1 : 0;
    return static_cast<std::int16_t>(rounded - down - offset);
  }

 private:
  /// Up at ties, of this multiplier, where there is one.
  // With c = multiplier * start, floor((multiplier * u + c) / unit) has to be the rounded sum but for a constant: this
  // bounds c. The constant is even, so that odd numbers stay odd.
  template <class Activation>
  static std::optional<average_line> with_multiplier(const average_sum& sum, std::int64_t multiplier) {
    if (multiplier > 65535) return {};
    constexpr code_range codes = code_range::all_of<Activation>();
    const auto taps = static_cast<std::int64_t>(sum.taps), least_sum = taps * codes.min, sums = taps * 255;
    const std::int64_t unit = std::int64_t{1} << (sum.factor.shift - 15), two_units = 2 * unit;
    std::int64_t least = std::numeric_limits<std::int64_t>::min(), most = std::numeric_limits<std::int64_t>::max();
    for (std::int64_t u = 0; u <= sums; ++u) {
      const auto difference = static_cast<std::int32_t>(least_sum + u - taps * sum.activation_zero_point);
      const std::int64_t rest = requantize<half_up>(difference, sum.factor) * unit - multiplier * u;
      least = std::max(least, rest), most = std::min(most, rest + unit - 1);
    }
    for (std::int64_t start = 0; start + sums < 65536 && least <= most; ++start) {
      const std::int64_t above = (multiplier * start - least) & (two_units - 1);
      if (above > most - least) continue;
      const std::int64_t constant = (multiplier * start - least - above) / unit;
      average_line line;
      line.fits = true;
      line.start = static_cast<std::uint16_t>(start - least_sum);
      line.multiplier = static_cast<std::uint16_t>(multiplier);
      line.shift = static_cast<std::uint16_t>(sum.factor.shift - 31);
      line.offset = static_cast<std::int16_t>(constant - sum.output_zero_point);
      return line;
    }
    return {};
  }

  /// The same with half_to_even's ties: differences that are even just as often as a product of half a unit takes.
  template <integer_rounding Rounding>
  average_line with_ties(const average_sum& sum) const {
    average_line line = *this;
    const int twos = sum.factor.shift - 1 - std::countr_zero(static_cast<std::uint32_t>(sum.factor.multiplier));
    if (!std::same_as<Rounding, half_to_even> || twos < 0 || twos > 15) return line;
    const std::int64_t zeros = static_cast<std::int64_t>(sum.taps) * sum.activation_zero_point;
    line.ties = true;
    line.tie_mask = static_cast<std::uint16_t>((1 << (twos + 1)) - 1);
    line.tie = static_cast<std::uint16_t>((std::int64_t{1} << twos) + zeros + start) & line.tie_mask;
    return line;
  }

  /// Whether it gives the specification's code for every sum.
  template <integer_rounding Rounding, class Activation, class Output>
  bool is_exact(const average_sum& sum) const {
    constexpr code_range codes = code_range::all_of<Activation>();
    const auto taps = static_cast<std::int32_t>(sum.taps);
    for (std::int32_t each = taps * codes.min; each <= taps * codes.max; ++each) {
      const std::int64_t code = code_range::all_of<Output>().clamp(value(each));
      if (sum.output_codes.clamp(code) != sum.code_of<Rounding>(each)) return false;
    }
    return true;
  }
};

}  // namespace bitwright::kernels
