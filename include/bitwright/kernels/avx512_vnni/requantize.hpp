// SPDX-License-Identifier: MIT
/// \file
/// Requantization of 16 accumulators at once, with the bits of arithmetic/requantize.hpp.
///
/// Products are made in 64 bits, of even lanes and of odd lanes, and rounded as floor((product + addend) / 2^shift).
/// A factor below 1/2 has a shift of at least 32, so its quotient is the sum's high half shifted by what remains:
///
///     floor(sum / 2^shift) = floor(floor(sum / 2^32) / 2^(shift - 32))
///
/// and fits 32 bits as it is. Any other factor shifts in 64 bits and saturates.
#pragma once

#include <bitwright/arithmetic/dyadic.hpp>
#include <bitwright/arithmetic/requantize.hpp>
#include <bitwright/core/code_range.hpp>
#include <bitwright/core/rounding.hpp>
#include <bitwright/kernels/code_types.hpp>
#include <bitwright/kernels/code_window.hpp>
#include <bitwright/kernels/vectorized_rounding.hpp>

#include <immintrin.h>

#include <concepts>
#include <cstddef>
#include <cstdint>

// g++ 12 warns of the operands that its own intrinsics leave undefined.
#if !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

namespace bitwright::kernels::avx512_vnni {

/// Every other lane as 64 bits: products of accumulators and multipliers, and their units, 2^shift.
struct wide_lanes {
  __m512i products;
  __m512i units;
};

[[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] inline wide_lanes even_lanes(
    __m512i accumulators, __m512i multipliers, __m512i shifts) {
  const __m512i wide_shifts = _mm512_and_si512(shifts, _mm512_set1_epi64(0xffffffff));
  return {_mm512_mul_epi32(accumulators, multipliers), _mm512_sllv_epi64(_mm512_set1_epi64(1), wide_shifts)};
}

[[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] inline wide_lanes odd_lanes(
    __m512i accumulators, __m512i multipliers, __m512i shifts) {
  return {_mm512_mul_epi32(_mm512_srli_epi64(accumulators, 32), _mm512_srli_epi64(multipliers, 32)),
          _mm512_sllv_epi64(_mm512_set1_epi64(1), _mm512_srli_epi64(shifts, 32))};
}

/// products + addend where they are not below 0, products + unit - 1 - addend where they are: with unit - 1 instead of
/// 0, the floor of a quotient is its ceiling.
[[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] inline __m512i add_mirrored(
    wide_lanes lanes, __m512i addends) {
  const __m512i mirrored = _mm512_sub_epi64(_mm512_sub_epi64(lanes.units, _mm512_set1_epi64(1)), addends);
  const __mmask8 negative = _mm512_cmplt_epi64_mask(lanes.products, _mm512_setzero_si512());
  return _mm512_add_epi64(lanes.products, _mm512_mask_blend_epi64(negative, addends, mirrored));
}

/// The sums whose floor(sum / unit) is the rounded quotient; half_to_even's ties still go up.
template <vectorized_rounding Rounding>
[[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] inline __m512i numerators(
    wide_lanes lanes) {
  const __m512i halves = _mm512_srli_epi64(lanes.units, 1);  // 0 for a shift of 0.
  if constexpr (std::same_as<Rounding, bitwright::floor>)
    return lanes.products;
  else if constexpr (std::same_as<Rounding, toward_zero>)
    return add_mirrored(lanes, _mm512_setzero_si512());
  else if constexpr (std::same_as<Rounding, half_away_from_zero>)
    return add_mirrored(lanes, halves);
  else
    return _mm512_add_epi64(lanes.products, halves);
}

/// The high halves of both, each in its place.
[[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] inline __m512i high_halves(
    __m512i even, __m512i odd) {
  return _mm512_mask_shuffle_epi32(odd, 0x5555, even, _MM_PERM_DDBB);
}

/// The low halves of both, each in its place.
[[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] inline __m512i low_halves(
    __m512i even, __m512i odd) {
  return _mm512_mask_shuffle_epi32(even, 0xaaaa, odd, _MM_PERM_CCAA);
}

/// value / 2^exponent, ties away from zero, for exponents in [0, 31]: gemmlowp's second rounding, in its own words.
[[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] inline __m512i rounding_divide(
    __m512i values, __m512i exponents) {
  const __m512i one = _mm512_set1_epi32(1), mask = _mm512_sub_epi32(_mm512_sllv_epi32(one, exponents), one);
  // (mask >> 1) + 1 below 0.
  const __m512i threshold = _mm512_add_epi32(_mm512_srli_epi32(mask, 1), _mm512_srli_epi32(values, 31));
  const __mmask16 up = _mm512_cmpgt_epi32_mask(_mm512_and_si512(values, mask), threshold);
  const __m512i below = _mm512_srav_epi32(values, exponents);
  return _mm512_mask_add_epi32(below, up, below, one);
}

/// round(accumulator * multiplier / 2^shift) for shifts in [32, 62], lane by lane: it fits 32 bits as it is.
template <vectorized_rounding Rounding>
[[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] inline __m512i requantize_below_half(
    __m512i accumulators, __m512i multipliers, __m512i shifts) {
  if constexpr (std::same_as<Rounding, gemmlowp_double>) {
    const __m512i half = _mm512_set1_epi64(std::int64_t{1} << 30);
    const __m512i even = _mm512_add_epi64(even_lanes(accumulators, multipliers, shifts).products, half);
    const __m512i odd = _mm512_add_epi64(odd_lanes(accumulators, multipliers, shifts).products, half);
    const __m512i first = high_halves(_mm512_slli_epi64(even, 1), _mm512_slli_epi64(odd, 1));
    return rounding_divide(first, _mm512_sub_epi32(shifts, _mm512_set1_epi32(31)));
  } else {
    const __m512i even = numerators<Rounding>(even_lanes(accumulators, multipliers, shifts));
    const __m512i odd = numerators<Rounding>(odd_lanes(accumulators, multipliers, shifts));
    const __m512i high = high_halves(even, odd), left = _mm512_sub_epi32(shifts, _mm512_set1_epi32(32));
    const __m512i rounded = _mm512_srav_epi32(high, left);
    if constexpr (!std::same_as<Rounding, half_to_even>) return rounded;
    // The sum of a tie has no bit below its unit.
    const __m512i below_unit = _mm512_sub_epi32(_mm512_sllv_epi32(_mm512_set1_epi32(1), left), _mm512_set1_epi32(1));
    const __m512i fraction = _mm512_or_si512(_mm512_and_si512(high, below_unit), low_halves(even, odd));
    const __mmask16 tie = _mm512_testn_epi32_mask(fraction, fraction);
    return _mm512_mask_and_epi32(rounded, tie, rounded, _mm512_set1_epi32(-2));
  }
}

/// Factors below 1/4, that is, shifts in [33, 62]: half a unit has no bit in the products' low halves, so that rounding
/// takes the high ones only. Made once for many accumulators.
struct quarter_factors {
  __m512i multipliers;
  __m512i odd_multipliers;
  __m512i halves;  ///< Of units, less the 32 bits of the low half.
  __m512i shifts;  ///< The same.

  [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] static quarter_factors of(
      __m512i multipliers, __m512i shifts) {
    const __m512i left = _mm512_sub_epi32(shifts, _mm512_set1_epi32(32));
    const __m512i halves = _mm512_srli_epi32(_mm512_sllv_epi32(_mm512_set1_epi32(1), left), 1);
    return {multipliers, _mm512_srli_epi64(multipliers, 32), halves, left};
  }

  /// round(accumulator * multiplier / 2^shift), ties up.
  [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] __m512i requantize(
      __m512i accumulators) const {
    const __m512i even = _mm512_mul_epi32(accumulators, multipliers);
    const __m512i odd = _mm512_mul_epi32(_mm512_srli_epi64(accumulators, 32), odd_multipliers);
    return _mm512_srav_epi32(_mm512_add_epi32(high_halves(even, odd), halves), shifts);
  }
};

/// The rounded quotients of every other lane, saturated to 32 bits, in 64.
template <vectorized_rounding Rounding>
[[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] inline __m512i quotients(
    wide_lanes lanes, __m512i wide_shifts) {
  const __m512i sums = numerators<Rounding>(lanes);
  __m512i rounded = _mm512_srav_epi64(sums, wide_shifts);
  if constexpr (std::same_as<Rounding, half_to_even>) {
    // 2 * half - 1: unit - 1, but all bits where the shift is 0, so that only the sum 0 could pass for a tie.
    const __m512i halves = _mm512_srli_epi64(lanes.units, 1);
    const __m512i below_unit = _mm512_sub_epi64(_mm512_add_epi64(halves, halves), _mm512_set1_epi64(1));
    const __mmask8 tie = _mm512_testn_epi64_mask(sums, below_unit);
    rounded = _mm512_mask_and_epi64(rounded, tie, rounded, _mm512_set1_epi64(-2));
  }
  return _mm512_min_epi64(_mm512_max_epi64(rounded, _mm512_set1_epi64(INT32_MIN)), _mm512_set1_epi64(INT32_MAX));
}

/// round(accumulator * multiplier / 2^shift), saturated to 32 bits, for shifts in [0, 62], lane by lane.
template <vectorized_rounding Rounding>
[[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] inline __m512i requantize_any(
    __m512i accumulators, __m512i multipliers, __m512i shifts) {
  if constexpr (std::same_as<Rounding, gemmlowp_double>) {
    const __m512i most = _mm512_set1_epi32(31);
    const __m512i first = requantize_any<half_up>(accumulators, multipliers, _mm512_min_epi32(shifts, most));
    return rounding_divide(first, _mm512_sub_epi32(_mm512_max_epi32(shifts, most), most));
  } else {
    const __m512i even_shifts = _mm512_and_si512(shifts, _mm512_set1_epi64(0xffffffff));
    return low_halves(quotients<Rounding>(even_lanes(accumulators, multipliers, shifts), even_shifts),
                      quotients<Rounding>(odd_lanes(accumulators, multipliers, shifts), _mm512_srli_epi64(shifts, 32)));
  }
}

/// By the specification, lane by lane: for a user's own rounding policy.
template <integer_rounding Rounding>
[[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni")]] inline __m512i requantize_in_scalar(__m512i accumulators,
                                                                                                 __m512i multipliers,
                                                                                                 __m512i shifts) {
  alignas(64) std::int32_t values[16], factors[16], exponents[16];
  _mm512_store_si512(values, accumulators);
  _mm512_store_si512(factors, multipliers);
  _mm512_store_si512(exponents, shifts);
  for (std::size_t i = 0; i < 16; ++i)
    values[i] = bitwright::requantize<Rounding>(values[i], dyadic{factors[i], exponents[i]});
  return _mm512_load_si512(values);
}

/// Whether every factor is below 1/2, that is, every shift at least 32.
[[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] inline bool all_below_half(
    __m512i shifts) {
  return _mm512_cmplt_epi32_mask(shifts, _mm512_set1_epi32(32)) == 0;
}

/// Whether every factor is below 1/4 and rounds as half_up does: it is half_up, or no accumulator makes it a tie, as the
/// multiplier is odd, or even but not as often as a tie takes.
template <vectorized_rounding Rounding>
[[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] inline bool all_round_as_half_up(
    __m512i multipliers, __m512i shifts) {
  if constexpr (!to_nearest<Rounding>) return false;
  const __m512i left = _mm512_sub_epi32(shifts, _mm512_set1_epi32(32));
  __mmask16 fails = _mm512_cmplt_epi32_mask(left, _mm512_set1_epi32(1));
  if constexpr (!std::same_as<Rounding, half_up>) {
    const __m512i below_unit = _mm512_sub_epi32(_mm512_sllv_epi32(_mm512_set1_epi32(1), left), _mm512_set1_epi32(1));
    fails = static_cast<__mmask16>(fails | _mm512_testn_epi32_mask(multipliers, below_unit));
  }
  return fails == 0;
}

/// round(accumulator * multiplier / 2^shift), saturated to 32 bits, lane by lane, for multipliers in [2^30, 2^31) and
/// shifts in [0, 62].
template <integer_rounding Rounding>
[[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] inline __m512i requantize(
    __m512i accumulators, __m512i multipliers, __m512i shifts) {
  if constexpr (!vectorized_rounding<Rounding>) {
    return requantize_in_scalar<Rounding>(accumulators, multipliers, shifts);
  } else {
    if (all_round_as_half_up<Rounding>(multipliers, shifts)) [[likely]]
      return quarter_factors::of(multipliers, shifts).requantize(accumulators);
    if (all_below_half(shifts)) return requantize_below_half<Rounding>(accumulators, multipliers, shifts);
    return requantize_any<Rounding>(accumulators, multipliers, shifts);
  }
}

/// The codes of 16 rounded numbers, as 32-bit lanes.
[[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] inline __m512i codes_of(
    __m512i rounded, code_window window) {
  const __m512i clamped =
      _mm512_min_epi32(_mm512_max_epi32(rounded, _mm512_set1_epi32(window.least)), _mm512_set1_epi32(window.most));
  return _mm512_add_epi32(clamped, _mm512_set1_epi32(window.zero_point));
}

/// Writes `count` (at most 16) codes that fit `Output`, and no byte beyond them.
template <one_of<std::uint8_t, std::int8_t, std::int16_t, std::int32_t> Output>
[[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] inline void store_codes(
    __m512i codes, Output* outputs, std::size_t count) {
  const auto lanes = static_cast<__mmask16>(count >= 16 ? 0xffff : (1u << count) - 1);
  if constexpr (sizeof(Output) == 4)
    _mm512_mask_storeu_epi32(outputs, lanes, codes);
  else if constexpr (sizeof(Output) == 2)
    _mm256_mask_storeu_epi16(outputs, lanes, _mm512_cvtepi32_epi16(codes));
  else
    _mm_mask_storeu_epi8(outputs, lanes, _mm512_cvtepi32_epi8(codes));
}

/// The last step for 8-bit codes, 16 bits wide until they are packed. What packing saturates lies beyond all codes:
/// suits_byte_lanes.
template <one_of<std::uint8_t, std::int8_t> Output>
struct byte_lanes {
  __m512i zero_points;
  __m512i least;
  __m512i most;

  [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] static byte_lanes of(
      std::int32_t zero_point, code_range codes) {
    return {_mm512_set1_epi16(static_cast<std::int16_t>(zero_point)), _mm512_set1_epi8(static_cast<char>(codes.min)),
            _mm512_set1_epi8(static_cast<char>(codes.max))};
  }

  /// The codes of 4 times 16 rounded numbers, in the order of packing: 4 of a, of b, of c and of d, then the next 4.
  [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] __m512i packed(__m512i a, __m512i b,
                                                                                                  __m512i c,
                                                                                                  __m512i d) const {
    const __m512i ab = _mm512_adds_epi16(_mm512_packs_epi32(a, b), zero_points);
    const __m512i cd = _mm512_adds_epi16(_mm512_packs_epi32(c, d), zero_points);
    if constexpr (std::same_as<Output, std::uint8_t>)
      return _mm512_min_epu8(_mm512_max_epu8(_mm512_packus_epi16(ab, cd), least), most);
    else
      return _mm512_min_epi8(_mm512_max_epi8(_mm512_packs_epi16(ab, cd), least), most);
  }

  /// The same, in order: all of a, then b, c and d.
  [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] __m512i codes(__m512i a, __m512i b,
                                                                                                 __m512i c,
                                                                                                 __m512i d) const {
    const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    return _mm512_permutexvar_epi32(order, packed(a, b, c, d));
  }
};

}  // namespace bitwright::kernels::avx512_vnni

#if !defined(__clang__)
#pragma GCC diagnostic pop
#endif
