// SPDX-License-Identifier: MIT
/// \file
/// Binary convolution for 64-bit Arm.
#pragma once

#include <bitwright/core/rounding.hpp>
#include <bitwright/kernels/binary_convolution_arguments.hpp>
#include <bitwright/kernels/neon/binary_tile.hpp>
#include <bitwright/kernels/tiled_binary_convolution.hpp>

#include <cstddef>

namespace bitwright::kernels::neon {

inline std::size_t binary_convolution_workspace_bytes(const binary_convolution_constants& constants) {
  return tiled_binary_convolution_workspace_bytes<binary_tile>(constants);
}

/// Rows [first, last) of the outputs, counted through all images.
template <binary_output Output, integer_rounding Rounding>
void binary_convolution(const binary_convolution_arguments<Output>& call, std::size_t first,
                        std::size_t last) noexcept {
  tiled_binary_convolution<binary_tile>(call, first, last, store_binary<Output, Rounding>);
}

}  // namespace bitwright::kernels::neon
