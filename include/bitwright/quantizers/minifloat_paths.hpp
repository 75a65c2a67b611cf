// SPDX-License-Identifier: MIT
/// \file
/// Paths of small floats: a format of at most 5 exponent bits and 10 mantissa bits is a part of fp16, which processors
/// restore.
///
///     half = sign, exponent, mantissa, each in its field of fp16        value = scale * 2^(15 - bias) * half
///
/// Subnormals are subnormals of fp16, and the first product is exact. They give the bits of minifloat, for every code.
#pragma once

#include <bitwright/quantizers/paths.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>

namespace bitwright {

/// What the bits of a small float are. Without an infinity, all ones is the only NaN.
struct minifloat_format {
  int exponent_bits, mantissa_bits;
  bool has_infinity, has_nan;
};

/// A quantizer whose codes are floats of `format`, and whose values are those times `scale()`.
template <class Q>
concept part_of_half = elementwise_quantizer<Q> && requires(const Q& q) {
  { q.scale() } -> std::same_as<float>;
  requires(Q::format.mantissa_bits <= 10);
  requires(Q::format.has_infinity ? Q::format.exponent_bits == 5 : Q::format.exponent_bits < 5);
};

}  // namespace bitwright

#if defined(__x86_64__) && defined(__GNUC__)

#include <immintrin.h>

namespace bitwright::paths {
namespace avx2 {

/// The halves of 16 codes.
template <minifloat_format Format, class Code>
[[gnu::target("avx2"), gnu::always_inline]] inline __m256i halves_of(const Code* codes) {
  constexpr int magnitude_bits = Format.exponent_bits + Format.mantissa_bits, unused = 5 - Format.exponent_bits;
  constexpr int magnitudes = (1 << (15 - unused)) - 1;
  __m256i half;
  if constexpr (sizeof(Code) == 1)
    half = _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(codes)));
  else
    half = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(codes));
  half = _mm256_slli_epi16(half, 15 - magnitude_bits);
  // The sign fills the upper bits of the exponent, too, which then are cleared.
  if constexpr (unused > 0)
    half =
        _mm256_and_si256(_mm256_srai_epi16(half, unused), _mm256_set1_epi16(static_cast<short>(0x8000 | magnitudes)));
  if constexpr (Format.has_nan && !Format.has_infinity) {
    constexpr int all_ones = magnitudes & ~((1 << (10 - Format.mantissa_bits)) - 1);
    const __m256i magnitude = _mm256_and_si256(half, _mm256_set1_epi16(0x7fff));
    const __m256i is_nan = _mm256_cmpeq_epi16(magnitude, _mm256_set1_epi16(all_ones));
    half = _mm256_or_si256(half, _mm256_and_si256(is_nan, _mm256_set1_epi16(0x7e00)));
  }
  return half;
}

/// 2^(15 - bias)
template <minifloat_format Format>
inline constexpr float half_factor = static_cast<float>(1 << (16 - (1 << (Format.exponent_bits - 1))));

template <part_of_half Q>
[[gnu::target("avx2,f16c"), gnu::always_inline]] inline void restore_16(const typename Q::code_type* codes, float scale,
                                                                        float* values) {
  const __m256i halves = halves_of<Q::format>(codes);
  const __m256 factor = _mm256_set1_ps(half_factor<Q::format>), scales = _mm256_set1_ps(scale);
  const __m256 lower = _mm256_cvtph_ps(_mm256_castsi256_si128(halves)),
               upper = _mm256_cvtph_ps(_mm256_extracti128_si256(halves, 1));
  _mm256_storeu_ps(values, _mm256_mul_ps(_mm256_mul_ps(lower, factor), scales));
  _mm256_storeu_ps(values + 8, _mm256_mul_ps(_mm256_mul_ps(upper, factor), scales));
}

template <part_of_half Q>
[[gnu::target("avx2,f16c")]] void dequantize_span(path, const Q& q, const typename Q::code_type* codes, float* values,
                                                  std::size_t count) noexcept {
  const float scale = q.scale();
  std::size_t i = 0;
  for (; i + 16 <= count; i += 16) restore_16<Q>(codes + i, scale, values + i);
  if (i == count) return;
  typename Q::code_type rest[16] = {};
  float rest_values[16];
  std::copy_n(codes + i, count - i, rest);
  restore_16<Q>(rest, scale, rest_values);
  std::copy_n(rest_values, count - i, values + i);
}

}  // namespace avx2

namespace avx512 {

template <part_of_half Q>
[[gnu::target("avx2,avx512f,avx512bw,avx512dq,avx512vl"), gnu::always_inline]] inline void restore_16(
    const typename Q::code_type* codes, float scale, float* values) {
  // (With a mask, because g++ 12 warns of its own header otherwise.)
  const __m512 half = _mm512_maskz_cvtph_ps(0xffff, avx2::halves_of<Q::format>(codes));
  const __m512 number = _mm512_mul_ps(half, _mm512_set1_ps(avx2::half_factor<Q::format>));
  _mm512_storeu_ps(values, _mm512_mul_ps(number, _mm512_set1_ps(scale)));
}

template <part_of_half Q>
[[gnu::target("avx2,avx512f,avx512bw,avx512dq,avx512vl")]] void dequantize_span(path, const Q& q,
                                                                                const typename Q::code_type* codes,
                                                                                float* values,
                                                                                std::size_t count) noexcept {
  const float scale = q.scale();
  std::size_t i = 0;
  for (; i + 16 <= count; i += 16) restore_16<Q>(codes + i, scale, values + i);
  if (i == count) return;
  typename Q::code_type rest[16] = {};
  float rest_values[16];
  std::copy_n(codes + i, count - i, rest);
  restore_16<Q>(rest, scale, rest_values);
  std::copy_n(rest_values, count - i, values + i);
}

}  // namespace avx512
}  // namespace bitwright::paths

#endif
