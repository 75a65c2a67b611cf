// SPDX-License-Identifier: MIT
/// \file
/// gemm for any 64-bit Arm, with the tile that the weights allow.
#pragma once

#include <bitwright/core/rounding.hpp>
#include <bitwright/kernels/gemm_arguments.hpp>
#include <bitwright/kernels/neon/short_sum_tile.hpp>
#include <bitwright/kernels/neon/store_tile.hpp>
#include <bitwright/kernels/neon/tile.hpp>
#include <bitwright/kernels/neon/tile_kind.hpp>
#include <bitwright/kernels/panels.hpp>
#include <bitwright/kernels/tiled_gemm.hpp>

#include <algorithm>
#include <cstddef>

namespace bitwright::kernels::neon {

template <class Activation>
std::size_t gemm_packed_bytes(const weighted_sum& sums) {
  return gemm_layout<short_sum_tile<Activation>>(sums).bytes();
}

template <class Activation>
void gemm_pack(const weighted_sum& sums, std::byte* packed) {
  pack_chosen<Activation>(gemm_layout<short_sum_tile<Activation>>(sums), sums, packed);
}

template <class Activation>
std::size_t gemm_workspace_bytes(const weighted_sum& sums) {
  return std::max(tiled_gemm_workspace_bytes<short_sum_tile<Activation>>(sums),
                  tiled_gemm_workspace_bytes<pair_tile<Activation>>(sums));
}

/// Rows [first, last) of the outputs.
template <class Activation, class Output, integer_rounding Rounding>
void gemm(const gemm_arguments<Activation, Output>& call, std::size_t first, std::size_t last) noexcept {
  const store_function store = store_tile<Output, Rounding>;
  switch (packed_kind(call.packed)) {
    case tile_kind::short_sums:
      return tiled_gemm<short_sum_tile<Activation>>(call, first, last, store);
    case tile_kind::pairs:
      return tiled_gemm<pair_tile<Activation>>(call, first, last, store);
    case tile_kind::singles:
      return tiled_gemm<single_tile<Activation>>(call, first, last, store);
  }
}

}  // namespace bitwright::kernels::neon
