// SPDX-License-Identifier: MIT
/// \file
/// Paths of piecewise linear codes: registers hold the offsets and scales of all pieces, and one look into each restores a
/// value. They give the bits of piecewise_linear, for every code.
#pragma once

#include <bitwright/quantizers/paths.hpp>

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>

namespace bitwright {

/// A quantizer with up to four pieces of levels, whose codes are the piece's number, the sign and the step, the last two of
/// `piece_bits()` bits together.
template <class Q>
concept piecewise_quantizer = elementwise_quantizer<Q> && requires(const Q& q, std::size_t index) {
  { q.pieces() } -> std::same_as<std::size_t>;
  { q.piece_bits() } -> std::same_as<int>;
  { q.piece(index).offset } -> std::convertible_to<float>;
  { q.piece(index).scale } -> std::convertible_to<float>;
  { q.shift() } -> std::same_as<float>;
};

}  // namespace bitwright

#if defined(__x86_64__) && defined(__GNUC__)

#include <immintrin.h>

namespace bitwright::paths {

/// Of each piece, 0 for those that are not there, and all four times: each quarter of a register looks into its own.
struct piece_registers {
  template <piecewise_quantizer Q>
  explicit piece_registers(const Q& q) : bits(q.piece_bits()), shift(q.shift()) {
    for (std::size_t i = 0; i < 16; ++i) {
      if (i % 4 >= q.pieces()) continue;
      offsets[i] = q.piece(i % 4).offset;
      scales[i] = q.piece(i % 4).scale;
    }
  }
  std::array<float, 16> offsets{}, scales{};
  int bits;
  float shift;
};

namespace avx2 {

[[gnu::target("avx2"), gnu::always_inline]] inline void restore_8(const piece_registers& pieces,
                                                                  const std::uint8_t* codes, float* values) {
  const __m256i code = _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(codes)));
  const __m256i piece = _mm256_min_epi32(_mm256_srl_epi32(code, _mm_cvtsi32_si128(pieces.bits)), _mm256_set1_epi32(3));
  const __m256 offset = _mm256_permutevar_ps(_mm256_loadu_ps(pieces.offsets.data()), piece),
               scale = _mm256_permutevar_ps(_mm256_loadu_ps(pieces.scales.data()), piece);
  const __m256i step = _mm256_and_si256(code, _mm256_set1_epi32((1 << (pieces.bits - 1)) - 1));
  const __m256 magnitude = _mm256_add_ps(offset, _mm256_mul_ps(scale, _mm256_cvtepi32_ps(step)));
  const __m256i raised = _mm256_sll_epi32(code, _mm_cvtsi32_si128(32 - pieces.bits));  // The sign on top.
  const __m256 sign = _mm256_and_ps(_mm256_castsi256_ps(raised), _mm256_set1_ps(-0.0f));
  _mm256_storeu_ps(values, _mm256_add_ps(_mm256_xor_ps(magnitude, sign), _mm256_set1_ps(pieces.shift)));
}

template <piecewise_quantizer Q>
[[gnu::target("avx2")]] void dequantize_span(path, const Q& q, const std::uint8_t* codes, float* values,
                                             std::size_t count) noexcept {
  const piece_registers pieces(q);
  std::size_t i = 0;
  for (; i + 8 <= count; i += 8) restore_8(pieces, codes + i, values + i);
  if (i == count) return;
  std::uint8_t rest[8] = {};
  float rest_values[8];
  std::copy_n(codes + i, count - i, rest);
  restore_8(pieces, rest, rest_values);
  std::copy_n(rest_values, count - i, values + i);
}

}  // namespace avx2

namespace avx512 {

/// (Masked instructions where others make g++ 12 warn of its own header.)
template <piecewise_quantizer Q>
[[gnu::target("avx2,avx512f,avx512bw,avx512dq,avx512vl")]] void dequantize_span(path, const Q& q,
                                                                                const std::uint8_t* codes,
                                                                                float* values,
                                                                                std::size_t count) noexcept {
  const piece_registers pieces(q);
  const __m512 offsets = _mm512_loadu_ps(pieces.offsets.data()), scales = _mm512_loadu_ps(pieces.scales.data());
  const __m512i steps = _mm512_set1_epi32((1 << (pieces.bits - 1)) - 1), last = _mm512_set1_epi32(3);
  const __m512i sign_bit = _mm512_set1_epi32(1 << 31);
  const __m128i bits = _mm_cvtsi32_si128(pieces.bits), raise = _mm_cvtsi32_si128(32 - pieces.bits);
  for (std::size_t i = 0; i < count; i += 16) {
    const auto inside = static_cast<__mmask16>(count - i >= 16 ? 0xffff : (1 << (count - i)) - 1);
    const __m512i code = _mm512_maskz_cvtepu8_epi32(inside, _mm_maskz_loadu_epi8(inside, codes + i));
    const __m512i piece = _mm512_maskz_min_epi32(inside, _mm512_maskz_srl_epi32(inside, code, bits), last);
    const __m512 offset = _mm512_maskz_permutevar_ps(inside, offsets, piece),
                 scale = _mm512_maskz_permutevar_ps(inside, scales, piece),
                 step = _mm512_maskz_cvtepi32_ps(inside, _mm512_and_si512(code, steps));
    const __m512i magnitude = _mm512_castps_si512(_mm512_add_ps(offset, _mm512_mul_ps(scale, step)));
    const __m512i raised = _mm512_maskz_sll_epi32(inside, code, raise);
    const __m512i number = _mm512_ternarylogic_epi32(magnitude, raised, sign_bit, 0x78);  // magnitude ^ (raised & bit)
    _mm512_mask_storeu_ps(values + i, inside, _mm512_add_ps(_mm512_castsi512_ps(number), _mm512_set1_ps(pieces.shift)));
  }
}

}  // namespace avx512
}  // namespace bitwright::paths

#endif
