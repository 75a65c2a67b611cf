// SPDX-License-Identifier: MIT
/// \file
/// Convolution for AVX2, with the tile that the weights allow.
#pragma once

#include <bitwright/core/rounding.hpp>
#include <bitwright/kernels/avx2/depthwise.hpp>
#include <bitwright/kernels/avx2/short_sum_tile.hpp>
#include <bitwright/kernels/avx2/store_tile.hpp>
#include <bitwright/kernels/avx2/tile.hpp>
#include <bitwright/kernels/avx2/tile_kind.hpp>
#include <bitwright/kernels/convolution_arguments.hpp>
#include <bitwright/kernels/depthwise.hpp>
#include <bitwright/kernels/panels.hpp>
#include <bitwright/kernels/tiled_convolution.hpp>

#include <algorithm>
#include <cstddef>

namespace bitwright::kernels::avx2 {

template <class Activation>
using byte_blocks = convolution_blocks<byte_tile<Activation>>;
template <class Activation>
using word_blocks = convolution_blocks<word_tile<Activation>>;

template <class Activation>
std::size_t convolution_packed_bytes(const convolution_constants& constants) {
  if (suits_depthwise(constants)) return depthwise_packed_bytes(constants);
  return chosen_bytes(byte_blocks<Activation>(constants).layout(), word_blocks<Activation>(constants).layout(),
                      constants.sums);
}

template <class Activation>
void convolution_pack(const convolution_constants& constants, std::byte* packed) {
  if (suits_depthwise(constants)) return depthwise_pack(constants, packed);
  pack_chosen(byte_blocks<Activation>(constants).layout(), word_blocks<Activation>(constants).layout(), constants.sums,
              packed);
}

template <class Activation>
std::size_t convolution_workspace_bytes(const convolution_constants& constants) {
  if (suits_depthwise(constants)) return depthwise_workspace_bytes(constants);
  return std::max(byte_blocks<Activation>(constants).bytes(), word_blocks<Activation>(constants).bytes());
}

/// Rows [first, last) of the outputs, counted through all images.
template <class Activation, class Output, integer_rounding Rounding>
void convolution(const convolution_arguments<Activation, Output>& call, std::size_t first, std::size_t last) noexcept {
  if (suits_depthwise(call.constants)) return depthwise<Activation, Output, Rounding>(call, first, last);
  const store_function store = store_tile<Output, Rounding>;
  switch (packed_kind(call.packed)) {
    case tile_kind::short_sums:
      return tiled_convolution<short_sum_tile<Activation>, Activation, Output>(call, store).run(first, last);
    case tile_kind::bytes:
      return tiled_convolution<byte_tile<Activation>, Activation, Output>(call, store).run(first, last);
    case tile_kind::words:
      return tiled_convolution<word_tile<Activation>, Activation, Output>(call, store).run(first, last);
  }
}

}  // namespace bitwright::kernels::avx2
