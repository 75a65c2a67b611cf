// SPDX-License-Identifier: MIT
/// \file
/// Lookup, 32 codes at a time: 16 shuffles of 16 entries each, which give 0 for the codes of other entries in each 64,
/// and a choice among the four by a code's two highest bits.
#pragma once

#include <bitwright/kernels/lookup_arguments.hpp>

#include <immintrin.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace bitwright::kernels::avx2 {

/// 32 codes as a shuffle of 16 entries wants them: entry numbers, or a number that gives 0 where the code is not among
/// the 16.
struct lookup_codes {
  __m256i numbers[4];  ///< For each 16 of 64 entries.
  __m256i codes;

  [[gnu::target("avx2"), gnu::always_inline]] static lookup_codes of(__m256i codes) {
    const __m256i of_64 = _mm256_and_si256(codes, _mm256_set1_epi8(0x3f));
    return {{numbers_among<0>(of_64), numbers_among<16>(of_64), numbers_among<32>(of_64), numbers_among<48>(of_64)},
            codes};
  }

  /// The entries of a table of 64.
  [[gnu::target("avx2"), gnu::always_inline]] __m256i look_up_64(const std::uint8_t* table) const {
    return _mm256_or_si256(_mm256_or_si256(shuffle(table, numbers[0]), shuffle(table + 16, numbers[1])),
                           _mm256_or_si256(shuffle(table + 32, numbers[2]), shuffle(table + 48, numbers[3])));
  }

  /// The entries of a table of 256: blends choose by the highest bit of bytes.
  [[gnu::target("avx2"), gnu::always_inline]] __m256i look_up(const std::uint8_t* table) const {
    const __m256i sixth = _mm256_slli_epi16(codes, 1);
    return _mm256_blendv_epi8(_mm256_blendv_epi8(look_up_64(table), look_up_64(table + 64), sixth),
                              _mm256_blendv_epi8(look_up_64(table + 128), look_up_64(table + 192), sixth), codes);
  }

 private:
  /// Of those from `First` on 0x70 to 0x7f; of the others at least 0x80.
  template <char First>
  [[gnu::target("avx2"), gnu::always_inline]] static __m256i numbers_among(__m256i of_64) {
    return _mm256_adds_epu8(_mm256_xor_si256(of_64, _mm256_set1_epi8(First)), _mm256_set1_epi8(0x70));
  }
  [[gnu::target("avx2"), gnu::always_inline]] static __m256i shuffle(const std::uint8_t* table, __m256i among) {
    const __m128i entries = _mm_loadu_si128(reinterpret_cast<const __m128i*>(table));
    return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(entries), among);
  }
};

[[gnu::target("avx2"), gnu::always_inline]] inline void look_up_block(const std::uint8_t* table,
                                                                      const std::uint8_t* codes,
                                                                      std::uint8_t* outputs) {
  const auto split = lookup_codes::of(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(codes)));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(outputs), split.look_up(table));
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
