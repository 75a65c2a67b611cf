// SPDX-License-Identifier: MIT
/// \file
/// The binary tile of AVX2, which has no instruction that counts bits: a table has the count.
///
/// Four bits of a row choose one of 16 tables, whose entry i says in how many bits i differs from them. vpshufb looks up
/// the entries of 32 columns at once, and bytes add them up for as many steps as fit. That is two instructions for 32 x 4
/// products, where counting the bits of an exclusive or takes four. After Mula, Kurz and Lemire, "Faster Population Counts
/// Using AVX2 Instructions" (2018), with the exclusive or moved into the table.
#pragma once

#include <bitwright/core/rounding.hpp>
#include <bitwright/kernels/avx2/store_tile.hpp>
#include <bitwright/kernels/binary_tiles.hpp>
#include <bitwright/kernels/tiles.hpp>

#include <immintrin.h>

#include <algorithm>
#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>

namespace bitwright::kernels::avx2 {

/// Table a has the number of bits in which a differs from each number below 16.
struct difference_tables {
  alignas(64) std::array<std::uint8_t, 256> counts{};

  constexpr difference_tables() {
    for (unsigned i = 0; i < 256; ++i) counts[i] = static_cast<std::uint8_t>(std::popcount((i ^ i >> 4) & 15));
  }
};
inline constexpr difference_tables tables_of_differences;

struct binary_tile {
  static constexpr std::size_t lanes = 32;
  static constexpr std::size_t depth = 1;
  static constexpr std::size_t max_vectors = 2;
  static constexpr bool converts = true;
  static constexpr std::size_t rows(std::size_t vectors) { return vectors == 2 ? 5 : 8; }
  static constexpr std::size_t part_columns(std::size_t) { return 16; }

  /// Two operands a byte: where the tables of its low and of its high four bits begin.
  static constexpr std::size_t operand_bytes(std::size_t row_bytes) { return 2 * row_bytes; }

  [[gnu::target("avx2")]] static void convert(const std::byte* bits, std::size_t count, std::byte* operands) {
    std::size_t k = 0;
    for (; k + 16 <= count; k += 16) {
      const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bits + k));
      const __m128i mask = _mm_set1_epi8(-16);
      const __m128i high = _mm_and_si128(bytes, mask), low = _mm_and_si128(_mm_slli_epi16(bytes, 4), mask);
      _mm_storeu_si128(reinterpret_cast<__m128i*>(operands + 2 * k), _mm_unpacklo_epi8(low, high));
      _mm_storeu_si128(reinterpret_cast<__m128i*>(operands + 2 * k + 16), _mm_unpackhi_epi8(low, high));
    }
    for (; k < count; ++k) operands[2 * k] = bits[k] << 4, operands[2 * k + 1] = bits[k] & std::byte{0xf0};
  }

  /// A byte holds the counts of this many steps, of 8 bits each; a 16-bit number those of so many runs of them.
  static constexpr std::size_t steps_of_bytes = 31, steps_of_words = steps_of_bytes * 264;
  static_assert(8 * steps_of_bytes <= std::numeric_limits<std::uint8_t>::max());
  static_assert(8 * steps_of_words <= std::numeric_limits<std::uint16_t>::max());

  /// The counts of Rows x Vectors vectors, in bytes.
  template <std::size_t Rows, std::size_t Vectors>
  struct registers {
    __m256i of[Rows][Vectors];

    [[gnu::target("avx2"), gnu::always_inline]] void set_zero() {
#pragma GCC unroll 16
      for (std::size_t row = 0; row < Rows; ++row)
#pragma GCC unroll 4
        for (std::size_t v = 0; v < Vectors; ++v) of[row][v] = _mm256_setzero_si256();
    }

    /// Adds the counts of four bits of each row: `tables` are where the rows' operands lie, k which of them it is.
    [[gnu::target("avx2"), gnu::always_inline]] void add(const std::byte* const* tables, std::size_t k,
                                                         const __m256i* indices) {
#pragma GCC unroll 16
      for (std::size_t row = 0; row < Rows; ++row) {
        const auto* table = tables_of_differences.counts.data() + std::to_integer<std::size_t>(tables[row][k]);
        const __m256i counts = _mm256_broadcastsi128_si256(_mm_load_si128(reinterpret_cast<const __m128i*>(table)));
#pragma GCC unroll 4
        for (std::size_t v = 0; v < Vectors; ++v)
          of[row][v] = _mm256_add_epi8(of[row][v], _mm256_shuffle_epi8(counts, indices[v]));
      }
    }

    /// Adds to 16-bit counts: of each vector columns 0 to 7 and 16 to 23, then the others.
    [[gnu::target("avx2"), gnu::always_inline]] void widen_into(__m256i (&words)[Rows][2 * Vectors]) const {
      const __m256i zero = _mm256_setzero_si256();
      for (std::size_t row = 0; row < Rows; ++row)
#pragma GCC unroll 4
        for (std::size_t v = 0; v < Vectors; ++v) {
          words[row][2 * v] = _mm256_add_epi16(words[row][2 * v], _mm256_unpacklo_epi8(of[row][v], zero));
          words[row][2 * v + 1] = _mm256_add_epi16(words[row][2 * v + 1], _mm256_unpackhi_epi8(of[row][v], zero));
        }
    }
  };

  /// Counts `steps` bytes of each row, as many as fit.
  template <std::size_t Rows, std::size_t Vectors>
  [[gnu::target("avx2"), gnu::always_inline]] static inline void count_run(registers<Rows, Vectors>& counts,
                                                                           const std::byte* const* rows,
                                                                           std::size_t first, std::size_t steps,
                                                                           const std::byte* weights) {
    const __m256i mask = _mm256_set1_epi8(15);
    const std::byte* from[Rows];
#pragma GCC unroll 16
    for (std::size_t row = 0; row < Rows; ++row) from[row] = rows[row];
    counts.set_zero();
    for (std::size_t k = 2 * first; k < 2 * (first + steps); k += 2, weights += Vectors * 32) {
      __m256i indices[Vectors];
#pragma GCC unroll 4
      for (std::size_t v = 0; v < Vectors; ++v)
        indices[v] = _mm256_and_si256(_mm256_load_si256(reinterpret_cast<const __m256i*>(weights) + v), mask);
      counts.add(from, k, indices);
#pragma GCC unroll 4
      for (std::size_t v = 0; v < Vectors; ++v) {
        const __m256i bytes = _mm256_load_si256(reinterpret_cast<const __m256i*>(weights) + v);
        indices[v] = _mm256_and_si256(_mm256_srli_epi16(bytes, 4), mask);
      }
      counts.add(from, k + 1, indices);
    }
  }

  /// Takes twice the counts of eight columns from their sums.
  [[gnu::target("avx2"), gnu::always_inline]] static inline void take(std::int32_t* sums, __m128i words) {
    const __m256i twice = _mm256_slli_epi32(_mm256_cvtepu16_epi32(words), 1);
    auto* const at = reinterpret_cast<__m256i*>(sums);
    _mm256_store_si256(at, _mm256_sub_epi32(_mm256_load_si256(at), twice));
  }

  /// initial - 2 * the number of bits that differ, of Rows rows and Vectors vectors.
  template <std::size_t Rows, std::size_t Vectors>
  [[gnu::target("avx2")]] static void accumulate(const binary_tile_sums& task) {
    for (std::size_t part = 0; part < 2 * Vectors; ++part)
      for (std::size_t row = 0; row < Rows; ++row)
        std::memcpy(task.sums + (part * Rows + row) * 16, task.initial + part * 16, 16 * sizeof(std::int32_t));
    for (std::size_t first = 0; first < task.steps; first += steps_of_words) {
      __m256i words[Rows][2 * Vectors] = {};
      const std::size_t last = std::min(task.steps, first + steps_of_words);
      for (std::size_t k = first; k < last; k += steps_of_bytes) {
        registers<Rows, Vectors> counts;
        count_run(counts, task.rows, k, std::min(steps_of_bytes, last - k), task.weights + k * Vectors * 32);
        counts.widen_into(words);
      }
      for (std::size_t row = 0; row < Rows; ++row)
        for (std::size_t v = 0; v < Vectors; ++v) {
          std::int32_t* const low = task.sums + (2 * v * Rows + row) * 16;
          std::int32_t* const high = low + Rows * 16;
          take(low, _mm256_castsi256_si128(words[row][2 * v]));
          take(low + 8, _mm256_castsi256_si128(words[row][2 * v + 1]));
          take(high, _mm256_extracti128_si256(words[row][2 * v], 1));
          take(high + 8, _mm256_extracti128_si256(words[row][2 * v + 1], 1));
        }
    }
  }
};

