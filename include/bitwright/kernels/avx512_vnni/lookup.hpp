// SPDX-License-Identifier: MIT
/// \file
/// Lookup, 64 codes at a time: 16 shuffles of 16 entries each by a code's low half, and a choice among them by each bit
/// of its high half.
#pragma once

#include <bitwright/kernels/lookup_arguments.hpp>

#include <immintrin.h>

#include <cstddef>
#include <cstdint>
#include <utility>

// g++ 12 warns of the operands that its own intrinsics leave undefined.
#if !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

namespace bitwright::kernels::avx512_vnni {

/// A table in registers, 16 entries in each, four times over.
struct lookup_table {
  __m512i entries[16];

  [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] static __m512i sixteen(
      const std::uint8_t* table) {
    return _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(table)));
  }

  template <std::size_t... Parts>
  [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] static lookup_table of(
      const std::uint8_t* table, std::index_sequence<Parts...>) {
    return {{sixteen(table + 16 * Parts)...}};
  }
  [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] static lookup_table of(
      const std::uint8_t* table) {
    return of(table, std::make_index_sequence<16>());
  }

  /// The entries of 64 codes.
  [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] __m512i look_up(
      __m512i codes) const {
    const __m512i low = _mm512_and_si512(codes, _mm512_set1_epi8(0x7f));
    const __mmask64 bits[4] = {_mm512_movepi8_mask(_mm512_slli_epi16(codes, 3)),
                               _mm512_movepi8_mask(_mm512_slli_epi16(codes, 2)),
                               _mm512_movepi8_mask(_mm512_slli_epi16(codes, 1)), _mm512_movepi8_mask(codes)};
    return choose<4, 0>(low, bits);
  }

 private:
  /// Those of 2^Bits registers from `First` on, by the low halves and the `Bits` bits above them.
  template <int Bits, std::size_t First>
  [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] __m512i choose(
      __m512i low, const __mmask64 (&bits)[4]) const {
    if constexpr (Bits == 0) {
      return _mm512_shuffle_epi8(entries[First], low);
    } else if constexpr (Bits == 1) {
      return _mm512_mask_shuffle_epi8(choose<0, First>(low, bits), bits[0], entries[First + 1], low);
    } else {
      constexpr std::size_t half = std::size_t{1} << (Bits - 1);
      const __m512i clear = choose<Bits - 1, First>(low, bits), set = choose<Bits - 1, First + half>(low, bits);
      return _mm512_mask_blend_epi8(bits[Bits - 1], clear, set);
    }
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
