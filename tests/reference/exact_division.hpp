// SPDX-License-Identifier: MIT
/// \file
/// The oracle of rounding and requantization: division by a power of two from quotient and remainder, with no shift, and
/// gemmlowp's two steps as gemmlowp defines them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

namespace bitwright::reference {

/// Where the whole number goes that a real one becomes; the first three differ in ties only.
enum class direction { up_at_ties, even_at_ties, away_at_ties, to_zero, down };

/// numerator / 2^bits, rounded, for |numerator| <= 2^62 and bits in [0, 62].
inline std::int64_t divide(std::int64_t numerator, int bits, direction to) {
  std::int64_t denominator = 1;
  for (int i = 0; i < bits; ++i) denominator *= 2;
  // C++ truncates: numerator = quotient * denominator + remainder, where the remainder has the numerator's sign.
  const std::int64_t quotient = numerator / denominator, remainder = numerator % denominator;
  if (remainder == 0 || to == direction::to_zero) return quotient;
  const std::int64_t below = remainder < 0 ? quotient - 1 : quotient, above = below + 1;
  if (to == direction::down) return below;
  const std::uint64_t distance = static_cast<std::uint64_t>(remainder < 0 ? remainder + denominator : remainder);
  const auto whole = static_cast<std::uint64_t>(denominator);
  if (2 * distance < whole) return below;  // At most 2^63: fits.
  if (2 * distance > whole) return above;
  if (to == direction::up_at_ties) return above;
  if (to == direction::even_at_ties) return below % 2 == 0 ? below : above;
  return numerator < 0 ? below : above;
}

/// The nearest 32-bit integer.
inline std::int32_t saturated(std::int64_t value) {
  return static_cast<std::int32_t>(std::min<std::int64_t>(std::max<std::int64_t>(value, INT32_MIN), INT32_MAX));
}

/// round(accumulator * multiplier / 2^shift), saturated to 32 bits.
inline std::int32_t requantized(std::int32_t accumulator, std::int32_t multiplier, int shift, direction to) {
  return saturated(divide(std::int64_t{accumulator} * multiplier, shift, to));
}

/// The high half of 2 * a * b: a nudge of one half towards the sign, then truncation. The product of two INT_MIN, which
/// alone would not fit, saturates. Source: gemmlowp's documentation of fixed-point arithmetic.
inline std::int32_t saturating_rounding_doubling_high_multiply(std::int32_t a, std::int32_t b) {
  if (a == INT32_MIN && b == INT32_MIN) return INT32_MAX;
  const std::int64_t product = std::int64_t{a} * b, half = 1073741824;
  const std::int64_t nudge = product >= 0 ? half : 1 - half;
  return static_cast<std::int32_t>((product + nudge) / 2147483648);
}

/// value / 2^exponent, to the nearest, ties away from zero, for exponent in [0, 31].
inline std::int32_t rounding_divide_by_power_of_two(std::int32_t value, int exponent) {
  return static_cast<std::int32_t>(divide(value, exponent, direction::away_at_ties));
}

/// How TensorFlow Lite multiplies by multiplier / 2^shift, for shifts in [31, 62]: both steps, one after the other.
inline std::int32_t requantized_twice(std::int32_t accumulator, std::int32_t multiplier, int shift) {
  return rounding_divide_by_power_of_two(saturating_rounding_doubling_high_multiply(accumulator, multiplier),
                                         shift - 31);
}

}  // namespace bitwright::reference
