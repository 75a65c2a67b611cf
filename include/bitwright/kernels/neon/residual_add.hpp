// SPDX-License-Identifier: MIT
/// \file
/// The residual add on 64-bit Arm, eight elements at once.
#pragma once

#include <bitwright/core/rounding.hpp>
#include <bitwright/kernels/code_window.hpp>
#include <bitwright/kernels/neon/codes.hpp>
#include <bitwright/kernels/neon/requantize.hpp>
#include <bitwright/kernels/residual_add_arguments.hpp>
#include <bitwright/kernels/scalar/residual_add.hpp>

#include <arm_neon.h>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace bitwright::kernels::neon {

/// One branch's numbers, in all lanes.
struct branch_lanes {
  int16x8_t zero_point;
  int32x4_t multiplier;
  int32x4_t shift;

  template <class Code>
  [[gnu::always_inline]] explicit branch_lanes(const residual_branch<Code>& branch)
      : zero_point(vdupq_n_s16(static_cast<std::int16_t>(branch.zero_point))),
        multiplier(vdupq_n_s32(branch.factor.multiplier)),
        shift(vdupq_n_s32(branch.factor.shift)) {}

  /// The first and the last four of eight codes, on the finer grid.
  template <integer_rounding Rounding>
  [[gnu::always_inline]] int32x4_t low(int16x8_t codes) const {
    return requantize<Rounding>(vsubl_s16(vget_low_s16(codes), vget_low_s16(zero_point)), multiplier, shift);
  }
  template <integer_rounding Rounding>
  [[gnu::always_inline]] int32x4_t high(int16x8_t codes) const {
    return requantize<Rounding>(vsubl_high_s16(codes, zero_point), multiplier, shift);
  }
};

/// Four sums on the finer grid, rounded to whole codes. They are added in 64 bits, as a branch may have all 32.
template <integer_rounding Rounding>
[[gnu::always_inline]] inline int32x4_t add_branches(int32x4_t left, int32x4_t right) {
  // So few bits are one rounding even where gemmlowp rounds twice.
  using once = std::conditional_t<std::same_as<Rounding, gemmlowp_double>, half_up, Rounding>;
  static_assert(residual_guard_bits <= 31);
  const int64x2_t bits = vdupq_n_s64(-residual_guard_bits);
  const int64x2_t low = vaddl_s32(vget_low_s32(left), vget_low_s32(right)), high = vaddl_high_s32(left, right);
  return vmovn_high_s64(vmovn_s64(shift_right<once>(low, bits)), shift_right<once>(high, bits));
}

/// Elements [first, last).
template <class Left, class Right, class Output, integer_rounding Rounding>
void residual_add(const residual_add_arguments<Left, Right, Output>& call, std::size_t first,
                  std::size_t last) noexcept {
  const branch_lanes left(call.left), right(call.right);
  const window_lanes window(code_window::of(call.output_zero_point, call.output_codes));
  for (; last - first >= 8; first += 8) {
    const int16x8_t a = load_widened(call.left.codes + first), b = load_widened(call.right.codes + first);
    const int32x4_t low = add_branches<Rounding>(left.low<Rounding>(a), right.low<Rounding>(b));
    const int32x4_t high = add_branches<Rounding>(left.high<Rounding>(a), right.high<Rounding>(b));
    store(call.outputs + first, window.codes(low), window.codes(high));
  }
  scalar::residual_add<Left, Right, Output, Rounding>(call, first, last);
}

}  // namespace bitwright::kernels::neon
