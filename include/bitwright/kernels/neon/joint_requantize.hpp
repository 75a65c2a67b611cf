// SPDX-License-Identifier: MIT
/// \file
/// Joint requantization on 64-bit Arm: 4 outputs at once, a column of them through all rows.
#pragma once

#include <bitwright/core/rounding.hpp>
#include <bitwright/kernels/code_window.hpp>
#include <bitwright/kernels/joint_requantize_arguments.hpp>
#include <bitwright/kernels/neon/codes.hpp>
#include <bitwright/kernels/neon/requantize.hpp>
#include <bitwright/kernels/scalar/joint_requantize.hpp>

#include <arm_neon.h>

#include <cstddef>
#include <cstdint>

namespace bitwright::kernels::neon {

/// What 4 outputs have in common in all rows.
struct joint_lanes {
  int64x2_t low_addends;
  int64x2_t high_addends;
  int32x4_t negative_shifts;

  [[gnu::always_inline]] joint_lanes(const joint_factors& factors, std::size_t n)
      : low_addends(vld1q_s64(factors.addends + n)),
        high_addends(vld1q_s64(factors.addends + n + 2)),
        negative_shifts(vnegq_s32(vld1q_s32(factors.shifts + n))) {}

  /// The rounded sums of 4 outputs, saturated to 32 bits. `multipliers` and `accumulators` are those of the first
  /// summand.
  template <integer_rounding Rounding>
  [[gnu::always_inline]] int32x4_t rounded(const joint_factors& factors, const std::int32_t* multipliers,
                                           const std::int32_t* accumulators, std::size_t summand_stride) const {
    int64x2_t low = low_addends, high = high_addends;
    for (std::size_t r = 0; r < factors.summands; ++r) {
      const int32x4_t multiplier = vld1q_s32(multipliers + r * factors.outputs);
      const int32x4_t accumulator = vld1q_s32(accumulators + r * summand_stride);
      low = vmlal_s32(low, vget_low_s32(accumulator), vget_low_s32(multiplier));
      high = vmlal_high_s32(high, accumulator, multiplier);
    }
    return vqmovn_high_s64(vqmovn_s64(shift_right<Rounding>(low, vmovl_s32(vget_low_s32(negative_shifts)))),
                           shift_right<Rounding>(high, vmovl_high_s32(negative_shifts)));
  }
};

/// Rows [first, last).
template <class Output, integer_rounding Rounding>
void joint_requantize(const joint_requantize_arguments<Output>& call, std::size_t first, std::size_t last) noexcept {
  const joint_factors& factors = call.factors;
  const window_lanes window(code_window::of(factors.output_zero_point, factors.output_codes));
  for (std::size_t n = 0; n + 4 <= factors.outputs; n += 4) {
    const joint_lanes lanes(factors, n);
    for (std::size_t m = first; m < last; ++m) {
      const std::size_t at = m * factors.outputs + n;
      store(call.outputs + at, window.codes(lanes.template rounded<Rounding>(
                                   factors, factors.multipliers + n, call.accumulators + at, call.summand_stride)));
    }
  }
  for (std::size_t m = first; m < last; ++m)
    scalar::joint_requantize_row<Output, Rounding>(call, m, factors.outputs / 4 * 4, factors.outputs);
}

}  // namespace bitwright::kernels::neon