/// A bit for each sum, whether it is not negative.
[[gnu::target("avx2")]] inline void store_bits(const binary_tile_outputs& task) {
  const tile_codes& codes = task.codes;
  for (std::size_t row = 0; row < codes.rows; ++row)
    for (std::size_t column = 0; column < codes.columns; column += 8) {
      const __m256i sums = load_columns(codes.sums + row * codes.padded_columns + column);
      const int negative = _mm256_movemask_ps(_mm256_castsi256_ps(sums));
      const std::size_t count = std::min<std::size_t>(8, codes.columns - column);
      codes.outputs[row][(codes.first_output + column) / 8] = static_cast<std::byte>(~negative & ((1 << count) - 1));
    }
}

/// The value of each sum.
[[gnu::target("avx2")]] inline void store_values(const binary_tile_outputs& task) {
  const tile_codes& codes = task.codes;
  for (std::size_t row = 0; row < codes.rows; ++row)
    for (std::size_t column = 0; column < codes.columns; column += 8) {
      const __m256i sums = load_columns(codes.sums + row * codes.padded_columns + column);
      __m256 values = _mm256_mul_ps(_mm256_cvtepi32_ps(sums), _mm256_loadu_ps(task.scales + column));
      if (task.row_scales != nullptr) values = _mm256_mul_ps(values, _mm256_set1_ps(task.row_scales[row]));
      const std::size_t count = std::min<std::size_t>(8, codes.columns - column);
      float* const outputs = reinterpret_cast<float*>(codes.outputs[row]) + codes.first_output + column;
      alignas(32) float eight[8];
      if (count == 8) {
        _mm256_storeu_ps(outputs, values);
      } else {
        _mm256_store_ps(eight, values);
        std::memcpy(outputs, eight, count * sizeof(float));
      }
    }
}

template <binary_output Output, integer_rounding Rounding>
void store_binary(const binary_tile_outputs& task) {
  if constexpr (std::same_as<Output, bool>)
    store_bits(task);
  else if constexpr (std::same_as<Output, float>)
    store_values(task);
  else
    store_tile<Output, Rounding>(task.codes);
}

}  // namespace bitwright::kernels::avx2
