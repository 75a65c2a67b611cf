// SPDX-License-Identifier: MIT
/// \file
/// Binary gemm by tiles: rows of whole steps are read where they lie, others from a copy.
#pragma once

#include <bitwright/kernels/binary_tiles.hpp>

#include <algorithm>
#include <array>
#include <cstddef>

namespace bitwright::kernels {

template <class Tile>
std::size_t tiled_binary_gemm_workspace_bytes(const binary_sum& sums) {
  return binary_operands<Tile>::workspace_bytes(sums);
}

/// Rows [first, last) of the outputs, a block at a time.
template <class Tile, binary_output Output>
void tiled_binary_gemm(const binary_gemm_arguments<Output>& call, std::size_t first, std::size_t last,
                       binary_store_function store) {
  const binary_sum& sums = call.sums;
  const binary_runner<Tile> runner(sums, call.packed, 1, store);
  const binary_operands<Tile> operands(sums, call.workspace);
  const std::size_t most = binary_operands<Tile>::block_rows_of(sums), bytes = sums.row_bytes();
  std::array<const std::byte*, block_rows> rows;
  std::array<std::byte*, block_rows> outputs;
  for (; first < last; first += most) {
    const std::size_t count = std::min(most, last - first);
    for (std::size_t i = 0; i < count; ++i) {
      const std::byte* row = call.activations + (first + i) * call.activation_stride;
      outputs[i] = reinterpret_cast<std::byte*>(call.outputs + (first + i) * call.output_stride);
      if (sums.channels % 8 == 0) {
        rows[i] = operands.of(row, i);
        continue;
      }
      copy_bits(operands.row(i), row, bytes);
      operands.row(i)[bytes - 1] &= last_byte_mask(sums.channels);
      rows[i] = operands.finish(i);
    }
    runner.run({.count = count,
                .rows = rows.data(),
                .outputs = outputs.data(),
                .row_scales = call.row_scales == nullptr ? nullptr : call.row_scales + first,
                .inside = nullptr});
  }
}

template <class Tile, binary_output Output, binary_store_function Store>
void run_tiled_binary_gemm(const binary_gemm_arguments<Output>& call, std::size_t first, std::size_t last) noexcept {
  tiled_binary_gemm<Tile>(call, first, last, Store);
}

}  // namespace bitwright::kernels
