// SPDX-License-Identifier: MIT
/// \file
/// Requantization: a 32-bit accumulator becomes a code of the next layer.
///
///     code = clamp(round(accumulator * multiplier / 2^shift) + zero_point)
///
/// Bit-exact against the rational number: the product has 62 bits, is never a float, and is rounded once
/// (gemmlowp_double rounds twice, by its definition).
/// Source: HAWQ-V3 (Yao et al., ICML 2021), section 3.1; Jacob et al. (CVPR 2018), section 2.2.
#pragma once

#include <bitwright/arithmetic/dyadic.hpp>
#include <bitwright/core/code_range.hpp>
#include <bitwright/core/rounding.hpp>

#include <cstdint>
#include <limits>

namespace bitwright {

/// round(accumulator * factor), saturated to 32 bits.
template <integer_rounding Rounding>
constexpr std::int32_t requantize(std::int32_t accumulator, dyadic factor) {
  const std::int64_t product = std::int64_t{accumulator} * factor.multiplier;
  return code_range::all_of<std::int32_t>().clamp(Rounding::shift_right(product, factor.shift));
}

/// The code of the next layer: requantized, moved to its zero point, clamped to its codes (a ReLU is a clamp).
template <integer_rounding Rounding>
constexpr std::int32_t requantize(std::int32_t accumulator, dyadic factor, std::int32_t zero_point, code_range codes) {
  // In 64 bits: a saturated accumulator plus the zero point would overflow 32.
  return codes.clamp(std::int64_t{requantize<Rounding>(accumulator, factor)} + zero_point);
}

}  // namespace bitwright
