// SPDX-License-Identifier: MIT
/// \file
/// Binary convolution for AVX2.
#pragma once

#include <bitwright/core/rounding.hpp>
#include <bitwright/kernels/avx2/binary_tile.hpp>
#include <bitwright/kernels/binary_convolution_arguments.hpp>
#include <bitwright/kernels/tiled_binary_convolution.hpp>

#include <cstddef>

namespace bitwright::kernels::avx2 {

inline std::size_t binary_convolution_workspace_bytes(const binary_convolution_constants& constants) {
  return tiled_binary_convolution_workspace_bytes<binary_tile>(constants);
}

/// Rows [first, last) of the outputs, counted through all images.
template <binary_output Output, integer_rounding Rounding>
void binary_convolution(const binary_convolution_arguments<Output>& call, std::size_t first,
                        std::size_t last) noexcept {
  tiled_binary_convolution<binary_tile>(call, first, last, store_binary<Output, Rounding>);
}

}  // namespace bitwright::kernels::avx2
