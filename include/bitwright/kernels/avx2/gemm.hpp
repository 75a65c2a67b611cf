// SPDX-License-Identifier: MIT
/// \file
/// gemm for AVX2, with the tile that the weights allow.
#pragma once

#include <bitwright/core/rounding.hpp>
#include <bitwright/kernels/avx2/short_sum_tile.hpp>
#include <bitwright/kernels/avx2/store_tile.hpp>
#include <bitwright/kernels/avx2/tile.hpp>
#include <bitwright/kernels/avx2/tile_kind.hpp>
#include <bitwright/kernels/gemm_arguments.hpp>
#include <bitwright/kernels/panels.hpp>
#include <bitwright/kernels/tiled_gemm.hpp>

#include <algorithm>
#include <cstddef>

namespace bitwright::kernels::avx2 {

template <class Activation>
std::size_t gemm_packed_bytes(const weighted_sum& sums) {
  return chosen_bytes(gemm_layout<byte_tile<Activation>>(sums), gemm_layout<word_tile<Activation>>(sums), sums);
}

template <class Activation>
void gemm_pack(const weighted_sum& sums, std::byte* packed) {
  pack_chosen(gemm_layout<byte_tile<Activation>>(sums), gemm_layout<word_tile<Activation>>(sums), sums, packed);
}

template <class Activation>
std::size_t gemm_workspace_bytes(const weighted_sum& sums) {
  return std::max(tiled_gemm_workspace_bytes<byte_tile<Activation>>(sums),
                  tiled_gemm_workspace_bytes<word_tile<Activation>>(sums));
}

/// Rows [first, last) of the outputs.
template <class Activation, class Output, integer_rounding Rounding>
void gemm(const gemm_arguments<Activation, Output>& call, std::size_t first, std::size_t last) noexcept {
  const store_function store = store_tile<Output, Rounding>;
  switch (packed_kind(call.packed)) {
    case tile_kind::short_sums:
      return tiled_gemm<short_sum_tile<Activation>>(call, first, last, store);
    case tile_kind::bytes:
      return tiled_gemm<byte_tile<Activation>>(call, first, last, store);
    case tile_kind::words:
      return tiled_gemm<word_tile<Activation>>(call, first, last, store);
  }
}

}  // namespace bitwright::kernels::avx2
