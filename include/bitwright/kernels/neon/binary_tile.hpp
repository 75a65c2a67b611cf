// SPDX-License-Identifier: MIT
/// \file
/// The binary tile of 64-bit Arm: cnt counts the bits of each byte that differs, and bytes add up for as many steps as fit.
#pragma once

#include <bitwright/core/rounding.hpp>
#include <bitwright/kernels/binary_tiles.hpp>
#include <bitwright/kernels/neon/codes.hpp>
#include <bitwright/kernels/neon/store_tile.hpp>
#include <bitwright/kernels/tiles.hpp>

#include <arm_neon.h>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>

namespace bitwright::kernels::neon {

struct binary_tile {
  static constexpr std::size_t lanes = 8;  ///< Two registers of words: bits of outputs begin with a byte.
  static constexpr std::size_t depth = 4;
  static constexpr std::size_t max_vectors = 2;
  static constexpr bool converts = false;
  static constexpr std::size_t rows(std::size_t) { return 4; }
  static constexpr std::size_t operand_bytes(std::size_t row_bytes) { return round_up(row_bytes, depth); }
  static constexpr std::size_t part_columns(std::size_t vectors) { return vectors * lanes; }

  /// A byte holds the counts of this many steps, of 8 bits each.
  static constexpr std::size_t steps_of_bytes = 31;
  static_assert(8 * steps_of_bytes <= std::numeric_limits<std::uint8_t>::max());

  /// initial - 2^shift * the number of bits that differ, of Rows rows and Vectors vectors.
  template <std::size_t Rows, std::size_t Vectors>
  static void accumulate(const binary_tile_sums& task) {
    constexpr std::size_t words = 2 * Vectors;  // Registers of a step.
    uint32x4_t totals[Rows][words];
    for (std::size_t row = 0; row < Rows; ++row)
      for (std::size_t v = 0; v < words; ++v) totals[row][v] = vdupq_n_u32(0);
    for (std::size_t first = 0; first < task.steps; first += steps_of_bytes)
      count_run<Rows, words>(task, first, std::min(task.steps, first + steps_of_bytes), totals);
    for (std::size_t row = 0; row < Rows; ++row)
      for (std::size_t v = 0; v < words; ++v) {
        const int32x4_t shifted = vreinterpretq_s32_u32(vshlq_u32(totals[row][v], vdupq_n_s32(task.shift)));
        vst1q_s32(task.sums + (row * words + v) * 4, vsubq_s32(vld1q_s32(task.initial + v * 4), shifted));
      }
  }

 private:
  /// Finishes a count before the next begins: compilers make the exclusive ors of all rows first otherwise, and run out of
  /// registers.
  [[gnu::always_inline]] static inline void keep_order(uint8x16_t& counts) { asm volatile("" : "+w"(counts)); }

  template <std::size_t Rows, std::size_t Words>
  [[gnu::always_inline]] static inline void count_run(const binary_tile_sums& task, std::size_t first, std::size_t last,
                                                      uint32x4_t (&totals)[Rows][Words]) {
    uint8x16_t counts[Rows][Words];
#pragma GCC unroll 8
    for (std::size_t row = 0; row < Rows; ++row)
#pragma GCC unroll 8
      for (std::size_t v = 0; v < Words; ++v) counts[row][v] = vdupq_n_u8(0);
    for (std::size_t k = first; k < last; ++k) {
      const auto* weights = reinterpret_cast<const std::uint8_t*>(task.weights) + k * Words * 16;
      uint8x16_t panel[Words];
#pragma GCC unroll 8
      for (std::size_t v = 0; v < Words; ++v) panel[v] = vld1q_u8(weights + v * 16);
#pragma GCC unroll 8
      for (std::size_t row = 0; row < Rows; ++row) {
        const uint8x16_t step = vreinterpretq_u8_s32(vdupq_n_s32(load_step(task.rows[row] + k * depth)));
#pragma GCC unroll 8
        for (std::size_t v = 0; v < Words; ++v) {
          counts[row][v] = vaddq_u8(counts[row][v], vcntq_u8(veorq_u8(step, panel[v])));
          keep_order(counts[row][v]);
        }
      }
    }
#pragma GCC unroll 8
    for (std::size_t row = 0; row < Rows; ++row)
#pragma GCC unroll 8
      for (std::size_t v = 0; v < Words; ++v) totals[row][v] = vpadalq_u16(totals[row][v], vpaddlq_u8(counts[row][v]));
  }
};

/// A bit for each sum, whether it is not negative.
inline void store_bits(const binary_tile_outputs& task) {
  const tile_codes& codes = task.codes;
  const int32x4_t places = {1, 2, 4, 8};
  for (std::size_t row = 0; row < codes.rows; ++row)
    for (std::size_t column = 0; column < codes.columns; column += 8) {
      const std::int32_t* const sums = codes.sums + row * codes.padded_columns + column;
      const uint32x4_t low = vcgezq_s32(vld1q_s32(sums)), high = vcgezq_s32(vld1q_s32(sums + 4));
      const int32x4_t bits = vorrq_s32(vandq_s32(vreinterpretq_s32_u32(low), places),
                                       vandq_s32(vreinterpretq_s32_u32(high), vshlq_n_s32(places, 4)));
      const std::size_t count = std::min<std::size_t>(8, codes.columns - column);
      codes.outputs[row][(codes.first_output + column) / 8] =
          static_cast<std::byte>(vaddvq_s32(bits) & ((1 << count) - 1));
    }
}

/// The value of each sum.
inline void store_values(const binary_tile_outputs& task) {
  const tile_codes& codes = task.codes;
  for (std::size_t row = 0; row < codes.rows; ++row)
    for (std::size_t column = 0; column < codes.columns; column += 4) {
      const int32x4_t sums = vld1q_s32(codes.sums + row * codes.padded_columns + column);
      float32x4_t values = vmulq_f32(vcvtq_f32_s32(sums), vld1q_f32(task.scales + column));
      if (task.row_scales != nullptr) values = vmulq_n_f32(values, task.row_scales[row]);
      store(reinterpret_cast<std::int32_t*>(codes.outputs[row]) + codes.first_output + column,
            vreinterpretq_s32_f32(values), codes.columns - column);
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

}  // namespace bitwright::kernels::neon
