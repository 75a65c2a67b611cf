// SPDX-License-Identifier: MIT
/// \file
/// A tile's sums become codes: the second step of all tiles of 512-bit vectors.
#pragma once

#include <bitwright/core/rounding.hpp>
#include <bitwright/kernels/avx512_vnni/requantize.hpp>
#include <bitwright/kernels/kept_sums.hpp>
#include <bitwright/kernels/tiles.hpp>
#include <bitwright/kernels/vectorized_rounding.hpp>

#include <immintrin.h>

#include <array>
#include <cstddef>
#include <cstdint>

// g++ 12 warns of the operands that its own intrinsics leave undefined.
#if !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

namespace bitwright::kernels::avx512_vnni {

/// Writes the first Vectors x 16 of 64 codes, or `columns` of them.
template <std::size_t Vectors>
[[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni"), gnu::always_inline]] inline void store_bytes(
    __m512i codes, std::size_t columns, void* outputs) {
  auto* const at = static_cast<std::byte*>(outputs);
  if (columns < Vectors * 16) return _mm512_mask_storeu_epi8(at, (std::uint64_t{1} << columns) - 1, codes);
  if constexpr (Vectors == 4) return _mm512_storeu_si512(at, codes);
  if constexpr (Vectors == 1) return _mm_storeu_si128(reinterpret_cast<__m128i*>(at), _mm512_castsi512_si128(codes));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(at), _mm512_castsi512_si256(codes));
  if constexpr (Vectors == 3)
    _mm_storeu_si128(reinterpret_cast<__m128i*>(at + 32), _mm512_extracti32x4_epi32(codes, 2));
}

/// A tile's sums become 8-bit codes, if `suits_bytes`.
template <std::size_t Vectors, class Output>
[[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni")]] void store_byte_tile(const tile_codes& task) {
  quarter_factors factors[Vectors];
#pragma GCC unroll 4
  for (std::size_t v = 0; v < Vectors; ++v)
    factors[v] =
        quarter_factors::of(_mm512_loadu_si512(task.multipliers + v * 16), _mm512_loadu_si512(task.shifts + v * 16));
  const auto window = byte_lanes<Output>::of(task.zero_point, task.output_codes);
  for (std::size_t row = 0; row < task.rows; ++row) {
    __m512i rounded[4];
#pragma GCC unroll 4
    for (std::size_t v = 0; v < 4; ++v)
      rounded[v] = v < Vectors ? factors[v].requantize(_mm512_load_si512(task.sums + (row * Vectors + v) * 16))
                               : _mm512_setzero_si512();
    const __m512i codes = window.codes(rounded[0], rounded[1], rounded[2], rounded[3]);
    store_bytes<Vectors>(codes, task.columns, reinterpret_cast<Output*>(task.outputs[row]) + task.first_output);
  }
}

/// Whether all sums round as half_up does, to codes that byte_lanes make.
template <vectorized_rounding Rounding>
[[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni")]] bool suits_bytes(const tile_codes& task) {
  if constexpr (!to_nearest<Rounding>) return false;
  bool suits = suits_byte_lanes(task.zero_point);
  for (std::size_t column = 0; suits && column < task.padded_columns; column += 16) {
    const __m512i multipliers = _mm512_loadu_si512(task.multipliers + column);
    const __m512i shifts = _mm512_loadu_si512(task.shifts + column);
    suits = task.may_tie ? all_round_as_half_up<Rounding>(multipliers, shifts)
                         : all_round_as_half_up<half_up>(multipliers, shifts);
  }
  return suits;
}

/// A tile's sums become codes of type Output.
template <class Output, integer_rounding Rounding>
[[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni")]] void store_tile(const tile_codes& task) {
  if constexpr (sizeof(Output) == 4 && vectorized_rounding<Rounding>)
    if (keeps_sums(task)) return copy_sums(task);
  if constexpr (sizeof(Output) == 1 && vectorized_rounding<Rounding>)
    if (suits_bytes<Rounding>(task)) {
      constexpr std::array stores{store_byte_tile<1, Output>, store_byte_tile<2, Output>, store_byte_tile<3, Output>,
                                  store_byte_tile<4, Output>};
      return stores[task.padded_columns / 16 - 1](task);
    }
  for (std::size_t column = 0; column < task.columns; column += 16) {
    const __m512i multipliers = _mm512_loadu_si512(task.multipliers + column);
    const __m512i shifts = _mm512_loadu_si512(task.shifts + column);
    for (std::size_t row = 0; row < task.rows; ++row) {
      const __m512i sums = _mm512_loadu_si512(task.sums + row * task.padded_columns + column);
      const __m512i codes = codes_of(requantize<Rounding>(sums, multipliers, shifts), task.window);
      store_codes(codes, reinterpret_cast<Output*>(task.outputs[row]) + task.first_output + column,
                  task.columns - column);
    }
  }
}

}  // namespace bitwright::kernels::avx512_vnni

#if !defined(__clang__)
#pragma GCC diagnostic pop
#endif
