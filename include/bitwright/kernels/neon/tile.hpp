// SPDX-License-Identifier: MIT
/// \file
/// The tile of any 64-bit Arm: 16 products of signed bytes a row and column at a time, added in pairs.
///
/// smull and smlal multiply to 16 bits and add two products, which fit, as 128 * 128 + 128 * 127 < 2^15, unless all
/// four numbers are -128. Packing looks whether two such weights ever meet: then products are widened one by one.
#pragma once

#include <bitwright/kernels/code_types.hpp>
#include <bitwright/kernels/neon/codes.hpp>
#include <bitwright/kernels/neon/levels.hpp>
#include <bitwright/kernels/neon/store_tile.hpp>
#include <bitwright/kernels/tiles.hpp>

#include <arm_neon.h>

#include <cstddef>
#include <cstdint>
#include <limits>

namespace bitwright::kernels::neon {

/// 16 products, two added in 16 bits.
struct paired_products {
  [[gnu::always_inline]] static inline int32x4_t add(int32x4_t sums, int8x16_t operands, int8x16_t weights) {
    const int16x8_t firsts = vmull_s8(vget_low_s8(operands), vget_low_s8(weights));
    return vpadalq_s16(sums, vmlal_high_s8(firsts, operands, weights));
  }

  /// Whether two operands' products with these weights, the first and the ninth of 16 and so on, fit 16 bits.
  static constexpr bool fit(std::int32_t first, std::int32_t second) { return first != -128 || second != -128; }
  static_assert(-128 * -128 + -128 * -127 <= std::numeric_limits<std::int16_t>::max());
  static_assert(127 * -128 + 127 * -128 >= std::numeric_limits<std::int16_t>::min());
};

/// 16 products, each widened on its own.
struct single_products {
  [[gnu::always_inline]] static inline int32x4_t add(int32x4_t sums, int8x16_t operands, int8x16_t weights) {
    const int32x4_t firsts = vpadalq_s16(sums, vmull_s8(vget_low_s8(operands), vget_low_s8(weights)));
    return vpadalq_s16(firsts, vmull_high_s8(operands, weights));
  }
};

/// A column's sum is spread over four lanes until the end. The shape is the same for all products.
template <class Products>
struct byte_products {
  static constexpr std::size_t lanes = 4;
  static constexpr std::size_t depth = 16;
  static constexpr std::size_t max_vectors = 1;

  /// 16 sums, 4 rows' operands, a column's weights and a few products.
  static constexpr std::size_t rows(std::size_t) { return 4; }

  template <std::size_t Rows>
  struct registers {
    int32x4_t sums[Rows][lanes];
    int8x16_t operands[Rows];
  };

  template <std::size_t Rows>
  [[gnu::always_inline]] static inline void add_step(registers<Rows>& tile, const std::byte* weights) {
#pragma GCC unroll 4
    for (std::size_t column = 0; column < lanes; ++column) {
      const int8x16_t vector = vld1q_s8(reinterpret_cast<const std::int8_t*>(weights) + column * depth);
#pragma GCC unroll 4
      for (std::size_t row = 0; row < Rows; ++row) {
        tile.sums[row][column] = Products::add(tile.sums[row][column], tile.operands[row], vector);
        if constexpr (Rows > 2) keep_order(tile.sums[row][column]);
      }
    }
  }

  /// Adds the products of a segment, its last few first: sums go round the loop in their registers only if nothing
  /// follows it.
  template <std::size_t Rows>
  [[gnu::always_inline]] static inline void add_segment(registers<Rows>& tile, const std::byte* const* rows,
                                                        std::size_t offset, std::size_t length,
                                                        const std::byte* weights) {
    const std::byte* from[Rows];
#pragma GCC unroll 4
    for (std::size_t row = 0; row < Rows; ++row) from[row] = rows[row] + offset;
    const std::size_t whole = length / depth * depth;
    if (whole < length) {
#pragma GCC unroll 4
      for (std::size_t row = 0; row < Rows; ++row)
        tile.operands[row] = load_padded(from[row] + length, length - whole, length);
      add_step(tile, weights + whole * lanes);
    }
    for (std::size_t k = 0; k < whole; k += depth, weights += lanes * depth) {
#pragma GCC unroll 4
      for (std::size_t row = 0; row < Rows; ++row)
        tile.operands[row] = vld1q_s8(reinterpret_cast<const std::int8_t*>(from[row] + k));
      add_step(tile, weights);
    }
  }

