// SPDX-License-Identifier: MIT
/// \file
/// A tile's sums become codes: the second step of all tiles of 256-bit vectors.
#pragma once

#include <bitwright/core/rounding.hpp>
#include <bitwright/kernels/avx2/requantize.hpp>
#include <bitwright/kernels/kept_sums.hpp>
#include <bitwright/kernels/tiles.hpp>
#include <bitwright/kernels/vectorized_rounding.hpp>

#include <immintrin.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace bitwright::kernels::avx2 {

[[gnu::target("avx2"), gnu::always_inline]] inline __m256i load_columns(const std::int32_t* columns) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(columns));
}

/// Writes the first Vectors x 8 of 32 codes, or `columns` of them.
template <std::size_t Vectors>
[[gnu::target("avx2"), gnu::always_inline]] inline void store_bytes(__m256i codes, std::size_t columns, void* outputs) {
  auto* const at = static_cast<std::byte*>(outputs);
  if (columns < Vectors * 8) {
    alignas(32) std::byte all[32];
    _mm256_store_si256(reinterpret_cast<__m256i*>(all), codes);
    std::memcpy(at, all, columns);
  } else {
    const __m128i low = _mm256_castsi256_si128(codes), high = _mm256_extracti128_si256(codes, 1);
    if constexpr (Vectors == 1) _mm_storel_epi64(reinterpret_cast<__m128i*>(at), low);
    if constexpr (Vectors >= 2) _mm_storeu_si128(reinterpret_cast<__m128i*>(at), low);
    if constexpr (Vectors == 3) _mm_storel_epi64(reinterpret_cast<__m128i*>(at + 16), high);
  }
}

/// A tile's sums become 8-bit codes, if `suits_bytes`.
template <std::size_t Vectors, class Output>
[[gnu::target("avx2")]] void store_byte_tile(const tile_codes& task) {
  quarter_factors factors[Vectors];
#pragma GCC unroll 4
  for (std::size_t v = 0; v < Vectors; ++v)
    factors[v] = quarter_factors::of(load_columns(task.multipliers + v * 8), load_columns(task.shifts + v * 8));
  const auto window = byte_lanes<Output>::of(task.zero_point, task.output_codes);
  constexpr std::size_t pair = Vectors <= 2 ? 2 : 1;  // Rows to a register of codes.
  for (std::size_t row = 0; row < task.rows; row += pair) {
    const std::size_t second = std::min(row + pair, task.rows) - 1;  // The last twice, if one is left.
    __m256i rounded[4];
#pragma GCC unroll 4
    for (std::size_t i = 0; i < 4; ++i) {
      const std::size_t from = i < 4 / pair ? row : second, v = i % (4 / pair);
      rounded[i] = v < Vectors ? factors[v].requantize(load_columns(task.sums + (from * Vectors + v) * 8))
                               : _mm256_setzero_si256();
    }
    const __m256i codes = window.codes(rounded[0], rounded[1], rounded[2], rounded[3]);
    store_bytes<Vectors>(codes, task.columns, reinterpret_cast<Output*>(task.outputs[row]) + task.first_output);
    if constexpr (pair == 2)
      store_bytes<Vectors>(_mm256_permute4x64_epi64(codes, 0xee), task.columns,
                           reinterpret_cast<Output*>(task.outputs[second]) + task.first_output);
  }
}

/// Whether all sums round as half_up does, to codes that byte_lanes make.
template <vectorized_rounding Rounding>
[[gnu::target("avx2")]] bool suits_bytes(const tile_codes& task) {
  if constexpr (!to_nearest<Rounding>) return false;
  bool suits = suits_byte_lanes(task.zero_point);
  for (std::size_t column = 0; suits && column < task.padded_columns; column += 8) {
    const __m256i multipliers = load_columns(task.multipliers + column), shifts = load_columns(task.shifts + column);
    suits = task.may_tie ? all_round_as_half_up<Rounding>(multipliers, shifts)
                         : all_round_as_half_up<half_up>(multipliers, shifts);
  }
  return suits;
}

/// A tile's sums become codes of type Output.
template <class Output, integer_rounding Rounding>
[[gnu::target("avx2")]] void store_tile(const tile_codes& task) {
  if constexpr (sizeof(Output) == 4 && vectorized_rounding<Rounding>)
    if (keeps_sums(task)) return copy_sums(task);
  if constexpr (sizeof(Output) == 1 && vectorized_rounding<Rounding>)
    if (suits_bytes<Rounding>(task)) {
      constexpr std::array stores{store_byte_tile<1, Output>, store_byte_tile<2, Output>, store_byte_tile<3, Output>};
      return stores[task.padded_columns / 8 - 1](task);
    }
  for (std::size_t column = 0; column < task.columns; column += 8) {
    const __m256i multipliers = load_columns(task.multipliers + column);
    const __m256i shifts = load_columns(task.shifts + column);
    for (std::size_t row = 0; row < task.rows; ++row) {
      const __m256i sums =
          _mm256_loadu_si256(reinterpret_cast<const __m256i*>(task.sums + row * task.padded_columns + column));
      const __m256i codes = codes_of(requantize<Rounding>(sums, multipliers, shifts), task.window);
      store_codes(codes, reinterpret_cast<Output*>(task.outputs[row]) + task.first_output + column,
                  task.columns - column);
    }
  }
}

}  // namespace bitwright::kernels::avx2
