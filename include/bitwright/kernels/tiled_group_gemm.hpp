// SPDX-License-Identifier: MIT
/// \file
/// The loops of a group-wise gemm around the tiles of a path.
///
/// A `Tile` has, beside what group_panel_layout and quantize_rows ask of it, two functions of a task: `single` for one
/// row, `many` for up to a block of rows, which unpacks the weights of a group once for all of them. Both take panels as
/// many at a time as `single_vectors` and `many_vectors` say, that these may share a row's operands; what is left goes by
/// single panels. Activations stay in the near caches while weights pass by.
#pragma once

#include <bitwright/kernels/group_gemm_arguments.hpp>
#include <bitwright/kernels/group_panels.hpp>
#include <bitwright/kernels/group_rows.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace bitwright::kernels {

/// One row block's outputs in some panels. Memory is aligned as panels and workspaces are.
struct group_task {
  const std::byte* panels;  ///< The first of them.
  std::size_t panel_bytes;  ///< From one to the next.
  std::size_t scales;       ///< Within a panel.
  std::size_t zero_points;  ///< Within a panel.
  std::size_t groups;
  std::size_t rows;
  const std::int8_t* codes;     ///< Groups x rows x group_size.
  const std::int32_t* offsets;  ///< Groups x rows.
  const float* row_scales;
  const float* bias;  ///< One for each column.
  float* outputs;     ///< Rows x columns.
};

/// Outputs are divided among calls by as many columns, or multiples of it.
inline constexpr std::size_t group_gemm_columns = 64;

/// Columns of the panels that a tile takes at a time.
template <class Tile>
constexpr std::size_t greatest_group_tile = group_rows::block* Tile::lanes* std::max(Tile::single_vectors,
                                                                                     Tile::many_vectors);

/// The outputs of one row block in `vectors` panels from panel p on.
template <class Tile>
void make_group_tile(const group_gemm_arguments& call, group_task task, std::size_t first_row, std::size_t p,
                     std::size_t vectors) {
  const auto layout = group_layout<Tile>(call.weights);
  alignas(64) float outputs[greatest_group_tile<Tile>];
  task.panels = call.packed + layout.panel(p);
  task.bias = packed_array<float>(call.packed, 0) + p * Tile::lanes;
  task.outputs = outputs;
  if (task.rows == 1)
    vectors == 1 ? Tile::template single<1>(task) : Tile::template single<Tile::single_vectors>(task);
  else
    vectors == 1 ? Tile::template many<1>(task) : Tile::template many<Tile::many_vectors>(task);
  const std::size_t column = p * Tile::lanes, columns = std::min(vectors * Tile::lanes, layout.outputs - column);
  for (std::size_t row = 0; row < task.rows; ++row)
    std::copy_n(outputs + row * vectors * Tile::lanes, columns,
                call.outputs + (first_row + row) * call.output_stride + column);
}

/// Columns [first, last) of all rows, where first is a multiple of group_gemm_columns.
template <class Tile>
void tiled_group_gemm(const group_gemm_arguments& call, std::size_t first, std::size_t last) {
  static_assert(group_gemm_columns % Tile::lanes == 0);
  const auto layout = group_layout<Tile>(call.weights);
  const group_rows rows{call.rows, layout.groups};
  const std::size_t end = divide_up(last, Tile::lanes);
  for (std::size_t m = 0; m < call.rows; m += group_rows::block) {
    const group_task task{.panels = nullptr,
                          .panel_bytes = layout.panel_bytes(),
                          .scales = layout.scales(),
                          .zero_points = layout.zero_points(),
                          .groups = layout.groups,
                          .rows = rows.block_rows(m),
                          .codes = packed_array<std::int8_t>(call.workspace, rows.codes(m)),
                          .offsets = packed_array<std::int32_t>(call.workspace, rows.offsets(m)),
                          .row_scales = packed_array<float>(call.workspace, rows.scales()) + m,
                          .bias = nullptr,
                          .outputs = nullptr};
    const std::size_t widest = task.rows == 1 ? Tile::single_vectors : Tile::many_vectors;
    for (std::size_t p = first / Tile::lanes; p < end;) {
      const std::size_t vectors = end - p >= widest ? widest : 1;
      make_group_tile<Tile>(call, task, m, p, vectors);
      p += vectors;
    }
  }
}

/// A path's group-wise gemm, made of its tiles and of its way to quantize rows.
template <class Tile, const row_quantizer& Quantizer>
struct one_tile_group_gemm {
  static std::size_t packed_bytes(const group_weights& weights) { return group_layout<Tile>(weights).bytes(); }

  static void pack(const group_weights& weights, std::byte* packed) { pack_group_panels<Tile>(weights, packed); }

  /// Rows [first, last) of the activations.
  static void quantize(const group_gemm_arguments& call, std::size_t first, std::size_t last) noexcept {
    quantize_rows<Tile>(call, Quantizer, first, last);
  }

  /// Columns [first, last) of the outputs.
  static void run(const group_gemm_arguments& call, std::size_t first, std::size_t last) noexcept {
    tiled_group_gemm<Tile>(call, first, last);
  }
};

}  // namespace bitwright::kernels
