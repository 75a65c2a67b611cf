// SPDX-License-Identifier: MIT
/// \file
/// A dyadic number, multiplier / 2^shift: the one kind of real factor that an integer-only network may hold.
#pragma once

#include <bitwright/core/error.hpp>

#include <cmath>
#include <cstdint>

namespace bitwright {

/// factor = multiplier / 2^shift, with multiplier in [2^30, 2^31), so that all 31 bits carry information, and shift in
/// [0, 62], so that the product with any 32-bit accumulator, shifted, stays within 64 bits.
/// Source: HAWQ-V3 (Yao et al., ICML 2021), section 3.1.
struct dyadic {
  std::int32_t multiplier;
  int shift;

  /// The nearest dyadic to `factor`: relative error at most 2^-31. The double's own 53 bits enter exactly; half-way
  /// cases round up.
  /// Throws invalid_argument unless 2^-32 <= factor < 2^30: less turns every accumulator into 0, more fits no output.
  static dyadic nearest(double factor) {
    require(factor >= 0x1p-32 && factor < 0x1p30, "dyadic::nearest: factor", factor, "[2^-32, 2^30)");
    int exponent;
    const double fraction = std::frexp(factor, &exponent);  // in [1/2, 1)
    const std::int64_t scaled = std::llround(std::ldexp(fraction, 31));
    // 1 - 1e-11 rounds up to 2^31, one more than an int32 holds: it is 2^30 with one bit less of shift.
    if (scaled == std::int64_t{1} << 31) return {std::int32_t{1} << 30, 30 - exponent};
    return {static_cast<std::int32_t>(scaled), 31 - exponent};
  }

  /// The exact value of this dyadic.
  double value() const { return std::ldexp(static_cast<double>(multiplier), -shift); }

  friend constexpr bool operator==(dyadic, dyadic) = default;
};

}  // namespace bitwright
