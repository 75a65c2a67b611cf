// SPDX-License-Identifier: MIT
/// \file
/// Convolution for AVX512-VNNI.
#pragma once

#include <bitwright/core/rounding.hpp>
#include <bitwright/kernels/avx512_vnni/depthwise.hpp>
#include <bitwright/kernels/avx512_vnni/store_tile.hpp>
#include <bitwright/kernels/avx512_vnni/tile.hpp>
#include <bitwright/kernels/convolution_arguments.hpp>
#include <bitwright/kernels/depthwise.hpp>
#include <bitwright/kernels/panels.hpp>
#include <bitwright/kernels/tiled_convolution.hpp>

#include <cstddef>

namespace bitwright::kernels::avx512_vnni {

template <class Activation>
std::size_t convolution_packed_bytes(const convolution_constants& constants) {
  if (suits_depthwise(constants)) return depthwise_packed_bytes(constants);
  return convolution_blocks<tile<Activation>>(constants).layout().bytes();
}

template <class Activation>
void convolution_pack(const convolution_constants& constants, std::byte* packed) {
  if (suits_depthwise(constants)) return depthwise_pack(constants, packed);
  pack_panels(convolution_blocks<tile<Activation>>(constants).layout(), constants.sums, packed);
}

template <class Activation>
std::size_t convolution_workspace_bytes(const convolution_constants& constants) {
  if (suits_depthwise(constants)) return depthwise_workspace_bytes(constants);
  return convolution_blocks<tile<Activation>>(constants).bytes();
}

/// Rows [first, last) of the outputs, counted through all images.
template <class Activation, class Output, integer_rounding Rounding>
void convolution(const convolution_arguments<Activation, Output>& call, std::size_t first, std::size_t last) noexcept {
  if (suits_depthwise(call.constants)) return depthwise<Activation, Output, Rounding>(call, first, last);
  const store_function store = store_tile<Output, Rounding>;
  tiled_convolution<tile<Activation>, Activation, Output>(call, store).run(first, last);
}

}  // namespace bitwright::kernels::avx512_vnni
