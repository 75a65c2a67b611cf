// SPDX-License-Identifier: MIT
/// \file
/// binarize for AVX2: comparisons, whose sign bits are the bits.
#pragma once

#include <bitwright/kernels/binarize_arguments.hpp>
#include <bitwright/kernels/code_types.hpp>
#include <bitwright/kernels/scalar/binarize.hpp>

#include <immintrin.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace bitwright::kernels::avx2 {

/// The bits of eight floats.
[[gnu::target("avx2"), gnu::always_inline]] inline std::uint32_t bits_of_8(const float* values, __m256 threshold) {
  return static_cast<std::uint32_t>(_mm256_movemask_ps(_mm256_cmp_ps(_mm256_loadu_ps(values), threshold, _CMP_NLT_UQ)));
}

/// The bits of 32 values.
[[gnu::target("avx2"), gnu::always_inline]] inline std::uint32_t bits_of_32(const float* values, float threshold) {
  const __m256 least = _mm256_set1_ps(threshold);
  return bits_of_8(values, least) | bits_of_8(values + 8, least) << 8 | bits_of_8(values + 16, least) << 16 |
         bits_of_8(values + 24, least) << 24;
}
template <one_of<std::uint8_t, std::int8_t> Code>
[[gnu::target("avx2"), gnu::always_inline]] inline std::uint32_t bits_of_32(const Code* codes, Code threshold) {
  const __m256i all = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(codes));
  const __m256i least = _mm256_set1_epi8(static_cast<char>(threshold));
  const __m256i greater = std::is_signed_v<Code> ? _mm256_max_epi8(all, least) : _mm256_max_epu8(all, least);
  return static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(all, greater)));
}

/// Rows [first, last).
template <class Value>
[[gnu::target("avx2")]] void binarize(const binarize_arguments<Value>& call, std::size_t first,
                                      std::size_t last) noexcept {
  for (std::size_t row = first; row < last; ++row) {
    const Value* const values = call.values + row * call.value_stride;
    std::byte* const bits = call.bits + row * call.byte_stride;
    std::size_t i = 0;
    for (; i + 32 <= call.length; i += 32) {
      const std::uint32_t word = bits_of_32(values + i, call.threshold);
      std::memcpy(bits + i / 8, &word, sizeof word);
    }
    scalar::binarize_row(values, i, call.length, call.threshold, bits);
  }
}

}  // namespace bitwright::kernels::avx2
