// SPDX-License-Identifier: MIT
/// \file
/// A row of activations to codes, for all paths of x86-64 with vectors of 256 bits or more.
#pragma once

#include <bitwright/kernels/group_rows.hpp>

#include <immintrin.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace bitwright::kernels::avx2 {

/// `count` is a multiple of 32.
[[gnu::target("avx2")]] inline std::int32_t greatest_bits(const float* values, std::size_t count) {
  const __m256i magnitude = _mm256_set1_epi32(0x7fffffff);
  __m256i greatest[4] = {};
  for (std::size_t k = 0; k < count; k += 32)
#pragma GCC unroll 4
    for (std::size_t i = 0; i < 4; ++i) {
      const __m256i bits = _mm256_castps_si256(_mm256_loadu_ps(values + k + 8 * i));
      greatest[i] = _mm256_max_epi32(greatest[i], _mm256_and_si256(bits, magnitude));
    }
  alignas(32) std::int32_t lanes[8];
  const __m256i low = _mm256_max_epi32(greatest[0], greatest[1]), high = _mm256_max_epi32(greatest[2], greatest[3]);
  _mm256_store_si256(reinterpret_cast<__m256i*>(lanes), _mm256_max_epi32(low, high));
  return *std::max_element(lanes, lanes + 8);
}

/// Eight codes, not yet narrowed.
[[gnu::target("avx2"), gnu::always_inline]] inline __m256i wide_codes(const float* values, __m256 inverse) {
  return _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(values), inverse));
}

/// The two sums of 32 codes.
[[gnu::target("avx2"), gnu::always_inline]] inline std::int32_t pair_sums_of(__m256i codes) {
  const __m256i pairs = _mm256_maddubs_epi16(_mm256_set1_epi8(1), codes);
  __m128i sums = _mm_add_epi16(_mm256_castsi256_si128(pairs), _mm256_extracti128_si256(pairs, 1));
  sums = _mm_add_epi16(sums, _mm_unpackhi_epi64(sums, sums));
  return _mm_cvtsi128_si32(_mm_add_epi16(sums, _mm_shuffle_epi32(sums, 1)));
}

[[gnu::target("avx2")]] inline void quantize_row(const float* values, std::size_t groups, float inverse,
                                                 const row_codes& to) {
  const __m256 factor = _mm256_set1_ps(inverse);
  for (std::size_t g = 0; g < groups; ++g, values += group_size) {
    const __m256i low = _mm256_packs_epi32(wide_codes(values, factor), wide_codes(values + 8, factor));
    const __m256i high = _mm256_packs_epi32(wide_codes(values + 16, factor), wide_codes(values + 24, factor));
    // Packing goes by halves of vectors, which leaves every four codes together but out of order.
    const __m256i codes =
        _mm256_permutevar8x32_epi32(_mm256_packs_epi16(low, high), _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to.codes + g * to.code_stride), codes);
    to.pair_sums[g * to.pair_sum_stride] = pair_sums_of(codes);
  }
}

inline constexpr row_quantizer rows_quantizer{greatest_bits, quantize_row};

}  // namespace bitwright::kernels::avx2
