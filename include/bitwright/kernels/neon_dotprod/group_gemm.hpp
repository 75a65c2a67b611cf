// SPDX-License-Identifier: MIT
/// \file
/// Group-wise gemm for 64-bit Arm with dot products.
#pragma once

#include <bitwright/kernels/neon/quantize_row.hpp>
#include <bitwright/kernels/neon_dotprod/group_tile.hpp>
#include <bitwright/kernels/tiled_group_gemm.hpp>

#include <cstddef>

namespace bitwright::kernels::neon_dotprod {

template <group_format Format>
std::size_t group_gemm_packed_bytes(const group_weights& weights) {
  return group_layout<group_tile<Format>>(weights).bytes();
}

template <group_format Format>
void group_gemm_pack(const group_weights& weights, std::byte* packed) {
  pack_group_panels<group_tile<Format>>(weights, packed);
}

/// Rows [first, last) of the activations.
template <group_format Format>
void group_gemm_quantize(const group_gemm_arguments& call, std::size_t first, std::size_t last) noexcept {
  quantize_rows<group_tile<Format>>(call, {neon::greatest_bits, neon::quantize_row}, first, last);
}

/// Columns [first, last) of the outputs.
template <group_format Format>
void group_gemm(const group_gemm_arguments& call, std::size_t first, std::size_t last) noexcept {
  tiled_group_gemm<group_tile<Format>>(call, first, last);
}

}  // namespace bitwright::kernels::neon_dotprod
