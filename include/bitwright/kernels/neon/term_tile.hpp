// SPDX-License-Identifier: MIT
/// \file
/// The tile of shift_add for any 64-bit Arm. Its loops shift and add, and have no multiplication.
#pragma once

#include <bitwright/kernels/term_panels.hpp>
#include <bitwright/kernels/tiled_shift_add.hpp>
#include <bitwright/kernels/tiles.hpp>

#include <arm_neon.h>

#include <cstddef>
#include <cstdint>
#include <limits>

namespace bitwright::kernels::neon {

/// 16 rows of a byte each; or up to 4 rows, two inputs of each beside 4 columns, in 16 bits.
struct term_tile {
  static constexpr std::size_t rows = 16, few_rows = 4, step_rows = 4, lanes = 4, depth = 2;
  using operand = std::int16_t;

  static constexpr std::size_t place_of(std::size_t row) { return row; }

  /// sshl takes the exponent from the low byte of each lane, where 16 leaves nothing; the highest bit is the sign.
  using slot = std::uint16_t;
  static constexpr slot empty_slot = 16;
  static constexpr slot slot_of(int exponent, bool negative) {
    return static_cast<slot>((negative ? 0x8000 : 0) | exponent);
  }
  static constexpr int greatest_step_exponent = 7;
  static_assert(255 << greatest_step_exponent <= std::numeric_limits<std::int16_t>::max());
  static constexpr bool adds_complement = true;

  /// What a run's activations add up to, modulo 2^16.
  struct run_sums {
    uint16x8_t low;
    uint16x8_t high;
  };

  [[gnu::always_inline]] static inline run_sums add_run(const term_run& run, const std::uint16_t* inputs,
                                                        const std::uint8_t* operands) {
    const std::uint8_t* const from = operands + std::size_t{run.first_input} * rows;
    run_sums sums{vdupq_n_u16(0), vdupq_n_u16(0)};
#pragma GCC unroll 4
    for (std::size_t i = 0; i < run.added; ++i) {
      const uint8x16_t bytes = vld1q_u8(from + std::size_t{inputs[i]} * rows);
      sums = {vaddw_u8(sums.low, vget_low_u8(bytes)), vaddw_high_u8(sums.high, bytes)};
    }
    inputs += run.added;
#pragma GCC unroll 4
    for (std::size_t i = 0; i < run.subtracted; ++i) {
      const uint8x16_t bytes = vld1q_u8(from + std::size_t{inputs[i]} * rows);
      sums = {vsubw_u8(sums.low, vget_low_u8(bytes)), vsubw_high_u8(sums.high, bytes)};
    }
    return sums;
  }

  /// Adds 8 sums of 16 bits to as many totals, which are shifted then.
  [[gnu::always_inline]] static inline void add_and_shift(int32x4_t* totals, uint16x8_t sums, int32x4_t shift) {
    const int16x8_t values = vreinterpretq_s16_u16(sums);
    totals[0] = vshlq_s32(vaddw_s16(totals[0], vget_low_s16(values)), shift);
    totals[1] = vshlq_s32(vaddw_high_s16(totals[1], values), shift);
  }

  static void add_runs(const column_runs& task) {
    int32x4_t totals[4] = {vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0)};
    const std::uint16_t* inputs = task.inputs;
    for (const term_run* run = task.first; run != task.last; inputs += run->added + run->subtracted, ++run) {
      const run_sums sums = add_run(*run, inputs, task.operands);
      const int32x4_t shift = vdupq_n_s32(run->shift);
      add_and_shift(totals, sums.low, shift), add_and_shift(totals + 2, sums.high, shift);
    }
    const int32x4_t initial = vdupq_n_s32(task.initial);
#pragma GCC unroll 4
    for (std::size_t i = 0; i < 4; ++i) vst1q_s32(task.sums + 4 * i, vaddq_s32(totals[i], initial));
  }

  template <std::size_t Rows>
  static void add_steps(const vector_steps<operand, slot>& task) {
    int32x4_t sums[Rows];
#pragma GCC unroll 4
    for (std::size_t row = 0; row < Rows; ++row) sums[row] = vld1q_s32(task.initial);
    for (std::size_t step = 0; step < task.count; ++step) {
      const int16x8_t slots = vreinterpretq_s16_u16(vld1q_u16(task.slots + step * lanes * depth));
      const int16x8_t signs = vshrq_n_s16(slots, 15);
      const operand* const operands = task.operands + task.inputs[step];
#pragma GCC unroll 4
      for (std::size_t row = 0; row < Rows; ++row) {
        const std::int32_t pair = load_step(reinterpret_cast<const std::byte*>(operands + row * task.row_stride));
        const int16x8_t shifted = vshlq_s16(vreinterpretq_s16_s32(vdupq_n_s32(pair)), slots);
        sums[row] = vpadalq_s16(sums[row], veorq_s16(shifted, signs));
      }
    }
#pragma GCC unroll 4
    for (std::size_t row = 0; row < Rows; ++row) vst1q_s32(task.sums + row * term_panel_columns, sums[row]);
  }
};

}  // namespace bitwright::kernels::neon
