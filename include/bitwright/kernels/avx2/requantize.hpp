// SPDX-License-Identifier: MIT
/// \file
/// Requantization of 8 accumulators at once, with the bits of arithmetic/requantize.hpp.
///
/// Products are made in 64 bits, of even lanes and of odd lanes, and rounded as floor((product + addend) / 2^shift).
/// A factor below 1/2 has a shift of at least 32, so its quotient is the sum's high half shifted by what remains:
///
///     floor(sum / 2^shift) = floor(floor(sum / 2^32) / 2^(shift - 32))
///
/// and fits 32 bits as it is. Any other factor shifts in 64 bits, for which AVX2 has no instruction, and saturates.
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
#include <cstring>

namespace bitwright::kernels::avx2 {

/// Every other lane as 64 bits: products of accumulators and multipliers, and their units, 2^shift.
struct wide_lanes {
  __m256i products;
  __m256i units;
};

[[gnu::target("avx2"), gnu::always_inline]] inline wide_lanes even_lanes(__m256i accumulators, __m256i multipliers,
                                                                         __m256i shifts) {
  const __m256i wide_shifts = _mm256_and_si256(shifts, _mm256_set1_epi64x(0xffffffff));
  return {_mm256_mul_epi32(accumulators, multipliers), _mm256_sllv_epi64(_mm256_set1_epi64x(1), wide_shifts)};
}

[[gnu::target("avx2"), gnu::always_inline]] inline wide_lanes odd_lanes(__m256i accumulators, __m256i multipliers,
                                                                        __m256i shifts) {
  return {_mm256_mul_epi32(_mm256_srli_epi64(accumulators, 32), _mm256_srli_epi64(multipliers, 32)),
          _mm256_sllv_epi64(_mm256_set1_epi64x(1), _mm256_srli_epi64(shifts, 32))};
}

/// products + addend where they are not below 0, products + unit - 1 - addend where they are: with unit - 1 instead of
/// 0, the floor of a quotient is its ceiling.
[[gnu::target("avx2"), gnu::always_inline]] inline __m256i add_mirrored(wide_lanes lanes, __m256i addends) {
  const __m256i mirrored = _mm256_sub_epi64(_mm256_sub_epi64(lanes.units, _mm256_set1_epi64x(1)), addends);
  const __m256d chosen = _mm256_blendv_pd(_mm256_castsi256_pd(addends), _mm256_castsi256_pd(mirrored),
                                          _mm256_castsi256_pd(lanes.products));
  return _mm256_add_epi64(lanes.products, _mm256_castpd_si256(chosen));
}

/// The sums whose floor(sum / unit) is the rounded quotient; half_to_even's ties still go up.
template <vectorized_rounding Rounding>
[[gnu::target("avx2"), gnu::always_inline]] inline __m256i numerators(wide_lanes lanes) {
  const __m256i halves = _mm256_srli_epi64(lanes.units, 1);  // 0 for a shift of 0.
  if constexpr (std::same_as<Rounding, bitwright::floor>)
    return lanes.products;
  else if constexpr (std::same_as<Rounding, toward_zero>)
    return add_mirrored(lanes, _mm256_setzero_si256());
  else if constexpr (std::same_as<Rounding, half_away_from_zero>)
    return add_mirrored(lanes, halves);
  else
    return _mm256_add_epi64(lanes.products, halves);
}

/// The high halves of both, each in its place.
[[gnu::target("avx2"), gnu::always_inline]] inline __m256i high_halves(__m256i even, __m256i odd) {
  return _mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xaa);
}

/// The low halves of both, each in its place.
[[gnu::target("avx2"), gnu::always_inline]] inline __m256i low_halves(__m256i even, __m256i odd) {
  return _mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xaa);
}

/// value / 2^exponent, ties away from zero, for exponents in [0, 31]: gemmlowp's second rounding, in its own words.
[[gnu::target("avx2"), gnu::always_inline]] inline __m256i rounding_divide(__m256i values, __m256i exponents) {
  const __m256i one = _mm256_set1_epi32(1), mask = _mm256_sub_epi32(_mm256_sllv_epi32(one, exponents), one);
  // (mask >> 1) + 1 below 0.
  const __m256i threshold = _mm256_add_epi32(_mm256_srli_epi32(mask, 1), _mm256_srli_epi32(values, 31));
  const __m256i up = _mm256_cmpgt_epi32(_mm256_and_si256(values, mask), threshold);
  return _mm256_sub_epi32(_mm256_srav_epi32(values, exponents), up);
}

