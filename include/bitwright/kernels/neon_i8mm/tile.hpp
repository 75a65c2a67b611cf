// SPDX-License-Identifier: MIT
/// \file
/// The tile of 64-bit Arm with 8-bit matrix products: smmla and usmmla multiply 8 operands of two rows by 8 weights of
/// two columns, 32 products, exactly. Unsigned activations are multiplied as they are.
#pragma once

#include <bitwright/kernels/code_types.hpp>
#include <bitwright/kernels/neon/codes.hpp>
#include <bitwright/kernels/neon/levels.hpp>
#include <bitwright/kernels/neon/store_tile.hpp>
#include <bitwright/kernels/tiles.hpp>

#include <arm_neon.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace bitwright::kernels::neon_i8mm {

template <one_of<std::uint8_t, std::int8_t> Activation>
struct tile {
  using operand = Activation;
  using weight = std::int8_t;
  static constexpr bool converts = false;
  static constexpr bool takes_indices = true;
  static constexpr std::size_t lanes = 4;
  static constexpr std::size_t depth = 8;
  static constexpr std::size_t max_vectors = 4;

  /// 24 squares of sums, 3 pairs' operands and two columns' weights are 28 registers of 32.
  static constexpr std::size_t rows(std::size_t vectors) { return vectors >= 3 ? 6 : 8; }
  static constexpr std::int32_t activation_offset(std::int32_t) { return 0; }
  static constexpr std::int32_t weight_offset(std::int32_t) { return 0; }

  /// Squares of sums, of two rows and two columns each, and 8 operands of each row. A last row that is alone is its own
  /// partner.
  template <std::size_t Pairs, std::size_t Vectors>
  struct registers {
    int32x4_t sums[Pairs][2 * Vectors];
    int8x16_t operands[Pairs];
  };

  [[gnu::target("arch=armv8.2-a+dotprod+i8mm"), gnu::always_inline]] static inline int32x4_t multiply(
      int32x4_t sums, int8x16_t operands, int8x16_t weights) {
    if constexpr (std::is_signed_v<Activation>)
      return vmmlaq_s32(sums, operands, weights);
    else
      return vusmmlaq_s32(sums, vreinterpretq_u8_s8(operands), weights);
  }

  /// Keeps loads behind it from being moved before, and this square's products with the first and the last pair: see
  /// neon_dotprod/tile.hpp.
  template <std::size_t Pairs, std::size_t Vectors>
  [[gnu::always_inline]] static inline void keep_order(registers<Pairs, Vectors>& tile, std::size_t square) {
    if constexpr (Pairs * Vectors > 6)
      asm volatile("" : "+w"(tile.sums[0][square]), "+w"(tile.sums[Pairs - 1][square]) : : "memory");
  }

  /// Adds the products of one step.
  template <std::size_t Pairs, std::size_t Vectors>
  [[gnu::target("arch=armv8.2-a+dotprod+i8mm"), gnu::always_inline]] static inline void add_step(
      registers<Pairs, Vectors>& tile, const std::byte* weights) {
#pragma GCC unroll 8
    for (std::size_t square = 0; square < 2 * Vectors; ++square) {
      keep_order(tile, square);
      const int8x16_t columns = load(weights + square * 16);
#pragma GCC unroll 4
      for (std::size_t pair = 0; pair < Pairs; ++pair)
        tile.sums[pair][square] = multiply(tile.sums[pair][square], tile.operands[pair], columns);
    }
  }

  [[gnu::always_inline]] static inline int8x16_t load(const std::byte* bytes) {
    return vld1q_s8(reinterpret_cast<const std::int8_t*>(bytes));
  }

  /// 8 operands of each of two rows.
  [[gnu::always_inline]] static inline int8x16_t join(std::int64_t first, std::int64_t second) {
    return vreinterpretq_s8_s64(vsetq_lane_s64(second, vdupq_n_s64(first), 1));
  }
  [[gnu::always_inline]] static inline int8x16_t load_pair(const std::byte* first, const std::byte* second) {
    std::int64_t a, b;
    std::memcpy(&a, first, sizeof a);
    std::memcpy(&b, second, sizeof b);
    return join(a, b);
  }

  /// Adds the products of a segment.
  template <std::size_t Rows, std::size_t Pairs, std::size_t Vectors>
  [[gnu::target("arch=armv8.2-a+dotprod+i8mm"), gnu::always_inline]] static inline void add_segment(
      registers<Pairs, Vectors>& tile, const std::byte* const* rows, std::size_t offset, std::size_t length,
      const std::byte* weights) {
    constexpr std::size_t step_bytes = Vectors * 32;
    const std::byte* from[2 * Pairs];
#pragma GCC unroll 8
    for (std::size_t row = 0; row < 2 * Pairs; ++row) from[row] = rows[row < Rows ? row : Rows - 1] + offset;
    std::size_t k = 0;
    for (; k + depth <= length; k += depth, weights += step_bytes) {
#pragma GCC unroll 4
      for (std::size_t pair = 0; pair < Pairs; ++pair)
        tile.operands[pair] = load_pair(from[2 * pair] + k, from[2 * pair + 1] + k);
      add_step(tile, weights);
    }
    if (k == length) return;
#pragma GCC unroll 4
    for (std::size_t pair = 0; pair < Pairs; ++pair)
      tile.operands[pair] =
          join(static_cast<std::int64_t>(neon::load_last(from[2 * pair] + length, length - k, length)),
               static_cast<std::int64_t>(neon::load_last(from[2 * pair + 1] + length, length - k, length)));
    add_step(tile, weights);
  }

