// SPDX-License-Identifier: MIT
/// \file
/// Powers of two: levels that are exact shifts without any scale, with the level set of incremental network quantization.
///
///     levels {0, +-2^n2, ..., +-2^n1},   n1 = floor(log2(4 s / 3)),   n2 = n1 + 1 - 2^(bits-2),   s = max |v|
///     code = +-(k - n2 + 1) for the level +-2^k
///
/// n1 is the exponent nearest to s in value: s < 1.5 * 2^n1. A value goes to the nearest level, a tie to the larger
/// magnitude; what is below 2^(n2-1) becomes 0. Source: Zhou et al., "Incremental Network Quantization" (ICLR 2017),
/// section 2.1 and equation 4.
///
/// It is logarithmic with base 2 and nearest_value, and with a unit that is itself a power of two: value = sign(code) <<
/// (|code| - 1 + n2), all products are shifts, and nothing has to be rescaled. Use it where even one multiplication per output is
/// too much, or for weights that were trained so; otherwise a fitted unit (logarithmic) loses less.
#pragma once

#include <bitwright/core/error.hpp>
#include <bitwright/core/range.hpp>
#include <bitwright/quantizers/concept.hpp>
#include <bitwright/quantizers/logarithmic.hpp>

#include <algorithm>
#include <array>
#include <cmath>

namespace bitwright {

/// 0 and the powers of two from 2^least to 2^greatest, of both signs.
class power_of_two : public logarithmic<base_two, nearest_value> {
 public:
  /// The level set for a range, with `bits` bits, 2 to 8: 2^(bits-2) exponents. A range of zeros is treated as s = 1.
  /// Exponents below -126 do not occur: of a range that small the greatest lies above s.
  /// Throws invalid_argument unless -2^125 <= min <= max <= 2^125, and for bits outside [2, 8].
  static power_of_two symmetric(range values, int bits) {
    require(-0x1p125f <= values.min && values.min <= values.max && values.max <= 0x1p125f,
            "power_of_two::symmetric: values", std::array{values.min, values.max},
            "a range with -2^125 <= min <= max <= 2^125");
    require(bits >= 2 && bits <= 8, "power_of_two::symmetric: bits", bits, "[2, 8]");
    int exponent = 0;  // s = fraction * 2^exponent, with the fraction in [1/2, 1): 4 s / 3 >= 2^exponent from 3/4 on.
    const float fraction = std::frexp(values.limit() > 0 ? values.limit() : 1.0f, &exponent);
    const int count = 1 << (bits - 2), greatest = fraction >= 0.75f ? exponent : exponent - 1;
    const int least = std::max(greatest + 1 - count, -126);
    return {least, least + count - 1};
  }

  /// Throws invalid_argument unless -126 <= least <= greatest <= 126 and there are at most 126 exponents.
  power_of_two(int least, int greatest)
      : logarithmic(std::ldexp(1.0f, checked(least, greatest)), greatest - least + 1), least_(least) {}

  int least_exponent() const { return least_; }                   ///< n2
  int greatest_exponent() const { return least_ + count() - 1; }  ///< n1

 private:
  static int checked(int least, int greatest) {
    require(-126 <= least && least <= greatest && greatest <= 126, "power_of_two: exponents",
            std::array{least, greatest}, "-126 <= least <= greatest <= 126");
    return least;
  }

  int least_;
};

static_assert(quantizer<power_of_two>);

}  // namespace bitwright
