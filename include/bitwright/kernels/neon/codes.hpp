// SPDX-License-Identifier: MIT
/// \file
/// Loads that widen codes and stores that narrow them on 64-bit Arm. None touches memory beside its codes.
#pragma once

#include <arm_neon.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace bitwright::kernels::neon {

/// Eight codes, in 16 bits each.
[[gnu::always_inline]] inline int16x8_t load_widened(const std::uint8_t* codes) {
  return vreinterpretq_s16_u16(vmovl_u8(vld1_u8(codes)));
}
[[gnu::always_inline]] inline int16x8_t load_widened(const std::int8_t* codes) { return vmovl_s8(vld1_s8(codes)); }
[[gnu::always_inline]] inline int16x8_t load_widened(const std::int16_t* codes) { return vld1q_s16(codes); }

/// The `count` <= 16 bytes from `bytes` on, and zeros.
inline int8x16_t load_padded(const std::byte* bytes, std::size_t count) {
  std::int8_t padded[16] = {};
  std::memcpy(padded, bytes, count);
  return vld1q_s8(padded);
}

/// Writes four codes that fit their type.
[[gnu::always_inline]] inline void store(std::int32_t* target, int32x4_t codes) { vst1q_s32(target, codes); }
[[gnu::always_inline]] inline void store(std::int16_t* target, int32x4_t codes) { vst1_s16(target, vmovn_s32(codes)); }
template <class Code>
requires(sizeof(Code) == 1) [[gnu::always_inline]] inline void store(Code* target, int32x4_t codes) {
  const int16x4_t half = vmovn_s32(codes);
  const std::int32_t bytes = vget_lane_s32(vreinterpret_s32_s8(vmovn_s16(vcombine_s16(half, half))), 0);
  std::memcpy(target, &bytes, sizeof bytes);
}

/// Writes the first `count` of four codes that fit their type.
template <class Code>
[[gnu::always_inline]] inline void store(Code* target, int32x4_t codes, std::size_t count) {
  if (count >= 4) return store(target, codes);
  Code four[4];
  store(four, codes);
  std::memcpy(target, four, count * sizeof(Code));
}

/// Writes eight codes that fit their type.
template <class Code>
[[gnu::always_inline]] inline void store(Code* target, int32x4_t low, int32x4_t high) {
  if constexpr (sizeof(Code) == 4) {
    store(target, low);
    store(target + 4, high);
  } else {
    const int16x8_t halves = vuzp1q_s16(vreinterpretq_s16_s32(low), vreinterpretq_s16_s32(high));
    if constexpr (sizeof(Code) == 2)
      vst1q_s16(target, halves);
    else
      vst1_s8(reinterpret_cast<std::int8_t*>(target), vmovn_s16(halves));
  }
}

}  // namespace bitwright::kernels::neon
