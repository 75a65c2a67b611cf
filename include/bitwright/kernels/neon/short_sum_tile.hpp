// SPDX-License-Identifier: MIT
/// \file
/// The tile of any 64-bit Arm for small weights: sums of products stay in 16 bits for as many steps as packing has proven
/// that they fit (`panel_header::short_steps`), and only then are added to 32-bit sums. 16 products are two instructions
/// where pairs take three.
#pragma once

#include <bitwright/kernels/code_types.hpp>
#include <bitwright/kernels/neon/codes.hpp>
#include <bitwright/kernels/neon/levels.hpp>
#include <bitwright/kernels/neon/store_tile.hpp>
#include <bitwright/kernels/tiles.hpp>

#include <arm_neon.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace bitwright::kernels::neon {

/// A column's sum is spread over eight lanes until it is added to its 32 bits, which are in memory.
struct short_products {
  static constexpr std::size_t lanes = 4;
  static constexpr std::size_t depth = 16;
  static constexpr std::size_t max_vectors = 1;
  static constexpr std::size_t short_sums = 8;
  static constexpr std::size_t short_sum(std::size_t k) { return k % 8; }

  /// 20 sums, 5 rows' operands and two columns' weights are 27 registers of 32.
  static constexpr std::size_t rows(std::size_t) { return 5; }

  template <std::size_t Rows>
  struct registers {
    int16x8_t sums[Rows][lanes];
    int8x16_t operands[Rows];

    [[gnu::always_inline]] void set_zero() {
#pragma GCC unroll 8
      for (std::size_t row = 0; row < Rows; ++row)
#pragma GCC unroll 4
        for (std::size_t column = 0; column < lanes; ++column) sums[row][column] = vdupq_n_s16(0);
    }

    /// Adds the sums to those of 32 bits.
    [[gnu::always_inline]] void add_to(std::int32_t* totals) const {
#pragma GCC unroll 8
      for (std::size_t row = 0; row < Rows; ++row, totals += lanes) {
        const int32x4_t low = vpaddq_s32(vpaddlq_s16(sums[row][0]), vpaddlq_s16(sums[row][1]));
        const int32x4_t high = vpaddq_s32(vpaddlq_s16(sums[row][2]), vpaddlq_s16(sums[row][3]));
        vst1q_s32(totals, vaddq_s32(vld1q_s32(totals), vpaddq_s32(low, high)));
      }
    }
  };

  /// Adds 16 products of each row: the first eight of all rows, and then the others, so that none waits for another.
  template <std::size_t Rows>
  [[gnu::always_inline]] static inline void add_column(registers<Rows>& tile, std::size_t column, int8x16_t weights) {
#pragma GCC unroll 8
    for (std::size_t row = 0; row < Rows; ++row)
      tile.sums[row][column] = vmlal_s8(tile.sums[row][column], vget_low_s8(tile.operands[row]), vget_low_s8(weights));
#pragma GCC unroll 8
    for (std::size_t row = 0; row < Rows; ++row)
      tile.sums[row][column] = vmlal_high_s8(tile.sums[row][column], tile.operands[row], weights);
  }

  template <std::size_t Rows>
  [[gnu::always_inline]] static inline void add_step(registers<Rows>& tile, const std::byte* weights) {
#pragma GCC unroll 4
    for (std::size_t column = 0; column < lanes; ++column)
      add_column(tile, column, vld1q_s8(reinterpret_cast<const std::int8_t*>(weights) + column * depth));
  }

  /// Adds a segment of `length` bytes a row.
  template <std::size_t Rows>
  [[gnu::always_inline]] static inline void add_segment(const std::byte* const* rows, const std::byte* weights,
                                                        const tile_sums& task) {
    const std::size_t length = task.length, left = length % depth;
    const auto most = static_cast<std::size_t>(task.header->short_steps);
    const std::byte* from[Rows];
#pragma GCC unroll 8
    for (std::size_t row = 0; row < Rows; ++row) from[row] = rows[row] + task.offset;
    registers<Rows> tile;
    for (std::size_t k = 0; k < length - left;) {
      tile.set_zero();
      for (const std::size_t end = k + std::min(length - left - k, most * depth); k < end;
           k += depth, weights += lanes * depth) {
#pragma GCC unroll 8
        for (std::size_t row = 0; row < Rows; ++row)
          tile.operands[row] = vld1q_s8(reinterpret_cast<const std::int8_t*>(from[row] + k));
        add_step(tile, weights);
      }
      tile.add_to(task.sums);
    }
    if (left == 0) return;
#pragma GCC unroll 8
    for (std::size_t row = 0; row < Rows; ++row) tile.operands[row] = load_padded(from[row] + length, left, length);
    tile.set_zero();
    add_step(tile, weights);
    tile.add_to(task.sums);
  }

