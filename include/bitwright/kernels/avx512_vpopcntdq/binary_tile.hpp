// SPDX-License-Identifier: MIT
/// \file
/// The binary tile of AVX512-VPOPCNTDQ: vpopcntd counts the bits of 16 columns' words that differ from a row's.
#pragma once

#include <bitwright/core/rounding.hpp>
#include <bitwright/kernels/avx512_vnni/store_tile.hpp>
#include <bitwright/kernels/binary_tiles.hpp>
#include <bitwright/kernels/tiles.hpp>

#include <immintrin.h>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>

// g++ 12 warns of the operands that its own intrinsics leave undefined.
#if !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

namespace bitwright::kernels::avx512_vpopcntdq {

struct binary_tile {
  static constexpr std::size_t lanes = 16;
  static constexpr std::size_t depth = 4;
  static constexpr std::size_t max_vectors = 4;
  static constexpr bool converts = false;

  /// So many counts, up to 24, that registers are left for a panel's step and a row's, and fewer loads than counts.
  static constexpr std::size_t rows(std::size_t vectors) { return vectors == 4 ? 6 : 8; }
  static constexpr std::size_t operand_bytes(std::size_t row_bytes) { return round_up(row_bytes, depth); }
  static constexpr std::size_t part_columns(std::size_t vectors) { return vectors * lanes; }

  /// Finishes a count before the next begins: compilers make the exclusive ors of all rows first otherwise, and run out of
  /// registers.
  [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni,avx512vpopcntdq"), gnu::always_inline]] static inline void
  keep_order(__m512i& counts) {
    asm volatile("" : "+v"(counts));
  }

  /// initial - 2^shift * the number of bits that differ, of Rows rows and Vectors vectors.
  template <std::size_t Rows, std::size_t Vectors>
  [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni,avx512vpopcntdq")]] static void accumulate(
      const binary_tile_sums& task) {
    __m512i counts[Rows][Vectors];
    const std::byte* from[Rows];
#pragma GCC unroll 16
    for (std::size_t row = 0; row < Rows; ++row) {
      from[row] = task.rows[row];
#pragma GCC unroll 4
      for (std::size_t v = 0; v < Vectors; ++v) counts[row][v] = _mm512_setzero_si512();
    }
    const std::byte* weights = task.weights;
    for (std::size_t k = 0; k < task.steps * depth; k += depth, weights += Vectors * 64) {
      __m512i panel[Vectors];
#pragma GCC unroll 4
      for (std::size_t v = 0; v < Vectors; ++v) panel[v] = _mm512_load_si512(weights + v * 64);
#pragma GCC unroll 16
      for (std::size_t row = 0; row < Rows; ++row) {
        const __m512i step = _mm512_set1_epi32(load_step(from[row] + k));
#pragma GCC unroll 4
        for (std::size_t v = 0; v < Vectors; ++v) {
          counts[row][v] = _mm512_add_epi32(counts[row][v], _mm512_popcnt_epi32(_mm512_xor_si512(step, panel[v])));
          keep_order(counts[row][v]);
        }
      }
    }
    const __m128i shift = _mm_cvtsi32_si128(task.shift);
#pragma GCC unroll 16
    for (std::size_t row = 0; row < Rows; ++row)
#pragma GCC unroll 4
      for (std::size_t v = 0; v < Vectors; ++v) {
        const __m512i initial = _mm512_loadu_si512(task.initial + v * lanes);
        _mm512_store_si512(task.sums + (row * Vectors + v) * lanes,
                           _mm512_sub_epi32(initial, _mm512_sll_epi32(counts[row][v], shift)));
      }
  }
};

/// A bit for each sum, whether it is not negative.
[[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni,avx512vpopcntdq")]] inline void store_bits(
    const binary_tile_outputs& task) {
  const tile_codes& codes = task.codes;
  for (std::size_t row = 0; row < codes.rows; ++row)
    for (std::size_t column = 0; column < codes.columns; column += 16) {
      const __m512i sums = _mm512_load_si512(codes.sums + row * codes.padded_columns + column);
      const std::size_t count = codes.columns - column < 16 ? codes.columns - column : 16;
      const auto bits = static_cast<std::uint16_t>(_mm512_cmpge_epi32_mask(sums, _mm512_setzero_si512()) &
                                                   ((std::uint32_t{1} << count) - 1));
      std::memcpy(codes.outputs[row] + (codes.first_output + column) / 8, &bits, bytes_of_bits(count));
    }
}

/// The value of each sum.
[[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni,avx512vpopcntdq")]] inline void store_values(
    const binary_tile_outputs& task) {
  const tile_codes& codes = task.codes;
  for (std::size_t row = 0; row < codes.rows; ++row)
    for (std::size_t column = 0; column < codes.columns; column += 16) {
      const __m512i sums = _mm512_load_si512(codes.sums + row * codes.padded_columns + column);
      __m512 values = _mm512_mul_ps(_mm512_cvtepi32_ps(sums), _mm512_loadu_ps(task.scales + column));
      if (task.row_scales != nullptr) values = _mm512_mul_ps(values, _mm512_set1_ps(task.row_scales[row]));
      const std::size_t count = codes.columns - column < 16 ? codes.columns - column : 16;
      _mm512_mask_storeu_ps(reinterpret_cast<float*>(codes.outputs[row]) + codes.first_output + column,
                            static_cast<__mmask16>((std::uint32_t{1} << count) - 1), values);
    }
}

template <binary_output Output, integer_rounding Rounding>
void store_binary(const binary_tile_outputs& task) {
  if constexpr (std::same_as<Output, bool>)
    store_bits(task);
  else if constexpr (std::same_as<Output, float>)
    store_values(task);
  else
    avx512_vnni::store_tile<Output, Rounding>(task.codes);
}

}  // namespace bitwright::kernels::avx512_vpopcntdq

#if !defined(__clang__)
#pragma GCC diagnostic pop
#endif
