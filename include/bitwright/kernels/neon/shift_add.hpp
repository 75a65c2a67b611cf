// SPDX-License-Identifier: MIT
/// \file
/// shift_add for any 64-bit Arm. Its loops shift and add, and have no multiplication.
#pragma once

#include <bitwright/core/rounding.hpp>
#include <bitwright/kernels/gemm_arguments.hpp>
#include <bitwright/kernels/neon/store_tile.hpp>
#include <bitwright/kernels/shift_add_arguments.hpp>
#include <bitwright/kernels/term_panels.hpp>
#include <bitwright/kernels/tiled_shift_add.hpp>
#include <bitwright/kernels/tiles.hpp>

#include <arm_neon.h>

#include <cstddef>
#include <cstdint>
#include <limits>

namespace bitwright::kernels::neon {

/// 16 rows of a byte each, added to 16 bits; or up to 4 rows, two inputs of each beside 4 columns, in 16 bits too.
struct term_tile {
  static constexpr std::size_t rows = 16, few_rows = 4, lanes = 4, depth = 2;
  using operand = std::int8_t;
  using few_operand = std::int16_t;

  /// sshl takes the exponent from the low byte of each lane, where 16 leaves nothing; the highest bit is the sign.
  using slot = std::uint16_t;
  static constexpr slot empty_slot = 16;
  static constexpr slot slot_of(int exponent, bool negative) {
    return static_cast<slot>((negative ? 0x8000 : 0) | exponent);
  }
  static constexpr int greatest_step_exponent = 8;
  static_assert((-128) * (1 << greatest_step_exponent) >= std::numeric_limits<std::int16_t>::min());
  static constexpr bool adds_complement = true;

  [[gnu::always_inline]] static inline int32x4_t widened(int32x4_t total, int16x4_t sums, int32x4_t shift) {
    return vshlq_s32(vaddw_s16(total, sums), shift);
  }

  static void add_runs(const column_runs<operand>& task) {
    int32x4_t totals[4] = {vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0)};
    const std::uint16_t* inputs = task.inputs;
    for (const term_run* run = task.first; run != task.last; ++run) {
      const operand* const from = task.operands + std::size_t{run->first_input} * rows;
      int16x8_t low = vdupq_n_s16(0), high = low;
      for (const std::uint16_t* const last = inputs + run->added; inputs != last; ++inputs) {
        const int8x16_t codes = vld1q_s8(from + std::size_t{*inputs} * rows);
        low = vaddw_s8(low, vget_low_s8(codes)), high = vaddw_high_s8(high, codes);
      }
      for (const std::uint16_t* const last = inputs + run->subtracted; inputs != last; ++inputs) {
        const int8x16_t codes = vld1q_s8(from + std::size_t{*inputs} * rows);
        low = vsubw_s8(low, vget_low_s8(codes)), high = vsubw_high_s8(high, codes);
      }
      const int32x4_t shift = vdupq_n_s32(run->shift);
      totals[0] = widened(totals[0], vget_low_s16(low), shift);
      totals[1] = widened(totals[1], vget_high_s16(low), shift);
      totals[2] = widened(totals[2], vget_low_s16(high), shift);
      totals[3] = widened(totals[3], vget_high_s16(high), shift);
    }
    const int32x4_t initial = vdupq_n_s32(task.initial);
#pragma GCC unroll 4
    for (std::size_t i = 0; i < 4; ++i) vst1q_s32(task.sums + 4 * i, vaddq_s32(totals[i], initial));
  }

  template <std::size_t Rows>
  static void add_steps(const vector_steps<few_operand, slot>& task) {
    int32x4_t sums[Rows];
#pragma GCC unroll 4
    for (std::size_t row = 0; row < Rows; ++row) sums[row] = vld1q_s32(task.initial);
    for (std::size_t step = 0; step < task.count; ++step) {
      const int16x8_t slots = vreinterpretq_s16_u16(vld1q_u16(task.slots + step * lanes * depth));
      const int16x8_t signs = vshrq_n_s16(slots, 15);
      const few_operand* const operands = task.operands + task.inputs[step];
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

template <class Activation>
std::size_t shift_add_packed_bytes(const shift_add_constants& constants) {
  return term_panels<term_tile, Activation>(constants).bytes();
}

template <class Activation>
void shift_add_pack(const shift_add_constants& constants, std::byte* packed) {
  term_panels<term_tile, Activation>(constants).write(packed);
}

inline std::size_t shift_add_workspace_bytes(const shift_add_constants& constants) {
  return tiled_shift_add_workspace_bytes<term_tile>(constants.sums);
}

/// Rows [first, last) of the outputs.
template <class Activation, class Output, integer_rounding Rounding>
void shift_add(const gemm_arguments<Activation, Output>& call, std::size_t first, std::size_t last) noexcept {
  shift_add_runner<term_tile, Activation, Output>(call, store_tile<Output, Rounding>).run(first, last);
}

}  // namespace bitwright::kernels::neon
