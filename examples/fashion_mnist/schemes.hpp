// SPDX-License-Identifier: MIT
/// \file
/// Other schemes for the weights than uniform codes: what the network keeps with them, simulated, because no integer
/// kernel runs them yet. Outputs are the 8-bit codes that all plans have.
#pragma once

#include "folded_network.hpp"
#include "network.hpp"
#include "quantization.hpp"
#include "thread_pool.hpp"
#include <bitwright/core/range.hpp>

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace fashion_mnist {

/// A way to store a layer's weights, and what that costs.
struct weight_scheme {
  /// What a layer's weights become, [channels][weights of a channel].
  using store_function = std::function<std::vector<float>(const node& layer, std::span<const float> weights)>;

  std::string plan;     ///< Its name in the table.
  std::string scheme;   ///< "piecewise_linear", "additive_power_of_two", "term" or "codebook".
  int bits;             ///< Of a stored code.
  int multiplied_bits;  ///< Of a code or, for terms, how many there are for each weight: what bit operations count.
  int parameters_of_channel;  ///< Numbers of 4 bytes, the bias included.
  int parameters_of_layer;    ///< Numbers of 4 bytes.
  store_function store;
};

/// Each with 3 and with 4 bits; terms in groups of 8, with 2 and with 3 for each weight.
///
/// Piecewise linear: a breakpoint for each channel, searched, below the limit of least cubed error. Additive powers of
/// two: a scale for each channel, of least cubed error. Terms: of 8-bit codes over each channel's range. Codebook:
/// k-means of all weights of a layer, each divided by its channel's root of the mean square; from evenly spaced levels
/// on, which spares some for the largest weights: the levels of least squared error keep less of the network.
std::vector<weight_scheme> weight_schemes();

/// The size of all layers, and their bit operations an image.
layer_cost cost_of(const network& graph, const weight_scheme& scheme);

/// The simulated network's outputs, [images][classes], for `pixels` in [0, 1] and outputs of the ranges `seen`.
std::vector<float> simulate(const folded_network& net, const weight_scheme& scheme,
                            std::span<const bitwright::range> seen, std::span<const float> pixels, thread_pool& pool);

}  // namespace fashion_mnist
