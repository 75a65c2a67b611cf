// SPDX-License-Identifier: MIT
/// \file
/// gemm of a path that has one tile for all weights.
#pragma once

#include <bitwright/kernels/gemm_arguments.hpp>
#include <bitwright/kernels/panels.hpp>
#include <bitwright/kernels/tiled_gemm.hpp>
#include <bitwright/kernels/tiles.hpp>
#include <bitwright/kernels/weighted_sum.hpp>

#include <cstddef>

namespace bitwright::kernels {

/// `Tile` is as kernels/tiles.hpp says. `Store` turns its sums into codes.
template <class Tile>
struct one_tile_gemm {
  static std::size_t packed_bytes(const weighted_sum& sums) { return gemm_layout<Tile>(sums).bytes(); }

  static void pack(const weighted_sum& sums, std::byte* packed) { pack_panels(gemm_layout<Tile>(sums), sums, packed); }

  static std::size_t workspace_bytes(const weighted_sum& sums) { return tiled_gemm_workspace_bytes<Tile>(sums); }

  /// Rows [first, last) of the outputs.
  template <class Activation, class Output, store_function Store>
  static void run(const gemm_arguments<Activation, Output>& call, std::size_t first, std::size_t last) noexcept {
    tiled_gemm<Tile>(call, first, last, Store);
  }
};

}  // namespace bitwright::kernels
