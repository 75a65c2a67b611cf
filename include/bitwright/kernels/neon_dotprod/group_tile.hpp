// SPDX-License-Identifier: MIT
/// \file
/// The tile of a group-wise gemm for 64-bit Arm with dot products: four columns a panel, four codes of each a step.
#pragma once

#include <bitwright/kernels/group_gemm_arguments.hpp>
#include <bitwright/kernels/neon/group_tile.hpp>
#include <bitwright/kernels/tiled_group_gemm.hpp>

#include <arm_neon.h>

#include <cstddef>
#include <cstdint>

namespace bitwright::kernels::neon_dotprod {

template <group_format Format>
struct group_tile : neon::group_columns<Format> {
  using columns = neon::group_columns<Format>;
  static constexpr std::size_t depth = 4;

  /// Adds the products of 16 activations, four a step, with four vectors of weights.
  [[gnu::target("arch=armv8.2-a+dotprod"), gnu::always_inline]] static inline int32x4_t add(int32x4_t dots,
                                                                                            const int8x16_t* weights,
                                                                                            int8x16_t codes) {
    dots = vdotq_laneq_s32(dots, weights[0], codes, 0);
    dots = vdotq_laneq_s32(dots, weights[1], codes, 1);
    dots = vdotq_laneq_s32(dots, weights[2], codes, 2);
    return vdotq_laneq_s32(dots, weights[3], codes, 3);
  }

  /// A group's weights are unpacked once for all rows.
  template <std::size_t>
  [[gnu::target("arch=armv8.2-a+dotprod")]] static void many(group_task task) {
    for (std::size_t row = 0; row < task.rows; ++row) vst1q_f32(task.outputs + row * columns::lanes, vdupq_n_f32(0));
    for (std::size_t g = 0; g < task.groups; ++g) {
      int8x16_t weights[columns::registers];
#pragma GCC unroll 8
      for (std::size_t i = 0; i < columns::registers; ++i) weights[i] = columns::unpack(task, g, i);
      const int32x4_t zero_points = columns::load_zero_points(task, g);
      const float32x4_t scales = columns::load_scales(task, g);
      for (std::size_t row = 0; row < task.rows; ++row, task.codes += group_size, ++task.offsets) {
        const int32x4_t half = add(columns::begin(*task.offsets, zero_points), weights, vld1q_s8(task.codes));
        columns::add_group(task.outputs + row * columns::lanes, add(half, weights + 4, vld1q_s8(task.codes + 16)),
                           scales);
      }
    }
    columns::finish(task);
  }

  template <std::size_t>
  [[gnu::target("arch=armv8.2-a+dotprod")]] static void single(const group_task& task) {
    many<1>(task);
  }
};

}  // namespace bitwright::kernels::neon_dotprod
