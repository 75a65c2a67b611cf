// SPDX-License-Identifier: MIT
/// \file
/// Other schemes for the weights than uniform codes: each becomes integers that the network runs on. Outputs are the 8-bit
/// codes that all plans have.
#pragma once

#include "folded_network.hpp"
#include "integer_weights.hpp"
#include "network.hpp"
#include "quantization.hpp"

#include <functional>
#include <span>
#include <string>
#include <vector>

namespace fashion_mnist {

/// A way to store a layer's weights, and what that costs.
struct weight_scheme {
  /// What a layer's weights become, [channels][weights of a channel].
  using store_function = std::function<integer_weights(const node& layer, std::span<const float> weights)>;

  std::string plan;     ///< Its name in the table.
  std::string scheme;   ///< One of scheme_names.
  int bits;             ///< Of a stored code.
  int multiplied_bits;  ///< Of a code or, for terms, how many there are for each weight: what bit operations count.
  int parameters_of_channel;  ///< Numbers of 4 bytes, the bias included.
  int parameters_of_layer;    ///< Numbers of 4 bytes.
  store_function store;
};

/// What `weight_scheme::scheme` can be.
std::vector<std::string> scheme_names();

/// With 3 and with 4 bits where a scheme has them. All but the codebook are fitted to each channel, and all but terms and
/// those of one and two bits to the least cubed error.
///
/// Piecewise linear: a breakpoint, searched, below the limit of least cubed error; two integers a weight. Powers of two:
/// those of incremental network quantization, and with a scale (logarithmic). Terms: of 8-bit codes over a channel's
/// range, 2 and 3 for each weight in groups of 8. Codebook: k-means of all weights of a layer, each divided by its
/// channel's root of the mean square; from evenly spaced levels on, which spares some for the largest weights: the levels
/// of least squared error keep less of the network. It and NF4 run on the nearest grid of 8-bit integers.
std::vector<weight_scheme> weight_schemes();

/// The size of all layers, and their bit operations an image.
layer_cost cost_of(const network& graph, const weight_scheme& scheme);

/// The integers of every layer, in order.
std::vector<integer_weights> store_all(const folded_network& net, const weight_scheme& scheme);

}  // namespace fashion_mnist
