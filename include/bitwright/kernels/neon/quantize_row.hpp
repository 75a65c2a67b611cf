// SPDX-License-Identifier: MIT
/// \file
/// A row of activations to codes, for all paths of 64-bit Arm.
#pragma once

#include <bitwright/kernels/group_rows.hpp>

#include <arm_neon.h>

#include <cstddef>
#include <cstdint>

namespace bitwright::kernels::neon {

/// `count` is a multiple of 16.
inline std::int32_t greatest_bits(const float* values, std::size_t count) {
  const int32x4_t magnitude = vdupq_n_s32(0x7fffffff);
  int32x4_t greatest[4] = {vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0)};
  for (std::size_t k = 0; k < count; k += 16)
#pragma GCC unroll 4
    for (std::size_t i = 0; i < 4; ++i) {
      const int32x4_t bits = vreinterpretq_s32_f32(vld1q_f32(values + k + 4 * i));
      greatest[i] = vmaxq_s32(greatest[i], vandq_s32(bits, magnitude));
    }
  return vmaxvq_s32(vmaxq_s32(vmaxq_s32(greatest[0], greatest[1]), vmaxq_s32(greatest[2], greatest[3])));
}

/// Eight codes, in words.
[[gnu::always_inline]] inline int16x8_t wide_codes(const float* values, float inverse) {
  const int32x4_t low = vcvtnq_s32_f32(vmulq_n_f32(vld1q_f32(values), inverse));
  const int32x4_t high = vcvtnq_s32_f32(vmulq_n_f32(vld1q_f32(values + 4), inverse));
  return vmovn_high_s32(vmovn_s32(low), high);
}

inline void quantize_row(const float* values, std::size_t groups, float inverse, const row_codes& to) {
  for (std::size_t g = 0; g < groups; ++g, values += group_size) {
    const int8x16_t low = vmovn_high_s16(vmovn_s16(wide_codes(values, inverse)), wide_codes(values + 8, inverse));
    const int8x16_t high =
        vmovn_high_s16(vmovn_s16(wide_codes(values + 16, inverse)), wide_codes(values + 24, inverse));
    vst1q_s8(to.codes + g * to.code_stride, low);
    vst1q_s8(to.codes + g * to.code_stride + 16, high);
    const int32x4_t pairs = vreinterpretq_s32_s16(vaddq_s16(vpaddlq_s8(low), vpaddlq_s8(high)));
    const int16x4_t halves =
        vadd_s16(vreinterpret_s16_s32(vget_low_s32(pairs)), vreinterpret_s16_s32(vget_high_s32(pairs)));
    const int16x4_t sums = vadd_s16(halves, vext_s16(halves, halves, 2));
    to.pair_sums[g * to.pair_sum_stride] = vget_lane_s32(vreinterpret_s32_s16(sums), 0);
  }
}

inline constexpr row_quantizer rows_quantizer{greatest_bits, quantize_row};

}  // namespace bitwright::kernels::neon
