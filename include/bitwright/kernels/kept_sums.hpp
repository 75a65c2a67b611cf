// SPDX-License-Identifier: MIT
/// \file
/// Sums that become outputs as they are: 32-bit outputs whose factor is 1 and whose codes are all numbers. So layers ask
/// for accumulators that they go on with.
#pragma once

#include <bitwright/core/code_range.hpp>
#include <bitwright/kernels/code_window.hpp>
#include <bitwright/kernels/tiles.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace bitwright::kernels {

/// Whether every column of a tile has the factor 2^30 / 2^30, and no clamp or zero point changes anything.
inline bool keeps_sums(const tile_codes& task) {
  if (task.window != code_window::of(0, code_range::all_of<std::int32_t>())) return false;
  std::int32_t differences = 0;
  for (std::size_t column = 0; column < task.columns; ++column)
    differences |= (task.multipliers[column] ^ (1 << 30)) | (task.shifts[column] ^ 30);
  return differences == 0;
}

/// Writes a tile's sums as its outputs.
inline void copy_sums(const tile_codes& task) {
  for (std::size_t row = 0; row < task.rows; ++row)
    std::memcpy(task.outputs[row] + task.first_output * sizeof(std::int32_t), task.sums + row * task.padded_columns,
                task.columns * sizeof(std::int32_t));
}

}  // namespace bitwright::kernels
