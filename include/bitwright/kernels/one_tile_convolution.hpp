// SPDX-License-Identifier: MIT
/// \file
/// Convolution of a path that has one tile for all weights, and functions of its own for depthwise convolutions.
#pragma once

#include <bitwright/core/rounding.hpp>
#include <bitwright/kernels/convolution_arguments.hpp>
#include <bitwright/kernels/depthwise.hpp>
#include <bitwright/kernels/panels.hpp>
#include <bitwright/kernels/tiled_convolution.hpp>
#include <bitwright/kernels/tiles.hpp>

#include <cstddef>

namespace bitwright::kernels {

/// `Tile` is as kernels/tiles.hpp says. `Store` turns its sums into codes. `Depthwise` has the same four functions for
/// the shapes that suit it, `run` for each type of activations and outputs and each rounding.
template <class Tile, class Depthwise>
struct one_tile_convolution {
  static std::size_t packed_bytes(const convolution_constants& constants) {
    if (suits_depthwise(constants)) return Depthwise::packed_bytes(constants);
    return convolution_blocks<Tile>(constants).layout().bytes();
  }

  static void pack(const convolution_constants& constants, std::byte* packed) {
    if (suits_depthwise(constants)) return Depthwise::pack(constants, packed);
    pack_panels(convolution_blocks<Tile>(constants).layout(), constants.sums, packed);
  }

  static std::size_t workspace_bytes(const convolution_constants& constants) {
    if (suits_depthwise(constants)) return Depthwise::workspace_bytes(constants);
    return convolution_blocks<Tile>(constants).bytes();
  }

  /// Rows [first, last) of the outputs, counted through all images.
  template <class Activation, class Output, integer_rounding Rounding, store_function Store>
  static void run(const convolution_arguments<Activation, Output>& call, std::size_t first, std::size_t last) noexcept {
    if (suits_depthwise(call.constants))
      return Depthwise::template run<Activation, Output, Rounding>(call, first, last);
    tiled_convolution<Tile, Activation, Output>(call, Store).run(first, last);
  }
};

}  // namespace bitwright::kernels
