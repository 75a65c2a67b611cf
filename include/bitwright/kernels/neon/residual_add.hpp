// SPDX-License-Identifier: MIT
/// \file
/// The residual add on 64-bit Arm, eight elements at once.
#pragma once

#include <bitwright/core/rounding.hpp>
#include <bitwright/kernels/code_window.hpp>
#include <bitwright/kernels/neon/codes.hpp>
#include <bitwright/kernels/neon/requantize.hpp>
#include <bitwright/kernels/residual_add_arguments.hpp>
#include <bitwright/kernels/residual_bytes.hpp>
#include <bitwright/kernels/scalar/residual_add.hpp>
#include <bitwright/kernels/vectorized_rounding.hpp>

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

/// One branch's numbers in all lanes, where its multiplier, high * 2^16 + low, may be applied in 32 bits.
struct narrow_branch_lanes {
  int16x8_t zero_point;
  int16x4_t low;
  int16x4_t high;
  int32x4_t negative_shift;

  [[gnu::always_inline]] explicit narrow_branch_lanes(const residual_branch_lanes& branch)
      : zero_point(vdupq_n_s16(branch.zero_point)),
        low(vdup_n_s16(branch.low)),
        high(vdup_n_s16(branch.high)),
        negative_shift(vdupq_n_s32(-branch.shift)) {}

  [[gnu::always_inline]] int16x8_t differences(int16x8_t codes) const { return vsubq_s16(codes, zero_point); }

  /// Four codes less their zero point, on the finer grid: round((d * high + floor(d * low / 2^16)) / 2^(shift - 16)).
  [[gnu::always_inline]] int32x4_t requantized(int16x4_t differences) const {
    return vrshlq_s32(vsraq_n_s32(vmull_s16(differences, high), vmull_s16(differences, low), 16), negative_shift);
  }
};

/// Four sums of 31 bits, rounded to whole codes.
template <to_nearest Rounding>
[[gnu::always_inline]] inline int32x4_t round_sums(int32x4_t sums) {
  constexpr int bits = residual_guard_bits;
  if constexpr (std::same_as<Rounding, half_to_even>)
    sums = vsraq_n_s32(sums, vmvnq_s32(vshlq_n_s32(sums, 31 - bits)), 31);  // Less 1 where the quotient is even.
  else if constexpr (std::same_as<Rounding, half_away_from_zero>)
    sums = vsraq_n_s32(sums, sums, 31);
  return vrshrq_n_s32(sums, bits);
}

/// Adds eight elements at a time, if neither branch makes a tie, or ties go up anyway, and all numbers fit 32 bits: see
/// kernels/residual_bytes.hpp. Says whether they do, and leaves in `first` where less than eight are left.
template <to_nearest Rounding, class Left, class Right, class Output>
bool add_narrowly(const residual_add_arguments<Left, Right, Output>& call, std::size_t& first, std::size_t last) {
  const auto left_input = residual_input::of(call.left), right_input = residual_input::of(call.right);
  const auto left_lanes = residual_branch_lanes::of(left_input, 0);
  const auto right_lanes = residual_branch_lanes::of(right_input, 0);
  const bool ties = !std::same_as<Rounding, half_up> && (left_input.has_ties() || right_input.has_ties());
  if (ties || !left_lanes || !right_lanes) return false;
  const narrow_branch_lanes left(*left_lanes), right(*right_lanes);
  const window_lanes window(code_window::of(call.output_zero_point, call.output_codes));
  for (; last - first >= 8; first += 8) {
    const int16x8_t a = left.differences(load_widened(call.left.codes + first));
    const int16x8_t b = right.differences(load_widened(call.right.codes + first));
    const int32x4_t low = vaddq_s32(left.requantized(vget_low_s16(a)), right.requantized(vget_low_s16(b)));
    const int32x4_t high = vaddq_s32(left.requantized(vget_high_s16(a)), right.requantized(vget_high_s16(b)));
    store(call.outputs + first, window.codes(round_sums<Rounding>(low)), window.codes(round_sums<Rounding>(high)));
  }
  return true;
}

/// Adds eight elements at a time, whatever the numbers, and leaves in `first` where less than eight are left.
template <integer_rounding Rounding, class Left, class Right, class Output>
void add_widely(const residual_add_arguments<Left, Right, Output>& call, std::size_t& first, std::size_t last) {
  const branch_lanes left(call.left), right(call.right);
  const window_lanes window(code_window::of(call.output_zero_point, call.output_codes));
  for (; last - first >= 8; first += 8) {
    const int16x8_t a = load_widened(call.left.codes + first), b = load_widened(call.right.codes + first);
    const int32x4_t low = add_branches<Rounding>(left.low<Rounding>(a), right.low<Rounding>(b));
    const int32x4_t high = add_branches<Rounding>(left.high<Rounding>(a), right.high<Rounding>(b));
    store(call.outputs + first, window.codes(low), window.codes(high));
  }
}

/// Elements [first, last).
template <class Left, class Right, class Output, integer_rounding Rounding>
void residual_add(const residual_add_arguments<Left, Right, Output>& call, std::size_t first,
                  std::size_t last) noexcept {
  bool added = false;
  if constexpr (to_nearest<Rounding>) added = add_narrowly<Rounding>(call, first, last);
  if (!added) add_widely<Rounding>(call, first, last);
  scalar::residual_add<Left, Right, Output, Rounding>(call, first, last);
}

}  // namespace bitwright::kernels::neon
