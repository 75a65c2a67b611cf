// SPDX-License-Identifier: MIT
/// \file
/// gemm by tiles: rows of activations are read where they lie.
#pragma once

#include <bitwright/kernels/gemm_arguments.hpp>
#include <bitwright/kernels/panels.hpp>
#include <bitwright/kernels/tiles.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace bitwright::kernels {

template <class Tile>
panel_layout<Tile> gemm_layout(const weighted_sum& sums) {
  return {.groups = 1,
          .group_outputs = sums.outputs,
          .segments = 1,
          .length = sums.inputs,
          .bits = packed_bits<Tile>(sums)};
}

/// Operands of a converted row: whole steps.
template <class Tile>
constexpr std::size_t converted_row(const weighted_sum& sums) {
  return std::max<std::size_t>(1, divide_up(sums.inputs, Tile::depth)) * Tile::depth;
}

/// Rows of a block: fewer where they are converted, so that a block stays in the second-level cache.
template <class Tile>
constexpr std::size_t gemm_block_rows(const weighted_sum& sums) {
  if (!Tile::converts) return block_rows;
  constexpr std::size_t cached = std::size_t{1} << 17, least = 2 * Tile::rows(Tile::max_vectors);
  const std::size_t rows = cached / (converted_row<Tile>(sums) * sizeof(typename Tile::operand));
  return std::clamp(rows / least * least, least, block_rows);
}

/// A panel's unpacked weights, and behind them a block's converted rows.
template <class Tile>
constexpr std::size_t tiled_gemm_workspace_bytes(const weighted_sum& sums) {
  const std::size_t unpacked = gemm_layout<Tile>(sums).unpacked_panel_bytes();
  if (!Tile::converts) return unpacked;
  return unpacked + 64 + gemm_block_rows<Tile>(sums) * converted_row<Tile>(sums) * sizeof(typename Tile::operand);
}

/// Writes a row's operands into its place in the workspace, up to a whole step.
template <class Tile, class Activation, class Output>
const std::byte* convert_row(const gemm_arguments<Activation, Output>& call, const Activation* codes, std::size_t row) {
  std::byte* memory = aligned_to_line(call.workspace + gemm_layout<Tile>(call.sums).unpacked_panel_bytes());
  auto* operands = reinterpret_cast<typename Tile::operand*>(memory) + row * converted_row<Tile>(call.sums);
  Tile::convert(codes, call.sums.inputs, call.sums.activation_zero_point, operands);
  std::fill(operands + call.sums.inputs, operands + converted_row<Tile>(call.sums), 0);
  return reinterpret_cast<const std::byte*>(operands);
}

/// Rows [first, last) of the outputs, a block at a time.
template <class Tile, class Activation, class Output>
void tiled_gemm(const gemm_arguments<Activation, Output>& call, std::size_t first, std::size_t last,
                store_function store) {
  const tile_runner<Tile> runner(gemm_layout<Tile>(call.sums), call.packed, call.sums, store, call.workspace);
  const std::size_t most = gemm_block_rows<Tile>(call.sums);
  std::array<const std::byte*, block_rows> rows;
  std::array<std::byte*, block_rows> outputs;
  for (; first < last; first += most) {
    const row_run run{.first = 0, .count = std::min(most, last - first), .box = segment_box::all(1, 1)};
    for (std::size_t row = 0; row < run.count; ++row) {
      const Activation* codes = call.activations + (first + row) * call.activation_stride;
      if constexpr (Tile::converts)
        rows[row] = convert_row<Tile>(call, codes, row);
      else
        rows[row] = reinterpret_cast<const std::byte*>(codes);
      outputs[row] = reinterpret_cast<std::byte*>(call.outputs + (first + row) * call.output_stride);
    }
    runner.run({.rows = rows.data(), .outputs = outputs.data(), .runs = &run, .run_count = 1}, 0);
  }
}

}  // namespace bitwright::kernels