/// round(accumulator * multiplier / 2^shift) for shifts in [32, 62], lane by lane: it fits 32 bits as it is.
template <vectorized_rounding Rounding>
[[gnu::target("avx2"), gnu::always_inline]] inline __m256i requantize_below_half(__m256i accumulators,
                                                                                 __m256i multipliers, __m256i shifts) {
  if constexpr (std::same_as<Rounding, gemmlowp_double>) {
    const __m256i half = _mm256_set1_epi64x(std::int64_t{1} << 30);
    const __m256i even = _mm256_add_epi64(even_lanes(accumulators, multipliers, shifts).products, half);
    const __m256i odd = _mm256_add_epi64(odd_lanes(accumulators, multipliers, shifts).products, half);
    const __m256i first = _mm256_blend_epi32(_mm256_srli_epi64(even, 31), _mm256_slli_epi64(odd, 1), 0xaa);
    return rounding_divide(first, _mm256_sub_epi32(shifts, _mm256_set1_epi32(31)));
  } else {
    const __m256i even = numerators<Rounding>(even_lanes(accumulators, multipliers, shifts));
    const __m256i odd = numerators<Rounding>(odd_lanes(accumulators, multipliers, shifts));
    const __m256i high = high_halves(even, odd), left = _mm256_sub_epi32(shifts, _mm256_set1_epi32(32));
    const __m256i rounded = _mm256_srav_epi32(high, left);
    if constexpr (!std::same_as<Rounding, half_to_even>) return rounded;
    // The sum of a tie has no bit below its unit.
    const __m256i below_unit = _mm256_sub_epi32(_mm256_sllv_epi32(_mm256_set1_epi32(1), left), _mm256_set1_epi32(1));
    const __m256i fraction = _mm256_or_si256(_mm256_and_si256(high, below_unit), low_halves(even, odd));
    const __m256i tie = _mm256_cmpeq_epi32(fraction, _mm256_setzero_si256());
    return _mm256_andnot_si256(_mm256_srli_epi32(tie, 31), rounded);
  }
}

/// Factors below 1/4, that is, shifts in [33, 62]: half a unit has no bit in the products' low halves, so that rounding
/// takes the high ones only. Made once for many accumulators.
struct quarter_factors {
  __m256i multipliers;
  __m256i odd_multipliers;
  __m256i halves;  ///< Of units, less the 32 bits of the low half.
  __m256i shifts;  ///< The same.

  [[gnu::target("avx2"), gnu::always_inline]] static quarter_factors of(__m256i multipliers, __m256i shifts) {
    const __m256i left = _mm256_sub_epi32(shifts, _mm256_set1_epi32(32));
    const __m256i halves = _mm256_srli_epi32(_mm256_sllv_epi32(_mm256_set1_epi32(1), left), 1);
    return {multipliers, _mm256_srli_epi64(multipliers, 32), halves, left};
  }

  /// round(accumulator * multiplier / 2^shift), ties up.
  [[gnu::target("avx2"), gnu::always_inline]] __m256i requantize(__m256i accumulators) const {
    const __m256i even = _mm256_mul_epi32(accumulators, multipliers);
    const __m256i odd = _mm256_mul_epi32(_mm256_srli_epi64(accumulators, 32), odd_multipliers);
    return _mm256_srav_epi32(_mm256_add_epi32(high_halves(even, odd), halves), shifts);
  }
};

/// The rounded quotients of every other lane, in 64 bits.
template <vectorized_rounding Rounding>
[[gnu::target("avx2"), gnu::always_inline]] inline __m256i quotients(wide_lanes lanes, __m256i wide_shifts) {
  const __m256i sums = numerators<Rounding>(lanes), sign = _mm256_set1_epi64x(INT64_MIN);
  // An arithmetic shift: sum + 2^63 is not below 0, and what that adds to the quotient is taken away again.
  const __m256i biased = _mm256_srlv_epi64(_mm256_xor_si256(sums, sign), wide_shifts);
  const __m256i rounded = _mm256_sub_epi64(biased, _mm256_srlv_epi64(sign, wide_shifts));
  if constexpr (!std::same_as<Rounding, half_to_even>) return rounded;
  // 2 * half - 1: unit - 1, but all bits where the shift is 0, so that only the sum 0 could pass for a tie.
  const __m256i one = _mm256_set1_epi64x(1), halves = _mm256_srli_epi64(lanes.units, 1);
  const __m256i below_unit = _mm256_sub_epi64(_mm256_add_epi64(halves, halves), one);
  const __m256i tie = _mm256_cmpeq_epi64(_mm256_and_si256(sums, below_unit), _mm256_setzero_si256());
  return _mm256_andnot_si256(_mm256_and_si256(tie, one), rounded);
}

