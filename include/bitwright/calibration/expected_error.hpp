// SPDX-License-Identifier: MIT
/// \file
/// The error that uniform codes make on the samples of a histogram, without the samples.
///
///     mean over the samples of |x - nearest level|^power       levels: scale * step for whole steps in [-below, above]
///
/// The samples of a bin are taken to lie evenly in it, and the integral over the bin is exact: for many codes, whose
/// steps are narrower than the bins, it is scale^2 / 12 for power 2, where bin centres would give anything.
#pragma once

#include <bitwright/calibration/histogram.hpp>
#include <bitwright/core/code_range.hpp>
#include <bitwright/core/range.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <span>

namespace bitwright {

/// The values that uniform codes stand for: scale * step, for all whole steps with -below <= step <= above.
struct uniform_levels {
  double scale;  ///< In units of the value; positive.
  double below;  ///< A whole number, at least 0.
  double above;  ///< A whole number, at least 0.

  friend constexpr bool operator==(uniform_levels, uniform_levels) = default;
};

/// How uniform codes are laid over a range: `levels(values, bits)`, and whether the levels depend on its limit alone.
template <class Codes>
concept code_placement = requires(range values, int bits) {
  { Codes::levels(values, bits) } -> std::same_as<uniform_levels>;
  { Codes::only_limit_matters } -> std::convertible_to<bool>;
};

/// As uniform::symmetric with signed codes: each code has its opposite.
struct symmetric_codes {
  static constexpr bool only_limit_matters = true;

  /// Throws invalid_argument unless bits is in [2, 16].
  static constexpr uniform_levels levels(range values, int bits) {
    const double most = code_range::symmetric_bits(bits).max;
    return {values.limit() > 0 ? values.limit() / most : 1, most, most};
  }
};

/// As uniform::affine: all 2^bits codes over the range, widened to contain 0, which is a level. For a range without
/// negative values these are also the levels of uniform::symmetric with unsigned codes.
struct affine_codes {
  static constexpr bool only_limit_matters = false;

  /// Throws invalid_argument unless bits is in [1, 16].
  static uniform_levels levels(range values, int bits) {
    const double most = code_range::unsigned_bits(bits).max;
    const double min = std::min(values.min, 0.0f), max = std::max(values.max, 0.0f);
    const double scale = max > min ? (max - min) / most : 1;
    const double below = std::clamp(std::nearbyint(-min / scale), 0.0, most);
    return {scale, below, most - below};
  }
};

static_assert(code_placement<symmetric_codes> && code_placement<affine_codes>);

/// base^power for base >= 0. A whole power is the product of its factors, from the left.
inline double raise(double base, double power) {
  if (power != std::floor(power) || power > 16) return std::pow(base, power);
  double product = base;
  for (int factors = 1; factors < power; ++factors) product *= base;
  return product;
}

/// The integral over [0, value] of |x - nearest level|^power, where the levels are 0, scale, ... steps * scale.
inline double integrated_error(double value, double scale, double steps, double power) {
  const double inside = std::min(value, steps * scale), half = scale / 2;
  const double nearest = std::floor(inside / scale + 0.5);
  const double rest = inside - nearest * scale;  // Half a step below its level to half a step above it.
  double sum = 2 * nearest * raise(half, power + 1) + std::copysign(raise(std::abs(rest), power + 1), rest);
  if (value > inside) sum += raise(value - inside, power + 1);
  return sum / (power + 1);
}

/// The mean over all samples of |x - nearest level|^power, in units of the value to that power. 0 for no samples.
/// Power is at least 1.
inline double expected_error(std::span<const histogram_piece> samples, uniform_levels levels, double power) {
  const auto integral = [&](double value, double steps) { return integrated_error(value, levels.scale, steps, power); };
  const auto at_point = [&](double value, double steps) {
    const double nearest = std::min(std::floor(value / levels.scale + 0.5), steps) * levels.scale;
    return raise(std::abs(value - nearest), power);
  };
  double sum = 0, count = 0;
  for (const histogram_piece& each : samples) {  // No piece has zero inside.
    const bool negative = each.high <= 0;
    const double near = negative ? -each.high : each.low, far = negative ? -each.low : each.high;
    const double steps = negative ? levels.below : levels.above;
    const double mean =
        far > near ? std::max(integral(far, steps) - integral(near, steps), 0.0) / (far - near) : at_point(near, steps);
    sum += mean * static_cast<double>(each.count);
    count += static_cast<double>(each.count);
  }
  return count > 0 ? sum / count : 0;
}

}  // namespace bitwright
