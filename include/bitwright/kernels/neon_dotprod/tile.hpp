// SPDX-License-Identifier: MIT
/// \file
/// The tile of 64-bit Arm with dot products: sdot adds four products of 8-bit codes to each of four columns, exactly,
/// and takes a row's operands from any quarter of a register, so that its loop is loads and products alone.
#pragma once

#include <bitwright/kernels/code_types.hpp>
#include <bitwright/kernels/neon/levels.hpp>
#include <bitwright/kernels/neon/store_tile.hpp>
#include <bitwright/kernels/tiles.hpp>

#include <arm_neon.h>

#include <cstddef>
#include <cstdint>

namespace bitwright::kernels::neon_dotprod {

/// Products of signed operands, whatever codes they were.
struct dot_products {
  static constexpr std::size_t lanes = 4;
  static constexpr std::size_t depth = 4;
  static constexpr std::size_t max_vectors = 4;

  /// 24 sums, 6 rows' operands and a vector of weights are 31 registers of 32.
  static constexpr std::size_t rows(std::size_t vectors) { return vectors >= 3 ? 6 : 8; }

  /// Sums of Rows x Vectors vectors, and 16 operands of each row.
  template <std::size_t Rows, std::size_t Vectors>
  struct registers {
    int32x4_t sums[Rows][Vectors];
    int8x16_t operands[Rows];
  };

  /// Keeps loads behind it from being moved before, and this vector's products with the first and the last row.
  /// GCC 12 begins with the weights of all four steps otherwise, and has no registers left for 4 of the 24 sums.
  template <std::size_t Rows, std::size_t Vectors>
  [[gnu::always_inline]] static inline void keep_order(registers<Rows, Vectors>& tile, std::size_t vector) {
    if constexpr (Rows * Vectors > 12)
      asm volatile("" : "+w"(tile.sums[0][vector]), "+w"(tile.sums[Rows - 1][vector]) : : "memory");
  }

  /// Adds the products of one step, whose operands are quarter Step of the rows' registers.
  template <int Step, std::size_t Rows, std::size_t Vectors>
  [[gnu::target("arch=armv8.2-a+dotprod"), gnu::always_inline]] static inline void add_step(
      registers<Rows, Vectors>& tile, const std::byte* weights) {
#pragma GCC unroll 4
    for (std::size_t v = 0; v < Vectors; ++v) {
      keep_order(tile, v);
      const int8x16_t vector = vld1q_s8(reinterpret_cast<const std::int8_t*>(weights) + v * 16);
#pragma GCC unroll 8
      for (std::size_t row = 0; row < Rows; ++row)
        tile.sums[row][v] = vdotq_laneq_s32(tile.sums[row][v], vector, tile.operands[row], Step);
    }
  }

  /// Adds the products of a segment.
  template <std::size_t Rows, std::size_t Vectors>
  [[gnu::target("arch=armv8.2-a+dotprod"), gnu::always_inline]] static inline void add_segment(
      registers<Rows, Vectors>& tile, const std::byte* const* rows, std::size_t offset, std::size_t length,
      const std::byte* weights) {
    constexpr std::size_t step_bytes = Vectors * 16;
    const std::byte* from[Rows];
#pragma GCC unroll 8
    for (std::size_t row = 0; row < Rows; ++row) from[row] = rows[row] + offset;
    std::size_t k = 0;
    for (; k + 16 <= length; k += 16, weights += 4 * step_bytes) {
#pragma GCC unroll 8
      for (std::size_t row = 0; row < Rows; ++row)
        tile.operands[row] = vld1q_s8(reinterpret_cast<const std::int8_t*>(from[row] + k));
      add_step<0>(tile, weights);
      add_step<1>(tile, weights + step_bytes);
      add_step<2>(tile, weights + 2 * step_bytes);
      add_step<3>(tile, weights + 3 * step_bytes);
    }
    for (; k + 4 <= length; k += 4, weights += step_bytes) {
#pragma GCC unroll 8
      for (std::size_t row = 0; row < Rows; ++row)
        tile.operands[row] = vreinterpretq_s8_s32(vdupq_n_s32(load_step(from[row] + k)));
      add_step<0>(tile, weights);
    }
    if (k == length) return;
#pragma GCC unroll 8
    for (std::size_t row = 0; row < Rows; ++row)
      tile.operands[row] = vreinterpretq_s8_s32(vdupq_n_s32(load_tail(from[row] + length, length - k, length)));
    add_step<0>(tile, weights);
  }

  template <std::size_t Rows, std::size_t Vectors>
  [[gnu::target("arch=armv8.2-a+dotprod")]] static void accumulate(const tile_sums& task) {
    registers<Rows, Vectors> tile;
#pragma GCC unroll 8
    for (std::size_t row = 0; row < Rows; ++row)
#pragma GCC unroll 4
      for (std::size_t v = 0; v < Vectors; ++v) tile.sums[row][v] = vld1q_s32(task.initial + v * lanes);
    const segment_box box = task.box;
    for (std::size_t i = box.first_row; i < box.last_row; ++i)
      for (std::size_t j = box.first_column; j < box.last_column; ++j) {
        const std::size_t segment = i * box.width + j;
        add_segment(tile, task.rows + segment * task.segment_stride, task.offset, task.length,
                    task.weights + segment * task.segment_bytes);
      }
#pragma GCC unroll 8
    for (std::size_t row = 0; row < Rows; ++row)
#pragma GCC unroll 4
      for (std::size_t v = 0; v < Vectors; ++v) vst1q_s32(task.sums + (row * Vectors + v) * lanes, tile.sums[row][v]);
  }

