// SPDX-License-Identifier: MIT
/// \file
/// How the network is quantized: which codes stand for each layer's weights and each node's outputs, and what they
/// cost. The simulated and the integer network are both made from this, so that they mean the same codes.
#pragma once

#include "network.hpp"
#include <bitwright/core/granularity.hpp>
#include <bitwright/core/range.hpp>
#include <bitwright/quantizers/sliced.hpp>
#include <bitwright/quantizers/uniform.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace fashion_mnist {

/// Symmetric, with a scale for each output channel.
using weight_quantizer =
    bitwright::sliced<bitwright::uniform<bitwright::dynamic_bits, std::int8_t>, bitwright::per_channel>;

/// 16 bits hold the codes of every node, those of unsigned 8 bits included.
using activation_quantizer = bitwright::uniform<bitwright::dynamic_bits, std::int16_t>;

/// The bits of a layer's inputs: all of them are 8-bit codes.
inline constexpr int activation_bits = 8;

/// Whether a node's outputs take 16 signed bits: a residual branch before its sum, and the scores of the classes.
/// All others are not negative and take 8 unsigned bits.
inline bool has_wide_outputs(const node& each) { return each.has_weights() && !each.relu; }

/// Each channel's scale is the one of least cubed error among forty.
weight_quantizer fit_weights(const node& layer, std::span<const float> weights, int bits);
activation_quantizer fit_outputs(const node& each, bitwright::range seen);

/// The network's quantizers, by node.
struct quantization {
  /// `weights` are those of all nodes; `weight_bits` has an entry for each node with weights; `seen` has the range of
  /// each node's outputs.
  quantization(const network& graph, std::span<const float> weights, std::span<const int> weight_bits,
               std::span<const bitwright::range> seen);

  std::vector<std::optional<weight_quantizer>> weights;
  std::vector<activation_quantizer> outputs;
};

/// What a layer costs with weights of `bits` bits.
struct layer_cost {
  std::int64_t size_bytes;  ///< Its weights, packed, and for each output channel a scale and a bias of 4 bytes each.
  std::int64_t bops;        ///< Bit operations an image: bits x activation_bits x multiply-accumulates.
};
layer_cost cost_of(const node& layer, int bits);

}  // namespace fashion_mnist