  /// Writes the sums of one row of squares, the pair's first or second.
  template <std::size_t Vectors>
  [[gnu::always_inline]] static inline void store_row(const int32x4_t (&squares)[2 * Vectors], bool second,
                                                      const std::int32_t* initial, std::int32_t* sums) {
#pragma GCC unroll 4
    for (std::size_t v = 0; v < Vectors; ++v) {
      const int64x2_t left = vreinterpretq_s64_s32(squares[2 * v]), right = vreinterpretq_s64_s32(squares[2 * v + 1]);
      const int64x2_t row = second ? vzip2q_s64(left, right) : vzip1q_s64(left, right);
      vst1q_s32(sums + v * lanes, vaddq_s32(vreinterpretq_s32_s64(row), vld1q_s32(initial + v * lanes)));
    }
  }

  template <std::size_t Rows, std::size_t Vectors>
  [[gnu::target("arch=armv8.2-a+dotprod+i8mm")]] static void accumulate(const tile_sums& task) {
    constexpr std::size_t pairs = (Rows + 1) / 2;
    registers<pairs, Vectors> tile;
#pragma GCC unroll 4
    for (std::size_t pair = 0; pair < pairs; ++pair)
#pragma GCC unroll 8
      for (std::size_t square = 0; square < 2 * Vectors; ++square) tile.sums[pair][square] = vdupq_n_s32(0);
    const segment_box box = task.box;
    for (std::size_t i = box.first_row; i < box.last_row; ++i)
      for (std::size_t j = box.first_column; j < box.last_column; ++j) {
        const std::size_t segment = i * box.width + j;
        add_segment<Rows>(tile, task.rows + segment * task.segment_stride, task.offset, task.length,
                          task.weights + segment * task.segment_bytes);
      }
#pragma GCC unroll 8
    for (std::size_t row = 0; row < Rows; ++row)
      store_row<Vectors>(tile.sums[row / 2], row % 2 == 1, task.initial, task.sums + row * Vectors * lanes);
  }

  /// Adds the products of the steps of one row that share their bytes. The row is its own partner.
  template <std::size_t Bits, std::size_t Vectors>
  [[gnu::target("arch=armv8.2-a+dotprod+i8mm"), gnu::always_inline]] static inline void add_indices(
      int32x4_t (&sums)[2 * Vectors], const int8x16_t (&operands)[4 / Bits], const std::byte* indices,
      const neon::level_lookups<4 / Bits>& levels) {
    constexpr std::size_t each = 4 / Bits;
    int8x16_t steps[2 * each];
#pragma GCC unroll 8
    for (std::size_t step = 0; step < 2 * each; ++step) {
      const int64x2_t two = vreinterpretq_s64_s8(operands[step / 2]);
      steps[step] = vreinterpretq_s8_s64(step % 2 == 0 ? vdupq_laneq_s64(two, 0) : vdupq_laneq_s64(two, 1));
    }
#pragma GCC unroll 8
    for (std::size_t square = 0; square < 2 * Vectors; ++square) {
      const uint8x16_t bytes = neon::load_indices(indices + square * 16);
#pragma GCC unroll 2
      for (std::size_t upper = 0; upper < 2; ++upper) {
        const uint8x16_t halves = neon::half_bytes(bytes, upper);
#pragma GCC unroll 4
        for (std::size_t i = 0; i < each; ++i)
          sums[square] = multiply(sums[square], steps[upper * each + i], levels.of(i, halves));
      }
      if constexpr (Bits <= 2) neon::keep_order(sums[square]);
    }
  }

  /// Adds the products of one row's segment, its last few first: sums stay in their registers if nothing follows the loop.
  template <std::size_t Bits, std::size_t Vectors>
  [[gnu::target("arch=armv8.2-a+dotprod+i8mm"), gnu::always_inline]] static inline void add_segment(
      int32x4_t (&sums)[2 * Vectors], const std::byte* row, std::size_t length, const std::byte* indices,
      const neon::level_lookups<4 / Bits>& levels) {
    constexpr std::size_t joined = 8 / Bits * depth, joined_bytes = Vectors * 32;
    const std::size_t left = length % joined;
    const std::byte* const end = row + length - left;
    int8x16_t operands[joined / 16];
    if (left > 0) {
      neon::load_last_operands(operands, end, left, length);
      add_indices<Bits, Vectors>(sums, operands, indices + length / joined * joined_bytes, levels);
    }
    for (; row != end; row += joined, indices += joined_bytes) {
      neon::load_operands(operands, row);
      add_indices<Bits, Vectors>(sums, operands, indices, levels);
    }
  }

  /// The sums of one row and Vectors vectors of indices.
  template <std::size_t Bits, std::size_t Vectors>
  [[gnu::target("arch=armv8.2-a+dotprod+i8mm")]] static void accumulate_indices(const tile_sums& task) {
    const auto levels = neon::level_lookups<4 / Bits>::from(task.header->tables);
    int32x4_t sums[2 * Vectors];
#pragma GCC unroll 8
    for (std::size_t square = 0; square < 2 * Vectors; ++square) sums[square] = vdupq_n_s32(0);
    const segment_box box = task.box;
    for (std::size_t i = box.first_row; i < box.last_row; ++i)
      for (std::size_t j = box.first_column; j < box.last_column; ++j) {
        const std::size_t segment = i * box.width + j;
        add_segment<Bits, Vectors>(sums, task.rows[segment * task.segment_stride] + task.offset, task.length,
                                   task.weights + segment * task.segment_bytes, levels);
      }
    store_row<Vectors>(sums, false, task.initial, task.sums);
  }

  template <std::size_t Bits>
  static void unpack(const packed_segment& panel) {
    neon::unpack<Bits>(panel, lanes * depth);
  }
};

}  // namespace bitwright::kernels::neon_i8mm