/// round(accumulator * multiplier / 2^shift), saturated to 32 bits, for shifts in [0, 62], lane by lane.
template <vectorized_rounding Rounding>
[[gnu::target("avx2"), gnu::always_inline]] inline __m256i requantize_any(__m256i accumulators, __m256i multipliers,
                                                                          __m256i shifts) {
  if constexpr (std::same_as<Rounding, gemmlowp_double>) {
    const __m256i most = _mm256_set1_epi32(31);
    const __m256i first = requantize_any<half_up>(accumulators, multipliers, _mm256_min_epi32(shifts, most));
    return rounding_divide(first, _mm256_sub_epi32(_mm256_max_epi32(shifts, most), most));
  } else {
    const __m256i even = quotients<Rounding>(even_lanes(accumulators, multipliers, shifts),
                                             _mm256_and_si256(shifts, _mm256_set1_epi64x(0xffffffff)));
    const __m256i odd =
        quotients<Rounding>(odd_lanes(accumulators, multipliers, shifts), _mm256_srli_epi64(shifts, 32));
    const __m256i high = high_halves(even, odd), low = low_halves(even, odd);
    // What fits has the sign of its low half all through its high half; what does not saturates by its own sign.
    const __m256i fits = _mm256_cmpeq_epi32(high, _mm256_srai_epi32(low, 31));
    const __m256i limits = _mm256_xor_si256(_mm256_srai_epi32(high, 31), _mm256_set1_epi32(INT32_MAX));
    return _mm256_blendv_epi8(limits, low, fits);
  }
}

/// By the specification, lane by lane: for a user's own rounding policy.
template <integer_rounding Rounding>
[[gnu::target("avx2")]] inline __m256i requantize_in_scalar(__m256i accumulators, __m256i multipliers, __m256i shifts) {
  alignas(32) std::int32_t values[8], factors[8], exponents[8];
  _mm256_store_si256(reinterpret_cast<__m256i*>(values), accumulators);
  _mm256_store_si256(reinterpret_cast<__m256i*>(factors), multipliers);
  _mm256_store_si256(reinterpret_cast<__m256i*>(exponents), shifts);
  for (std::size_t i = 0; i < 8; ++i)
    values[i] = bitwright::requantize<Rounding>(values[i], dyadic{factors[i], exponents[i]});
  return _mm256_load_si256(reinterpret_cast<const __m256i*>(values));
}

/// Whether every factor is below 1/2, that is, every shift at least 32.
[[gnu::target("avx2"), gnu::always_inline]] inline bool all_below_half(__m256i shifts) {
  return _mm256_movemask_epi8(_mm256_cmpgt_epi32(_mm256_set1_epi32(32), shifts)) == 0;
}

/// Whether every factor is below 1/4 and rounds as half_up does: it is half_up, or no accumulator makes it a tie, as the
/// multiplier is odd, or even but not as often as a tie takes.
template <vectorized_rounding Rounding>
[[gnu::target("avx2"), gnu::always_inline]] inline bool all_round_as_half_up(__m256i multipliers, __m256i shifts) {
  if constexpr (!to_nearest<Rounding>) return false;
  const __m256i left = _mm256_sub_epi32(shifts, _mm256_set1_epi32(32));
  __m256i fails = _mm256_cmpgt_epi32(_mm256_set1_epi32(1), left);
  if constexpr (!std::same_as<Rounding, half_up>) {
    const __m256i below_unit = _mm256_sub_epi32(_mm256_sllv_epi32(_mm256_set1_epi32(1), left), _mm256_set1_epi32(1));
    const __m256i even = _mm256_cmpeq_epi32(_mm256_and_si256(multipliers, below_unit), _mm256_setzero_si256());
    fails = _mm256_or_si256(fails, even);
  }
  return _mm256_movemask_epi8(fails) == 0;
}

