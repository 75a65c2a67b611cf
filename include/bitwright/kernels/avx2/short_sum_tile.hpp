// SPDX-License-Identifier: MIT
/// \file
/// AVX2's tile for small weights: vpmaddubsw's sums of two products stay in 16 bits for as many steps as packing has
/// proven that they fit (`panel_header::short_steps`), and only then are added to 32-bit sums. A step is two
/// instructions where bytes take three.
#pragma once

#include <bitwright/kernels/avx2/levels.hpp>
#include <bitwright/kernels/avx2/tile.hpp>
#include <bitwright/kernels/tiles.hpp>

#include <immintrin.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace bitwright::kernels::avx2 {

template <one_of<std::uint8_t, std::int8_t> Activation>
struct short_sum_tile : byte_operands<Activation> {
  using byte_operands<Activation>::operands;
  using byte_operands<Activation>::zero_operands;
  static constexpr std::size_t lanes = 8;
  static constexpr std::size_t depth = 4;
  static constexpr std::size_t max_vectors = 2;

  /// 8 sums, a panel's step and those of all rows, which compilers load together: 14 registers of 16.
  static constexpr std::size_t rows(std::size_t vectors) { return vectors == 2 ? 4 : 8; }

  /// 16-bit sums of Rows x Vectors vectors; those of 32 bits are in memory.
  template <std::size_t Rows, std::size_t Vectors>
  struct short_sums {
    __m256i of[Rows][Vectors];

    [[gnu::target("avx2"), gnu::always_inline]] void set_zero() {
#pragma GCC unroll 16
      for (std::size_t row = 0; row < Rows; ++row)
#pragma GCC unroll 4
        for (std::size_t v = 0; v < Vectors; ++v) of[row][v] = _mm256_setzero_si256();
    }

    [[gnu::target("avx2"), gnu::always_inline]] void add(std::size_t row, std::size_t v, __m256i operands,
                                                         __m256i weights) {
      of[row][v] = _mm256_add_epi16(of[row][v], _mm256_maddubs_epi16(operands, weights));
    }

    [[gnu::target("avx2"), gnu::always_inline]] void add_to(std::int32_t* sums) const {
#pragma GCC unroll 16
      for (std::size_t row = 0; row < Rows; ++row)
#pragma GCC unroll 4
        for (std::size_t v = 0; v < Vectors; ++v) {
          auto* at = reinterpret_cast<__m256i*>(sums + (row * Vectors + v) * lanes);
          const __m256i wide = _mm256_madd_epi16(of[row][v], _mm256_set1_epi16(1));
          _mm256_storeu_si256(at, _mm256_add_epi32(_mm256_loadu_si256(at), wide));
        }
    }
  };

  template <std::size_t Rows, std::size_t Vectors>
  [[gnu::target("avx2"), gnu::always_inline]] static inline void add_step(short_sums<Rows, Vectors>& sums,
                                                                          const std::byte* const* rows, std::size_t k,
                                                                          const std::byte* weights) {
    __m256i panel[Vectors];
#pragma GCC unroll 4
    for (std::size_t v = 0; v < Vectors; ++v)
      panel[v] = _mm256_load_si256(reinterpret_cast<const __m256i*>(weights + v * 32));
#pragma GCC unroll 16
    for (std::size_t row = 0; row < Rows; ++row) {
      const __m256i step = operands(load_step(rows[row] + k));
#pragma GCC unroll 4
      for (std::size_t v = 0; v < Vectors; ++v) sums.add(row, v, step, panel[v]);
    }
  }

  /// Adds a segment of `length` bytes a row to `totals`.
  template <std::size_t Rows, std::size_t Vectors>
  [[gnu::target("avx2"), gnu::always_inline]] static inline void add_segment(const std::byte* const* rows,
                                                                             const std::byte* weights,
                                                                             const tile_sums& task) {
    const std::size_t length = task.length;
    const auto most = static_cast<std::size_t>(task.header->short_steps);
    const std::byte* from[Rows];
#pragma GCC unroll 16
    for (std::size_t row = 0; row < Rows; ++row) from[row] = rows[row] + task.offset;
    // The bytes that fill no step are a second round, of one step from a copy: the loops stand here once.
    std::int32_t tails[Rows];
    for (std::size_t tail = length % 4, steps = length / 4;; steps = 1, tail = 0) {
      for (std::size_t k = 0; steps > 0;) {
        short_sums<Rows, Vectors> sums;
        sums.set_zero();
        const std::size_t count = std::min(steps, most);
        steps -= count;
        const std::size_t end = k + count * 4;
        for (; k + 8 <= end; k += 8, weights += Vectors * 64)
#pragma GCC unroll 2
          for (std::size_t i = 0; i < 2; ++i) add_step(sums, from, k + i * 4, weights + i * Vectors * 32);
        for (; k < end; k += 4, weights += Vectors * 32) add_step(sums, from, k, weights);
        sums.add_to(task.sums);
      }
      if (tail == 0) return;
#pragma GCC unroll 16
      for (std::size_t row = 0; row < Rows; ++row) {
        tails[row] = load_tail(from[row] + length, tail, length, zero_operands);
        from[row] = reinterpret_cast<const std::byte*>(tails + row);
      }
    }
  }

