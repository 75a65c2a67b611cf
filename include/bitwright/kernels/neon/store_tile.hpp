// SPDX-License-Identifier: MIT
/// \file
/// What the tiles of 64-bit Arm share: signed operands, and the way from sums to codes.
#pragma once

#include <bitwright/core/rounding.hpp>
#include <bitwright/kernels/code_types.hpp>
#include <bitwright/kernels/kept_sums.hpp>
#include <bitwright/kernels/neon/codes.hpp>
#include <bitwright/kernels/neon/requantize.hpp>
#include <bitwright/kernels/tiles.hpp>
#include <bitwright/kernels/vectorized_rounding.hpp>

#include <arm_neon.h>

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace bitwright::kernels::neon {

/// The factors of four columns.
struct factor_lanes {
  int32x4_t multipliers;
  int32x4_t shifts;

  [[gnu::always_inline]] factor_lanes(const tile_codes& task, std::size_t column)
      : multipliers(vld1q_s32(task.multipliers + column)), shifts(vld1q_s32(task.shifts + column)) {}

  /// Whether no 32-bit sum makes a tie, which is a product that is even exactly shift - 1 times: a sum is at most 31
  /// times.
  [[gnu::always_inline]] bool have_no_ties() const {
    const uint8x16_t reversed = vrbitq_u8(vrev32q_u8(vreinterpretq_u8_s32(multipliers)));
    const int32x4_t twos = vreinterpretq_s32_u32(vclzq_u32(vreinterpretq_u32_u8(reversed)));
    return vminvq_s32(vsubq_s32(shifts, twos)) > 32;
  }

  template <integer_rounding Rounding>
  [[gnu::always_inline]] int32x4_t requantized(const std::int32_t* sums) const {
    return requantize<Rounding>(vld1q_s32(sums), multipliers, shifts);
  }
};

/// Eight columns of a tile's codes, or the last up to four.
template <class Output, integer_rounding Rounding>
[[gnu::always_inline]] inline void store_columns(const tile_codes& task, std::size_t column, const factor_lanes& low,
                                                 const factor_lanes& high, const window_lanes& window) {
  for (std::size_t row = 0; row < task.rows; ++row) {
    const std::int32_t* const sums = task.sums + row * task.padded_columns + column;
    Output* const outputs = reinterpret_cast<Output*>(task.outputs[row]) + task.first_output + column;
    const int32x4_t first = window.codes(low.requantized<Rounding>(sums));
    if (column + 8 <= task.columns)
      store(outputs, first, window.codes(high.requantized<Rounding>(sums + 4)));
    else
      store(outputs, first, task.columns - column);
  }
}

/// Turns a tile's sums, of whole vectors of four columns, into codes. Where no sum makes a tie, all policies to the
/// nearest are half_up, which has half of half_to_even's instructions.
template <class Output, integer_rounding Rounding>
void store_tile(const tile_codes& task) {
  if constexpr (sizeof(Output) == 4 && vectorized_rounding<Rounding>)
    if (keeps_sums(task)) return copy_sums(task);
  const window_lanes window(task.window);
  for (std::size_t column = 0; column < task.columns;) {
    const bool eight = column + 8 <= task.columns;
    const factor_lanes low(task, column), high(task, eight ? column + 4 : column);
    if (to_nearest<Rounding> && low.have_no_ties() && high.have_no_ties())
      store_columns<Output, std::conditional_t<to_nearest<Rounding>, half_up, Rounding>>(task, column, low, high,
                                                                                         window);
    else
      store_columns<Output, Rounding>(task, column, low, high, window);
    column += eight ? 8 : 4;
  }
}

/// What the tiles that multiply signed codes take: unsigned ones less 128, converted a block at a time.
template <one_of<std::uint8_t, std::int8_t> Activation>
struct signed_operands {
  using operand = std::int8_t;
  using weight = std::int8_t;
  static constexpr bool converts = !std::is_signed_v<Activation>;
  static constexpr bool takes_indices = true;
  static constexpr std::int32_t activation_offset(std::int32_t) { return converts ? 128 : 0; }
  static constexpr std::int32_t weight_offset(std::int32_t) { return 0; }

  /// Flips the codes' greatest bit.
  static void convert(const std::uint8_t* codes, std::size_t count, std::int32_t, std::int8_t* operands) {
    std::size_t k = 0;
    for (; k + 16 <= count; k += 16)
      vst1q_s8(operands + k, vreinterpretq_s8_u8(veorq_u8(vld1q_u8(codes + k), vdupq_n_u8(128))));
    for (; k < count; ++k) operands[k] = static_cast<std::int8_t>(codes[k] - 128);
  }
};

}  // namespace bitwright::kernels::neon
