// SPDX-License-Identifier: MIT
/// \file
/// Paths of level tables of 16: where a register holds all levels, finding one takes four looks into it, and restoring
/// one takes a single look. They give the bits of level_table, for every value and every code.
#pragma once

#include <bitwright/quantizers/levels.hpp>

#include <cstddef>
#include <cstdint>

#if defined(__x86_64__) && defined(__GNUC__)

#include <immintrin.h>

namespace bitwright::paths {
namespace avx512 {

/// The codes of 16 values: all at once bisect the borders. Goes on by `step` where the border in the middle of what is
/// left lies below. (Masked instructions throughout: those without a mask make g++ 12 warn of its own header.)
[[gnu::target("avx2,avx512f,avx512bw,avx512dq,avx512vl"), gnu::always_inline]] inline __m128i nearest_of_16(
    __m512 borders, __m512 read) {
  constexpr __mmask16 all = 0xffff;
  const __m512 value = _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(read, read, _CMP_ORD_Q), read);  // 0 for NaN
  __m512i code = _mm512_setzero_si512();
  for (int step = 8; step > 0; step /= 2) {
    const __m512i middle = _mm512_add_epi32(code, _mm512_set1_epi32(step - 1));
    const __m512 border = _mm512_maskz_permutexvar_ps(all, middle, borders);
    code = _mm512_mask_add_epi32(code, _mm512_cmp_ps_mask(value, border, _CMP_GT_OQ), code, _mm512_set1_epi32(step));
  }
  return _mm512_maskz_cvtepi32_epi8(all, code);
}

[[gnu::target("avx2,avx512f,avx512bw,avx512dq,avx512vl")]] inline void nearest_of_16(const level_table<16>& table,
                                                                                     const float* values,
                                                                                     std::uint8_t* codes,
                                                                                     std::size_t count) noexcept {
  const __m512 borders = _mm512_loadu_ps(table.borders().data());
  std::size_t i = 0;
  for (; i + 16 <= count; i += 16)
    _mm_storeu_si128(reinterpret_cast<__m128i*>(codes + i), nearest_of_16(borders, _mm512_loadu_ps(values + i)));
  const auto inside = static_cast<__mmask16>((1 << (count - i)) - 1);
  _mm_mask_storeu_epi8(codes + i, inside, nearest_of_16(borders, _mm512_maskz_loadu_ps(inside, values + i)));
}

/// Codes count modulo 16.
[[gnu::target("avx2,avx512f,avx512bw,avx512dq,avx512vl")]] inline void levels_of_16(const level_table<16>& table,
                                                                                    const std::uint8_t* codes,
                                                                                    float* values,
                                                                                    std::size_t count) noexcept {
  const __m512 levels = _mm512_loadu_ps(table.padded_levels().data());
  for (std::size_t i = 0; i < count; i += 16) {
    const auto inside = static_cast<__mmask16>(count - i >= 16 ? 0xffff : (1 << (count - i)) - 1);
    const __m512i code = _mm512_maskz_cvtepu8_epi32(inside, _mm_maskz_loadu_epi8(inside, codes + i));
    _mm512_mask_storeu_ps(values + i, inside, _mm512_maskz_permutexvar_ps(inside, code, levels));
  }
}

}  // namespace avx512

namespace avx2 {

/// Codes count modulo 16: bit 3 says which half of the levels, the others which of them.
[[gnu::target("avx2")]] inline void levels_of_16(const level_table<16>& table, const std::uint8_t* codes, float* values,
                                                 std::size_t count) noexcept {
  const float* const levels = table.padded_levels().data();
  const __m256 lower = _mm256_loadu_ps(levels), upper = _mm256_loadu_ps(levels + 8);
  std::size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    const __m256i code = _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(codes + i)));
    const __m256 half = _mm256_castsi256_ps(_mm256_slli_epi32(code, 28));
    _mm256_storeu_ps(values + i, _mm256_blendv_ps(_mm256_permutevar8x32_ps(lower, code),
                                                  _mm256_permutevar8x32_ps(upper, code), half));
  }
  for (; i < count; ++i) values[i] = levels[codes[i] & 15];
}

}  // namespace avx2
}  // namespace bitwright::paths

#endif
