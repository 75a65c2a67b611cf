// SPDX-License-Identifier: MIT
/// \file
/// The tile of a group-wise gemm for any 64-bit Arm: four columns a panel, 16 codes of each a step.
#pragma once

#include <bitwright/kernels/group_gemm_arguments.hpp>
#include <bitwright/kernels/group_rows.hpp>
#include <bitwright/kernels/tiled_group_gemm.hpp>

#include <arm_neon.h>

#include <cstddef>
#include <cstdint>
#include <limits>

namespace bitwright::kernels::neon {

/// What the tiles of four columns share: everything but the products.
template <group_format Format>
struct group_columns {
  using format = Format;
  static constexpr std::size_t lanes = 4;
  static constexpr std::uint8_t flipped_bits = 0;
  static constexpr std::size_t single_vectors = 1;
  static constexpr std::size_t many_vectors = 1;
  static constexpr std::size_t registers = group_size * lanes / 16;    ///< Of a group's codes, unpacked.
  static constexpr std::size_t stored = registers * Format::bits / 8;  ///< Of a group's codes in memory.

  /// The sum of a row's codes times what is to be taken from every code, or -1 where the zero point follows.
  static constexpr std::int32_t offset(std::int32_t sums) {
    return (Format::has_zero_points ? -1 : -Format::zero_point) * sum_of_pair_sums(sums);
  }

  [[gnu::always_inline]] static inline float32x4_t load_scales(const group_task& task, std::size_t group) {
    const auto* const scales = reinterpret_cast<const std::uint16_t*>(task.panels + task.scales) + group * lanes;
    return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(scales)));
  }
  [[gnu::always_inline]] static inline int32x4_t load_zero_points(const group_task& task, std::size_t group) {
    if constexpr (!Format::has_zero_points) return vdupq_n_s32(0);
    const auto* const bytes = reinterpret_cast<const std::uint8_t*>(task.panels + task.zero_points) + group * lanes;
    const std::int32_t zero_points[lanes] = {bytes[0], bytes[1], bytes[2], bytes[3]};
    return vld1q_s32(zero_points);
  }
  [[gnu::always_inline]] static inline int32x4_t begin(std::int32_t offset, int32x4_t zero_points) {
    const int32x4_t offsets = vdupq_n_s32(offset);
    return Format::has_zero_points ? vmulq_s32(offsets, zero_points) : offsets;
  }

  /// Vector i of a group's codes.
  [[gnu::always_inline]] static inline int8x16_t unpack(const group_task& task, std::size_t group, std::size_t i) {
    const auto* const bytes = reinterpret_cast<const std::uint8_t*>(task.panels) + (group * stored + i % stored) * 16;
    const uint8x16_t vector = vld1q_u8(bytes);
    if constexpr (Format::bits == 8) return vreinterpretq_s8_u8(vector);
    return vreinterpretq_s8_u8(i < stored ? vandq_u8(vector, vdupq_n_u8(15)) : vshrq_n_u8(vector, 4));
  }

  [[gnu::always_inline]] static inline void add_group(float* sums, int32x4_t dots, float32x4_t scales) {
    vst1q_f32(sums, vfmaq_f32(vld1q_f32(sums), vcvtq_f32_s32(dots), scales));
  }
  static void finish(const group_task& task) {
    for (std::size_t row = 0; row < task.rows; ++row) {
      float* const sums = task.outputs + row * lanes;
      vst1q_f32(sums, vfmaq_n_f32(vld1q_f32(task.bias), vld1q_f32(sums), task.row_scales[row]));
    }
  }
};

template <group_format Format>
struct group_tile : group_columns<Format> {
  using columns = group_columns<Format>;
  static constexpr std::size_t depth = 16;

  /// A column's dot product, spread over four lanes. Two products of 8-bit codes fit 16 bits, as activations are never
  /// -128, and four of 4-bit codes.
  [[gnu::always_inline]] static inline int32x4_t column_dot(int8x16_t first_weights, int8x16_t second_weights,
                                                            int8x16_t first, int8x16_t second) {
    static_assert(2 * 128 * 127 <= std::numeric_limits<std::int16_t>::max());
    static_assert(4 * 15 * 127 <= std::numeric_limits<std::int16_t>::max());
    int16x8_t pairs = vmull_s8(vget_low_s8(first_weights), vget_low_s8(first));
    pairs = vmlal_high_s8(pairs, first_weights, first);
    if constexpr (Format::bits == 4) {
      pairs = vmlal_s8(pairs, vget_low_s8(second_weights), vget_low_s8(second));
      return vpaddlq_s16(vmlal_high_s8(pairs, second_weights, second));
    }
    int16x8_t others = vmull_s8(vget_low_s8(second_weights), vget_low_s8(second));
    others = vmlal_high_s8(others, second_weights, second);
    return vpadalq_s16(vpaddlq_s16(pairs), others);
  }

  /// A group's weights are unpacked once for all rows. Column c has registers c and c + 4 of them.
  template <std::size_t>
  static void many(group_task task) {
    for (std::size_t row = 0; row < task.rows; ++row) vst1q_f32(task.outputs + row * columns::lanes, vdupq_n_f32(0));
    for (std::size_t g = 0; g < task.groups; ++g) {
      int8x16_t weights[columns::registers];
#pragma GCC unroll 8
      for (std::size_t i = 0; i < columns::registers; ++i) weights[i] = columns::unpack(task, g, i);
      const int32x4_t zero_points = columns::load_zero_points(task, g);
      const float32x4_t scales = columns::load_scales(task, g);
      for (std::size_t row = 0; row < task.rows; ++row, task.codes += group_size, ++task.offsets) {
        const int8x16_t first = vld1q_s8(task.codes), second = vld1q_s8(task.codes + 16);
        int32x4_t dots[columns::lanes];
#pragma GCC unroll 4
        for (std::size_t c = 0; c < columns::lanes; ++c)
          dots[c] = column_dot(weights[c], weights[c + columns::lanes], first, second);
        const int32x4_t sums = vpaddq_s32(vpaddq_s32(dots[0], dots[1]), vpaddq_s32(dots[2], dots[3]));
        columns::add_group(task.outputs + row * columns::lanes,
                           vaddq_s32(columns::begin(*task.offsets, zero_points), sums), scales);
      }
    }
    columns::finish(task);
  }

  template <std::size_t>
  static void single(const group_task& task) {
    many<1>(task);
  }
};

}  // namespace bitwright::kernels::neon
