// SPDX-License-Identifier: MIT
/// \file
/// Convolution for any 64-bit Arm, with the tile that the weights allow.
#pragma once

#include <bitwright/core/rounding.hpp>
#include <bitwright/kernels/convolution_arguments.hpp>
#include <bitwright/kernels/depthwise.hpp>
#include <bitwright/kernels/neon/depthwise.hpp>
#include <bitwright/kernels/neon/short_sum_tile.hpp>
#include <bitwright/kernels/neon/store_tile.hpp>
#include <bitwright/kernels/neon/tile.hpp>
#include <bitwright/kernels/neon/tile_kind.hpp>
#include <bitwright/kernels/panels.hpp>
#include <bitwright/kernels/tiled_convolution.hpp>

#include <cstddef>

namespace bitwright::kernels::neon {

template <class Activation>
std::size_t convolution_packed_bytes(const convolution_constants& constants) {
  if (suits_depthwise(constants)) return depthwise_packed_bytes(constants);
  return convolution_blocks<short_sum_tile<Activation>>(constants).layout().bytes();
}

template <class Activation>
void convolution_pack(const convolution_constants& constants, std::byte* packed) {
  if (suits_depthwise(constants)) return depthwise_pack(constants, packed);
  pack_chosen<Activation>(convolution_blocks<short_sum_tile<Activation>>(constants).layout(), constants.sums, packed);
}

template <class Activation>
std::size_t convolution_workspace_bytes(const convolution_constants& constants) {
  if (suits_depthwise(constants)) return depthwise_workspace_bytes(constants);
  return convolution_blocks<short_sum_tile<Activation>>(constants).bytes();
}

/// Rows [first, last) of the outputs, counted through all images.
template <class Activation, class Output, integer_rounding Rounding>
void convolution(const convolution_arguments<Activation, Output>& call, std::size_t first, std::size_t last) noexcept {
  if (suits_depthwise(call.constants)) return depthwise<Activation, Output, Rounding>(call, first, last);
  const store_function store = store_tile<Output, Rounding>;
  switch (packed_kind(call.packed)) {
    case tile_kind::short_sums:
      return tiled_convolution<short_sum_tile<Activation>, Activation, Output>(call, store).run(first, last);
    case tile_kind::pairs:
      return tiled_convolution<pair_tile<Activation>, Activation, Output>(call, store).run(first, last);
    case tile_kind::singles:
      return tiled_convolution<single_tile<Activation>, Activation, Output>(call, store).run(first, last);
  }
}

}  // namespace bitwright::kernels::neon
