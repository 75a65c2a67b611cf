// SPDX-License-Identifier: MIT
/// \file
/// Rounding policies: how a real number becomes a whole one, for floats and for integers divided by a power of two.
///
/// The tie rule is normative. It shows as soon as a scale is a power of two: 5 / 2 is 3 for half_up and 2 for
/// half_to_even. The same policy gives the same result whether the real number is held as a float or as an integer over
/// 2^bits. Floats are rounded in the default floating-point environment (to nearest), and all by std::nearbyint, the one
/// rounding that compilers turn into vector code without being told to forget floating-point exceptions. What it needs
/// to become another policy's is added as a number, 0 or 1, because a choice can become a branch.
#pragma once

#include <bit>
#include <cmath>
#include <concepts>
#include <cstdint>

namespace bitwright {

/// A policy that divides integers: `shift_right(value, bits)` is value / 2^bits, rounded, for |value| <= 2^62 and bits
/// in [0, 62].
template <class Policy>
concept integer_rounding = requires(std::int64_t value, int bits) {
  { Policy::shift_right(value, bits) } -> std::same_as<std::int64_t>;
};

/// A policy that rounds floats to whole floats: `round(value)`. NaN stays NaN, infinity stays infinity.
template <class Policy>
concept float_rounding = requires(float value) {
  { Policy::round(value) } -> std::same_as<float>;
};

/// A policy that rounds floats by their place in a span too: `policy.round(value, index)`.
template <class Policy>
concept indexed_rounding = requires(const Policy& policy, float value, std::uint32_t index) {
  { policy.round(value, index) } -> std::same_as<float>;
};

/// What a quantizer can round with.
template <class Policy>
concept rounding_policy = float_rounding<Policy> || indexed_rounding<Policy>;

/// To the nearest; ties go up: floor(value + 1/2).
struct half_up {
  static constexpr std::int64_t shift_right(std::int64_t value, int bits) {
    const std::int64_t half = (std::int64_t{1} << bits) >> 1;  // 0 for bits = 0
    return (value + half) >> bits;
  }
  static float round(float value) {
    const float even = std::nearbyint(value);
    // Not floor(value + 0.5f): that sum rounds 0.49999997 up to 1.
    return even + static_cast<float>(value - even == 0.5f);
  }
};

/// To the nearest; ties go to the even neighbour (IEEE 754's default, unbiased).
struct half_to_even {
  static constexpr std::int64_t shift_right(std::int64_t value, int bits) {
    const std::int64_t rounded = half_up::shift_right(value, bits);
    const std::int64_t half = (std::int64_t{1} << bits) >> 1;
    const bool tie = bits > 0 && (value & (2 * half - 1)) == half;
    return tie ? rounded & ~std::int64_t{1} : rounded;
  }
  static float round(float value) { return std::nearbyint(value); }
};

/// To the nearest; ties go away from zero, so that round(-x) = -round(x).
struct half_away_from_zero {
  static constexpr std::int64_t shift_right(std::int64_t value, int bits) {
    return value < 0 ? -half_up::shift_right(-value, bits) : half_up::shift_right(value, bits);
  }
  static float round(float value) {
    const float even = std::nearbyint(value);
    return even + std::copysign(static_cast<float>(value - even == std::copysign(0.5f, value)), value);
  }
};

/// The greatest whole number that is not above the value.
struct floor {
  static constexpr std::int64_t shift_right(std::int64_t value, int bits) { return value >> bits; }
  static float round(float value) {
    const float nearest = std::nearbyint(value);
    // The sign bit of the difference, shifted into every other, is the integer -1 where the nearest lies above.
    return nearest + static_cast<float>(std::bit_cast<std::int32_t>(value - nearest) >> 31);
  }
};

/// Drops the fraction.
struct toward_zero {
  static constexpr std::int64_t shift_right(std::int64_t value, int bits) {
    return value < 0 ? -(-value >> bits) : value >> bits;
  }
  static float round(float value) { return std::copysign(floor::round(std::abs(value)), value); }
};

/// The double rounding of gemmlowp and TensorFlow Lite, for bit-equality with them and for nothing else:
/// first to 31 fraction bits (ties up), then the rest (ties away from zero), so 11.499 can become 12.
/// Source: gemmlowp's SaturatingRoundingDoublingHighMul followed by RoundingDivideByPOT.
struct gemmlowp_double {
  static constexpr std::int64_t shift_right(std::int64_t value, int bits) {
    if (bits <= 31) return half_up::shift_right(value, bits);
    return half_away_from_zero::shift_right(half_up::shift_right(value, 31), bits - 31);
  }
};

static_assert(integer_rounding<half_up> && float_rounding<half_up>);
static_assert(integer_rounding<half_to_even> && float_rounding<half_to_even>);
static_assert(integer_rounding<half_away_from_zero> && float_rounding<half_away_from_zero>);
static_assert(integer_rounding<toward_zero> && float_rounding<toward_zero>);
static_assert(integer_rounding<floor> && float_rounding<floor>);
static_assert(integer_rounding<gemmlowp_double> && !float_rounding<gemmlowp_double>);

}  // namespace bitwright
