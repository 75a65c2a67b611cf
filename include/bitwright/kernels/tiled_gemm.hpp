// SPDX-License-Identifier: MIT
/// \file
/// gemm by tiles: rows of activations are read where they lie.
#pragma once

#include <bitwright/kernels/code_window.hpp>
#include <bitwright/kernels/gemm_arguments.hpp>
#include <bitwright/kernels/panels.hpp>
#include <bitwright/kernels/tiles.hpp>

#include <algorithm>
#include <array>
#include <cstddef>

namespace bitwright::kernels {

template <class Tile>
panel_layout<Tile> gemm_layout(const weighted_sum& sums) {
  return {.groups = 1, .group_outputs = sums.outputs, .segments = 1, .length = sums.inputs};
}

/// Rows [first, last) of the outputs, a block at a time.
template <class Tile, class Activation, class Output>
void tiled_gemm(const gemm_arguments<Activation, Output>& call, std::size_t first, std::size_t last,
                store_function store) {
  const code_window window = code_window::of(call.sums.output_zero_point, call.sums.output_codes);
  const tile_runner<Tile> runner(gemm_layout<Tile>(call.sums), call.packed, window, store);
  std::array<const std::byte*, block_rows> rows;
  std::array<std::byte*, block_rows> outputs;
  for (; first < last; first += block_rows) {
    const row_run run{.first = 0, .count = std::min(block_rows, last - first), .box = segment_box::all(1, 1)};
    for (std::size_t row = 0; row < run.count; ++row) {
      rows[row] = reinterpret_cast<const std::byte*>(call.activations + (first + row) * call.activation_stride);
      outputs[row] = reinterpret_cast<std::byte*>(call.outputs + (first + row) * call.output_stride);
    }
    runner.run({.rows = rows.data(), .outputs = outputs.data(), .runs = &run, .run_count = 1}, 0);
  }
}

}  // namespace bitwright::kernels
