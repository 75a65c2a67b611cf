// SPDX-License-Identifier: MIT
/// \file
/// gemm for AVX512-VNNI.
#pragma once

#include <bitwright/core/rounding.hpp>
#include <bitwright/kernels/avx512_vnni/store_tile.hpp>
#include <bitwright/kernels/avx512_vnni/tile.hpp>
#include <bitwright/kernels/gemm_arguments.hpp>
#include <bitwright/kernels/panels.hpp>
#include <bitwright/kernels/tiled_gemm.hpp>

#include <cstddef>
#include <cstdint>

namespace bitwright::kernels::avx512_vnni {

template <class Activation>
std::size_t gemm_packed_bytes(const weighted_sum& sums) {
  return gemm_layout<tile<Activation>>(sums).bytes();
}

template <class Activation>
void gemm_pack(const weighted_sum& sums, std::byte* packed) {
  pack_panels(gemm_layout<tile<Activation>>(sums), sums, packed);
}

inline std::size_t gemm_workspace_bytes(const weighted_sum& sums) {
  return tiled_gemm_workspace_bytes<tile<std::uint8_t>>(sums);
}

/// Rows [first, last) of the outputs.
template <class Activation, class Output, integer_rounding Rounding>
void gemm(const gemm_arguments<Activation, Output>& call, std::size_t first, std::size_t last) noexcept {
  tiled_gemm<tile<Activation>>(call, first, last, store_tile<Output, Rounding>);
}

}  // namespace bitwright::kernels::avx512_vnni
