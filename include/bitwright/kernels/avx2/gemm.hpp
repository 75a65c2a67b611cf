// SPDX-License-Identifier: MIT
/// \file
/// gemm for AVX2, with bytes or words as the weights allow.
#pragma once

#include <bitwright/core/rounding.hpp>
#include <bitwright/kernels/avx2/store_tile.hpp>
#include <bitwright/kernels/avx2/tile.hpp>
#include <bitwright/kernels/gemm_arguments.hpp>
#include <bitwright/kernels/panels.hpp>
#include <bitwright/kernels/tiled_gemm.hpp>

#include <algorithm>
#include <cstddef>

namespace bitwright::kernels::avx2 {

template <class Activation>
std::size_t gemm_packed_bytes(const weighted_sum& sums) {
  return std::max(gemm_layout<byte_tile<Activation>>(sums).bytes(), gemm_layout<word_tile<Activation>>(sums).bytes());
}

template <class Activation>
void gemm_pack(const weighted_sum& sums, std::byte* packed) {
  pack_bytes_or_words(gemm_layout<byte_tile<Activation>>(sums), gemm_layout<word_tile<Activation>>(sums), sums, packed);
}

template <class Activation>
std::size_t gemm_workspace_bytes(const weighted_sum& sums) {
  return tiled_gemm_workspace_bytes<word_tile<Activation>>(sums);
}

/// Rows [first, last) of the outputs.
template <class Activation, class Output, integer_rounding Rounding>
void gemm(const gemm_arguments<Activation, Output>& call, std::size_t first, std::size_t last) noexcept {
  const store_function store = store_tile<Output, Rounding>;
  if (packed_as_bytes(call.packed))
    tiled_gemm<byte_tile<Activation>>(call, first, last, store);
  else
    tiled_gemm<word_tile<Activation>>(call, first, last, store);
}

}  // namespace bitwright::kernels::avx2