  template <std::size_t Rows, std::size_t Vectors>
  static void accumulate(const tile_sums& task) {
    static_assert(Vectors == 1);
    for (std::size_t row = 0; row < Rows; ++row) std::copy_n(task.initial, lanes, task.sums + row * lanes);
    const segment_box box = task.box;
    for (std::size_t i = box.first_row; i < box.last_row; ++i)
      for (std::size_t j = box.first_column; j < box.last_column; ++j) {
        const std::size_t segment = i * box.width + j;
        add_segment<Rows>(task.rows + segment * task.segment_stride, task.weights + segment * task.segment_bytes, task);
      }
  }

  /// Adds the products of the steps of one row that share their bytes, of 16 operands each.
  template <std::size_t Bits>
  [[gnu::always_inline]] static inline void add_indices(int16x8_t (&sums)[lanes], const int8x16_t (&operands)[8 / Bits],
                                                        const std::byte* indices,
                                                        const level_lookups<4 / Bits>& levels) {
    constexpr std::size_t each = 4 / Bits;
#pragma GCC unroll 4
    for (std::size_t column = 0; column < lanes; ++column) {
      const uint8x16_t bytes = load_indices(indices + column * depth);
#pragma GCC unroll 2
      for (std::size_t upper = 0; upper < 2; ++upper) {
        const uint8x16_t halves = half_bytes(bytes, upper);
#pragma GCC unroll 4
        for (std::size_t i = 0; i < each; ++i) {
          const int8x16_t weights = levels.of(i, halves), step = operands[upper * each + i];
          sums[column] = vmlal_s8(sums[column], vget_low_s8(step), vget_low_s8(weights));
          sums[column] = vmlal_high_s8(sums[column], step, weights);
        }
      }
    }
  }

  /// Adds one row's segment.
  template <std::size_t Bits>
  [[gnu::always_inline]] static inline void add_segment(const std::byte* row, const std::byte* indices,
                                                        const tile_sums& task, const level_lookups<4 / Bits>& levels) {
    constexpr std::size_t joined = 8 / Bits;  // Steps that share their bytes.
    const std::size_t most = static_cast<std::size_t>(task.header->short_steps) / joined;
    registers<1> tile;
    int8x16_t operands[joined];
    for (std::size_t left = task.length / (joined * depth); left > 0;) {
      const std::size_t count = std::min(left, most);
      left -= count;
      tile.set_zero();
      for (const std::byte* end = row + count * joined * depth; row != end;
           row += joined * depth, indices += lanes * depth) {
        load_operands(operands, row);
        add_indices<Bits>(tile.sums[0], operands, indices, levels);
      }
      tile.add_to(task.sums);
    }
    if (task.length % (joined * depth) == 0) return;
    load_last_operands(operands, row, task.length % (joined * depth), task.length);
    tile.set_zero();
    add_indices<Bits>(tile.sums[0], operands, indices, levels);
    tile.add_to(task.sums);
  }

  /// The sums of one row and one vector of indices.
  template <std::size_t Bits, std::size_t Vectors>
  static void accumulate_indices(const tile_sums& task) {
    static_assert(Vectors == 1);
    const auto levels = level_lookups<4 / Bits>::from(task.header->tables);
    std::copy_n(task.initial, lanes, task.sums);
    const segment_box box = task.box;
    for (std::size_t i = box.first_row; i < box.last_row; ++i)
      for (std::size_t j = box.first_column; j < box.last_column; ++j) {
        const std::size_t segment = i * box.width + j;
        add_segment<Bits>(task.rows[segment * task.segment_stride] + task.offset,
                          task.weights + segment * task.segment_bytes, task, levels);
      }
  }

  template <std::size_t Bits>
  static void unpack(const packed_segment& panel) {
    neon::unpack<Bits>(panel, lanes * depth);
  }
};

template <one_of<std::uint8_t, std::int8_t> Activation>
struct short_sum_tile : signed_operands<Activation>, short_products {};

}  // namespace bitwright::kernels::neon