  /// Adds the products of the steps that half bytes hold, whose operands are quarters First and following.
  template <std::size_t Bits, int First>
  [[gnu::target("arch=armv8.2-a+dotprod"), gnu::always_inline]] static inline int32x4_t add_half(
      int32x4_t sum, int8x16_t operands, uint8x16_t halves, const neon::level_lookups<4 / Bits>& levels) {
    sum = vdotq_laneq_s32(sum, levels.of(0, halves), operands, First);
    if constexpr (Bits <= 2) sum = vdotq_laneq_s32(sum, levels.of(1, halves), operands, First + 1);
    if constexpr (Bits == 1) sum = vdotq_laneq_s32(sum, levels.of(2, halves), operands, First + 2);
    if constexpr (Bits == 1) sum = vdotq_laneq_s32(sum, levels.of(3, halves), operands, First + 3);
    return sum;
  }

  /// The operands of a row that a turn takes: those of two bytes' steps for 4 bits, else of one's.
  template <std::size_t Bits>
  static constexpr std::size_t operand_registers = Bits == 1 ? 2 : 1;

  /// Adds the products of the steps of one row that share their bytes, from quarter First on.
  template <std::size_t Bits, int First, std::size_t Vectors>
  [[gnu::target("arch=armv8.2-a+dotprod"), gnu::always_inline]] static inline void add_indices(
      int32x4_t (&sums)[Vectors], const int8x16_t (&operands)[operand_registers<Bits>], const std::byte* indices,
      const neon::level_lookups<4 / Bits>& levels) {
    constexpr int second = (First + 4 / static_cast<int>(Bits)) % 4;
#pragma GCC unroll 4
    for (std::size_t v = 0; v < Vectors; ++v) {
      const uint8x16_t bytes = neon::load_indices(indices + v * 16);
      sums[v] = add_half<Bits, First>(sums[v], operands[0], neon::half_bytes(bytes, 0), levels);
      sums[v] =
          add_half<Bits, second>(sums[v], operands[operand_registers<Bits> - 1], neon::half_bytes(bytes, 1), levels);
      if constexpr (Bits <= 2) neon::keep_order(sums[v]);
    }
  }

  /// Adds the products of one row's segment, its last few first: sums stay in their registers if nothing follows the loop.
  template <std::size_t Bits, std::size_t Vectors>
  [[gnu::target("arch=armv8.2-a+dotprod"), gnu::always_inline]] static inline void add_segment(
      int32x4_t (&sums)[Vectors], const std::byte* row, std::size_t length, const std::byte* indices,
      const neon::level_lookups<4 / Bits>& levels) {
    constexpr std::size_t registers = operand_registers<Bits>, turn = 16 * registers;
    constexpr std::size_t turn_bytes = Vectors * 16 * (Bits == 4 ? 2 : 1);
    int8x16_t operands[registers];
    const std::size_t left = length % turn, turns = length / turn;
    if (left > 0) {
      const std::byte* last = indices + turns * turn_bytes;
      neon::load_last_operands(operands, row + length - left, left, length);
      add_indices<Bits, 0>(sums, operands, last, levels);
      if constexpr (Bits == 4)
        if (left > 8) add_indices<Bits, 2>(sums, operands, last + Vectors * 16, levels);
    }
    for (const std::byte* end = row + length - left; row != end; row += turn, indices += turn_bytes) {
      neon::load_operands(operands, row);
      add_indices<Bits, 0>(sums, operands, indices, levels);
      if constexpr (Bits == 4) add_indices<Bits, 2>(sums, operands, indices + Vectors * 16, levels);
    }
  }

  /// The sums of one row and Vectors vectors of indices.
  template <std::size_t Bits, std::size_t Vectors>
  [[gnu::target("arch=armv8.2-a+dotprod")]] static void accumulate_indices(const tile_sums& task) {
    const auto levels = neon::level_lookups<4 / Bits>::from(task.header->tables);
    int32x4_t sums[Vectors];
#pragma GCC unroll 4
    for (std::size_t v = 0; v < Vectors; ++v) sums[v] = vld1q_s32(task.initial + v * lanes);
    const segment_box box = task.box;
    for (std::size_t i = box.first_row; i < box.last_row; ++i)
      for (std::size_t j = box.first_column; j < box.last_column; ++j) {
        const std::size_t segment = i * box.width + j;
        add_segment<Bits>(sums, task.rows[segment * task.segment_stride] + task.offset, task.length,
                          task.weights + segment * task.segment_bytes, levels);
      }
#pragma GCC unroll 4
    for (std::size_t v = 0; v < Vectors; ++v) vst1q_s32(task.sums + v * lanes, sums[v]);
  }

  template <std::size_t Bits>
  static void unpack(const packed_segment& panel) {
    neon::unpack<Bits>(panel, lanes * depth);
  }
};

template <one_of<std::uint8_t, std::int8_t> Activation>
struct tile : neon::signed_operands<Activation>, dot_products {};

}  // namespace bitwright::kernels::neon_dotprod
