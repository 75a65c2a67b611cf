// SPDX-License-Identifier: MIT
/// \file
/// Fixed point: uniform codes whose scale is a power of two, stated by bits before and after the binary point.
///
///     value = code * 2^-FL,   code in [-2^(IL+FL-1), 2^(IL+FL-1) - 1],   value in [-2^(IL-1), 2^(IL-1) - 2^-FL]
///
/// IL integer bits, the sign among them, and FL fraction bits. Source: Gupta et al., "Deep Learning with Limited Numerical
/// Precision" (ICML 2015), section 3, whose <IL, FL> this is.
///
/// A code is the two's complement number that fixed-point hardware holds: products of codes are products of values, and
/// rescaling is a shift. Use it where the hardware or a file wants it, or where scales have to be shifts; uniform, whose
/// scale is fitted to the data, loses less with the same bits.
#pragma once

#include <bitwright/core/code_range.hpp>
#include <bitwright/core/overflow.hpp>
#include <bitwright/core/rounding.hpp>
#include <bitwright/quantizers/concept.hpp>
#include <bitwright/quantizers/uniform.hpp>

#include <cmath>
#include <concepts>

namespace bitwright {

/// A uniform quantizer with the scale 2^-FractionBits and the zero point 0. Either count may be negative: <10, -2> holds
/// multiples of 4. There is nothing to fit: one fixed_point is like another, but for a rounding with a seed.
template <int IntegerBits, int FractionBits, rounding_policy Rounding = half_to_even,
          overflow_policy Overflow = saturate>
class fixed_point
    : public uniform<IntegerBits + FractionBits, signed_code<IntegerBits + FractionBits>, Rounding, Overflow> {
  static_assert(IntegerBits + FractionBits >= 1 && IntegerBits + FractionBits <= 16,
                "fixed_point: expected 1 to 16 bits together");
  static_assert(FractionBits >= -100 && FractionBits <= 100, "fixed_point: expected at most 100 fraction bits");

 public:
  explicit fixed_point(Rounding rounding = {})
      : uniform<IntegerBits + FractionBits, signed_code<IntegerBits + FractionBits>, Rounding, Overflow>(
            {std::ldexp(1.0f, -FractionBits), 0}, code_range::signed_bits(IntegerBits + FractionBits), rounding) {}
};

static_assert(quantizer<fixed_point<3, 5>> && quantizer<fixed_point<1, 15>>);

}  // namespace bitwright
