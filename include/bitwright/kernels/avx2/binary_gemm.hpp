// SPDX-License-Identifier: MIT
/// \file
/// Binary gemm for AVX2.
#pragma once

#include <bitwright/core/rounding.hpp>
#include <bitwright/kernels/avx2/binary_tile.hpp>
#include <bitwright/kernels/binary_gemm_arguments.hpp>
#include <bitwright/kernels/binary_tiles.hpp>
#include <bitwright/kernels/tiled_binary_gemm.hpp>

#include <cstddef>

namespace bitwright::kernels::avx2 {

inline std::size_t binary_packed_bytes(const binary_sum& sums) { return tiled_binary_packed_bytes<binary_tile>(sums); }
inline void binary_pack(const binary_sum& sums, std::byte* packed) { tiled_binary_pack<binary_tile>(sums, packed); }
inline std::size_t binary_gemm_workspace_bytes(const binary_sum& sums) {
  return tiled_binary_gemm_workspace_bytes<binary_tile>(sums);
}

/// Rows [first, last) of the outputs.
template <binary_output Output, integer_rounding Rounding>
void binary_gemm(const binary_gemm_arguments<Output>& call, std::size_t first, std::size_t last) noexcept {
  tiled_binary_gemm<binary_tile>(call, first, last, store_binary<Output, Rounding>);
}

}  // namespace bitwright::kernels::avx2