/// round(accumulator * multiplier / 2^shift), saturated to 32 bits, lane by lane, for multipliers in [2^30, 2^31) and
/// shifts in [0, 62].
template <integer_rounding Rounding>
[[gnu::target("avx2"), gnu::always_inline]] inline __m256i requantize(__m256i accumulators, __m256i multipliers,
                                                                      __m256i shifts) {
  if constexpr (!vectorized_rounding<Rounding>) {
    return requantize_in_scalar<Rounding>(accumulators, multipliers, shifts);
  } else {
    if (all_round_as_half_up<Rounding>(multipliers, shifts)) [[likely]]
      return quarter_factors::of(multipliers, shifts).requantize(accumulators);
    if (all_below_half(shifts)) return requantize_below_half<Rounding>(accumulators, multipliers, shifts);
    return requantize_any<Rounding>(accumulators, multipliers, shifts);
  }
}

/// The codes of 8 rounded numbers, as 32-bit lanes.
[[gnu::target("avx2"), gnu::always_inline]] inline __m256i codes_of(__m256i rounded, code_window window) {
  const __m256i clamped =
      _mm256_min_epi32(_mm256_max_epi32(rounded, _mm256_set1_epi32(window.least)), _mm256_set1_epi32(window.most));
  return _mm256_add_epi32(clamped, _mm256_set1_epi32(window.zero_point));
}

/// Writes `count` (at most 8) codes that fit `Output`, and no byte beyond them.
template <one_of<std::uint8_t, std::int8_t, std::int16_t, std::int32_t> Output>
[[gnu::target("avx2"), gnu::always_inline]] inline void store_codes(__m256i codes, Output* outputs, std::size_t count) {
  constexpr std::size_t bytes = 8 * sizeof(Output);
  __m256i narrow = codes;
  if constexpr (sizeof(Output) < 4) {
    __m128i half = _mm_packs_epi32(_mm256_castsi256_si128(codes), _mm256_extracti128_si256(codes, 1));
    if constexpr (sizeof(Output) == 1)
      half = std::same_as<Output, std::uint8_t> ? _mm_packus_epi16(half, half) : _mm_packs_epi16(half, half);
    narrow = _mm256_castsi128_si256(half);
  }
  if (count >= 8) {
    std::memcpy(outputs, &narrow, bytes);  // One store: the size is constant.
  } else {
    alignas(32) Output all[32 / sizeof(Output)];
    _mm256_store_si256(reinterpret_cast<__m256i*>(all), narrow);
    for (std::size_t i = 0; i < count; ++i) outputs[i] = all[i];
  }
}

/// The last step for 8-bit codes, 16 bits wide until they are packed. What packing saturates lies beyond all codes:
/// suits_byte_lanes.
template <one_of<std::uint8_t, std::int8_t> Output>
struct byte_lanes {
  __m256i zero_points;
  __m256i least;
  __m256i most;

  [[gnu::target("avx2"), gnu::always_inline]] static byte_lanes of(std::int32_t zero_point, code_range codes) {
    return {_mm256_set1_epi16(static_cast<std::int16_t>(zero_point)), _mm256_set1_epi8(static_cast<char>(codes.min)),
            _mm256_set1_epi8(static_cast<char>(codes.max))};
  }

  /// The codes of 4 times 8 rounded numbers, in the order of packing: 4 of a, of b, of c and of d, then the others.
  [[gnu::target("avx2"), gnu::always_inline]] __m256i packed(__m256i a, __m256i b, __m256i c, __m256i d) const {
    const __m256i ab = _mm256_adds_epi16(_mm256_packs_epi32(a, b), zero_points);
    const __m256i cd = _mm256_adds_epi16(_mm256_packs_epi32(c, d), zero_points);
    if constexpr (std::same_as<Output, std::uint8_t>)
      return _mm256_min_epu8(_mm256_max_epu8(_mm256_packus_epi16(ab, cd), least), most);
    else
      return _mm256_min_epi8(_mm256_max_epi8(_mm256_packs_epi16(ab, cd), least), most);
  }

  /// The same, in order: all of a, then b, c and d.
  [[gnu::target("avx2"), gnu::always_inline]] __m256i codes(__m256i a, __m256i b, __m256i c, __m256i d) const {
    return _mm256_permutevar8x32_epi32(packed(a, b, c, d), _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
  }
};

}  // namespace bitwright::kernels::avx2
