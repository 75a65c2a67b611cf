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

  /// Finishes a count before the next begins: compilers look up the counts of all rows first otherwise, and run out of
  /// registers.
  [[gnu::target("avx2"), gnu::always_inline]] static inline void keep_order(__m256i& counts) {
    asm volatile("" : "+x"(counts));
  }

  /// Four bits of each column, the low or the high ones of its byte.
  template <std::size_t Half>
  [[gnu::target("avx2"), gnu::always_inline]] static inline __m256i indices(const std::byte* weights) {
    const __m256i bytes = _mm256_load_si256(reinterpret_cast<const __m256i*>(weights));
    return _mm256_and_si256(Half == 0 ? bytes : _mm256_srli_epi16(bytes, 4), _mm256_set1_epi8(15));
  }

  /// Adds the counts of four bits of each row and column.
  template <std::size_t Half, std::size_t Rows, std::size_t Vectors>
  [[gnu::target("avx2"), gnu::always_inline]] static inline void count(__m256i (&counts)[Rows][Vectors],
                                                                       const std::byte* const (&tables)[Rows],
                                                                       std::size_t k, const std::byte* weights) {
    __m256i columns[Vectors];
#pragma GCC unroll 4
    for (std::size_t v = 0; v < Vectors; ++v) columns[v] = indices<Half>(weights + v * 32);
#pragma GCC unroll 16
    for (std::size_t row = 0; row < Rows; ++row) {
      const auto* table = tables_of_differences.counts.data() + std::to_integer<std::size_t>(tables[row][k + Half]);
      const __m256i differing = _mm256_broadcastsi128_si256(_mm_load_si128(reinterpret_cast<const __m128i*>(table)));
#pragma GCC unroll 4
      for (std::size_t v = 0; v < Vectors; ++v) {
        counts[row][v] = _mm256_add_epi8(counts[row][v], _mm256_shuffle_epi8(differing, columns[v]));
        keep_order(counts[row][v]);
      }
    }
  }

  /// Counts `steps` bytes of each row, as many as fit, and adds them to 16-bit counts: of each vector columns 0 to 7 and
  /// 16 to 23, then the others. A function of its own, in which nothing but the counts asks for registers.
  template <std::size_t Rows, std::size_t Vectors>
  [[gnu::target("avx2"), gnu::noinline]] static void count_run(__m256i (*words)[2 * Vectors],
                                                               const std::byte* const* rows, std::size_t first,
                                                               std::size_t steps, const std::byte* weights) {
    const std::byte* tables[Rows];
    __m256i counts[Rows][Vectors];
#pragma GCC unroll 16
    for (std::size_t row = 0; row < Rows; ++row) {
      tables[row] = rows[row] + 2 * first;
#pragma GCC unroll 4
      for (std::size_t v = 0; v < Vectors; ++v) counts[row][v] = _mm256_setzero_si256();
    }
    for (std::size_t k = 0; k < 2 * steps; k += 2, weights += Vectors * 32) {
      count<0>(counts, tables, k, weights);
      count<1>(counts, tables, k, weights);
    }
    const __m256i zero = _mm256_setzero_si256();
#pragma GCC unroll 16
    for (std::size_t row = 0; row < Rows; ++row)
#pragma GCC unroll 4
      for (std::size_t v = 0; v < Vectors; ++v) {
        words[row][2 * v] = _mm256_add_epi16(words[row][2 * v], _mm256_unpacklo_epi8(counts[row][v], zero));
        words[row][2 * v + 1] = _mm256_add_epi16(words[row][2 * v + 1], _mm256_unpackhi_epi8(counts[row][v], zero));
      }
  }

  /// Takes 2^shift times the counts of eight columns from their sums.
  [[gnu::target("avx2"), gnu::always_inline]] static inline void take(std::int32_t* sums, __m128i words,
                                                                      __m128i shift) {
    const __m256i shifted = _mm256_sll_epi32(_mm256_cvtepu16_epi32(words), shift);
    auto* const at = reinterpret_cast<__m256i*>(sums);
    _mm256_store_si256(at, _mm256_sub_epi32(_mm256_load_si256(at), shifted));
  }

  /// initial - 2^shift * the number of bits that differ, of Rows rows and Vectors vectors.
  template <std::size_t Rows, std::size_t Vectors>
  [[gnu::target("avx2")]] static void accumulate(const binary_tile_sums& task) {
    for (std::size_t part = 0; part < 2 * Vectors; ++part)
      for (std::size_t row = 0; row < Rows; ++row)
        std::memcpy(task.sums + part * task.part_stride + row * 16, task.initial + part * 16,
                    16 * sizeof(std::int32_t));
    const __m128i shift = _mm_cvtsi32_si128(task.shift);
    for (std::size_t first = 0; first < task.steps; first += steps_of_words) {
      __m256i words[Rows][2 * Vectors] = {};
      const std::size_t last = std::min(task.steps, first + steps_of_words);
      for (std::size_t k = first; k < last; k += steps_of_bytes)
        count_run<Rows, Vectors>(words, task.rows, k, std::min(steps_of_bytes, last - k),
                                 task.weights + k * Vectors * 32);
      for (std::size_t row = 0; row < Rows; ++row)
        for (std::size_t v = 0; v < Vectors; ++v) {
          std::int32_t* const low = task.sums + 2 * v * task.part_stride + row * 16;
          std::int32_t* const high = low + task.part_stride;
          take(low, _mm256_castsi256_si128(words[row][2 * v]), shift);
          take(low + 8, _mm256_castsi256_si128(words[row][2 * v + 1]), shift);
          take(high, _mm256_extracti128_si256(words[row][2 * v], 1), shift);
          take(high + 8, _mm256_extracti128_si256(words[row][2 * v + 1], 1), shift);
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
