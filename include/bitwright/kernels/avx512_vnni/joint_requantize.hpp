// SPDX-License-Identifier: MIT
/// \file
/// Joint requantization of 16 outputs at once, a column of them through all rows.
#pragma once

#include <bitwright/core/rounding.hpp>
#include <bitwright/kernels/avx512_vnni/requantize.hpp>
#include <bitwright/kernels/code_window.hpp>
#include <bitwright/kernels/joint_requantize_arguments.hpp>
#include <bitwright/kernels/scalar/joint_requantize.hpp>
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

/// What 16 outputs have in common in all rows, for even lanes and for odd ones.
struct joint_lanes {
  __m512i even_addends;
  __m512i odd_addends;
  __m512i shifts;
  __mmask16 columns;  ///< Those of the 16 that outputs have.

  [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] static joint_lanes of(
      const joint_factors& factors, std::size_t n, __mmask16 columns) {
    const __m512i low = _mm512_maskz_loadu_epi64(static_cast<__mmask8>(columns), factors.addends + n);
    const __m512i high = _mm512_maskz_loadu_epi64(static_cast<__mmask8>(columns >> 8), factors.addends + n + 8);
    return {_mm512_permutex2var_epi64(low, _mm512_setr_epi64(0, 2, 4, 6, 8, 10, 12, 14), high),
            _mm512_permutex2var_epi64(low, _mm512_setr_epi64(1, 3, 5, 7, 9, 11, 13, 15), high),
            _mm512_maskz_loadu_epi32(columns, factors.shifts + n), columns};
  }

  /// The rounded sums of 16 outputs, saturated to 32 bits. `multipliers` and `accumulators` are those of the first
  /// summand.
  template <vectorized_rounding Rounding>
  [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] __m512i rounded(
      const joint_factors& factors, const std::int32_t* multipliers, const std::int32_t* accumulators,
      std::size_t summand_stride) const {
    __m512i even = even_addends, odd = odd_addends;
    for (std::size_t r = 0; r < factors.summands; ++r) {
      const __m512i multiplier = _mm512_maskz_loadu_epi32(columns, multipliers + r * factors.outputs);
      const __m512i accumulator = _mm512_maskz_loadu_epi32(columns, accumulators + r * summand_stride);
      even = _mm512_add_epi64(even, _mm512_mul_epi32(accumulator, multiplier));
      odd = _mm512_add_epi64(odd,
                             _mm512_mul_epi32(_mm512_srli_epi64(accumulator, 32), _mm512_srli_epi64(multiplier, 32)));
    }
    const __m512i one = _mm512_set1_epi64(1), even_shifts = _mm512_and_si512(shifts, _mm512_set1_epi64(0xffffffff)),
                  odd_shifts = _mm512_srli_epi64(shifts, 32);
    return low_halves(quotients<Rounding>({even, _mm512_sllv_epi64(one, even_shifts)}, even_shifts),
                      quotients<Rounding>({odd, _mm512_sllv_epi64(one, odd_shifts)}, odd_shifts));
  }
};

/// Rows [first, last), 16 columns after the other.
template <class Output, vectorized_rounding Rounding>
[[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni")]] void joint_requantize_columns(
    const joint_requantize_arguments<Output>& call, std::size_t first, std::size_t last) {
  const joint_factors& factors = call.factors;
  const code_window window = code_window::of(factors.output_zero_point, factors.output_codes);
  for (std::size_t n = 0; n < factors.outputs; n += 16) {
    const std::size_t count = factors.outputs - n;
    const auto lanes = joint_lanes::of(factors, n, static_cast<__mmask16>(count >= 16 ? 0xffff : (1 << count) - 1));
    for (std::size_t m = first; m < last; ++m) {
      const std::size_t at = m * factors.outputs + n;
      const __m512i rounded = lanes.template rounded<Rounding>(factors, factors.multipliers + n, call.accumulators + at,
                                                               call.summand_stride);
      store_codes(codes_of(rounded, window), call.outputs + at, count);
    }
  }
}

/// Rows [first, last).
template <class Output, integer_rounding Rounding>
void joint_requantize(const joint_requantize_arguments<Output>& call, std::size_t first, std::size_t last) noexcept {
  // What gemmlowp rounds twice, and a policy of a user's own, are made by the specification.
  if constexpr (vectorized_rounding<Rounding> && !std::same_as<Rounding, gemmlowp_double>)
    joint_requantize_columns<Output, Rounding>(call, first, last);
  else
    scalar::joint_requantize<Output, Rounding>(call, first, last);
}

}  // namespace bitwright::kernels::avx512_vnni

#if !defined(__clang__)
#pragma GCC diagnostic pop
#endif
