// SPDX-License-Identifier: MIT
/// \file
/// Lookup, 32 codes at a time: 16 shuffles of 16 entries each by a code's low half, and a choice among them by each bit
/// of its high half.
#pragma once

#include <bitwright/kernels/lookup_arguments.hpp>

#include <immintrin.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace bitwright::kernels::avx2 {

/// 32 codes, and each bit of their high halves where the choice by bytes wants it: on top.
struct lookup_codes {
  __m256i low;
  __m256i bits[4];

  [[gnu::target("avx2"), gnu::always_inline]] static lookup_codes of(__m256i codes) {
    return {_mm256_and_si256(codes, _mm256_set1_epi8(0x7f)),
            {_mm256_slli_epi16(codes, 3), _mm256_slli_epi16(codes, 2), _mm256_slli_epi16(codes, 1), codes}};
  }
};

/// The entries of 32 codes in a table of 16 * 2^Bits, by their low halves and the `Bits` bits above them.
template <int Bits>
[[gnu::target("avx2"), gnu::always_inline]] inline __m256i look_up(const std::uint8_t* table,
                                                                   const lookup_codes& codes) {
  if constexpr (Bits == 0) {
    const __m128i entries = _mm_loadu_si128(reinterpret_cast<const __m128i*>(table));
    return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(entries), codes.low);
  } else {
    return _mm256_blendv_epi8(look_up<Bits - 1>(table, codes), look_up<Bits - 1>(table + (8 << Bits), codes),
                              codes.bits[Bits - 1]);
  }
}

[[gnu::target("avx2"), gnu::always_inline]] inline void look_up_block(const std::uint8_t* table,
                                                                      const std::uint8_t* codes,
                                                                      std::uint8_t* outputs) {
  const auto split = lookup_codes::of(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(codes)));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(outputs), look_up<4>(table, split));
}

/// Rows [first, last) of bytes.
[[gnu::target("avx2")]] inline void lookup_rows(const lookup_arguments<std::uint8_t, std::uint8_t>& call,
                                                std::size_t first, std::size_t last) {
  for (std::size_t row = first; row < last; ++row) {
    const std::uint8_t* const codes = call.codes + row * call.code_stride;
    std::uint8_t* const outputs = call.outputs + row * call.output_stride;
    std::size_t i = 0;
    for (; i + 32 <= call.length; i += 32) look_up_block(call.table, codes + i, outputs + i);
    if (i == call.length) continue;
    std::uint8_t tail[32] = {};
    std::copy_n(codes + i, call.length - i, tail);
    look_up_block(call.table, tail, tail);
    std::copy_n(tail, call.length - i, outputs + i);
  }
}

/// Rows [first, last).
template <class Code, class Output>
void lookup(const lookup_arguments<Code, Output>& call, std::size_t first, std::size_t last) noexcept {
  lookup_rows(as_bytes(call), first, last);
}

}  // namespace bitwright::kernels::avx2
