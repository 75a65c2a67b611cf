// SPDX-License-Identifier: MIT
/// \file
/// Lookup, 64 codes at a time: permutations of 64 pairs of entries by the six bits in the middle of a code, a choice
/// between two of them by its highest bit, and between the entries of a pair by its lowest.
#pragma once

#include <bitwright/kernels/lookup_arguments.hpp>

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

// g++ 12 warns of the operands that its own intrinsics leave undefined.
#if !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

namespace bitwright::kernels::avx512_vnni {

/// A table in four registers, as 16-bit pairs of entries.
struct lookup_table {
  __m512i pairs[4];

  [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] static lookup_table of(
      const std::uint8_t* table) {
    return {{_mm512_loadu_si512(table), _mm512_loadu_si512(table + 64), _mm512_loadu_si512(table + 128),
             _mm512_loadu_si512(table + 192)}};
  }

  /// The entries of 64 codes: the even ones from the low bytes of 16 bits, the odd ones from the high bytes.
  [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] __m512i look_up(
      __m512i codes) const {
    const __mmask32 upper_even = _mm512_test_epi16_mask(codes, _mm512_set1_epi16(0x80));
    const __m512i even = find(_mm512_srli_epi16(codes, 1), upper_even);
    const __m512i odd = find(_mm512_srli_epi16(codes, 9), _mm512_movepi16_mask(codes));
    // Each entry to its place, where it is the other of its pair.
    const __mmask32 second_even = _mm512_test_epi16_mask(codes, _mm512_set1_epi16(1));
    const __mmask32 first_odd = _mm512_testn_epi16_mask(codes, _mm512_set1_epi16(0x100));
    return _mm512_mask_blend_epi8(0xaaaaaaaaaaaaaaaa, _mm512_mask_srli_epi16(even, second_even, even, 8),
                                  _mm512_mask_slli_epi16(odd, first_odd, odd, 8));
  }

 private:
  /// The pairs of codes whose bits 1 to 6 are the lowest of `numbers`, and whose bit 7 is `upper`.
  [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] __m512i find(__m512i numbers,
                                                                                                __mmask32 upper) const {
    return _mm512_mask_blend_epi16(upper, _mm512_permutex2var_epi16(pairs[0], numbers, pairs[1]),
                                   _mm512_permutex2var_epi16(pairs[2], numbers, pairs[3]));
  }
};

/// Rows [first, last) of bytes.
[[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni")]] inline void lookup_rows(
    const lookup_arguments<std::uint8_t, std::uint8_t>& call, std::size_t first, std::size_t last) {
  const auto table = lookup_table::of(call.table);
  for (std::size_t row = first; row < last; ++row) {
    const std::uint8_t* const codes = call.codes + row * call.code_stride;
    std::uint8_t* const outputs = call.outputs + row * call.output_stride;
    std::size_t i = 0;
    for (; i + 64 <= call.length; i += 64)
      _mm512_storeu_si512(outputs + i, table.look_up(_mm512_loadu_si512(codes + i)));
    const __mmask64 left = (__mmask64{1} << (call.length - i)) - 1;
    if (left != 0) _mm512_mask_storeu_epi8(outputs + i, left, table.look_up(_mm512_maskz_loadu_epi8(left, codes + i)));
  }
}

/// Rows [first, last).
template <class Code, class Output>
void lookup(const lookup_arguments<Code, Output>& call, std::size_t first, std::size_t last) noexcept {
  lookup_rows(as_bytes(call), first, last);
}

}  // namespace bitwright::kernels::avx512_vnni

#if !defined(__clang__)
#pragma GCC diagnostic pop
#endif
