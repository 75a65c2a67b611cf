// SPDX-License-Identifier: MIT
/// \file
/// Requantization of four accumulators at once on 64-bit Arm: the bits of arithmetic/requantize.hpp for every policy.
#pragma once

#include <bitwright/core/rounding.hpp>
#include <bitwright/kernels/code_window.hpp>

#include <arm_neon.h>

#include <concepts>
#include <cstdint>

namespace bitwright::kernels::neon {

/// Rounding::shift_right of two values by -negative_bits, under the policy's own conditions. srshl, which shifts left
/// by a count with a sign, rounds ties up at full precision; the other ties are moved by 1 to where that rounds right.
/// The least bit of a shift by 0 stays what it is, as the moves are masked with the count's sign.
template <integer_rounding Rounding>
[[gnu::always_inline]] inline int64x2_t shift_right(int64x2_t values, int64x2_t negative_bits) {
  if constexpr (std::same_as<Rounding, half_up>) {
    return vrshlq_s64(values, negative_bits);
  } else if constexpr (std::same_as<Rounding, floor>) {
    return vshlq_s64(values, negative_bits);
  } else if constexpr (std::same_as<Rounding, half_to_even>) {
    // Where the quotient's last bit, here moved to the sign, is 0, a tie has to go down.
    const int64x2_t odd = vshlq_s64(values, vaddq_s64(negative_bits, vdupq_n_s64(63)));
    return vrshlq_s64(vsraq_n_s64(values, vbicq_s64(negative_bits, odd), 63), negative_bits);
  } else if constexpr (std::same_as<Rounding, half_away_from_zero>) {
    return vrshlq_s64(vsraq_n_s64(values, vandq_s64(values, negative_bits), 63), negative_bits);
  } else if constexpr (std::same_as<Rounding, toward_zero>) {
    // Negative values get 2^bits - 1: as many ones from the left of their signs as are shifted out on the right.
    const uint64x2_t signs = vreinterpretq_u64_s64(vshrq_n_s64(values, 63));
    const uint64x2_t fraction = vshlq_u64(signs, vsubq_s64(vdupq_n_s64(-64), negative_bits));
    return vshlq_s64(vaddq_s64(values, vreinterpretq_s64_u64(fraction)), negative_bits);
  } else {  // A policy of the user's: as the policy says it.
    const int64x2_t lanes = {Rounding::shift_right(values[0], static_cast<int>(-negative_bits[0])),
                             Rounding::shift_right(values[1], static_cast<int>(-negative_bits[1]))};
    return lanes;
  }
}

/// The two halves of each policy's product, shifted and saturated to 32 bits.
template <integer_rounding Rounding>
[[gnu::always_inline]] inline int32x4_t multiply_shift_right(int32x4_t accumulators, int32x4_t multipliers,
                                                             int32x4_t shifts) {
  const int32x4_t negative = vnegq_s32(shifts);
  const int64x2_t low = vmull_s32(vget_low_s32(accumulators), vget_low_s32(multipliers));
  const int64x2_t high = vmull_high_s32(accumulators, multipliers);
  return vqmovn_high_s64(vqmovn_s64(shift_right<Rounding>(low, vmovl_s32(vget_low_s32(negative)))),
                         shift_right<Rounding>(high, vmovl_high_s32(negative)));
}

/// bitwright::requantize of four accumulators, each with its own dyadic factor, multiplier / 2^shift.
template <integer_rounding Rounding>
[[gnu::always_inline]] inline int32x4_t requantize(int32x4_t accumulators, int32x4_t multipliers, int32x4_t shifts) {
  if constexpr (std::same_as<Rounding, gemmlowp_double>) {
    // What is left after 31 bits has 32: the second rounding, of ties away from zero, needs no more.
    const int32x4_t first = vminq_s32(shifts, vdupq_n_s32(31)), negative = vsubq_s32(first, shifts);
    const int32x4_t once = multiply_shift_right<half_up>(accumulators, multipliers, first);
    return vrshlq_s32(vsraq_n_s32(once, vandq_s32(once, negative), 31), negative);
  } else {
    return multiply_shift_right<Rounding>(accumulators, multipliers, shifts);
  }
}

/// A code_window in all lanes.
struct window_lanes {
  int32x4_t least;
  int32x4_t most;
  int32x4_t zero_point;

  [[gnu::always_inline]] explicit window_lanes(code_window window)
      : least(vdupq_n_s32(window.least)), most(vdupq_n_s32(window.most)), zero_point(vdupq_n_s32(window.zero_point)) {}

  /// The codes of four requantized accumulators.
  [[gnu::always_inline]] int32x4_t codes(int32x4_t requantized) const {
    return vaddq_s32(vminq_s32(vmaxq_s32(requantized, least), most), zero_point);
  }
};

}  // namespace bitwright::kernels::neon
