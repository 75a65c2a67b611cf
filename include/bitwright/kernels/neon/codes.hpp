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

/// The last `count` <= 8 of `length` bytes before `end`, and zeros. Reads none but these bytes. No call of memcpy's: a
/// tile that makes calls has to store all its sums.
inline std::uint64_t load_last(const std::byte* end, std::size_t count, std::size_t length) {
  std::uint64_t bytes = 0;
  if (count == 0) return 0;
  if (length >= 8) {
    std::memcpy(&bytes, end - 8, 8);
    return bytes >> 8 * (8 - count);
  }
  for (; count > 0; --count) bytes = bytes << 8 | std::to_integer<std::uint64_t>(*--end);
  return bytes;
}

/// The last `count` < 16 of `length` bytes before `end`, and zeros. Reads none but these bytes.
inline int8x16_t load_padded(const std::byte* end, std::size_t count, std::size_t length) {
  const std::size_t second = count > 8 ? count - 8 : 0;
  const std::uint64_t low = load_last(end - second, count - second, length - second);
  return vcombine_s8(vcreate_s8(low), vcreate_s8(load_last(end, second, length)));
}

/// Finishes a sum before whatever follows begins: compilers make the products of several columns first otherwise, and
/// run out of registers.
[[gnu::always_inline]] inline void keep_order(int32x4_t& sum) { asm volatile("" : "+w"(sum)); }

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
