// SPDX-License-Identifier: MIT
/// \file
/// binarize for 64-bit Arm: comparisons, of whose results each lane keeps one bit.
#pragma once

#include <bitwright/kernels/binarize_arguments.hpp>
#include <bitwright/kernels/code_types.hpp>
#include <bitwright/kernels/scalar/binarize.hpp>

#include <arm_neon.h>

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace bitwright::kernels::neon {

/// One bit of each of eight lanes that are all ones or all zeros.
[[gnu::always_inline]] inline std::byte one_bit_a_lane(uint8x8_t lanes) {
  const uint8x8_t places = vcreate_u8(0x8040201008040201);
  return static_cast<std::byte>(vaddv_u8(vand_u8(lanes, places)));
}

/// The bits of eight values. A NaN is not below the threshold.
[[gnu::always_inline]] inline std::byte bits_of_8(const float* values, float threshold) {
  const float32x4_t least = vdupq_n_f32(threshold);
  const uint32x4_t low = vcltq_f32(vld1q_f32(values), least), high = vcltq_f32(vld1q_f32(values + 4), least);
  return one_bit_a_lane(vmvn_u8(vmovn_u16(vcombine_u16(vmovn_u32(low), vmovn_u32(high)))));
}
[[gnu::always_inline]] inline std::byte bits_of_8(const std::uint8_t* codes, std::uint8_t threshold) {
  return one_bit_a_lane(vcge_u8(vld1_u8(codes), vdup_n_u8(threshold)));
}
[[gnu::always_inline]] inline std::byte bits_of_8(const std::int8_t* codes, std::int8_t threshold) {
  return one_bit_a_lane(vcge_s8(vld1_s8(codes), vdup_n_s8(threshold)));
}

/// Rows [first, last).
template <class Value>
void binarize(const binarize_arguments<Value>& call, std::size_t first, std::size_t last) noexcept {
  for (std::size_t row = first; row < last; ++row) {
    const Value* const values = call.values + row * call.value_stride;
    std::byte* const bits = call.bits + row * call.byte_stride;
    std::size_t i = 0;
    for (; i + 8 <= call.length; i += 8) bits[i / 8] = bits_of_8(values + i, call.threshold);
    scalar::binarize_row(values, i, call.length, call.threshold, bits);
  }
}

}  // namespace bitwright::kernels::neon
