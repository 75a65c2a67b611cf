// SPDX-License-Identifier: MIT
/// \file
/// Joint requantization of 8 outputs at once, a column of them through all rows.
#pragma once

#include <bitwright/core/rounding.hpp>
#include <bitwright/kernels/avx2/requantize.hpp>
#include <bitwright/kernels/code_window.hpp>
#include <bitwright/kernels/joint_requantize_arguments.hpp>
#include <bitwright/kernels/scalar/joint_requantize.hpp>
#include <bitwright/kernels/vectorized_rounding.hpp>

#include <immintrin.h>

#include <concepts>
#include <cstddef>
#include <cstdint>

namespace bitwright::kernels::avx2 {

/// 64-bit lanes of even and of odd outputs, saturated to 32 bits, in order.
[[gnu::target("avx2"), gnu::always_inline]] inline __m256i saturated(__m256i even, __m256i odd) {
  const __m256i high = high_halves(even, odd), low = low_halves(even, odd);
  // What fits has the sign of its low half all through its high half; what does not saturates by its own sign.
  const __m256i fits = _mm256_cmpeq_epi32(high, _mm256_srai_epi32(low, 31));
  const __m256i limits = _mm256_xor_si256(_mm256_srai_epi32(high, 31), _mm256_set1_epi32(INT32_MAX));
  return _mm256_blendv_epi8(limits, low, fits);
}

/// What 8 outputs have in common in all rows, for even lanes and for odd ones.
struct joint_lanes {
  __m256i even_addends;
  __m256i odd_addends;
  __m256i shifts;

  [[gnu::target("avx2"), gnu::always_inline]] static joint_lanes of(const joint_factors& factors, std::size_t n) {
    const auto* addends = reinterpret_cast<const __m256i*>(factors.addends + n);
    const __m256i low = _mm256_loadu_si256(addends), high = _mm256_loadu_si256(addends + 1);
    return {_mm256_permute4x64_epi64(_mm256_unpacklo_epi64(low, high), 0b11011000),
            _mm256_permute4x64_epi64(_mm256_unpackhi_epi64(low, high), 0b11011000),
            _mm256_loadu_si256(reinterpret_cast<const __m256i*>(factors.shifts + n))};
  }

  /// The rounded sums of 8 outputs, saturated to 32 bits. `multipliers` and `accumulators` are those of the first
  /// summand.
  template <vectorized_rounding Rounding>
  [[gnu::target("avx2"), gnu::always_inline]] __m256i rounded(const joint_factors& factors,
                                                              const std::int32_t* multipliers,
                                                              const std::int32_t* accumulators,
                                                              std::size_t summand_stride) const {
    __m256i even = even_addends, odd = odd_addends;
    for (std::size_t r = 0; r < factors.summands; ++r) {
      const __m256i multiplier =
          _mm256_loadu_si256(reinterpret_cast<const __m256i*>(multipliers + r * factors.outputs));
      const __m256i accumulator =
          _mm256_loadu_si256(reinterpret_cast<const __m256i*>(accumulators + r * summand_stride));
      even = _mm256_add_epi64(even, _mm256_mul_epi32(accumulator, multiplier));
      odd = _mm256_add_epi64(odd,
                             _mm256_mul_epi32(_mm256_srli_epi64(accumulator, 32), _mm256_srli_epi64(multiplier, 32)));
    }
    const __m256i one = _mm256_set1_epi64x(1), even_shifts = _mm256_and_si256(shifts, _mm256_set1_epi64x(0xffffffff)),
                  odd_shifts = _mm256_srli_epi64(shifts, 32);
    return saturated(quotients<Rounding>({even, _mm256_sllv_epi64(one, even_shifts)}, even_shifts),
                     quotients<Rounding>({odd, _mm256_sllv_epi64(one, odd_shifts)}, odd_shifts));
  }
};

/// All whole columns of 8 outputs, rows [first, last). (No masked loads: emulators read what is masked out.)
template <class Output, vectorized_rounding Rounding>
[[gnu::target("avx2")]] void joint_requantize_columns(const joint_requantize_arguments<Output>& call, std::size_t first,
                                                      std::size_t last) {
  const joint_factors& factors = call.factors;
  const code_window window = code_window::of(factors.output_zero_point, factors.output_codes);
  for (std::size_t n = 0; n + 8 <= factors.outputs; n += 8) {
    const auto lanes = joint_lanes::of(factors, n);
    for (std::size_t m = first; m < last; ++m) {
      const std::size_t at = m * factors.outputs + n;
      const __m256i rounded = lanes.template rounded<Rounding>(factors, factors.multipliers + n, call.accumulators + at,
                                                               call.summand_stride);
      store_codes(codes_of(rounded, window), call.outputs + at, 8);
    }
  }
}

/// Rows [first, last).
template <class Output, integer_rounding Rounding>
void joint_requantize(const joint_requantize_arguments<Output>& call, std::size_t first, std::size_t last) noexcept {
  // What gemmlowp rounds twice, and a policy of a user's own, are made by the specification.
  if constexpr (vectorized_rounding<Rounding> && !std::same_as<Rounding, gemmlowp_double>) {
    joint_requantize_columns<Output, Rounding>(call, first, last);
    for (std::size_t m = first; m < last; ++m)
      scalar::joint_requantize_row<Output, Rounding>(call, m, call.factors.outputs / 8 * 8, call.factors.outputs);
  } else {
    scalar::joint_requantize<Output, Rounding>(call, first, last);
  }
}

}  // namespace bitwright::kernels::avx2