  template <std::size_t Rows, std::size_t Vectors>
  static void accumulate(const tile_sums& task) {
    static_assert(Vectors == 1);
    registers<Rows> tile;
#pragma GCC unroll 4
    for (std::size_t row = 0; row < Rows; ++row)
#pragma GCC unroll 4
      for (std::size_t column = 0; column < lanes; ++column) tile.sums[row][column] = vdupq_n_s32(0);
    const segment_box box = task.box;
    for (std::size_t i = box.first_row; i < box.last_row; ++i)
      for (std::size_t j = box.first_column; j < box.last_column; ++j) {
        const std::size_t segment = i * box.width + j;
        add_segment(tile, task.rows + segment * task.segment_stride, task.offset, task.length,
                    task.weights + segment * task.segment_bytes);
      }
    const int32x4_t initial = vld1q_s32(task.initial);
#pragma GCC unroll 4
    for (std::size_t row = 0; row < Rows; ++row)
      vst1q_s32(task.sums + row * lanes, vaddq_s32(total(tile.sums[row]), initial));
  }

  /// The four columns' sums.
  [[gnu::always_inline]] static inline int32x4_t total(const int32x4_t (&sums)[lanes]) {
    return vpaddq_s32(vpaddq_s32(sums[0], sums[1]), vpaddq_s32(sums[2], sums[3]));
  }

  /// Adds the products of the steps of one row that share their bytes, of 16 operands each.
  template <std::size_t Bits>
  [[gnu::always_inline]] static inline void add_indices(int32x4_t (&sums)[lanes], const int8x16_t (&operands)[8 / Bits],
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
        for (std::size_t i = 0; i < each; ++i)
          sums[column] = Products::add(sums[column], operands[upper * each + i], levels.of(i, halves));
      }
      if constexpr (Bits == 1) keep_order(sums[column]);
    }
  }

  /// Adds the products of one row's segment, its last few first.
  template <std::size_t Bits>
  [[gnu::always_inline]] static inline void add_segment(int32x4_t (&sums)[lanes], const std::byte* row,
                                                        std::size_t length, const std::byte* indices,
                                                        const level_lookups<4 / Bits>& levels) {
    constexpr std::size_t joined = 8 / Bits;
    const std::size_t left = length % (joined * depth);
    const std::byte* const end = row + length - left;
    int8x16_t operands[joined];
    if (left > 0) {
      load_last_operands(operands, end, left, length);
      add_indices<Bits>(sums, operands, indices + length / (joined * depth) * lanes * depth, levels);
    }
    for (; row != end; row += joined * depth, indices += lanes * depth) {
      load_operands(operands, row);
      add_indices<Bits>(sums, operands, indices, levels);
    }
  }

  /// The sums of one row and one vector of indices.
  template <std::size_t Bits, std::size_t Vectors>
  static void accumulate_indices(const tile_sums& task) {
    static_assert(Vectors == 1);
    const auto levels = level_lookups<4 / Bits>::from(task.header->tables);
    int32x4_t sums[lanes] = {vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0)};
    const segment_box box = task.box;
    for (std::size_t i = box.first_row; i < box.last_row; ++i)
      for (std::size_t j = box.first_column; j < box.last_column; ++j) {
        const std::size_t segment = i * box.width + j;
        add_segment<Bits>(sums, task.rows[segment * task.segment_stride] + task.offset, task.length,
                          task.weights + segment * task.segment_bytes, levels);
      }
    vst1q_s32(task.sums, vaddq_s32(total(sums), vld1q_s32(task.initial)));
  }

  template <std::size_t Bits>
  static void unpack(const packed_segment& panel) {
    neon::unpack<Bits>(panel, lanes * depth);
  }
};

template <one_of<std::uint8_t, std::int8_t> Activation, class Products>
struct tile : signed_operands<Activation>, byte_products<Products> {};

template <class Activation>
using pair_tile = tile<Activation, paired_products>;
template <class Activation>
using single_tile = tile<Activation, single_products>;

}  // namespace bitwright::kernels::neon
