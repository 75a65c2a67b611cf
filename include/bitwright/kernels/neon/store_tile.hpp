// SPDX-License-Identifier: MIT
/// \file
/// What the tiles of 64-bit Arm share: signed operands, and the way from sums to codes.
#pragma once

#include <bitwright/core/rounding.hpp>
#include <bitwright/kernels/code_types.hpp>
#include <bitwright/kernels/neon/codes.hpp>
#include <bitwright/kernels/neon/requantize.hpp>
#include <bitwright/kernels/tiles.hpp>

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

  template <integer_rounding Rounding>
  [[gnu::always_inline]] int32x4_t requantized(const std::int32_t* sums) const {
    return requantize<Rounding>(vld1q_s32(sums), multipliers, shifts);
  }
};

/// Turns a tile's sums, of whole vectors of four columns, into codes: eight columns at a time down the rows, then four.
template <class Output, integer_rounding Rounding>
void store_tile(const tile_codes& task) {
  const window_lanes window(task.window);
  std::size_t column = 0;
  for (; column + 8 <= task.columns; column += 8) {
    const factor_lanes low(task, column), high(task, column + 4);
    for (std::size_t row = 0; row < task.rows; ++row) {
      const std::int32_t* const sums = task.sums + row * task.padded_columns + column;
      store(reinterpret_cast<Output*>(task.outputs[row]) + task.first_output + column,
            window.codes(low.requantized<Rounding>(sums)), window.codes(high.requantized<Rounding>(sums + 4)));
    }
  }
  for (; column < task.columns; column += 4) {
    const factor_lanes factors(task, column);
    for (std::size_t row = 0; row < task.rows; ++row) {
      const std::int32_t* const sums = task.sums + row * task.padded_columns + column;
      store(reinterpret_cast<Output*>(task.outputs[row]) + task.first_output + column,
            window.codes(factors.requantized<Rounding>(sums)), task.columns - column);
    }
  }
}

/// What the tiles that multiply signed codes take: unsigned ones less 128, converted a block at a time.
template <one_of<std::uint8_t, std::int8_t> Activation>
struct signed_operands {
  using operand = std::int8_t;
  using weight = std::int8_t;
  static constexpr bool converts = !std::is_signed_v<Activation>;
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