  /// The sums of Rows rows and Vectors vectors.
  template <std::size_t Rows, std::size_t Vectors>
  [[gnu::target("avx2")]] static void accumulate(const tile_sums& task) {
    for (std::size_t row = 0; row < Rows; ++row)
      std::copy_n(task.initial, Vectors * lanes, task.sums + row * Vectors * lanes);
    const segment_box box = task.box;
    for (std::size_t i = box.first_row; i < box.last_row; ++i)
      for (std::size_t segment = i * box.width + box.first_column; segment < i * box.width + box.last_column; ++segment)
        add_segment<Rows, Vectors>(task.rows + segment * task.segment_stride,
                                   task.weights + segment * task.segment_bytes, task);
  }

  /// Adds the steps of one row that share their bytes.
  template <std::size_t Bits, std::size_t Vectors>
  [[gnu::target("avx2"), gnu::always_inline]] static inline void add_indices(short_sums<1, Vectors>& sums,
                                                                             const std::byte* row,
                                                                             const std::byte* indices,
                                                                             const level_shuffles<4 / Bits>& levels) {
    constexpr std::size_t each = 4 / Bits;
#pragma GCC unroll 2
    for (std::size_t upper = 0; upper < 2; ++upper) {
      __m256i halves[Vectors];
#pragma GCC unroll 4
      for (std::size_t v = 0; v < Vectors; ++v) halves[v] = half_bytes(indices + v * 32, upper);
#pragma GCC unroll 4
      for (std::size_t i = 0; i < each; ++i) {
        const __m256i step = operands(load_step(row + (upper * each + i) * 4));
#pragma GCC unroll 4
        for (std::size_t v = 0; v < Vectors; ++v) sums.add(0, v, step, levels.of(i, halves[v]));
      }
    }
  }

  /// The sums of one row and Vectors vectors of indices.
  template <std::size_t Bits, std::size_t Vectors>
  [[gnu::target("avx2")]] static void accumulate_indices(const tile_sums& task) {
    constexpr std::size_t joined = 32 / Bits;  // Operands of the steps that share their bytes.
    const auto levels = level_shuffles<4 / Bits>::from(task.header->tables);
    const std::size_t most = static_cast<std::size_t>(task.header->short_steps) * 4 / joined;
    std::copy_n(task.initial, Vectors * lanes, task.sums);
    const segment_box box = task.box;
    for (std::size_t i = box.first_row; i < box.last_row; ++i)
      for (std::size_t j = box.first_column; j < box.last_column; ++j) {
        const std::size_t segment = i * box.width + j;
        const std::byte* row = task.rows[segment * task.segment_stride] + task.offset;
        const std::byte* indices = task.weights + segment * task.segment_bytes;
        short_sums<1, Vectors> sums;
        for (std::size_t left = task.length / joined; left > 0;) {
          sums.set_zero();
          const std::size_t count = std::min(left, most);
          left -= count;
          for (const std::byte* end = row + count * joined; row != end; row += joined, indices += Vectors * 32)
            add_indices<Bits, Vectors>(sums, row, indices, levels);
          sums.add_to(task.sums);
        }
        if (task.length % joined == 0) continue;
        const auto tail = joined_tail<joined>(row, task.length % joined, zero_operands);
        sums.set_zero();
        add_indices<Bits, Vectors>(sums, tail.data(), indices, levels);
        sums.add_to(task.sums);
      }
  }

  template <std::size_t Bits>
  static void unpack(const packed_segment& panel) {
    avx2::unpack<Bits>(panel);
  }
};

}  // namespace bitwright::kernels::avx2
