// SPDX-License-Identifier: MIT
/// \file
/// Lookup, 64 codes at a time: two permutations of 128 entries each, and a choice by a code's upper bit.
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

namespace bitwright::kernels::avx512_vbmi {

/// A table in four registers.
struct lookup_table {
  __m512i entries[4];

  [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vbmi"), gnu::always_inline]] static lookup_table of(
      const std::uint8_t* table) {
    return {{_mm512_loadu_si512(table), _mm512_loadu_si512(table + 64), _mm512_loadu_si512(table + 128),
             _mm512_loadu_si512(table + 192)}};
  }

  /// The entries of 64 codes.
  [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vbmi"), gnu::always_inline]] __m512i look_up(
      __m512i codes) const {
    return _mm512_mask_blend_epi8(_mm512_movepi8_mask(codes), _mm512_permutex2var_epi8(entries[0], codes, entries[1]),
                                  _mm512_permutex2var_epi8(entries[2], codes, entries[3]));
  }
};

/// Rows [first, last) of bytes.
[[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vbmi")]] inline void lookup_rows(
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

}  // namespace bitwright::kernels::avx512_vbmi

#if !defined(__clang__)
#pragma GCC diagnostic pop
#endif
